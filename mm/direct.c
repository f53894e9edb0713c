// SPDX-License-Identifier: GPL-2.0-only
/*
 * The direct map.
 *
 * Whoever allocates or frees memory can neither sleep nor wait for all CPUs. So all the
 * tables that can be needed are made once, and to hide a page or to show it is to write
 * its entry in each of them. The tables of Linux are huge leaves there as a rule, and
 * stay so: they are split in the copies only.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pv_shadow.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "../pvops/cpu.h"
#include "../pvops/root.h"
#include "direct.h"
#include "table.h"

unsigned int pvs_direct_shift __ro_after_init;
unsigned long pvs_direct_size __ro_after_init;
struct pvs_table **pvs_direct_tables __ro_after_init;

/* Return: pages that the tables of 2M of the direct map take. */
static int __init pvs_direct_cover(unsigned long addr)
{
	int before = atomic_read(&pvs_tree.nr_tables);
	struct pvs_table *t = pvs_table_create(&pvs_tree, addr);

	if (!t)
		return -ENOMEM;
	/* It stays, whatever leads there. */
	t->used++;
	pvs_direct_tables[pvs_direct_index(addr)] = t;
	return (atomic_read(&pvs_tree.nr_tables) - before) * (nr_cpu_ids + 1);
}

/**
 * pvs_direct_init - be able to hide pages of the direct map
 * @pages: memory that this may take, in pages
 *
 * CPUs run on their roots. What does not fit into @pages, from the end of memory, cannot
 * be hidden. Sleeps.
 *
 * Return: 0 or -ENOMEM; then there may be more tables than before.
 */
int __init pvs_direct_init(unsigned long pages)
{
	unsigned long addr = PAGE_OFFSET, end, used = 0;
	unsigned int shift = pgd_index(PAGE_OFFSET) - PVS_DIRECT_FIRST;
	int ret = 0;

	end = min(PAGE_OFFSET + (max_pfn << PAGE_SHIFT),
		  (PAGE_OFFSET & PGDIR_MASK) + PVS_DIRECT_ENTRIES * PGDIR_SIZE);

	pvs_direct_tables = vzalloc(array_size(pvs_direct_index(end - 1) + 1,
					       sizeof(*pvs_direct_tables)));
	if (!pvs_direct_tables)
		return -ENOMEM;

	mutex_lock(&pvs_tree.lock);
	for (; addr < end && used < pages; addr += PMD_SIZE) {
		if (!pfn_valid(PHYS_PFN(__pa(addr))))
			continue;
		ret = pvs_direct_cover(addr);
		if (ret < 0)
			break;
		used += ret;
		cond_resched();
	}
	mutex_unlock(&pvs_tree.lock);
	if (ret < 0) {
		vfree(pvs_direct_tables);
		return ret;
	}

	WRITE_ONCE(pvs_direct_shift, shift);
	pvs_roots_refresh();
	/* The new tables, and nothing cached of the huge pages that they split. */
	pvs_flush_live_cpus();
	WRITE_ONCE(pvs_direct_size, min(addr, end) - PAGE_OFFSET);
	return 0;
}

static bool pvs_direct_set(void *from, void *to, unsigned long addr, unsigned int pages)
{
	unsigned long end = addr + pages * PAGE_SIZE;
	struct pvs_table *t;
	bool ok = true;

	rcu_read_lock();
	for (; addr < end && ok; addr += PAGE_SIZE) {
		t = pvs_direct_table(addr);
		ok = t && pvs_table_replace_trap(t, pvs_index(addr, 1), from, to);
	}
	rcu_read_unlock();
	return ok;
}

/**
 * pvs_direct_hide - hide pages of the direct map from all CPUs
 * @range: whose they are to be; it stays for ever
 * @addr:  the first one
 * @pages: how many
 *
 * Any context but NMIs. The caller has all CPUs flush their TLBs of the pages; until then
 * they may see them.
 *
 * Return: false if one of them has no copies, or somebody else has it: then none is hidden.
 */
bool pvs_direct_hide(struct pv_shadow_range *range, unsigned long addr, unsigned int pages)
{
	if (pvs_direct_set(NULL, range, addr, pages))
		return true;
	pvs_direct_set(range, NULL, addr, pages);
	return false;
}

/**
 * pvs_direct_show - undo pvs_direct_hide()
 * @range: as there
 * @addr:  as there
 * @pages: as there
 *
 * Any context but NMIs. Nothing needs a flush.
 */
void pvs_direct_show(struct pv_shadow_range *range, unsigned long addr, unsigned int pages)
{
	pvs_direct_set(range, NULL, addr, pages);
}
