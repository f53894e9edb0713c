// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas: which pages are watched.
 *
 * An area is hidden when it is allocated and shown when it is freed. To hide it takes a
 * flush of all TLBs, for which its allocation can only wait if it may sleep: whoever may
 * not can hold a lock for which another CPU waits with interrupts off. The other areas are
 * hidden by a worker soon after. Until all CPUs have flushed, everything in an area counts
 * as initialized, since nobody may have seen it being written.
 */
#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/pv_shadow_kmemcheck.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <asm/tlbflush.h>

#include "../../pvops/cpu.h"
#include "../direct.h"
#include "../mem.h"
#include "kmemcheck.h"

/* By page, of those that can be hidden. */
static struct kmemcheck_area **kmemcheck_areas __ro_after_init;
static unsigned long kmemcheck_nr_areas __ro_after_init;

/* What an area has of flags, and whether its pages are hidden. Innermost. */
static DEFINE_RAW_SPINLOCK(kmemcheck_lock);

static LLIST_HEAD(kmemcheck_pending);
static atomic_long_t kmemcheck_nr_pages;
static atomic_long_t kmemcheck_bytes;
static unsigned long kmemcheck_max_bytes __ro_after_init;

static unsigned long kmemcheck_index(unsigned long addr)
{
	return (addr - PAGE_OFFSET) >> PAGE_SHIFT;
}
NOKPROBE_SYMBOL(kmemcheck_index);

/**
 * kmemcheck_areas_init - be able to watch pages
 *
 * After pvs_direct_init(). Sleeps.
 *
 * Return: 0 or -ENOMEM.
 */
int __init kmemcheck_areas_init(void)
{
	kmemcheck_nr_areas = max_pfn;
	kmemcheck_areas = vzalloc(array_size(kmemcheck_nr_areas, sizeof(*kmemcheck_areas)));
	/* States take as much as what they are of, and half of memory is slabs, if at all. */
	kmemcheck_max_bytes = (totalram_pages() << PAGE_SHIFT) / 4;
	return kmemcheck_areas ? 0 : -ENOMEM;
}

/**
 * kmemcheck_pages - number of pages that are watched, or will be
 */
unsigned long kmemcheck_pages(void)
{
	return atomic_long_read(&kmemcheck_nr_pages);
}

/**
 * kmemcheck_memory - memory that is used for them, in bytes
 */
unsigned long kmemcheck_memory(void)
{
	return atomic_long_read(&kmemcheck_bytes);
}

/**
 * kmemcheck_area_of - the area that an address is in
 * @addr: address
 *
 * Under RCU, with interrupts off, or by who uses what is there.
 *
 * Return: it, or NULL.
 */
struct kmemcheck_area *kmemcheck_area_of(unsigned long addr)
{
	return pvs_direct_covers(addr) ? READ_ONCE(kmemcheck_areas[kmemcheck_index(addr)]) :
					 NULL;
}
NOKPROBE_SYMBOL(kmemcheck_area_of);

/**
 * kmemcheck_object_of - the object that an address is in
 * @area:  its area
 * @addr:  address
 * @start: the object's first address
 *
 * Any context.
 *
 * Return: it, or NULL for what is behind the last one.
 */
struct kmemcheck_object *kmemcheck_object_of(struct kmemcheck_area *area, unsigned long addr,
					     unsigned long *start)
{
	unsigned int index = (unsigned int)(addr - area->start) / area->size;

	if (index >= area->objects)
		return NULL;
	*start = area->start + index * area->size;
	return &area->object[index];
}
NOKPROBE_SYMBOL(kmemcheck_object_of);

static size_t kmemcheck_area_bytes(const struct kmemcheck_area *area)
{
	return struct_size(area, object, area->objects) + ((size_t)area->pages << PAGE_SHIFT);
}

static void kmemcheck_area_free(struct kmemcheck_area *area)
{
	if (!area)
		return;
	atomic_long_sub(kmemcheck_area_bytes(area), &kmemcheck_bytes);
	kfree(area->state);
	kfree(area);
}

static void kmemcheck_area_free_rcu(struct rcu_head *rcu)
{
	kmemcheck_area_free(container_of(rcu, struct kmemcheck_area, rcu));
}

static void kmemcheck_forget(struct kmemcheck_area *area)
{
	unsigned int i;

	for (i = 0; i < area->pages; i++)
		cmpxchg(&kmemcheck_areas[kmemcheck_index(area->start) + i], area, NULL);
}

static bool kmemcheck_hide(struct kmemcheck_area *area)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&kmemcheck_lock, flags);
	if (!area->dead && !area->hidden)
		area->hidden = pvs_direct_hide(&kmemcheck_range, area->start, area->pages);
	raw_spin_unlock_irqrestore(&kmemcheck_lock, flags);

	return area->hidden;
}

/* All CPUs have seen that it is hidden, or that it is dead. */
static void kmemcheck_hidden(struct kmemcheck_area *area)
{
	unsigned long flags;
	bool dead;

	raw_spin_lock_irqsave(&kmemcheck_lock, flags);
	area->queued = false;
	dead = area->dead;
	WRITE_ONCE(area->watched, area->hidden && !dead);
	raw_spin_unlock_irqrestore(&kmemcheck_lock, flags);
	if (dead) {
		/* Of what was entered behind the back of who declared it dead */
		kmemcheck_forget(area);
		call_rcu(&area->rcu, kmemcheck_area_free_rcu);
	}
}

static void kmemcheck_hide_pending(struct work_struct *unused)
{
	struct llist_node *list = llist_del_all(&kmemcheck_pending);
	struct kmemcheck_area *area, *next;

	llist_for_each_entry(area, list, pending)
		kmemcheck_hide(area);
	pvs_flush_live_cpus();
	llist_for_each_entry_safe(area, next, list, pending)
		kmemcheck_hidden(area);
}

static DECLARE_WORK(kmemcheck_work, kmemcheck_hide_pending);

/* Whoever allocates may be anywhere, in the midst of a workqueue's code for one. */
static void kmemcheck_queue(struct irq_work *unused)
{
	schedule_work(&kmemcheck_work);
}

static DEFINE_IRQ_WORK(kmemcheck_irq_work, kmemcheck_queue);

static void kmemcheck_hide_later(struct kmemcheck_area *area)
{
	atomic_long_inc(&kmemcheck_stats.late);
	llist_add(&area->pending, &kmemcheck_pending);
	irq_work_queue(&kmemcheck_irq_work);
}

/* Is there a CPU that runs and takes no IPI? */
static bool kmemcheck_cpu_between(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (pvs_cpu_alive(cpu) && !cpu_online(cpu))
			return true;
	return false;
}

/* Hide it and have all CPUs know, if that can be now. */
static bool kmemcheck_hide_now(struct kmemcheck_area *area, gfp_t flags)
{
	unsigned long end = area->start + ((unsigned long)area->pages << PAGE_SHIFT);
	unsigned long addr;

	if (system_state == SYSTEM_BOOTING) {
		/* Nobody else is there yet. */
		if (!kmemcheck_hide(area))
			return false;
		for (addr = area->start; addr < end; addr += PAGE_SIZE)
			flush_tlb_one_kernel(addr);
		return true;
	}

	if (!gfpflags_allow_blocking(flags) || irqs_disabled() || !in_task() ||
	    !kmemcheck_hide(area))
		return false;
	/*
	 * Hidden first, looked afterwards: a CPU that becomes alive behind our look flushes
	 * what it knows when it adopts its root.
	 */
	smp_mb();
	if (kmemcheck_cpu_between())
		return false;
	flush_tlb_kernel_range(area->start, end);
	/* One that goes down meanwhile takes no IPI, and writes a little longer. */
	return !kmemcheck_cpu_between();
}

static struct kmemcheck_area *kmemcheck_area_alloc(unsigned int pages, unsigned int objects,
						   gfp_t flags)
{
	gfp_t gfp = (flags & (GFP_ATOMIC | GFP_KERNEL)) | __GFP_NOWARN | __GFP_NORETRY;
	struct kmemcheck_area *area = pvs_zalloc(struct_size(area, object, objects), gfp);

	if (!area)
		return NULL;
	area->pages = pages;
	area->objects = objects;
	atomic_long_add(kmemcheck_area_bytes(area), &kmemcheck_bytes);
	area->state = pvs_zalloc((size_t)pages << PAGE_SHIFT, gfp);
	if (area->state && kmemcheck_memory() <= kmemcheck_max_bytes)
		return area;

	kmemcheck_area_free(area);
	return NULL;
}

/**
 * kmemcheck_watch - watch pages that were just allocated
 * @cache: of which it is a slab, or NULL
 * @start: address of the first page
 * @pages: how many
 * @size:  from one object to the next
 * @object_size: of one object
 * @flags: how they were allocated
 *
 * Nobody else knows of them yet. Any context in which memory is allocated.
 */
void kmemcheck_watch(struct kmem_cache *cache, unsigned long start, unsigned int pages,
		     unsigned int size, unsigned int object_size, gfp_t flags)
{
	struct kmemcheck_area *area = NULL;
	unsigned int i;

	if (pvs_direct_covers(start) && pvs_direct_covers(start + pages * PAGE_SIZE - 1))
		area = kmemcheck_area_alloc(pages, pages * PAGE_SIZE / size, flags);
	if (!area) {
		atomic_long_add(pages, &kmemcheck_stats.untracked);
		return;
	}

	area->cache = cache;
	area->start = start;
	area->size = size;
	area->object_size = object_size;
	area->queued = true;
	memset(area->state, KMEMCHECK_INITIALIZED, (size_t)pages << PAGE_SHIFT);
	atomic_long_add(pages, &kmemcheck_nr_pages);
	for (i = 0; i < pages; i++)
		/* complete when it is found, by the dependency in kmemcheck_area_of() */
		smp_store_release(&kmemcheck_areas[kmemcheck_index(start) + i], area);

	if (kmemcheck_hide_now(area, flags)) {
		atomic_long_inc(&kmemcheck_stats.hidden);
		kmemcheck_nobodys(area);
		kmemcheck_hidden(area);
	} else {
		kmemcheck_hide_later(area);
	}
}

/* Return: is it on us to free it? */
static bool kmemcheck_show(struct kmemcheck_area *area)
{
	unsigned long flags;
	bool ours;

	raw_spin_lock_irqsave(&kmemcheck_lock, flags);
	ours = !area->dead && !area->queued;
	if (!area->dead)
		atomic_long_sub(area->pages, &kmemcheck_nr_pages);
	if (area->hidden)
		pvs_direct_show(&kmemcheck_range, area->start, area->pages);
	area->hidden = false;
	WRITE_ONCE(area->watched, false);
	area->dead = true;
	raw_spin_unlock_irqrestore(&kmemcheck_lock, flags);

	return ours;
}

/**
 * kmemcheck_unwatch - the pages of an area are being freed
 * @area: it
 *
 * Nobody uses what was in it any more, or it need not be seen. Under RCU, in any context in
 * which memory is freed.
 */
void kmemcheck_unwatch(struct kmemcheck_area *area)
{
	bool ours = kmemcheck_show(area);

	/*
	 * Dead first: who is still entering it, and is going to hide it, forgets it then
	 * (kmemcheck_hidden()), and frees it.
	 */
	kmemcheck_forget(area);
	if (ours)
		call_rcu(&area->rcu, kmemcheck_area_free_rcu);
}

/**
 * kmemcheck_unwatch_all - show all areas
 *
 * Those that are allocated meanwhile may be left. Sleeps.
 */
void kmemcheck_unwatch_all(void)
{
	struct kmemcheck_area *area;
	unsigned long i;

	for (i = 0; i < kmemcheck_nr_areas; i++) {
		rcu_read_lock();
		area = READ_ONCE(kmemcheck_areas[i]);
		if (area)
			kmemcheck_unwatch(area);
		rcu_read_unlock();
		cond_resched();
	}
}
