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
#include "direct.h"
#include "stats.h"
#include "table.h"
#include "trap.h"
#include "user.h"

static atomic_long_t pvs_traps;

/**
 * pvs_nr_traps - number of pages that are trapped
 */
unsigned long pvs_nr_traps(void)
{
	return atomic_long_read(&pvs_traps);
}

/* Unlink what became empty and free it when no CPU can be using it any more. */
static void pvs_prune(struct pvs_tree *tree)
{
	LIST_HEAD(dead);

	pvs_tree_unlink(tree, &dead);
	if (list_empty(&dead))
		return;

	/*
	 * The hardware caches entries that are no leaves as well, per PCID, and
	 * follows them without looking at the table above: until nothing less than
	 * everything was flushed the copies are in use.
	 */
	pvs_flush_live_cpus();
	pvs_tables_remove(tree, &dead);
	if (tree->user) {
		/* No fault is under way on them, and a process waits for the others. */
		pvs_wait_accesses();
		synchronize_rcu_expedited();
	} else {
		pv_shadow_synchronize();
	}
	pvs_tables_free(&dead);
}

/*
 * The tree of a range, which is pvs_tree or one of a user's: the lock of the former is
 * held around that of the latter.
 */
static struct pvs_tree *pvs_range_lock(const struct pv_shadow_range *range)
{
	if (!range->user)
		return &pvs_tree;
	mutex_lock(&range->user->tree.lock);
	return &range->user->tree;
}

static void pvs_range_unlock(const struct pv_shadow_range *range)
{
	if (range->user)
		mutex_unlock(&range->user->tree.lock);
}

/* The last trap of an address space has gone, or the first one could not be set. */
static void pvs_range_put(struct pv_shadow_range *range)
{
	if (range->user && !range->alias) {
		pvs_user_put(range->user);
		range->user = NULL;
	}
}

/* Or set them in another way. All CPUs' TLBs are flushed. */
static void pvs_set_traps(struct pvs_tree *tree, struct pv_shadow_range *range,
			  unsigned long addr, unsigned long end)
{
	void *slot = (void *)range + (range->writes_only ? PVS_WRITES_ONLY : 0);

	for (; addr < end; addr += PAGE_SIZE) {
		pvs_table_set_trap(pvs_table_find(tree, addr), pvs_index(addr, 1), slot);
		cond_resched();
	}
	pvs_flush_live_cpus();
}

static void pvs_clear_traps(struct pvs_tree *tree, unsigned long addr, unsigned long end)
{
	for (; addr < end; addr += PAGE_SIZE) {
		pvs_table_clear_trap(pvs_table_find(tree, addr), pvs_index(addr, 1));
		atomic_long_dec(&pvs_traps);
		cond_resched();
	}
}

static unsigned long pvs_nr_pages(unsigned long start, unsigned long end)
{
	return (end - start + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static int pvs_tree_trap(struct pvs_tree *tree, struct pv_shadow_range *range,
			 unsigned long start, unsigned long end)
{
	struct pvs_table *t;
	unsigned long addr;
	int ret;

	if (range->user)
		pvs_user_span(range->user, start, end);
	for (addr = start; addr < end; addr += PAGE_SIZE) {
		ret = -ENOMEM;
		t = pvs_table_create(tree, addr);
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

	atomic_long_add(pvs_nr_pages(start, end), &pvs_traps);
	if (range->user)
		range->user->traps += pvs_nr_pages(start, end);
	/* A page is not to be writable by a huge entry of a TLB, and not by a small one. */
	if (range->writes_only)
		pvs_flush_live_cpus();
	pvs_set_traps(tree, range, start, end);
	return 0;

prune:
	pvs_prune(tree);
	return ret;
}

/*
 * Below and above, kernel addresses differ from one address space to the other: the
 * LDT's entry is each mm's own, and EFI's pgd has tables of its own at the end.
 */
static bool pvs_may_trap(const struct pv_shadow_range *range, unsigned long start,
			 unsigned long end)
{
	if (end <= start)
		return false;
	if (range->mm)
		return end <= TASK_SIZE_MAX;
	return start >= PAGE_OFFSET && end <= CPU_ENTRY_AREA_BASE;
}

/**
 * pv_shadow_trap - have a client told of each access to some pages of a range
 * @range: the range, in the kernel half and mapped by the kernel, or in the user half;
 *	   it must stay until all of its pages were untrapped
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
	int ret = -EINVAL;

	start &= PAGE_MASK;
	if (!pvs_may_trap(range, start, end))
		return -EINVAL;

	mutex_lock(&pvs_tree.lock);
	if (!pvs_active())
		goto unlock;

	ret = -ENOMEM;
	if (range->memory && pvs_compare_alloc())
		goto unlock;
	if (range->mm && !range->user) {
		range->user = pvs_user_get(range->mm);
		if (!range->user)
			goto unlock;
	}

	ret = pvs_tree_trap(pvs_range_lock(range), range, start, end);
	pvs_range_unlock(range);
	if (ret)
		pvs_range_put(range);
unlock:
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
	pvs_set_traps(pvs_range_lock(range), range, start & PAGE_MASK, end);
	pvs_range_unlock(range);
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
	struct pvs_tree *tree;

	start &= PAGE_MASK;
	mutex_lock(&pvs_tree.lock);
	tree = pvs_range_lock(range);
	pvs_clear_traps(tree, start, end);
	if (range->user)
		range->user->traps -= pvs_nr_pages(start, end);
	if (range->user)
		pvs_wait_accesses();
	else
		pv_shadow_synchronize();
	pvs_alias_unmap(range, start, end);
	pvs_prune(tree);
	pvs_range_unlock(range);
	pvs_range_put(range);
	mutex_unlock(&pvs_tree.lock);
}
EXPORT_SYMBOL_GPL(pv_shadow_untrap);

/* The tree that maps an address on this CPU, or NULL. Interrupts off. */
static struct pvs_tree *pvs_tree_of(unsigned long addr)
{
	struct pvs_user *user;

	if (addr >= TASK_SIZE_MAX)
		return &pvs_tree;
	user = pvs_root_user();
	return user ? &user->tree : NULL;
}
NOKPROBE_SYMBOL(pvs_tree_of);

/* The table of PTEs that maps an address on this CPU, if it has copies. */
static struct pvs_table *pvs_table_of(unsigned long addr)
{
	struct pvs_table *t = pvs_direct_table(addr);
	struct pvs_tree *tree;

	if (t)
		return t;
	tree = pvs_tree_of(addr);
	return tree ? pvs_table_find(tree, addr) : NULL;
}
NOKPROBE_SYMBOL(pvs_table_of);

static void *pvs_slot(unsigned long addr)
{
	struct pvs_table *t = pvs_table_of(addr);

	return t ? READ_ONCE(t->slot[pvs_index(addr, 1)]) : NULL;
}
NOKPROBE_SYMBOL(pvs_slot);

static struct pv_shadow_range *pvs_slot_range(void *slot, unsigned long addr)
{
	struct pv_shadow_range *range = pvs_slot_owner(slot);

	if (unlikely(range && range->user) && !pvs_alias_of(range, addr, false))
		return NULL;
	return range;
}
NOKPROBE_SYMBOL(pvs_slot_range);

/**
 * pvs_trapped - whose is the page of an address
 * @addr: address
 *
 * In constant time. Interrupts off.
 *
 * Return: the range, or NULL if nobody trapped the page; nor is it if what is mapped
 * there now is another page than that of the range.
 */
struct pv_shadow_range *pvs_trapped(unsigned long addr)
{
	return pvs_slot_range(pvs_slot(addr), addr);
}
NOKPROBE_SYMBOL(pvs_trapped);

/**
 * pvs_still_traps - has a page that was accessed not been untrapped meanwhile
 * @range: whose it was
 * @addr:  address
 *
 * Interrupts off. Whatever Linux maps there by now: of a user address that may have
 * changed since the access was made.
 */
bool pvs_still_traps(const struct pv_shadow_range *range, unsigned long addr)
{
	return pvs_slot_owner(pvs_slot(addr)) == range;
}
NOKPROBE_SYMBOL(pvs_still_traps);

/**
 * pvs_faulted - whose is the page of an access that faulted
 * @addr: address
 * @error_code: why it did
 *
 * As pvs_trapped(), but not for what the copies of user tables may hold.
 */
struct pv_shadow_range *pvs_faulted(unsigned long addr, unsigned long error_code)
{
	void *slot = pvs_slot(addr);

	if (addr < TASK_SIZE_MAX && !(error_code & X86_PF_WRITE) && pvs_writes_only(slot))
		return NULL;
	return pvs_slot_range(slot, addr);
}
NOKPROBE_SYMBOL(pvs_faulted);

/**
 * pvs_verdict - what do Linux's tables say of an access to a user address
 * @addr:	address
 * @error_code: what the page fault said, or would
 *
 * Interrupts off.
 */
enum pvs_verdict pvs_verdict(unsigned long addr, unsigned long error_code)
{
	struct pvs_user *user = pvs_root_user();

	return user ? pvs_user_verdict(user, addr, error_code) : PVS_ABSENT;
}
NOKPROBE_SYMBOL(pvs_verdict);

/**
 * pvs_permits - would this access be allowed by Linux's own tables
 * @addr:	address
 * @error_code: what the page fault said, or would
 *
 * Interrupts off.
 */
bool pvs_permits(unsigned long addr, unsigned long error_code)
{
	if (likely(addr >= TASK_SIZE_MAX))
		return pvs_ref_permits(&pvs_tree, addr, error_code);
	return pvs_verdict(addr, error_code) == PVS_PERMITTED;
}
NOKPROBE_SYMBOL(pvs_permits);

/*
 * Only the PCID in use can have seen the page, since the CPU did not leave it; or user
 * mode's, which is another one with PTI.
 */
static void pvs_flush_own(unsigned long addr)
{
	if (unlikely(addr < TASK_SIZE_MAX))
		native_flush_tlb_one_user(addr);
	else
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
 * Return: false if the reference does not allow the access either; of a kernel address
 * the processor may be the first to find that.
 */
bool pvs_reveal(unsigned long addr, bool write)
{
	struct pvs_table *t = pvs_table_of(addr);
	unsigned int index = pvs_index(addr, 1);
	u64 ref;

	if (!t)
		return false;
	if (likely(!t->tree->user))
		ref = pvs_ref_entry(t, index);
	else
		ref = pvs_user_leaf_for(container_of(t->tree, struct pvs_user, tree), addr,
					write ? X86_PF_WRITE : 0);
	if (!(ref & _PAGE_PRESENT))
		return false;

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
	struct pvs_table *t = pvs_table_of(addr);
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
 * pvs_fix_root - is a fault only due to a root that is behind
 * @addr: where
 *
 * Brings this CPU's entry for the address up to date. Interrupts off.
 *
 * Return: true if the access is worth another try.
 */
bool pvs_fix_root(unsigned long addr)
{
	if (!pvs_root_sync_own(addr))
		return false;
	pvs_count(PVS_RESYNCS);
	return true;
}

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
	bool changed = pvs_fix_root(addr);
	struct pvs_user *user;

	/*
	 * The second mapping of the direct map has Linux's own tables, but Linux flushes
	 * nothing there when it changes permissions: the fault itself has done so.
	 */
	if (pvs_direct_is_alias(addr))
		return changed ||
		       pvs_ref_permits(&pvs_tree, pvs_direct_address(addr), error_code);
	if (addr < TASK_SIZE_MAX) {
		user = pvs_root_user();
		if (user && pvs_user_fill(user, addr, error_code)) {
			pvs_count(PVS_FILLED);
			return true;
		}
	} else if (pvs_tree_covers(&pvs_tree, addr) &&
		   pvs_ref_permits(&pvs_tree, addr, error_code)) {
		/* Even if nothing differs now: another CPU may have put it right. */
		pvs_table_sync_own(&pvs_tree, addr, smp_processor_id());
		if (!changed)
			pvs_count(PVS_RESYNCS);
		return true;
	}
	return changed;
}
