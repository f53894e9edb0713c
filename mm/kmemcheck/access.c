// SPDX-License-Identifier: GPL-2.0-only
/*
 * What instructions do to watched memory.
 *
 * Called by the fault handler before the access is made and after it: see state.c for the
 * order. What is told of is a read of which no byte is initialized. Where some are, the
 * others are those that the compiler, or a function that looks at a word at a time, read
 * along with them.
 */
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/pgtable.h>
#include <linux/pv_shadow.h>
#include <linux/sched.h>

#include "kmemcheck.h"

static void kmemcheck_tell(const struct pv_shadow_operands *ops, enum kmemcheck_state state)
{
	kmemcheck_report(KMEMCHECK_READ, state, ops->read, ops->size, ops->regs, ops->ip);
	/* Once for each byte. */
	kmemcheck_initialized(ops->read, ops->size);
}
NOKPROBE_SYMBOL(kmemcheck_tell);

/* Memory to memory: what is not initialized is none there either. */
static void kmemcheck_copies(const struct pv_shadow_operands *ops)
{
	enum kmemcheck_state state;
	unsigned long where;

	if (!ops->reads) {
		kmemcheck_initialized(ops->write, ops->size);
		return;
	}
	if (kmemcheck_find(ops->read, ops->size, true, &where, &state))
		kmemcheck_report(KMEMCHECK_READ, state, where,
				 ops->read + ops->size - where, ops->regs, ops->ip);
	if (ops->writes)
		kmemcheck_copy(ops->write, ops->read, ops->size);
}
NOKPROBE_SYMBOL(kmemcheck_copies);

/*
 * It is read, changed and written back: what was read must have been something, but for
 * the bits of a field that has never been set before.
 */
static void kmemcheck_changes(const struct pv_shadow_operands *ops)
{
	enum kmemcheck_state state;

	if (kmemcheck_all_bad(ops->read, ops->size, &state) &&
	    (state != KMEMCHECK_UNINITIALIZED || !kmemcheck_sets_bits(ops->ip)))
		kmemcheck_tell(ops, state);
	kmemcheck_initialized(ops->write, ops->size);
}
NOKPROBE_SYMBOL(kmemcheck_changes);

/* Loads before the first of their stores: no more than there are registers. */
#define KMEMCHECK_CARRIED	16

/**
 * struct kmemcheck_carried - a value that was loaded, and will be stored without having
 *			      been looked at
 * @load:  the instruction that loaded it; 0 if this is free
 * @store: the one that stores it, and where
 * @task:  whose they are
 */
struct kmemcheck_carried {
	unsigned long		load;
	struct kmemcheck_store	store;
	struct task_struct	*task;
};

/* Of what a CPU runs. A task that goes to another one in between is not followed. */
static DEFINE_PER_CPU(struct kmemcheck_carried [KMEMCHECK_CARRIED], kmemcheck_carried);
/*
 * How many of them are in use, or a little more: counted before one is taken and after one is
 * free. An NMI may take or free any in between; what that makes us lose counts as
 * initialized.
 */
static DEFINE_PER_CPU(unsigned int, kmemcheck_nr_carried);

static bool kmemcheck_free_carried(struct kmemcheck_carried *c, unsigned long load)
{
	if (cmpxchg_local(&c->load, load, 0) != load)
		return false;
	this_cpu_dec(kmemcheck_nr_carried);
	return true;
}
NOKPROBE_SYMBOL(kmemcheck_free_carried);

/* The value comes from elsewhere this time. */
static void kmemcheck_drop_carried(unsigned long load)
{
	struct kmemcheck_carried *c;
	unsigned int i;

	if (likely(!this_cpu_read(kmemcheck_nr_carried)))
		return;
	c = *this_cpu_ptr(&kmemcheck_carried);
	for (i = 0; i < KMEMCHECK_CARRIED; i++)
		if (c[i].load == load)
			kmemcheck_free_carried(&c[i], load);
}
NOKPROBE_SYMBOL(kmemcheck_drop_carried);

static void kmemcheck_carry(unsigned long load, const struct kmemcheck_store *store)
{
	struct kmemcheck_carried *c = *this_cpu_ptr(&kmemcheck_carried);
	static DEFINE_PER_CPU(unsigned int, next);
	unsigned int i;

	this_cpu_inc(kmemcheck_nr_carried);
	/* Nobody's until it is filled: an NMI that looks at it must not find the last one's. */
	for (i = 0; i < KMEMCHECK_CARRIED; i++) {
		if (READ_ONCE(c[i].load))
			continue;
		WRITE_ONCE(c[i].task, NULL);
		if (!cmpxchg_local(&c[i].load, 0, load))
			break;
	}
	if (i == KMEMCHECK_CARRIED) {
		i = this_cpu_inc_return(next) % KMEMCHECK_CARRIED;
		WRITE_ONCE(c[i].task, NULL);
		if (xchg(&c[i].load, load))
			this_cpu_dec(kmemcheck_nr_carried);
	}
	c[i].store = *store;
	barrier();
	WRITE_ONCE(c[i].task, current);
}
NOKPROBE_SYMBOL(kmemcheck_carry);

static bool kmemcheck_is_carried(const struct pv_shadow_operands *ops)
{
	struct kmemcheck_carried *c;
	unsigned long load;
	unsigned int i;

	if (likely(!this_cpu_read(kmemcheck_nr_carried)))
		return false;
	c = *this_cpu_ptr(&kmemcheck_carried);
	for (i = 0; i < KMEMCHECK_CARRIED; i++) {
		load = READ_ONCE(c[i].load);
		if (likely(!load || c[i].store.ip != ops->ip ||
			   c[i].store.addr != ops->write || c[i].task != current))
			continue;
		return kmemcheck_free_carried(&c[i], load);
	}
	return false;
}
NOKPROBE_SYMBOL(kmemcheck_is_carried);

static void kmemcheck_before(const struct pv_shadow_operands *ops)
{
	if (unlikely(!ops->size)) {
		/* Whatever it is, it may be all of it. */
		if (ops->writes)
			kmemcheck_initialized(ops->write, kmemcheck_rest(ops->write));
	} else if (ops->copies) {
		kmemcheck_copies(ops);
	} else if (ops->reads && ops->writes) {
		kmemcheck_changes(ops);
	} else if (ops->writes) {
		if (kmemcheck_is_carried(ops))
			kmemcheck_uninitialized(ops->write, ops->size);
		else
			kmemcheck_initialized(ops->write, ops->size);
	}
}
NOKPROBE_SYMBOL(kmemcheck_before);

/* Is what is written there seen by more than this kernel? */
static bool kmemcheck_is_device(unsigned long addr)
{
	unsigned int level;
	pte_t *pte;

	if (addr < TASK_SIZE_MAX || kmemcheck_area_of(addr))
		return false;
	pte = lookup_address(addr, &level);
	return pte && (pte_flags(*pte) & (_PAGE_PCD | _PAGE_PWT));
}
NOKPROBE_SYMBOL(kmemcheck_is_device);

/* Return: is it told of? */
static bool kmemcheck_is_used(const struct pv_shadow_operands *ops)
{
	struct kmemcheck_area *area;
	struct kmemcheck_store store;

	switch (kmemcheck_follow(ops->ip, ops->regs, &store)) {
	case KMEMCHECK_COPIED:
		if (!store.known)
			return false;
		if (store.addr < TASK_SIZE_MAX || kmemcheck_is_device(store.addr))
			return true;
		area = kmemcheck_area_of(store.addr);
		if (area && READ_ONCE(area->watched))
			kmemcheck_carry(ops->ip, &store);
		return false;
	case KMEMCHECK_UNUSED:
		return false;
	case KMEMCHECK_USED:
		break;
	}
	return true;
}
NOKPROBE_SYMBOL(kmemcheck_is_used);

static void kmemcheck_after(const struct pv_shadow_operands *ops)
{
	enum kmemcheck_state state;

	if (!ops->reads || ops->writes || ops->copies || !ops->size)
		return;
	kmemcheck_drop_carried(ops->ip);
	if (likely(!kmemcheck_all_bad(ops->read, ops->size, &state)))
		return;
	if (state == KMEMCHECK_UNINITIALIZED && !kmemcheck_is_used(ops)) {
		atomic_long_inc(&kmemcheck_stats.followed);
		return;
	}
	kmemcheck_tell(ops, state);
}
NOKPROBE_SYMBOL(kmemcheck_after);

static const struct pv_shadow_client kmemcheck_client = {
	.name = "kmemcheck",
	.before = kmemcheck_before,
	.after = kmemcheck_after,
};

struct pv_shadow_range kmemcheck_range = {
	.client = &kmemcheck_client,
	.direct = true,
};
