// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of I/O memory that processes have.
 *
 * The kernel installs them in few places, each of which tells us before the first entry
 * is there: where a driver maps a device (remap_pfn_range(), vmf_insert_pfn() and its
 * kin), at fork() and at mremap(). When their entries are gone, at munmap() and at the
 * end, they are forgotten. In between one may be unmapped from the file's side and mapped
 * again, or have its permissions changed: each access finds what Linux's tables say.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/pgtable.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/slab.h>

#include "../../mm/mem.h"
#include "maps.h"

#define PVS_MM_BITS	8

/* Mappings, by a hash of the address space: most have none, and take no lock. */
static atomic_t pvs_mm_maps[1 << PVS_MM_BITS];

static atomic_t *pvs_mm_count(const struct mm_struct *mm)
{
	return &pvs_mm_maps[hash_ptr(mm, PVS_MM_BITS)];
}

/* The next one of an address space that has pages from @start to @end, behind @map. */
static struct pvs_map *pvs_next_of(struct pvs_map *map, const struct mm_struct *mm,
				   unsigned long start, unsigned long end)
{
	struct list_head *list = pvs_maps_list();

	map = map ? list_next_entry(map, list) : list_first_entry(list, struct pvs_map, list);
	list_for_each_entry_from(map, list, list)
		if (map->range.mm == mm && map->range.start < end && map->range.end > start)
			return map;
	return NULL;
}

static unsigned int pvs_page_of(const struct pvs_map *map, unsigned long addr)
{
	return (addr - map->range.start) >> PAGE_SHIFT;
}

static void pvs_user_add(struct mm_struct *mm, unsigned long start, unsigned long end,
			 u64 phys, pgprot_t prot, const struct pvs_map *of)
{
	struct pvs_map *map = pvs_zalloc(sizeof(*map), GFP_KERNEL | __GFP_NOFAIL);

	map->range.start = start;
	map->range.end = end;
	map->range.mm = mm;
	map->range.phys = phys;
	map->range.prot = prot;
	map->phys = phys;
	map->inherited = of && (of->inherited || of->range.mm != mm);
	atomic_inc(pvs_mm_count(mm));
	pvs_map_add(map, of);
}

/* Is it known, page for page? */
static bool pvs_user_known(struct mm_struct *mm, unsigned long start, unsigned long end,
			   u64 phys, pgprot_t prot)
{
	struct pvs_map *map = NULL;
	unsigned int first;

	while ((map = pvs_next_of(map, mm, start, end))) {
		if (map->range.start > start || map->range.end < end ||
		    map->phys + (start - map->range.start) != phys ||
		    ((pgprot_val(map->range.prot) ^ pgprot_val(prot)) & _PAGE_CACHE_MASK))
			continue;
		first = pvs_page_of(map, start);
		if (!map->gone ||
		    find_next_bit(map->gone, map->pages, first) >= pvs_page_of(map, end))
			return true;
	}
	return false;
}

/* What was there is not there any more. */
static void pvs_user_remove(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct pvs_map *map = pvs_next_of(NULL, mm, start, end), *next;
	unsigned int first, last;

	for (; map; map = next) {
		next = pvs_next_of(map, mm, start, end);
		first = pvs_page_of(map, max(start, map->range.start));
		last = pvs_page_of(map, min(end, map->range.end));
		if (pvs_map_gone(map, first, last))
			atomic_dec(pvs_mm_count(mm));
	}
}

/*
 * A device's fault handler maps page by page: take all that it is going to, if it looks
 * like one piece of a BAR and nothing says otherwise.
 */
static void pvs_user_widen(const struct vm_area_struct *vma, unsigned long *addr,
			   u64 *phys, unsigned long *size)
{
	unsigned long before = *addr - vma->vm_start;
	unsigned long len = vma->vm_end - vma->vm_start;
	struct pvs_place place;

	if (pvs_next_of(NULL, vma->vm_mm, vma->vm_start, vma->vm_end))
		return;
	pvs_place_of(&place, *phys);
	if (place.bar < 0 || *phys - place.start < before ||
	    *phys - before + len - 1 > place.last)
		return;
	*phys -= before;
	*addr = vma->vm_start;
	*size = len;
}

static bool pvs_is_memory(unsigned long pfn)
{
	/* Or as good as: an enclave's. */
	return (pfn_valid(pfn) && page_is_ram(pfn)) || arch_is_platform_page(PFN_PHYS(pfn));
}

/* So many pages from the first on are memory, as that is, or none of them is. */
static unsigned long pvs_alike(unsigned long pfn, unsigned long nr, bool memory)
{
	unsigned long n;

	/* A device's, as a rule. */
	if (!memory && !pfn_valid(pfn) && !pfn_valid(pfn + nr - 1))
		return nr;
	for (n = 1; n < nr && pvs_is_memory(pfn + n) == memory; n++)
		;
	return n;
}

/* One piece, all of memory or none of it. */
static void pvs_user_map(struct vm_area_struct *vma, unsigned long addr,
			 unsigned long pfn, unsigned long size, pgprot_t prot,
			 bool memory)
{
	struct mm_struct *mm = vma->vm_mm;
	u64 phys = PFN_PHYS(pfn);

	if (memory && !atomic_read(pvs_mm_count(mm)))
		return;

	pvs_maps_lock();
	if (memory) {
		pvs_user_remove(mm, addr, addr + size);
	} else if (!pvs_user_known(mm, addr, addr + size, phys, prot)) {
		pvs_user_remove(mm, addr, addr + size);
		pvs_user_widen(vma, &addr, &phys, &size);
		pvs_user_add(mm, addr, addr + size, phys, prot, NULL);
	}
	pvs_maps_unlock();
}

/**
 * pv_shadow_user_map - a process is about to have physical addresses mapped
 * @vma:  where
 * @addr: first address, of a page
 * @pfn:  what is mapped there
 * @size: its size, in whole pages
 * @prot: how
 *
 * No entry is there yet. With the address space locked as it is for that. Sleeps.
 */
void pv_shadow_user_map(struct vm_area_struct *vma, unsigned long addr,
			unsigned long pfn, unsigned long size, pgprot_t prot)
{
	unsigned long nr;
	bool memory;

	if (!pv_shadow_mmiotrace())
		return;
	for (; size; size -= nr << PAGE_SHIFT) {
		memory = pvs_is_memory(pfn);
		nr = pvs_alike(pfn, size >> PAGE_SHIFT, memory);
		pvs_user_map(vma, addr, pfn, nr << PAGE_SHIFT, prot, memory);
		addr += nr << PAGE_SHIFT;
		pfn += nr;
	}
}
EXPORT_SYMBOL_GPL(pv_shadow_user_map);

/* Have @to, at @start + @delta, what @map has between @start and @end. */
static void pvs_user_take(struct mm_struct *to, const struct pvs_map *map,
			  unsigned long start, unsigned long end, unsigned long delta)
{
	unsigned int from, last, first;
	unsigned long at, size;
	u64 phys;

	from = pvs_page_of(map, max(start, map->range.start));
	last = pvs_page_of(map, min(end, map->range.end));
	while (from < last) {
		first = from;
		from = last;
		if (map->gone) {
			first = find_next_zero_bit(map->gone, last, first);
			from = find_next_bit(map->gone, last, first);
		}
		if (first >= last)
			break;
		at = map->range.start + ((unsigned long)first << PAGE_SHIFT) + delta;
		phys = map->phys + ((u64)first << PAGE_SHIFT);
		size = (unsigned long)(from - first) << PAGE_SHIFT;
		if (!pvs_user_known(to, at, at + size, phys, map->range.prot))
			pvs_user_add(to, at, at + size, phys, map->range.prot, map);
	}
}

/**
 * pv_shadow_user_copy - a new process is about to get its parent's mappings
 * @to:	  where
 * @from: of which
 *
 * Both address spaces are locked, and the new one has no entry there. Sleeps.
 */
void pv_shadow_user_copy(struct vm_area_struct *to, struct vm_area_struct *from)
{
	struct pvs_map *map = NULL;

	if (!atomic_read(pvs_mm_count(from->vm_mm)))
		return;

	pvs_maps_lock();
	while ((map = pvs_next_of(map, from->vm_mm, from->vm_start, from->vm_end)))
		pvs_user_take(to->vm_mm, map, from->vm_start, from->vm_end, 0);
	pvs_maps_unlock();
}

/**
 * pv_shadow_user_move - mappings of a process are about to be moved
 * @mm:	  whose
 * @from: first address
 * @to:	  first address afterwards
 * @size: size
 *
 * Its address space is locked, and no entry has moved. Sleeps.
 */
void pv_shadow_user_move(struct mm_struct *mm, unsigned long from, unsigned long to,
			 unsigned long size)
{
	struct pvs_map *map = NULL;

	if (!atomic_read(pvs_mm_count(mm)))
		return;

	pvs_maps_lock();
	while ((map = pvs_next_of(map, mm, from, from + size))) {
		/* What it adds stands behind, and elsewhere: the ranges do not overlap. */
		pvs_user_take(mm, map, from, from + size, to - from);
	}
	pvs_maps_unlock();
}

/**
 * pv_shadow_user_unmap - mappings of a process are gone
 * @mm:	   whose
 * @start: first address
 * @end:   address behind the last one
 *
 * Its address space is locked, or nobody has it any more. No entry is left. Sleeps.
 */
void pv_shadow_user_unmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	if (!atomic_read(pvs_mm_count(mm)))
		return;

	pvs_maps_lock();
	pvs_user_remove(mm, start, end);
	pvs_maps_unlock();
}
