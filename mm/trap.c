// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trapped pages.
 */
#include <linux/export.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/pv_shadow.h>
#include <linux/rcupdate.h>

#include <asm/tlbflush.h>
#include <asm/trap_pf.h>

#include "../arch/x86/compare.h"
#include "../pvops/backend.h"
#include "../pvops/cpu.h"
#include "../pvops/root.h"
#include "alias.h"
#include "stats.h"
#include "table.h"
#include "trap.h"

static atomic_long_t pvs_traps;

/**
 * pvs_nr_traps - number of pages that are trapped
 */
unsigned long pvs_nr_traps(void)
{
	return atomic_long_read(&pvs_traps);
}

static void pvs_flush_func(void *unused)
{
	native_flush_tlb_global();
}

/* Unlink what became empty and free it when no CPU can be using it any more. */
static void pvs_prune(void)
{
	LIST_HEAD(dead);

	pvs_tree_unlink(&pvs_tree, &dead);
	if (list_empty(&dead))
		return;

	/*
	 * The hardware caches entries that are no leaves as well, per PCID, and
	 * follows them without looking at the table above: until nothing less than
	 * everything was flushed the copies are in use.
	 */
	pvs_on_each_live_cpu(pvs_flush_func);
	pvs_tables_remove(&pvs_tree, &dead);
	pv_shadow_synchronize();
	pvs_tables_free(&dead);
}

/* Or set them in another way. All CPUs' TLBs are flushed. */
static void pvs_set_traps(struct pv_shadow_range *range, unsigned long addr,
			  unsigned long end)
{
	void *slot = (void *)range + (range->writes_only ? PVS_WRITES_ONLY : 0);

	for (; addr < end; addr += PAGE_SIZE) {
		pvs_table_set_trap(pvs_table_find(&pvs_tree, addr),
				   pvs_index(addr, 1), slot);
		cond_resched();
	}
	pvs_on_each_live_cpu(pvs_flush_func);
}

static void pvs_clear_traps(unsigned long addr, unsigned long end)
{
	for (; addr < end; addr += PAGE_SIZE) {
		pvs_table_clear_trap(pvs_table_find(&pvs_tree, addr),
				     pvs_index(addr, 1));
		atomic_long_dec(&pvs_traps);
	}
}

/**
 * pv_shadow_trap - have a client told of each access to some pages of a range
 * @range: the range, in the kernel half and mapped by the kernel; it must stay
 *	   until all of its pages were untrapped
 * @start: first page
 * @end:   address behind the last one
 *
 * All accesses that any CPU makes after this returned are reported, of all tasks or
 * those of pv_shadow_choose_tasks(). Between pv_shadow_start() and pv_shadow_stop();
 * sleeps.
 *
 * Nothing may be trapped that the fault path itself touches: stacks, per-CPU
 * data, the tracer's own memory, page tables.
 *
 * Return: 0; -EINVAL for an address that cannot be trapped, -EBUSY if one of the
 * pages is trapped already, -ENOMEM: then none of them is trapped.
 */
int pv_shadow_trap(struct pv_shadow_range *range, unsigned long start,
		   unsigned long end)
{
	struct pvs_table *t;
	unsigned long addr;
	int ret;

	/*
	 * Below and above, address spaces differ in the kernel half: the LDT's
	 * entry is each mm's own, and EFI's pgd has tables of its own at the end.
	 */
	start &= PAGE_MASK;
	if (end <= start || start < PAGE_OFFSET || end > CPU_ENTRY_AREA_BASE)
		return -EINVAL;

	mutex_lock(&pvs_tree.lock);

	if (!pvs_active()) {
		mutex_unlock(&pvs_tree.lock);
		return -EINVAL;
	}

	if (range->memory && pvs_compare_alloc()) {
		mutex_unlock(&pvs_tree.lock);
		return -ENOMEM;
	}

	for (addr = start; addr < end; addr += PAGE_SIZE) {
		ret = -ENOMEM;
		t = pvs_table_create(&pvs_tree, addr);
		if (!t)
			goto prune;
		ret = -EBUSY;
		if (t->slot[pvs_index(addr, 1)])
			goto prune;
		cond_resched();
	}

	ret = pvs_alias_map(range, start, end);
	if (ret)
		goto prune;

	atomic_long_add((end - start + PAGE_SIZE - 1) >> PAGE_SHIFT, &pvs_traps);
	pvs_set_traps(range, start, end);
	mutex_unlock(&pvs_tree.lock);
	return 0;

prune:
	pvs_prune();
	mutex_unlock(&pvs_tree.lock);
	return ret;
}
EXPORT_SYMBOL_GPL(pv_shadow_trap);

/**
 * pv_shadow_retrap - have trapped pages follow a change of @range->writes_only
 * @range: the range
 * @start: first page
 * @end:   address behind the last one; all in between are trapped
 *
 * Reads are reported from when this returns, or no more. Sleeps.
 */
void pv_shadow_retrap(struct pv_shadow_range *range, unsigned long start,
		      unsigned long end)
{
	mutex_lock(&pvs_tree.lock);
	pvs_set_traps(range, start & PAGE_MASK, end);
	mutex_unlock(&pvs_tree.lock);
}

/**
 * pv_shadow_untrap - undo pv_shadow_trap(), or a part of it
 * @range: what was given to it
 * @start: first page
 * @end:   address behind the last one; all in between are trapped
 *
 * When this returns no CPU is completing an access to them any more, and the
 * client is not called for them. Sleeps.
 */
void pv_shadow_untrap(struct pv_shadow_range *range, unsigned long start,
		      unsigned long end)
{
	mutex_lock(&pvs_tree.lock);
	pvs_clear_traps(start & PAGE_MASK, end);
	pv_shadow_synchronize();
	pvs_alias_unmap(range, start & PAGE_MASK, end);
	pvs_prune();
	mutex_unlock(&pvs_tree.lock);
}
EXPORT_SYMBOL_GPL(pv_shadow_untrap);

/**
 * pvs_trapped - whose is the page of an address
 * @addr: address in the kernel half
 *
 * In constant time. Interrupts off.
 *
 * Return: the range, or NULL if nobody trapped the page.
 */
struct pv_shadow_range *pvs_trapped(unsigned long addr)
{
	struct pvs_table *t = pvs_table_find(&pvs_tree, addr);

	if (!t)
		return NULL;
	return (void *)((unsigned long)READ_ONCE(t->slot[pvs_index(addr, 1)]) &
			~PVS_WRITES_ONLY);
}
NOKPROBE_SYMBOL(pvs_trapped);

/* Only the PCID in use can have seen the page, since the CPU did not leave it. */
static void pvs_flush_own(unsigned long addr)
{
	asm volatile("invlpg (%0)" : : "r" (addr) : "memory");
}
NOKPROBE_SYMBOL(pvs_flush_own);

/**
 * pvs_reveal - let this CPU, and no other, see a trapped page
 * @addr:  an address in it
 * @write: to be written to
 *
 * Interrupts off, until pvs_hide(). An entry that was not present is in no TLB,
 * so that there is nothing to flush; one that was read-only may be.
 *
 * Return: false if the reference does not allow the access either.
 */
bool pvs_reveal(unsigned long addr, bool write)
{
	struct pvs_table *t = pvs_table_find(&pvs_tree, addr);
	unsigned int index = pvs_index(addr, 1);
	u64 ref;

	if (!t || !pvs_ref_permits(&pvs_tree, addr, write ? X86_PF_WRITE : 0))
		return false;

	ref = pvs_ref_entry(t, index);
	WRITE_ONCE(t->copy[smp_processor_id()][index], ref);
	if (pvs_writes_only(READ_ONCE(t->slot[index])))
		pvs_flush_own(addr);
	return true;
}
NOKPROBE_SYMBOL(pvs_reveal);

/**
 * pvs_hide - hide a revealed page from this CPU again
 * @addr: an address in it
 *
 * Interrupts off. Flushes this CPU's TLB for the page.
 */
void pvs_hide(unsigned long addr)
{
	struct pvs_table *t = pvs_table_find(&pvs_tree, addr);
	unsigned int index = pvs_index(addr, 1);
	void *slot;
	u64 hidden;

	if (!t)
		return;

	/*
	 * Untrapped while we were at it: then it became visible to all, perhaps
	 * just before we hid it, or revealed an older state of it. Likewise if it is
	 * trapped in another way now, or the reference of what is still to be read
	 * changed: those who do so write our entry afterwards, or we see it here.
	 */
	do {
		slot = READ_ONCE(t->slot[index]);
		hidden = pvs_hidden(slot, pvs_ref_entry(t, index));
		WRITE_ONCE(t->copy[smp_processor_id()][index], hidden);
		smp_mb(); /* pairs with those in pvs_table_{set,clear}_trap() */
	} while (READ_ONCE(t->slot[index]) != slot ||
		 pvs_hidden(slot, pvs_ref_entry(t, index)) != hidden);
	pvs_flush_own(addr);
}
NOKPROBE_SYMBOL(pvs_hide);

/**
 * pvs_fix_copy - is a fault only due to a copy that is behind
 * @addr:	where
 * @error_code: why
 *
 * Brings this CPU's entries for the address up to date. Interrupts off.
 *
 * Return: true if the access is worth another try.
 */
bool pvs_fix_copy(unsigned long addr, unsigned long error_code)
{
	bool changed = pvs_root_sync_own(addr);

	if (addr < TASK_SIZE_MAX)
		return changed;

	/* Even if nothing differs now: another CPU may have put it right. */
	if (pvs_tree_covers(&pvs_tree, addr) &&
	    pvs_ref_permits(&pvs_tree, addr, error_code)) {
		pvs_table_sync_own(&pvs_tree, addr, smp_processor_id());
		changed = true;
	}

	return changed;
}
