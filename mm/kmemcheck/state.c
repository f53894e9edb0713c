// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of each byte.
 *
 * No lock: states are changed by who changes the bytes, and whoever has to see to it that
 * nobody else does so at once has done so for the states as well. A byte's state is
 * changed before the byte is written, and looked at after it was read, so that another CPU
 * that finds the new byte finds its state too. The processor keeps the order of stores,
 * and that of loads; the access itself is a barrier for the compiler.
 */
#include <linux/kprobes.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "slab.h"

#include "../direct.h"
#include "kmemcheck.h"

/*
 * The state of a byte, and of how many behind it; NULL if nobody watches it. Where it is not
 * hidden yet, what is written is not seen: nothing may become uninitialized there.
 */
static u8 *kmemcheck_states(unsigned long addr, unsigned long *room)
{
	struct kmemcheck_area *area = kmemcheck_area_of(addr);
	unsigned long offset;

	if (!area || !READ_ONCE(area->watched)) {
		*room = PAGE_SIZE - offset_in_page(addr);
		return NULL;
	}
	offset = addr - area->start;
	*room = ((unsigned long)area->pages << PAGE_SHIFT) - offset;
	return area->state + offset;
}
NOKPROBE_SYMBOL(kmemcheck_states);

/* Of bytes that are allocated. */
static void kmemcheck_set(unsigned long addr, unsigned long size, enum kmemcheck_state to)
{
	unsigned long room, i;
	u8 *state;

	for (; size; addr += room, size -= room) {
		state = kmemcheck_states(addr, &room);
		room = min(room, size);
		for (i = 0; state && i < room; i++)
			if (state[i] == KMEMCHECK_UNINITIALIZED ||
			    state[i] == KMEMCHECK_INITIALIZED)
				WRITE_ONCE(state[i], to);
	}
}
NOKPROBE_SYMBOL(kmemcheck_set);

/* Are objects of a cache freed as whoever allocates them next wants to have them? */
static bool kmemcheck_constructed(const struct kmem_cache *cache)
{
	return cache && cache->ctor;
}

/* Are they still looked at when they were freed, or are already somebody else's? */
static bool kmemcheck_stays(const struct kmem_cache *cache)
{
	return cache && (cache->flags & SLAB_TYPESAFE_BY_RCU);
}

/**
 * kmemcheck_nobodys - an area was made, no object of it is allocated
 * @area: it
 *
 * Any context. Constructors are going to run.
 */
void kmemcheck_nobodys(struct kmemcheck_area *area)
{
	memset(area->state, kmemcheck_constructed(area->cache) || kmemcheck_stays(area->cache) ?
	       KMEMCHECK_UNINITIALIZED : KMEMCHECK_UNALLOCATED,
	       (size_t)area->pages << PAGE_SHIFT);
}

/**
 * kmemcheck_allocated - an object was allocated
 * @area:    in which it is
 * @start:   it
 * @cleared: it is all zero, or counts as being so
 *
 * Any context.
 */
void kmemcheck_allocated(struct kmemcheck_area *area, unsigned long start, bool cleared)
{
	u8 *state = area->state + (start - area->start);
	unsigned int i;

	if (cleared)
		memset(state, KMEMCHECK_INITIALIZED, area->object_size);
	else if (kmemcheck_stays(area->cache))
		return;
	else if (kmemcheck_constructed(area->cache))
		for (i = 0; i < area->object_size; i++)
			WRITE_ONCE(state[i], state[i] == KMEMCHECK_KEPT ||
					     state[i] == KMEMCHECK_INITIALIZED ?
				   KMEMCHECK_INITIALIZED : KMEMCHECK_UNINITIALIZED);
	else
		memset(state, KMEMCHECK_UNINITIALIZED, area->object_size);
}

/**
 * kmemcheck_freed - an object is being freed
 * @area:  in which it is
 * @start: it
 *
 * Any context.
 */
void kmemcheck_freed(struct kmemcheck_area *area, unsigned long start)
{
	u8 *state = area->state + (start - area->start);
	unsigned int i;

	if (kmemcheck_stays(area->cache))
		return;
	if (kmemcheck_constructed(area->cache))
		for (i = 0; i < area->object_size; i++)
			WRITE_ONCE(state[i], state[i] == KMEMCHECK_INITIALIZED ? KMEMCHECK_KEPT :
										 KMEMCHECK_FREED);
	else
		memset(state, KMEMCHECK_FREED, area->object_size);
}

/**
 * kmemcheck_initialized - bytes are going to be written
 * @addr: first one
 * @size: how many
 *
 * Any context. What is not allocated stays what it is.
 */
void kmemcheck_initialized(unsigned long addr, unsigned long size)
{
	kmemcheck_set(addr, size, KMEMCHECK_INITIALIZED);
}
NOKPROBE_SYMBOL(kmemcheck_initialized);

/**
 * kmemcheck_uninitialized - bytes are not what they were
 * @addr: first one
 * @size: how many
 *
 * Any context. What is not allocated stays what it is.
 */
void kmemcheck_uninitialized(unsigned long addr, unsigned long size)
{
	kmemcheck_set(addr, size, KMEMCHECK_UNINITIALIZED);
}
NOKPROBE_SYMBOL(kmemcheck_uninitialized);

/**
 * kmemcheck_copy - bytes are going to be copied
 * @to:	  where to
 * @from: from where, in ascending order
 * @size: how many
 *
 * Any context. What nobody watches is initialized.
 */
void kmemcheck_copy(unsigned long to, unsigned long from, unsigned long size)
{
	unsigned long room, other, i;
	u8 *source, *state;

	for (; size; to += room, from += room, size -= room) {
		state = kmemcheck_states(to, &room);
		source = kmemcheck_states(from, &other);
		room = min3(room, other, size);
		for (i = 0; state && i < room; i++) {
			if (state[i] != KMEMCHECK_UNINITIALIZED &&
			    state[i] != KMEMCHECK_INITIALIZED)
				continue;
			WRITE_ONCE(state[i], !source || READ_ONCE(source[i]) == KMEMCHECK_INITIALIZED ?
				   KMEMCHECK_INITIALIZED : KMEMCHECK_UNINITIALIZED);
		}
	}
}
NOKPROBE_SYMBOL(kmemcheck_copy);

/**
 * kmemcheck_rest - how many bytes of its object there are from a byte on
 * @addr: its address
 *
 * Any context.
 */
unsigned long kmemcheck_rest(unsigned long addr)
{
	struct kmemcheck_area *area = kmemcheck_area_of(addr);
	unsigned long start;

	if (!area || !kmemcheck_object_of(area, addr, &start) ||
	    addr - start >= area->object_size)
		return 0;
	return start + area->object_size - addr;
}
NOKPROBE_SYMBOL(kmemcheck_rest);

/**
 * kmemcheck_all_bad - is none of some bytes initialized
 * @addr:  first one
 * @size:  how many, not 0
 * @state: the state of the first one
 *
 * Any context. What nobody watches is initialized.
 */
bool kmemcheck_all_bad(unsigned long addr, unsigned int size, enum kmemcheck_state *state)
{
	unsigned long room, i;
	bool first = true;
	u8 *states;

	for (; size; addr += room, size -= room) {
		states = kmemcheck_states(addr, &room);
		room = min_t(unsigned long, room, size);
		if (!states)
			return false;
		if (first)
			*state = READ_ONCE(states[0]);
		first = false;
		for (i = 0; i < room; i++)
			if (READ_ONCE(states[i]) == KMEMCHECK_INITIALIZED)
				return false;
	}
	return true;
}
NOKPROBE_SYMBOL(kmemcheck_all_bad);

/**
 * kmemcheck_find - find a byte that is not initialized
 * @addr:  the first byte to look at
 * @size:  how many
 * @freed_only: and that is freed, or never was allocated
 * @where: its address
 * @state: its state
 *
 * Any context.
 *
 * Return: false if there is none.
 */
bool kmemcheck_find(unsigned long addr, unsigned long size, bool freed_only,
		    unsigned long *where, enum kmemcheck_state *state)
{
	unsigned long room, i;
	u8 *states, s;

	for (; size; addr += room, size -= room) {
		states = kmemcheck_states(addr, &room);
		room = min(room, size);
		for (i = 0; states && i < room; i++) {
			s = READ_ONCE(states[i]);
			if (s == KMEMCHECK_INITIALIZED ||
			    (freed_only && s == KMEMCHECK_UNINITIALIZED))
				continue;
			*where = addr + i;
			*state = s;
			return true;
		}
	}
	return false;
}
NOKPROBE_SYMBOL(kmemcheck_find);

/**
 * kmemcheck_window - what some bytes are, to be shown
 * @addr:  first one, on a watched page
 * @size:  how many, all on that page
 * @data:  the bytes
 * @state: their states
 *
 * Any context. Nobody sees that they are read.
 */
void kmemcheck_window(unsigned long addr, unsigned int size, u8 *data, u8 *state)
{
	const u8 *alias = (const u8 *)pvs_direct_alias(addr);
	unsigned long room;
	u8 *states = kmemcheck_states(addr, &room);
	unsigned int i;

	for (i = 0; i < size; i++) {
		data[i] = READ_ONCE(alias[i]);
		state[i] = states ? READ_ONCE(states[i]) : KMEMCHECK_INITIALIZED;
	}
}
NOKPROBE_SYMBOL(kmemcheck_window);
