// SPDX-License-Identifier: GPL-2.0-only
/*
 * All mappings of I/O memory, and which pages of them are trapped.
 *
 * Every ioremap() is remembered from boot on, so that the mappings of a driver that
 * is long at work can be traced. A page is trapped if somebody chose it: the tracer
 * all that is mapped while it is on, who writes to attach what he names; and the
 * filter does not exclude it. When one of these changes, what is wanted is computed
 * anew for each mapping, first everything is trapped that was not, and only when
 * that worked, what is not wanted any more is let go. So a page that was chosen
 * twice stays trapped when one of the choices goes, and a failure leaves all as it
 * was.
 */
#define pr_fmt(fmt) "pv_shadow_mmiotrace: " fmt

#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "../../mm/mem.h"
#include "../../mm/stats.h"
#include "events.h"
#include "maps.h"
#include "mmiotrace.h"

/*
 * Whoever maps or unmaps takes it before anybody uses the addresses, or gives them
 * away: no mapping appears or goes while what is trapped changes, and two who
 * write to the control files come one after the other.
 */
static DEFINE_MUTEX(pvs_maps_mutex);
/* pvs_maps_mutex protects these. */
static LIST_HEAD(pvs_maps);
static LIST_HEAD(pvs_attached);
static int pvs_last_id;
static bool pvs_tracer_chooses;
static bool pvs_started;
/* What a process inherits is traced as what it maps itself. */
static bool pvs_follow = true;
/* Mappings that could not be remembered. */
static unsigned int pvs_forgotten;

/* The filter in use: read by events under RCU, replaced under pvs_maps_mutex. */
struct pvs_filter pvs_boot_filter;
static const struct pvs_filter *pvs_filter = &pvs_boot_filter;
/* The tracer is to be given the events; written under pvs_maps_mutex. */
static bool pvs_tracer_listens;

/**
 * pvs_maps_lock - keep all mappings as they are
 */
void pvs_maps_lock(void)
{
	mutex_lock(&pvs_maps_mutex);
}

/**
 * pvs_maps_unlock - undo pvs_maps_lock()
 */
void pvs_maps_unlock(void)
{
	mutex_unlock(&pvs_maps_mutex);
}

/**
 * pvs_maps_list - the list of all mappings
 */
struct list_head *pvs_maps_list(void)
{
	return &pvs_maps;
}

static void pvs_mmio_accessed(struct pv_shadow_range *range,
			      const struct pv_shadow_access *access)
{
	const struct pvs_map *map = container_of(range, struct pvs_map, range);
	/* Interrupts are off: that is a read side of RCU. */
	const struct pvs_filter *filter = READ_ONCE(pvs_filter);

	if (!pvs_filter_passes(filter, access))
		pvs_count(PVS_FILTERED);
	else
		pvs_event_access(map, access, READ_ONCE(pvs_tracer_listens));
}

static const struct pv_shadow_client pvs_mmiotrace_client = {
	.name = "mmiotrace",
	.accessed = pvs_mmio_accessed,
};

/* Does the filter choose a thread? Interrupts are off. */
static bool pvs_maps_task(const struct task_struct *task)
{
	return pvs_filter_task(READ_ONCE(pvs_filter), task);
}

/* Nothing is trapped for threads that the filter does not choose. */
static void pvs_maps_choose_tasks(void)
{
	pv_shadow_choose_tasks(pvs_filter_has_tasks(pvs_filter) ? pvs_maps_task : NULL);
}

static unsigned long pvs_page_addr(const struct pvs_map *map, unsigned int page)
{
	return (map->range.start & PAGE_MASK) + (unsigned long)page * PAGE_SIZE;
}

/* MAP or UNMAP in the tracer's log. */
static void pvs_map_line(const struct pvs_map *map, bool mapped)
{
	struct mmiotrace_map line = {
		.map_id = map->id,
		.virt = map->range.start,
		.opcode = mapped ? MMIO_PROBE : MMIO_UNPROBE,
	};

	if (mapped) {
		line.phys = map->phys;
		line.len = map->range.end - map->range.start;
	}
	pvs_tracer_map(&line);
}

/* The same, and as an event. */
static void pvs_map_tell(const struct pvs_map *map, bool mapped)
{
	/* When it is switched on it is told what there is, and at its end nothing. */
	if (pvs_tracer_chooses)
		pvs_map_line(map, mapped);
	pvs_event_map(map, mapped);
}

static void pvs_map_enter(struct pvs_map *map)
{
	map->id = ++pvs_last_id;
	pvs_place_of(&map->place, map->phys);
	pvs_map_tell(map, true);
}

static void pvs_map_leave(struct pvs_map *map)
{
	if (map->id)
		pvs_map_tell(map, false);
	map->id = 0;
	map->error = 0;
	kvfree(map->trapped);
	map->trapped = NULL;
}

static u64 pvs_map_last(const struct pvs_map *map)
{
	return map->phys + (map->range.end - map->range.start) - 1;
}

/* Call a function for each range of physical addresses that is attached ... */
static void pvs_attached_each(pvs_target_fn fn, void *data)
{
	struct pvs_attached *a;

	list_for_each_entry(a, &pvs_attached, list)
		pvs_target_each(&a->target, fn, data);
}

/* ... or that a filter chooses by targets of one kind. */
static void pvs_filter_each(const struct pvs_filter *filter,
			    enum pvs_target_kind kind, pvs_target_fn fn, void *data)
{
	unsigned int i;

	for (i = 0; i < filter->nr_targets; i++)
		if (filter->target[i].kind == kind)
			pvs_target_each(&filter->target[i], fn, data);
}

/* Add the pages of a map that are in a range of physical addresses to its part. */
static void pvs_map_mark(void *data, u64 first, u64 last)
{
	struct pvs_map *map = data;
	u64 base = map->phys & PAGE_MASK;
	unsigned int from, to;

	first = max_t(u64, first, map->phys);
	last = min(last, pvs_map_last(map));
	if (first > last)
		return;
	from = (first - base) >> PAGE_SHIFT;
	to = (last - base) >> PAGE_SHIFT;
	bitmap_set(map->part, from, to - from + 1);
}

/* Compute what is wanted of a map. */
static void pvs_map_choose(struct pvs_map *map, const struct pvs_filter *filter)
{
	enum pvs_target_kind kind;

	bitmap_zero(map->part, map->pages);
	if (pvs_tracer_chooses && map->since_tracer)
		bitmap_fill(map->part, map->pages);
	else
		pvs_attached_each(pvs_map_mark, map);
	if (map->inherited && !pvs_follow)
		bitmap_zero(map->part, map->pages);
	bitmap_copy(map->want, map->part, map->pages);
	if (map->gone)
		bitmap_andnot(map->want, map->want, map->gone, map->pages);

	for (kind = 0; kind < PVS_NR_TARGET_KINDS; kind++) {
		if (!pvs_filter_has(filter, kind))
			continue;
		bitmap_zero(map->part, map->pages);
		pvs_filter_each(filter, kind, pvs_map_mark, map);
		bitmap_and(map->want, map->want, map->part, map->pages);
	}
	bitmap_zero(map->part, map->pages);
}

/**
 * struct pvs_overlap - has a map any part of some ranges of physical addresses
 * @map: map
 * @any: it has
 */
struct pvs_overlap {
	const struct pvs_map	*map;
	bool			any;
};

static void pvs_map_overlaps(void *data, u64 first, u64 last)
{
	struct pvs_overlap *o = data;

	o->any |= first <= pvs_map_last(o->map) && last >= o->map->phys;
}

/* Might anything of a map be chosen? If not, it takes no memory. */
static bool pvs_map_wanted(const struct pvs_map *map,
			   const struct pvs_filter *filter)
{
	struct pvs_overlap o = { .map = map };
	enum pvs_target_kind kind;

	pvs_attached_each(pvs_map_overlaps, &o);
	if (!o.any && !(pvs_tracer_chooses && map->since_tracer))
		return false;

	for (kind = 0; kind < PVS_NR_TARGET_KINDS; kind++) {
		if (!pvs_filter_has(filter, kind))
			continue;
		o.any = false;
		pvs_filter_each(filter, kind, pvs_map_overlaps, &o);
		if (!o.any)
			return false;
	}
	return true;
}

static int pvs_map_alloc(struct pvs_map *map)
{
	size_t longs = BITS_TO_LONGS(map->pages);

	if (map->trapped)
		return 0;
	map->trapped = kvcalloc(longs, 3 * sizeof(long), GFP_KERNEL);
	if (!map->trapped)
		return -ENOMEM;
	map->want = map->trapped + longs;
	map->part = map->want + longs;
	return 0;
}

/* Untrap the part. */
static void pvs_map_untrap(struct pvs_map *map)
{
	unsigned int first, end;

	for_each_set_bitrange(first, end, map->part, map->pages)
		pv_shadow_untrap(&map->range, pvs_page_addr(map, first),
				 pvs_page_addr(map, end));
	bitmap_andnot(map->trapped, map->trapped, map->part, map->pages);
	bitmap_zero(map->part, map->pages);
}

/* What of it is not seen must not look idle. */
static void pvs_map_say(const struct pvs_map *map)
{
	if (map->error)
		pvs_tracer_mark("map %d is not traced, error %d\n", map->id, map->error);
	else if (!bitmap_full(map->trapped, map->pages))
		pvs_tracer_mark("map %d: %u of %u pages are traced\n", map->id,
				bitmap_weight(map->trapped, map->pages), map->pages);
}

/* Trap what is wanted and is not yet: the part, as far as it worked. */
static int pvs_map_grow(struct pvs_map *map)
{
	unsigned int first, end;
	bool entered = false;
	int ret = 0;

	if (!map->trapped ||
	    !bitmap_andnot(map->part, map->want, map->trapped, map->pages))
		return 0;

	/* Before the first access can come. */
	if (!map->id) {
		pvs_map_enter(map);
		entered = true;
	}
	for_each_set_bitrange(first, end, map->part, map->pages) {
		ret = pv_shadow_trap(&map->range, pvs_page_addr(map, first),
				     pvs_page_addr(map, end));
		if (ret)
			break;
		bitmap_set(map->trapped, first, end - first);
	}
	bitmap_and(map->part, map->part, map->trapped, map->pages);
	if (!ret && entered)
		pvs_map_say(map);
	return ret;
}

/* Trap its reads, or no more. Cannot fail. */
static void pvs_map_retrap(struct pvs_map *map, bool writes_only)
{
	unsigned int first, end;

	if (map->range.writes_only == writes_only)
		return;
	map->range.writes_only = writes_only;
	if (!map->trapped)
		return;
	for_each_set_bitrange(first, end, map->trapped, map->pages)
		pv_shadow_retrap(&map->range, pvs_page_addr(map, first),
				 pvs_page_addr(map, end));
}

/* Untrap what is not wanted. Cannot fail. */
static void pvs_map_shrink(struct pvs_map *map)
{
	if (!map->trapped)
		return;
	if (bitmap_andnot(map->part, map->trapped, map->want, map->pages))
		pvs_map_untrap(map);
	bitmap_zero(map->part, map->pages);
	if (bitmap_empty(map->trapped, map->pages) && !map->error)
		pvs_map_leave(map);
}

static const char *pvs_why(int ret)
{
	switch (ret) {
	case -ENOMEM:
		return "out of memory";
	case -EBUSY:
		return "busy";
	default:
		return "not possible there";
	}
}

/*
 * Make what is trapped what is chosen, with @filter.
 *
 * With @grow nothing has changed if it fails, but the caller's choice. Without, no
 * page that is not trapped will be, and it does not fail: nothing is allocated.
 */
static int pvs_maps_apply(const struct pvs_filter *filter, bool grow)
{
	const struct pvs_filter *old = pvs_filter;
	bool writes_only = pvs_filter_writes_only(filter);
	struct pvs_map *map;
	int ret = 0;

	list_for_each_entry(map, &pvs_maps, list) {
		if (grow)
			ret = pvs_map_alloc(map);
		if (ret)
			break;
		if (!map->trapped)
			continue;
		pvs_map_choose(map, filter);
		if (!grow)
			bitmap_and(map->want, map->want, map->trapped, map->pages);
		cond_resched();
	}

	if (!ret) {
		/* With the old filter: it decides until all is trapped. */
		list_for_each_entry(map, &pvs_maps, list) {
			ret = pvs_map_grow(map);
			if (ret) {
				pr_err("cannot trace phys %pa size 0x%lx: %s\n", &map->phys,
				       map->range.end - map->range.start, pvs_why(ret));
				break;
			}
		}
	}

	if (ret) {
		/* All that was added is the parts; what was trapped before stays. */
		list_for_each_entry(map, &pvs_maps, list) {
			if (!map->trapped)
				continue;
			pvs_map_untrap(map);
			/* What could not be traced before is still told of as such. */
			if (bitmap_empty(map->trapped, map->pages) && !map->error)
				pvs_map_leave(map);
		}
		return ret;
	}

	/* What it wants to see is seen before it decides, and not trapped after. */
	if (!writes_only)
		list_for_each_entry(map, &pvs_maps, list)
			pvs_map_retrap(map, false);
	/* Written before it can be found; readers depend on the address. */
	smp_store_release(&pvs_filter, filter);
	if (pvs_started)
		pvs_maps_choose_tasks();
	list_for_each_entry(map, &pvs_maps, list) {
		pvs_map_retrap(map, writes_only);
		pvs_map_shrink(map);
		if (map->error && !pvs_map_wanted(map, filter)) {
			pvs_map_leave(map);
		} else if (map->error && grow) {
			map->error = 0;
			pvs_tracer_mark("map %d: %u of %u pages are traced now\n", map->id,
					bitmap_weight(map->trapped, map->pages), map->pages);
		}
	}
	if (old != filter) {
		pv_shadow_synchronize();
		if (old != &pvs_boot_filter)
			kfree(old);
	}
	return 0;
}

/*
 * For what may switch the backend on or off. In this order: callbacks of CPU hotplug
 * call ioremap() and iounmap(), and so come for pvs_maps_mutex with hotplug locked.
 */
static void pvs_maps_lock_all(void)
{
	cpus_read_lock();
	pvs_maps_lock();
}

static void pvs_maps_unlock_all(void)
{
	pvs_maps_unlock();
	cpus_read_unlock();
}

/* CPUs run on their roots while anybody may want a page to be trapped. */
static int pvs_backend_start(void)
{
	int ret;

	if (pvs_started)
		return 0;
	ret = pv_shadow_start();
	if (ret) {
		pr_err("cannot start: %s\n",
		       ret == -ENOMEM ? "out of memory, free some and try again" :
					"busy, is the machine hibernating?");
		return ret;
	}
	pvs_started = true;
	pvs_maps_choose_tasks();
	return 0;
}

static void pvs_backend_stop(void)
{
	if (pvs_started && !pvs_tracer_chooses && list_empty(&pvs_attached)) {
		pvs_started = false;
		pv_shadow_stop();
		pv_shadow_choose_tasks(NULL);
	}
}

/**
 * pvs_map_add - there is another mapping
 * @map: it: its addresses, with what else it has of user addresses, and @phys; zeroed
 *	 and of kmalloc()
 * @of:	 the mapping that it is made of, or NULL
 *
 * pvs_maps_lock() held, and nobody has accessed the mapping yet. Sleeps.
 */
void pvs_map_add(struct pvs_map *map, const struct pvs_map *of)
{
	int ret;

	map->range.client = &pvs_mmiotrace_client;
	map->range.writes_only = pvs_filter_writes_only(pvs_filter);
	map->pages = (PAGE_ALIGN(map->range.end) - (map->range.start & PAGE_MASK)) >> PAGE_SHIFT;
	map->since_tracer = of ? of->since_tracer : pvs_tracer_chooses;
	list_add_tail(&map->list, &pvs_maps);
	if (!pvs_started || !pvs_map_wanted(map, pvs_filter))
		return;

	ret = pvs_map_alloc(map);
	if (!ret) {
		pvs_map_choose(map, pvs_filter);
		ret = pvs_map_grow(map);
		if (!ret) {
			pvs_map_shrink(map);
			return;
		}
		pvs_map_untrap(map);
	}

	/*
	 * The driver's mapping must not fail for our sake. In the trace as well as in
	 * the log: what is not seen must not look idle.
	 */
	if (!map->id)
		pvs_map_enter(map);
	kvfree(map->trapped);
	map->trapped = NULL;
	map->error = ret;
	pr_err("cannot trace map %d, phys %pa size 0x%lx: %s; its accesses are not seen\n",
	       map->id, &map->phys, map->range.end - map->range.start, pvs_why(ret));
	pvs_map_say(map);
}

/* A mapping is gone. Return: was it told of? */
static bool pvs_map_remove(struct pvs_map *map)
{
	bool told = map->id;

	if (map->trapped) {
		bitmap_copy(map->part, map->trapped, map->pages);
		pvs_map_untrap(map);
	}
	/* After its last event. */
	pvs_map_leave(map);
	list_del(&map->list);
	kvfree(map->gone);
	kfree(map);
	return told;
}

/**
 * pvs_map_gone - a part of a process's mapping is gone
 * @map:   mapping
 * @first: number of its first page that is gone
 * @end:   number of the page behind the last one
 *
 * pvs_maps_lock() held. Sleeps.
 *
 * Return: true if nothing is left of it.
 */
bool pvs_map_gone(struct pvs_map *map, unsigned int first, unsigned int end)
{
	if (!map->gone && end - first < map->pages)
		map->gone = kvcalloc(BITS_TO_LONGS(map->pages), sizeof(long),
				     GFP_KERNEL | __GFP_NOFAIL);
	if (map->gone)
		bitmap_set(map->gone, first, end - first);
	if (!map->gone || bitmap_full(map->gone, map->pages)) {
		pvs_map_remove(map);
		return true;
	}
	if (map->trapped) {
		bitmap_and(map->part, map->trapped, map->gone, map->pages);
		pvs_map_untrap(map);
	}
	return false;
}

static void pvs_map_new(resource_size_t phys, unsigned long size,
			unsigned long addr)
{
	struct pvs_map *map;

	/*
	 * ioremap() itself wants an allocator, so that there is one. What could not
	 * be remembered could never be attached, for as long as it lives, and this
	 * is small: rather wait for memory.
	 */
	if (WARN_ON_ONCE(!slab_is_available())) {
		pvs_forgotten++;
		return;
	}
	map = pvs_zalloc(sizeof(*map), GFP_KERNEL | __GFP_NOFAIL);
	map->range.start = addr;
	map->range.end = addr + size;
	map->phys = phys;
	pvs_map_add(map, NULL);
}

/**
 * pv_shadow_ioremap - I/O memory was mapped
 * @phys: its physical address, not rounded to pages
 * @size: its size, likewise
 * @addr: where it is mapped
 *
 * Nobody knows @addr yet. Sleeps.
 */
void pv_shadow_ioremap(resource_size_t phys, unsigned long size,
		       void __iomem *addr)
{
	if (!pv_shadow_mmiotrace())
		return;

	pvs_mmiotrace_boot();
	pvs_maps_lock();
	pvs_map_new(phys, size, (unsigned long __force)addr);
	pvs_maps_unlock();
}

/**
 * pv_shadow_iounmap - I/O memory is about to be unmapped
 * @addr: what ioremap() returned
 *
 * Also when its device was pulled out: what the driver still does with the mapping
 * until then is traced, and nothing of it outlives this. Sleeps.
 */
void pv_shadow_iounmap(unsigned long addr)
{
	struct mmiotrace_map unknown = {
		.virt = addr,
		.map_id = -1,
		.opcode = MMIO_UNPROBE,
	};
	struct pvs_map *map;
	bool told = false;

	if (!pv_shadow_mmiotrace())
		return;

	pvs_maps_lock();
	list_for_each_entry(map, &pvs_maps, list) {
		/* Some round what they got to a page; none shares one. */
		if ((map->range.start ^ addr) & PAGE_MASK)
			continue;
		told = pvs_map_remove(map);
		break;
	}
	/* As the stock tracer has it, but not what was excluded. */
	if (!told && pvs_tracer_chooses && !pvs_filter->nr_targets)
		pvs_tracer_map(&unknown);
	pvs_maps_unlock();
}

/**
 * pvs_maps_tracer_on - trace what is mapped from now on, and tell the tracer
 *
 * Return: 0, or an error and nothing changed.
 */
int pvs_maps_tracer_on(void)
{
	struct pvs_map *map;
	int ret = 0;

	pvs_maps_lock_all();
	if (!pvs_tracer_chooses) {
		ret = pvs_backend_start();
		if (!ret) {
			pvs_tracer_chooses = true;
			/* What is attached already: its lines first, then its events. */
			list_for_each_entry(map, &pvs_maps, list)
				if (map->id) {
					pvs_map_line(map, true);
					pvs_map_say(map);
				}
			WRITE_ONCE(pvs_tracer_listens, true);
		}
	}
	pvs_maps_unlock_all();
	return ret;
}

/**
 * pvs_maps_tracer_off - trace no more but what is attached, tell the tracer nothing
 *
 * When this returns the last event was reported to it.
 */
void pvs_maps_tracer_off(void)
{
	struct pvs_map *map;

	pvs_maps_lock_all();
	if (pvs_tracer_chooses) {
		pvs_tracer_chooses = false;
		list_for_each_entry(map, &pvs_maps, list)
			map->since_tracer = false;
		pvs_maps_apply(pvs_filter, false);
		/* Not before: the last events of what was let go are its. */
		WRITE_ONCE(pvs_tracer_listens, false);
		pv_shadow_synchronize();
		pvs_backend_stop();
	}
	pvs_maps_unlock_all();
}

static struct pvs_attached *pvs_find_attached(const struct pvs_target *target)
{
	struct pvs_attached *a;

	list_for_each_entry(a, &pvs_attached, list)
		if (pvs_target_same(&a->target, target))
			return a;
	return NULL;
}

static unsigned int pvs_nr_maps_of(const struct pvs_target *target)
{
	struct pvs_map *map;
	unsigned int nr = 0;

	list_for_each_entry(map, &pvs_maps, list) {
		if (!map->trapped)
			continue;
		pvs_target_each(target, pvs_map_mark, map);
		nr += bitmap_intersects(map->part, map->trapped, map->pages);
		bitmap_zero(map->part, map->pages);
	}
	return nr;
}

/**
 * pvs_attached_free - empty a list of struct pvs_attached
 * @list: it
 */
void pvs_attached_free(struct list_head *list)
{
	struct pvs_attached *a, *next;

	list_for_each_entry_safe(a, next, list, list) {
		list_del(&a->list);
		kfree(a);
	}
}

static void pvs_say_attached(const struct pvs_target *target)
{
	char text[PVS_TARGET_LEN];
	unsigned int nr = pvs_nr_maps_of(target);

	pvs_target_print(target, text);
	if (nr)
		pr_info("attached %s, %u mappings are traced\n", text, nr);
	else
		pr_info("attached %s, nothing %s there now; what will be is traced\n",
			text, pvs_filter->nr_targets ? "that the filter lets pass is mapped" :
						       "is mapped");
}

/**
 * pvs_maps_attach - trace places, whether they are mapped already or will be
 * @new: list of struct pvs_attached; empty afterwards
 *
 * All of them or none. No access that is made after this returned is missed: all
 * CPUs have flushed what they knew of the pages.
 *
 * Return: 0, or an error, and it was said why.
 */
int pvs_maps_attach(struct list_head *new)
{
	struct pvs_attached *a, *next;
	int ret;

	pvs_maps_lock_all();
	ret = pvs_backend_start();
	if (ret)
		goto unlock;

	list_for_each_entry_safe(a, next, new, list) {
		/* Once is enough, also if it is twice in the same write. */
		if (pvs_find_attached(&a->target))
			continue;
		a->fresh = true;
		list_move_tail(&a->list, &pvs_attached);
	}

	ret = pvs_maps_apply(pvs_filter, true);
	if (ret)
		pr_err("attach: nothing was attached: %s\n",
		       ret == -ENOMEM ? "out of memory, free some and try again" :
		       ret == -EBUSY ? "something else traces a page of it" :
				       "it cannot be traced");
	list_for_each_entry_safe(a, next, &pvs_attached, list) {
		if (!a->fresh)
			continue;
		a->fresh = false;
		if (ret)
			list_move(&a->list, new);
		else
			pvs_say_attached(&a->target);
	}
	pvs_backend_stop();
unlock:
	pvs_maps_unlock_all();
	pvs_attached_free(new);
	return ret;
}

/* pvs_maps_mutex; what was attached is on @old. */
static void pvs_detach(struct list_head *old)
{
	pvs_maps_apply(pvs_filter, false);
	pvs_attached_free(old);
	pvs_backend_stop();
}

/**
 * pvs_maps_detach - undo pvs_maps_attach()
 * @list: list of struct pvs_attached; empty afterwards
 *
 * All of them or none. What something else chose as well stays traced, without a
 * gap.
 *
 * Return: 0, or -ENOENT if one is not attached, and it was said which.
 */
int pvs_maps_detach(struct list_head *list)
{
	struct pvs_attached *a, *found;
	char text[PVS_TARGET_LEN];
	LIST_HEAD(old);
	int ret = 0;

	pvs_maps_lock_all();
	list_for_each_entry(a, list, list) {
		if (pvs_find_attached(&a->target))
			continue;
		ret = -ENOENT;
		pvs_target_print(&a->target, text);
		pr_err("detach: %s is not attached, and nothing was detached; 'attach' lists what is\n",
		       text);
		goto unlock;
	}
	list_for_each_entry(a, list, list) {
		/* Not there any more if it is named twice. */
		found = pvs_find_attached(&a->target);
		if (found)
			list_move(&found->list, &old);
	}
	pvs_detach(&old);
unlock:
	pvs_maps_unlock_all();
	pvs_attached_free(list);
	return ret;
}

/**
 * pvs_maps_detach_all - undo every pvs_maps_attach()
 */
void pvs_maps_detach_all(void)
{
	LIST_HEAD(old);

	pvs_maps_lock_all();
	list_splice_init(&pvs_attached, &old);
	pvs_detach(&old);
	pvs_maps_unlock_all();
}

/**
 * pvs_maps_set_filter - use another filter
 * @filter: it, from kmalloc(); ours if this works
 *
 * When this returns it is applied to all mappings, and the old one to no event.
 *
 * Return: 0, or an error, it was said why, and the old one is in use.
 */
int pvs_maps_set_filter(const struct pvs_filter *filter)
{
	int ret;

	pvs_maps_lock();
	ret = pvs_maps_apply(filter, pvs_started);
	pvs_maps_unlock();

	if (ret)
		pr_err("filter: the old one stays: %s\n",
		       ret == -ENOMEM ? "out of memory, free some and try again" :
					"something cannot be traced");
	return ret;
}

/**
 * pvs_maps_set_follow - shall what processes inherit be traced
 * @follow: it shall
 *
 * Return: 0, or an error, it was said why, and nothing has changed.
 */
int pvs_maps_set_follow(bool follow)
{
	bool old;
	int ret;

	pvs_maps_lock();
	old = pvs_follow;
	pvs_follow = follow;
	ret = pvs_maps_apply(pvs_filter, pvs_started);
	if (ret)
		pvs_follow = old;
	pvs_maps_unlock();

	if (ret)
		pr_err("follow: it stays as it was: %s\n", pvs_why(ret));
	return ret;
}

/**
 * pvs_maps_follow - is what processes inherit traced
 */
bool pvs_maps_follow(void)
{
	return READ_ONCE(pvs_follow);
}

/**
 * pvs_maps_show_filter - print the filter in use
 * @m: where to
 */
void pvs_maps_show_filter(struct seq_file *m)
{
	pvs_maps_lock();
	pvs_filter_show(pvs_filter, m);
	pvs_maps_unlock();
}

/**
 * pvs_maps_show - print what is attached, and the mappings that are traced
 * @m: where to
 */
void pvs_maps_show(struct seq_file *m)
{
	struct pvs_attached *a;
	char text[PVS_TARGET_LEN];
	struct pvs_map *map;

	pvs_maps_lock();
	seq_printf(m, "%-40s %s\n", "attached", "mappings");
	list_for_each_entry(a, &pvs_attached, list) {
		pvs_target_print(&a->target, text);
		seq_printf(m, "%-40s %8u%s\n", text, pvs_nr_maps_of(&a->target),
			   pvs_target_exists(&a->target) ? "" : "  no such device now");
	}

	seq_printf(m, "\n%4s  %-31s  %-18s  %s\n", "map", "physical", "virtual",
		   "traced pages  device/BAR");
	list_for_each_entry(map, &pvs_maps, list) {
		if (!map->trapped)
			continue;
		scnprintf(text, sizeof(text), "0x%llx-0x%llx", (u64)map->phys,
			  (u64)map->phys + (map->range.end - map->range.start) - 1);
		seq_printf(m, "%4d  %-31s  0x%lx  %5u of %-5u", map->id, text,
			   map->range.start, bitmap_weight(map->trapped, map->pages),
			   map->pages);
		if (map->place.bar >= 0)
			seq_printf(m, "  %s/%d", map->place.device, map->place.bar);
		seq_putc(m, '\n');
	}
	if (pvs_forgotten)
		seq_printf(m, "%u mappings are not known\n", pvs_forgotten);
	pvs_maps_unlock();
}
