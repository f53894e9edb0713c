/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The direct map: all of it has path copies, so that its pages can be hidden and shown
 * in any context, and a second mapping, which is Linux's own tables, found once more in
 * the roots where Linux has nothing.
 */
#ifndef _PV_SHADOW_DIRECT_H
#define _PV_SHADOW_DIRECT_H

#include <linux/compiler.h>
#include <linux/pgtable.h>
#include <linux/types.h>

struct pv_shadow_range;
struct pvs_table;

/* The hole that is left for a hypervisor, at the start of the kernel half. */
#define PVS_DIRECT_FIRST	(PTRS_PER_PGD / 2)
#define PVS_DIRECT_ENTRIES	16

/* How many entries of a root the second mapping is below the first; 0 if there is none */
extern unsigned int pvs_direct_shift;
/* How much of it can be hidden, in bytes from its beginning */
extern unsigned long pvs_direct_size;
/* Its tables of PTEs, by 2M; they stay */
extern struct pvs_table **pvs_direct_tables;

/**
 * pvs_direct_covers - can a page be hidden
 * @addr: its address
 */
static __always_inline bool pvs_direct_covers(unsigned long addr)
{
	return addr - PAGE_OFFSET < READ_ONCE(pvs_direct_size);
}

static __always_inline unsigned long pvs_direct_index(unsigned long addr)
{
	return (addr - PAGE_OFFSET) >> PMD_SHIFT;
}

/**
 * pvs_direct_table - the table of PTEs that maps an address, if that can be hidden
 * @addr: address
 *
 * Any context.
 *
 * Return: it, or NULL.
 */
static __always_inline struct pvs_table *pvs_direct_table(unsigned long addr)
{
	return pvs_direct_covers(addr) ? pvs_direct_tables[pvs_direct_index(addr)] : NULL;
}

/**
 * pvs_direct_source - which of a pgd's entries an entry of a root stands for
 * @index: entry of the root
 */
static inline unsigned int pvs_direct_source(unsigned int index)
{
	return index - PVS_DIRECT_FIRST < PVS_DIRECT_ENTRIES ?
	       index + READ_ONCE(pvs_direct_shift) : index;
}

/**
 * pvs_direct_target - where else in a root an entry of a pgd stands
 * @index: entry of the pgd
 *
 * Return: that, or @index if nowhere.
 */
static inline unsigned int pvs_direct_target(unsigned int index)
{
	unsigned int target = index - READ_ONCE(pvs_direct_shift);

	return target - PVS_DIRECT_FIRST < PVS_DIRECT_ENTRIES ? target : index;
}

/**
 * pvs_direct_alias - the other address of what is in the direct map
 * @addr: its address there
 *
 * On a CPU that runs on its roots, while pages are hidden.
 */
static inline unsigned long pvs_direct_alias(unsigned long addr)
{
	return addr - ((unsigned long)READ_ONCE(pvs_direct_shift) << PGDIR_SHIFT);
}

/**
 * pvs_direct_address - undo pvs_direct_alias()
 * @alias: what that gave
 */
static inline unsigned long pvs_direct_address(unsigned long alias)
{
	return alias + ((unsigned long)READ_ONCE(pvs_direct_shift) << PGDIR_SHIFT);
}

/**
 * pvs_direct_is_alias - is an address one that pvs_direct_alias() gives
 * @addr: address
 */
static inline bool pvs_direct_is_alias(unsigned long addr)
{
	return READ_ONCE(pvs_direct_shift) &&
	       pgd_index(addr) - PVS_DIRECT_FIRST < PVS_DIRECT_ENTRIES;
}

int pvs_direct_init(unsigned long pages);
bool pvs_direct_hide(struct pv_shadow_range *range, unsigned long addr, unsigned int pages);
void pvs_direct_show(struct pv_shadow_range *range, unsigned long addr, unsigned int pages);

#endif /* _PV_SHADOW_DIRECT_H */
