// SPDX-License-Identifier: GPL-2.0-only
/*
 * What SLUB and the page allocator tell: slabs, objects and pages that are allocated and
 * freed.
 */
#include <linux/mm.h>
#include <linux/pv_shadow_kmemcheck.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>

#include <asm/paravirt.h>

#include "slab.h"

#include "../../pvops/root.h"
#include "../direct.h"
#include "kmemcheck.h"

/* Return addresses that tell where an object comes from. */
#define KMEMCHECK_DEPTH	12

/* Apart, for it leaves out itself, who calls it, and the thunk that is called by. */
static noinline void kmemcheck_track(struct kmemcheck_track *track, gfp_t flags)
{
	unsigned long entries[KMEMCHECK_DEPTH];
	unsigned int nr = stack_trace_save(entries, ARRAY_SIZE(entries), 3);

	track->cpu = raw_smp_processor_id();
	track->pid = in_task() ? task_pid_nr(current) : 0;
	/* Nobody may be woken whom the allocation would not have: locks of his may be held. */
	track->stack = stack_depot_save(entries, nr, (flags & (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)) |
					__GFP_NOWARN);
}

/**
 * __pv_kmemcheck_new_slab - a slab was made
 * @s:	   of this cache
 * @start: its first address
 * @order: of its pages
 * @flags: how it was allocated
 */
void __pv_kmemcheck_new_slab(struct kmem_cache *s, void *start, unsigned int order, gfp_t flags)
{
	if (kmemcheck_wants(s))
		kmemcheck_watch(s, (unsigned long)start, 1U << order, s->size, s->object_size,
				flags);
}
PV_CALLEE_SAVE_REGS_THUNK(__pv_kmemcheck_new_slab);

/**
 * __pv_kmemcheck_seen - where memory can be accessed without being seen
 * @addr: its address
 *
 * Return: that, until this CPU leaves its roots.
 */
unsigned long __pv_kmemcheck_seen(unsigned long addr)
{
	return pvs_direct_covers(addr) ? pvs_direct_alias(addr) : addr;
}
PV_CALLEE_SAVE_REGS_THUNK(__pv_kmemcheck_seen);

/**
 * __pv_kmemcheck_slab_alloc - an object was allocated
 * @s:	    of this cache
 * @object: it
 * @flags:  how; with __GFP_ZERO it was cleared
 */
void __pv_kmemcheck_slab_alloc(struct kmem_cache *s, void *object, gfp_t flags)
{
	struct kmemcheck_object *o = NULL;
	struct kmemcheck_area *area;
	unsigned long start;
	bool watched;

	rcu_read_lock();
	area = object ? kmemcheck_area_of((unsigned long)object) : NULL;
	/* KFENCE gives objects of a cache pages that it has from elsewhere. */
	if (area && area->cache == s)
		o = kmemcheck_object_of(area, (unsigned long)object, &start);
	if (o) {
		/* A cache that was merged with this one may have larger objects. */
		if (unlikely(s && s->object_size != area->object_size))
			WRITE_ONCE(area->object_size, s->object_size);
		watched = READ_ONCE(area->watched);
		kmemcheck_allocated(area, start, !watched || (flags & __GFP_ZERO));
		o->free.stack = 0;
		if (watched)
			kmemcheck_track(&o->alloc, flags);
	}
	rcu_read_unlock();
}
PV_CALLEE_SAVE_REGS_THUNK(__pv_kmemcheck_slab_alloc);

/**
 * __pv_kmemcheck_slab_free - an object is being freed
 * @s:	    of this cache
 * @object: it
 *
 * SLUB may still write to it.
 */
void __pv_kmemcheck_slab_free(struct kmem_cache *s, void *object)
{
	struct kmemcheck_object *o = NULL;
	struct kmemcheck_area *area;
	unsigned long start;

	rcu_read_lock();
	area = kmemcheck_area_of((unsigned long)object);
	if (area && area->cache == s && READ_ONCE(area->watched))
		o = kmemcheck_object_of(area, (unsigned long)object, &start);
	if (o) {
		kmemcheck_track(&o->free, 0);
		kmemcheck_freed(area, start);
	}
	rcu_read_unlock();
}
PV_CALLEE_SAVE_REGS_THUNK(__pv_kmemcheck_slab_free);

/* Pages that are one object. Those that were cleared need not be watched. */
static void kmemcheck_watch_pages(unsigned long addr, unsigned int pages, gfp_t flags)
{
	unsigned long size = (unsigned long)pages << PAGE_SHIFT;

	kmemcheck_watch(NULL, addr, pages, size, size, flags);
	__pv_kmemcheck_slab_alloc(NULL, (void *)addr, flags);
}

/**
 * __pv_kmemcheck_kmalloc_large - an object that has pages of its own was allocated
 * @object: it
 * @size:   what was asked for
 * @flags:  how
 */
void __pv_kmemcheck_kmalloc_large(const void *object, size_t size, gfp_t flags)
{
	/* krealloc() takes what is behind it for a part of it. */
	if (object && !(flags & __GFP_ZERO) && kmemcheck_wants_pages("kmalloc-large"))
		kmemcheck_watch_pages((unsigned long)object, PAGE_ALIGN(size) >> PAGE_SHIFT,
				      flags);
}

/**
 * __pv_kmemcheck_get_pages - pages were allocated by their address
 * @addr:  of the first
 * @order: 2^this many
 * @flags: how
 *
 * Not watched are those of who cannot wait until they are hidden: few live long.
 *
 * Return: @addr
 */
unsigned long __pv_kmemcheck_get_pages(unsigned long addr, unsigned int order, gfp_t flags)
{
	if (!(flags & __GFP_ZERO) && gfpflags_allow_blocking(flags) &&
	    kmemcheck_wants_pages("pages"))
		kmemcheck_watch_pages(addr, 1U << order, flags);
	return addr;
}
PV_CALLEE_SAVE_REGS_THUNK(__pv_kmemcheck_get_pages);

/**
 * __pv_kmemcheck_free_page - pages are being freed
 * @page:  the first
 * @order: 2^this many
 */
void __pv_kmemcheck_free_page(struct page *page, unsigned int order)
{
	unsigned long addr = (unsigned long)page_address(page);
	unsigned long end = addr + (PAGE_SIZE << order);
	struct kmemcheck_area *area;

	rcu_read_lock();
	for (; addr < end; addr += PAGE_SIZE) {
		area = kmemcheck_area_of(addr);
		if (unlikely(area))
			kmemcheck_unwatch(area);
	}
	rcu_read_unlock();
}
PV_CALLEE_SAVE_REGS_THUNK(__pv_kmemcheck_free_page);
