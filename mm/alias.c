// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the fault handler makes an access itself: the pages of a range mapped a
 * second time, in the same way, at addresses that nobody else knows. Nothing there
 * is ever hidden, so that an access needs neither a change of an entry nor a flush.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/pv_shadow.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../pvops/root.h"
#include "alias.h"
#include "table.h"

/**
 * struct pvs_alias_page - a page of a range
 * @table: the table of PTEs that maps it; has copies while it is trapped
 * @entry: what the second mapping maps: what the reference mapped when it was made
 */
struct pvs_alias_page {
	struct pvs_table	*table;
	u64			entry;
};

/**
 * struct pvs_alias - the second mapping of a range
 * @start: its first address
 * @area:  its addresses
 * @page:  its pages
 */
struct pvs_alias {
	unsigned long		start;
	struct vm_struct	*area;
	struct pvs_alias_page	page[];
};

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

/**
 * pvs_alias_create - map a range a second time
 * @range: the range; the tables of PTEs that map it have copies
 *
 * The tree is locked. Sleeps.
 *
 * Return: 0 or -ENOMEM.
 */
int pvs_alias_create(struct pv_shadow_range *range)
{
	unsigned long nr = pvs_alias_page(range, range->end - 1) + 1;
	unsigned long addr = range->start & PAGE_MASK;
	struct pvs_alias_page *page;
	struct pvs_alias *alias;
	unsigned long n;

	alias = kvzalloc(struct_size(alias, page, nr), GFP_KERNEL);
	if (!alias)
		return -ENOMEM;
	alias->area = get_vm_area(nr << PAGE_SHIFT, VM_MAP);
	if (!alias->area)
		goto free;

	alias->start = (unsigned long)alias->area->addr;
	for (n = 0; n < nr; n++, addr += PAGE_SIZE) {
		page = &alias->page[n];
		page->table = pvs_table_find(&pvs_tree, addr);
		page->entry = pvs_ref_entry(page->table, pvs_index(addr, 1));
	}

	if (apply_to_page_range(&init_mm, alias->start, nr << PAGE_SHIFT,
				pvs_alias_set, alias))
		goto free_area;

	range->alias = alias;
	return 0;

free_area:
	free_vm_area(alias->area);
free:
	kvfree(alias);
	return -ENOMEM;
}

/**
 * pvs_alias_destroy - undo pvs_alias_create()
 * @range: the range; no access to it is being completed any more
 *
 * Sleeps.
 */
void pvs_alias_destroy(struct pv_shadow_range *range)
{
	if (!range->alias)
		return;

	free_vm_area(range->alias->area);
	kvfree(range->alias);
	range->alias = NULL;
}

/**
 * pvs_alias_of - where the fault handler finds what is at an address
 * @range: the range that it is in
 * @addr:  first address
 * @last:  last one, at most a page away
 * @write: to be written to
 *
 * Interrupts off. What is above PTEs has no say: it allows everything for kernel
 * addresses.
 *
 * Return: the same bytes' other address; 0 if there is none, since the reference
 * does not allow the access, or maps something else by now.
 */
unsigned long pvs_alias_of(const struct pv_shadow_range *range,
			   unsigned long addr, unsigned long last, bool write)
{
	u64 need = _PAGE_PRESENT | (write ? _PAGE_RW : 0);
	const struct pvs_alias *alias = range->alias;
	const struct pvs_alias_page *page;
	unsigned long at = addr;

	for (;;) {
		page = &alias->page[pvs_alias_page(range, at)];
		if ((page->entry & need) != need ||
		    !pvs_same(pvs_ref_entry(page->table, pvs_index(at, 1)),
			      page->entry))
			return 0;
		if (likely(!((at ^ last) & PAGE_MASK)))
			break;
		at = last;
	}

	return alias->start + addr - (range->start & PAGE_MASK);
}
NOKPROBE_SYMBOL(pvs_alias_of);
