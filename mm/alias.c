// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the fault handler makes an access itself: the pages of a range mapped a
 * second time, in the same way, at addresses that nobody else knows. Nothing there
 * is ever hidden, so that an access needs neither a change of an entry nor a flush.
 */
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/pv_shadow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../pvops/root.h"
#include "alias.h"
#include "direct.h"
#include "mem.h"
#include "table.h"
#include "user.h"

/**
 * struct pvs_alias_page - a page of a range
 * @table: the table of PTEs that maps it; has copies while it is trapped. NULL for user
 *	   addresses
 * @entry: what the second mapping maps: what the reference mapped when it was made, or
 *	   of user addresses will map; 0 if the page is not mapped a second time
 */
struct pvs_alias_page {
	struct pvs_table	*table;
	u64			entry;
};

/**
 * struct pvs_alias - the second mapping of a range
 * @list:  in pvs_aliases
 * @range: the range
 * @start: its first address
 * @first: the range's first page
 * @nr:    number of pages of the range
 * @area:  its addresses
 * @used:  number of pages that are trapped
 * @page:  its pages
 */
struct pvs_alias {
	struct list_head	list;
	const struct pv_shadow_range *range;
	unsigned long		start;
	unsigned long		first;
	unsigned long		nr;
	struct vm_struct	*area;
	unsigned long		used;
	struct pvs_alias_page	page[];
};

/* Of all ranges; the tree's lock. */
static LIST_HEAD(pvs_aliases);

/* What Linux maps at a page of a range, or would if it had no larger leaf there. */
static u64 pvs_alias_ref(const struct pvs_alias_page *page, unsigned long addr)
{
	unsigned long flags;
	u64 entry;

	local_irq_save(flags);
	entry = pvs_ref_entry(page->table, pvs_index(addr, 1));
	local_irq_restore(flags);
	return entry;
}

/* How the memory is accessed, whoever maps it. */
#define PVS_ALIAS_TYPE	((u64)_PAGE_CACHE_MASK | _PAGE_ENC)

/* A page of user addresses, mapped for the kernel. */
static u64 pvs_alias_user(const struct pv_shadow_range *range, unsigned long page)
{
	u64 prot = pgprot_val(PAGE_KERNEL) & ~PVS_ALIAS_TYPE;

	prot |= pgprot_val(range->prot) & PVS_ALIAS_TYPE;
	return ((range->phys & PAGE_MASK) + ((u64)page << PAGE_SHIFT)) |
	       (prot & __default_kernel_pte_mask);
}

static unsigned long pvs_alias_page(const struct pv_shadow_range *range,
				    unsigned long addr)
{
	return (addr >> PAGE_SHIFT) - (range->start >> PAGE_SHIFT);
}

static int pvs_alias_set(pte_t *pte, unsigned long addr, void *data)
{
	const struct pvs_alias *alias = data;
	u64 entry = alias->page[(addr - alias->start) >> PAGE_SHIFT].entry;

	if (entry & _PAGE_PRESENT)
		set_pte_at(&init_mm, addr, pte, native_make_pte(entry));
	return 0;
}

static struct pvs_alias *pvs_alias_create(const struct pv_shadow_range *range)
{
	unsigned long nr = pvs_alias_page(range, range->end - 1) + 1;
	struct pvs_alias *alias;

	alias = pvs_vzalloc(struct_size(alias, page, nr), GFP_KERNEL);
	if (!alias)
		return NULL;
	/* As ioremap() has it, so that nobody takes what is there for memory. */
	alias->area = get_vm_area(nr << PAGE_SHIFT, VM_IOREMAP);
	if (!alias->area) {
		kvfree(alias);
		return NULL;
	}
	alias->range = range;
	alias->start = (unsigned long)alias->area->addr;
	alias->first = range->start & PAGE_MASK;
	alias->nr = nr;

	return alias;
}

static void pvs_alias_destroy(struct pvs_alias *alias)
{
	free_vm_area(alias->area);
	kvfree(alias);
}

/**
 * pvs_alias_map - map pages of a range a second time
 * @range: the range
 * @addr:  first page; the tables of PTEs that map them have copies
 * @end:   address behind the last one
 *
 * The tree is locked, and nobody has trapped the pages. Sleeps.
 *
 * Return: 0 or -ENOMEM.
 */
int pvs_alias_map(struct pv_shadow_range *range, unsigned long addr,
		  unsigned long end)
{
	unsigned long first = pvs_alias_page(range, addr);
	unsigned long nr = pvs_alias_page(range, end - 1) + 1 - first;
	struct pvs_alias *alias = range->alias;
	struct pvs_alias_page *page;
	unsigned long n, start;

	lockdep_assert_held(&pvs_tree.lock);

	if (!alias)
		alias = pvs_alias_create(range);
	if (!alias)
		return -ENOMEM;

	for (n = first; n < first + nr; n++, addr += PAGE_SIZE) {
		page = &alias->page[n];
		if (range->user) {
			page->entry = pvs_alias_user(range, n);
			continue;
		}
		page->table = pvs_table_find(&pvs_tree, addr);
		page->entry = pvs_alias_ref(page, addr);
	}

	start = alias->start + (first << PAGE_SHIFT);
	if (apply_to_page_range(&init_mm, start, nr << PAGE_SHIFT,
				pvs_alias_set, alias)) {
		vunmap_range(start, start + (nr << PAGE_SHIFT));
		memset(&alias->page[first], 0, nr * sizeof(alias->page[0]));
		if (!range->alias)
			pvs_alias_destroy(alias);
		return -ENOMEM;
	}

	if (!range->alias)
		list_add(&alias->list, &pvs_aliases);
	alias->used += nr;
	range->alias = alias;
	return 0;
}

/**
 * pvs_alias_unmap - undo pvs_alias_map(), or a part of it
 * @range: the range
 * @addr:  first page
 * @end:   address behind the last one; no access to them is being completed any more
 *
 * The tree is locked. Sleeps.
 */
void pvs_alias_unmap(struct pv_shadow_range *range, unsigned long addr,
		     unsigned long end)
{
	unsigned long first = pvs_alias_page(range, addr);
	unsigned long nr = pvs_alias_page(range, end - 1) + 1 - first;
	struct pvs_alias *alias = range->alias;
	unsigned long start = alias->start + (first << PAGE_SHIFT);

	lockdep_assert_held(&pvs_tree.lock);

	alias->used -= nr;
	if (!alias->used) {
		range->alias = NULL;
		list_del(&alias->list);
		pvs_alias_destroy(alias);
		return;
	}

	memset(&alias->page[first], 0, nr * sizeof(alias->page[0]));
	vunmap_range(start, start + (nr << PAGE_SHIFT));
}

/* As far as one can tell. */
static bool pvs_alias_same_page(const struct pvs_alias_page *page, u64 leaf)
{
	return !((leaf ^ page->entry) & (PTE_PFN_MASK | PVS_ALIAS_TYPE | _PAGE_PRESENT));
}
NOKPROBE_SYMBOL(pvs_alias_same_page);

/**
 * pvs_alias_maps - does the second mapping map what Linux maps
 * @range: a range of user addresses, one of which is
 * @addr:  address
 * @leaf:  what Linux maps there, as a PTE
 */
bool pvs_alias_maps(const struct pv_shadow_range *range, unsigned long addr, u64 leaf)
{
	const struct pvs_alias *alias = range->alias;
	unsigned long n = (addr - alias->first) >> PAGE_SHIFT;

	return n < alias->nr && (leaf & _PAGE_PRESENT) &&
	       pvs_alias_same_page(&alias->page[n], leaf);
}
NOKPROBE_SYMBOL(pvs_alias_maps);

/**
 * pvs_alias_of - where the fault handler finds what is at an address
 * @range: the range that it is in
 * @addr:  the address
 * @write: to be written to
 *
 * Interrupts off. What is above PTEs has no say: it allows everything for kernel
 * addresses.
 *
 * Return: the same byte's other address, with the rest of the page around it, and the
 * range's next page behind that; 0 if there is none, since the reference does not
 * allow the access, or maps something else by now.
 */
unsigned long pvs_alias_of(const struct pv_shadow_range *range,
			   unsigned long addr, bool write)
{
	u64 need = _PAGE_PRESENT | (write ? _PAGE_RW : 0);
	const struct pvs_alias *alias = range->alias;
	const struct pvs_alias_page *page;
	const struct pvs_table *table;
	unsigned long offset;
	u64 leaf;

	if (unlikely(range->direct)) {
		table = pvs_direct_table(addr);
		leaf = table ? pvs_ref_entry(table, pvs_index(addr, 1)) : 0;
		return (leaf & need) == need ? pvs_direct_alias(addr) : 0;
	}
	offset = addr - alias->first;
	page = &alias->page[offset >> PAGE_SHIFT];
	/* What is no address at all may look like one of the range. */
	if (unlikely(offset >> PAGE_SHIFT >= alias->nr) || (page->entry & need) != need)
		return 0;
	if (unlikely(range->user)) {
		leaf = pvs_user_leaf(range->user, addr);
		if (!pvs_alias_same_page(page, leaf) || (write && !(leaf & _PAGE_RW)))
			return 0;
	} else if (!pvs_same(pvs_ref_entry(page->table, pvs_index(addr, 1)), page->entry)) {
		return 0;
	}

	return alias->start + offset;
}
NOKPROBE_SYMBOL(pvs_alias_of);

/* What Linux's own tables map at an address, 0 if nothing. */
static u64 pvs_mapped(unsigned long addr)
{
	unsigned int level;
	pte_t *pte = lookup_address(addr, &level);

	return pte && level == PG_LEVEL_4K ? pte_val(READ_ONCE(*pte)) : 0;
}

/*
 * A device's page stays where it is while it is trapped. Linux may do as it likes with
 * memory: then the page is stepped (pvs_alias_of()).
 */
static bool pvs_page_moved(const struct pv_shadow_range *range, u64 have, u64 want)
{
	return !range->memory && ((have ^ want) & (PTE_PFN_MASK | _PAGE_PRESENT));
}

static bool pvs_alias_differs(const struct pvs_alias *alias, unsigned long n,
			      struct pvs_diff *diff)
{
	const struct pvs_alias_page *page = &alias->page[n];
	unsigned long addr = alias->first + (n << PAGE_SHIFT);

	diff->kind = PVS_DIFF_ALIAS;
	diff->addr = alias->start + (n << PAGE_SHIFT);
	diff->have = pvs_mapped(diff->addr);
	diff->want = page->entry & _PAGE_PRESENT ? page->entry : 0;
	if (!pvs_same(diff->have, diff->want))
		return true;
	if (pvs_is_trapped(&pvs_tree, (void *)diff->addr, PAGE_SIZE, diff))
		return true;
	if (!page->table)
		return false;

	diff->kind = PVS_DIFF_PAGE;
	diff->addr = addr;
	diff->have = pvs_alias_ref(page, addr);
	diff->want = page->entry;
	return pvs_page_moved(alias->range, diff->have, diff->want);
}

/**
 * pvs_alias_verify - are the second mappings what they were made from
 * @diff: where to put what differs
 * @max:  how many fit
 *
 * And the reference as well, where it maps a device; and nothing trapped that the fault
 * handler needs of a range. Sleeps.
 *
 * Return: number of differences found, at most @max.
 */
unsigned int pvs_alias_verify(struct pvs_diff *diff, unsigned int max)
{
	const struct pvs_alias *alias;
	unsigned int found = 0;
	unsigned long n;

	mutex_lock(&pvs_tree.lock);
	list_for_each_entry(alias, &pvs_aliases, list) {
		if (found < max)
			found += pvs_is_trapped(&pvs_tree, alias->range,
						sizeof(*alias->range), &diff[found]);
		if (found < max)
			found += pvs_is_trapped(&pvs_tree, alias,
						struct_size(alias, page, alias->nr),
						&diff[found]);
		for (n = 0; n < alias->nr && found < max; n++) {
			found += pvs_alias_differs(alias, n, &diff[found]);
			cond_resched();
		}
	}
	mutex_unlock(&pvs_tree.lock);

	return found;
}
