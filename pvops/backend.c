// SPDX-License-Identifier: GPL-2.0-only
/*
 * The paravirt backend: its operations, and to switch it on and off.
 *
 * Paravirt operations become direct calls when alternatives are applied, so they
 * are installed from an early parameter or not at all. At run time a static key
 * inside them decides; while nobody wants to trace they are native.
 */
#define pr_fmt(fmt) "pv_shadow: " fmt

#include <linux/cache.h>
#include <linux/cc_platform.h>
#include <linux/cpu.h>
#include <linux/cpufeature.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>

#include <asm/paravirt.h>
#include <asm/tlbflush.h>

#include "../arch/x86/cache.h"
#include "../arch/x86/compare.h"
#include "backend.h"
#include "cpu.h"
#include "root.h"
#include "task.h"

DEFINE_STATIC_KEY_FALSE(pv_shadow_key);

static bool pvs_installed __ro_after_init;

static DEFINE_MUTEX(pvs_lock);
/* CPUs are to run on their roots (pvs_lock; starting CPUs read it any time). */
static bool pvs_is_active;
/* ... for so many (pvs_lock). */
static unsigned int pvs_nr_starts;
/* They must not be made to now (pvs_lock). */
static bool pvs_is_blocked;

/**
 * pvs_active - are CPUs to run on their roots
 */
bool pvs_active(void)
{
	return READ_ONCE(pvs_is_active);
}

/**
 * pvs_hold - keep CPUs on their roots, or off them
 *
 * Sleeps. Until pvs_release().
 *
 * Return: true if they are on them.
 */
bool pvs_hold(void)
{
	mutex_lock(&pvs_lock);
	return pvs_is_active;
}

/**
 * pvs_release - undo pvs_hold()
 */
void pvs_release(void)
{
	mutex_unlock(&pvs_lock);
}

/**
 * pvs_block - keep CPUs on Linux's own tables
 *
 * Sleeps.
 *
 * Return: 0, and pv_shadow_start() fails until pvs_unblock(); or -EBUSY if they
 * are on their roots.
 */
int pvs_block(void)
{
	int ret = -EBUSY;

	mutex_lock(&pvs_lock);
	if (!pvs_is_active) {
		pvs_is_blocked = true;
		ret = 0;
	}
	mutex_unlock(&pvs_lock);
	return ret;
}

/**
 * pvs_unblock - undo pvs_block()
 */
void pvs_unblock(void)
{
	mutex_lock(&pvs_lock);
	pvs_is_blocked = false;
	mutex_unlock(&pvs_lock);
}

/**
 * pv_shadow_installed - was the backend asked for at boot, and is it possible
 */
bool pv_shadow_installed(void)
{
	return pvs_installed;
}

/* Copies first. */
static noinline void pvs_write_copied(pteval_t *entry, pteval_t val)
{
	if (pvs_store(&pvs_tree, entry, val))
		return;
	WRITE_ONCE(*entry, val);
	pvs_mirror(&pvs_tree, entry);
}

/* An entry was written of which no copy was known: perhaps there is one now. */
static noinline void pvs_written(const pteval_t *entry)
{
	pvs_mirror(&pvs_tree, entry);
}

/* While somebody traces. Most tables have no copies. */
static __always_inline void pvs_write_shadowed(pteval_t *entry, pteval_t val)
{
	const atomic_t *copied = pvs_copied_count(entry);

	if (unlikely(atomic_read(copied))) {
		pvs_write_copied(entry, val);
		return;
	}
	WRITE_ONCE(*entry, val);
	/* Changed first, asked afterwards: pairs with pvs_hash_move(). */
	smp_mb();
	if (unlikely(atomic_read(copied)))
		pvs_written(entry);
}

/* Write an entry of any level but the highest, where the native store is a plain one. */
static __always_inline void pvs_write(pteval_t *entry, pteval_t val)
{
	if (static_branch_unlikely(&pv_shadow_key)) {
		pvs_write_shadowed(entry, val);
		return;
	}
	WRITE_ONCE(*entry, val);
	/*
	 * Somebody may have begun to trace. Who switches the key on interrupts this CPU when the
	 * code is another: either it is before us, or the entry was written before.
	 */
	if (static_branch_unlikely(&pv_shadow_key))
		pvs_written(entry);
}

/* An entry was written of a table that may be a pgd. */
static void pvs_top_changed(const void *entry)
{
	if (static_branch_unlikely(&pv_shadow_key)) {
		pvs_mirror(&pvs_tree, entry);
		pvs_root_mirror(entry);
	}
}

static void pvs_set_pte(pte_t *ptep, pte_t pte)
{
	pvs_write(&ptep->pte, pte.pte);
}

static void pvs_set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	pvs_write(&pmdp->pmd, pmd.pmd);
}

static void pvs_set_pud(pud_t *pudp, pud_t pud)
{
	pvs_write(&pudp->pud, pud.pud);
}

static void pvs_set_p4d(p4d_t *p4dp, p4d_t p4d)
{
	/* The highest level: a page more is written with PTI. */
	if (!pgtable_l5_enabled()) {
		native_set_p4d(p4dp, p4d);
		pvs_top_changed(p4dp);
		return;
	}
	pvs_write((pteval_t *)p4dp, native_p4d_val(p4d));
}

#if CONFIG_PGTABLE_LEVELS >= 5
static void pvs_set_pgd(pgd_t *pgdp, pgd_t pgd)
{
	native_set_pgd(pgdp, pgd);
	pvs_top_changed(pgdp);
}
#endif

static void pvs_pgd_free(struct mm_struct *mm, pgd_t *pgd)
{
	if (static_branch_unlikely(&pv_shadow_key))
		pvs_root_forget(pgd);
}

/**
 * __pv_shadow_pgd_changed - a pgd's entries were changed natively
 * @pgd: it
 */
void __pv_shadow_pgd_changed(const void *pgd)
{
	pvs_root_refresh(pgd);
}

/**
 * __pv_shadow_flush_range - the kernel is about to flush kernel addresses
 * @start: first address
 * @end:   address behind the last, or TLB_FLUSH_ALL
 *
 * vunmap() and others change the reference natively; that a flush is due is how
 * we learn of it. All copies are right before the first CPU flushes.
 */
void __pv_shadow_flush_range(unsigned long start, unsigned long end)
{
	pvs_tree_sync(&pvs_tree, start, end);
}

/**
 * pvs_install - make the operations ours
 *
 * From an early parameter.
 *
 * Return: true if the backend is installed.
 */
bool __init pvs_install(void)
{
	if (pvs_installed)
		return true;

	if (boot_cpu_has(X86_FEATURE_XENPV)) {
		pr_warn("impossible in a Xen PV guest, booting natively\n");
		return false;
	}
	if (cc_platform_has(CC_ATTR_GUEST_STATE_ENCRYPT)) {
		pr_warn("impossible where MMIO is emulated by the guest itself (SEV-ES, TDX), booting natively\n");
		return false;
	}

	pv_ops.mmu.read_cr3 = pvs_read_cr3;
	pv_ops.mmu.write_cr3 = pvs_write_cr3;
	pv_ops.mmu.set_pte = pvs_set_pte;
	pv_ops.mmu.set_pmd = pvs_set_pmd;
	pv_ops.mmu.set_pud = pvs_set_pud;
	pv_ops.mmu.set_p4d = pvs_set_p4d;
#if CONFIG_PGTABLE_LEVELS >= 5
	pv_ops.mmu.set_pgd = pvs_set_pgd;
#endif
	pv_ops.mmu.pgd_free = pvs_pgd_free;
	setup_force_cpu_cap(X86_FEATURE_PV_SHADOW);

	pvs_installed = true;
	return true;
}

/**
 * pv_shadow_start - have all CPUs run on shadow roots
 *
 * Pages can be trapped from then on, until there were as many pv_shadow_stop(). Sleeps;
 * CPU hotplug is locked by the caller.
 *
 * Return: 0; -ENODEV if the backend is not installed, -EBUSY if the machine hibernates,
 * -ENOMEM: then nothing changed.
 */
int pv_shadow_start(void)
{
	int ret;

	if (!pvs_installed)
		return -ENODEV;

	lockdep_assert_cpus_held();
	mutex_lock(&pvs_lock);
	ret = 0;
	if (pvs_nr_starts)
		goto started;
	ret = -EBUSY;
	if (pvs_is_blocked)
		goto unlock;

	ret = pvs_roots_init();
	if (ret)
		goto unlock;
	ret = pvs_roots_alloc();
	if (ret)
		goto exit_tree;
	ret = pvs_cache_alloc();
	if (ret)
		goto free_roots;

	/* From here on every writer of an entry comes to us ... */
	static_branch_enable_cpuslocked(&pv_shadow_key);
	/* ... so that what the roots and tables copy now stays right. */
	WRITE_ONCE(pvs_is_active, true);
	pvs_on_each_live_cpu(pvs_cpu_follow);
started:
	pvs_nr_starts++;
	mutex_unlock(&pvs_lock);
	return 0;

free_roots:
	pvs_roots_free();
exit_tree:
	pvs_tree_exit(&pvs_tree);
unlock:
	mutex_unlock(&pvs_lock);
	return ret;
}

/**
 * pv_shadow_stop - undo pv_shadow_start()
 *
 * After the caller's last range was untrapped. The last one has all CPUs run on Linux's own
 * tables again, and gives all memory back. Sleeps; CPU hotplug is locked by the caller.
 */
void pv_shadow_stop(void)
{
	lockdep_assert_cpus_held();
	mutex_lock(&pvs_lock);
	if (!--pvs_nr_starts) {
		WRITE_ONCE(pvs_is_active, false);
		pvs_on_each_live_cpu(pvs_cpu_follow);
		static_branch_disable_cpuslocked(&pv_shadow_key);
		pvs_tree_exit(&pvs_tree);
		pvs_roots_free();
		pvs_cache_free();
		pvs_compare_free();
	}
	mutex_unlock(&pvs_lock);
}
