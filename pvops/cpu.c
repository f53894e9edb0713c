// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that come and go.
 *
 * A CPU that starts runs kernel code long before it is online, and one that is
 * taken down does so after it stopped being online. Neither takes an IPI then.
 * What everybody has to have done is either done by IPI, or by the starting CPU
 * itself, or no longer matters because the CPU is dead:
 *
 *	starting CPU			somebody else
 *	alive = true			active = ...
 *	smp_mb()			smp_mb()
 *	look at active, follow it	wait until each live CPU took the IPI
 *
 * One of the two sees what the other wrote.
 */
#include <kunit/visibility.h>
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include <asm/tlbflush.h>

#include "../arch/x86/ustep.h"
#include "backend.h"
#include "cpu.h"
#include "root.h"

VISIBLE_IF_KUNIT DEFINE_PER_CPU(bool, pvs_alive);

static DEFINE_MUTEX(pvs_done_lock);
static struct cpumask pvs_done;

/**
 * pvs_on_each_live_cpu - have all CPUs do something that is undone by death
 * @func: run with interrupts off; must be fit to be run twice
 *
 * Sleeps if there is a CPU that is not online yet, or not any more, but runs.
 */
void pvs_on_each_live_cpu(smp_call_func_t func)
{
	int cpu;

	mutex_lock(&pvs_done_lock);

	smp_mb(); /* see above */
	preempt_disable();
	cpumask_copy(&pvs_done, cpu_online_mask);
	on_each_cpu_mask(&pvs_done, func, NULL, true);
	preempt_enable();

	for_each_cpu_andnot(cpu, cpu_possible_mask, &pvs_done) {
		while (READ_ONCE(per_cpu(pvs_alive, cpu))) {
			if (!smp_call_function_single(cpu, func, NULL, true))
				break;
			schedule_timeout_uninterruptible(1);
		}
	}

	mutex_unlock(&pvs_done_lock);
}

static void pvs_flush(void *unused)
{
	native_flush_tlb_global();
}

/**
 * pvs_flush_live_cpus - have all CPUs forget all translations, global ones as well
 *
 * As pvs_on_each_live_cpu().
 */
void pvs_flush_live_cpus(void)
{
	pvs_on_each_live_cpu(pvs_flush);
}

static void pvs_settle(void *unused)
{
	pvs_user_settle();
}

/**
 * pvs_wait_accesses - wait for all that CPUs complete
 *
 * They do so with interrupts off, or on behalf of code that had them off: an interrupt
 * comes behind. Sleeps, but not for long.
 */
void pvs_wait_accesses(void)
{
	pvs_on_each_live_cpu(pvs_settle);
}

/**
 * pv_shadow_synchronize - wait for all that CPUs complete, and for RCU's readers
 *
 * Accesses are completed with interrupts off, or on behalf of code that had them off.
 * RCU does not wait for those of a CPU that comes up or goes down, in NMIs for one. An
 * interrupt, which such a CPU takes when it is online or never, comes behind them.
 *
 * Sleeps.
 */
void pv_shadow_synchronize(void)
{
	synchronize_rcu();
	pvs_wait_accesses();
}

/**
 * pvs_cpu_alive - does a CPU execute kernel code, on whatever tables
 * @cpu: it
 */
bool pvs_cpu_alive(int cpu)
{
	return READ_ONCE(per_cpu(pvs_alive, cpu));
}

/**
 * pv_shadow_cpu_alive - this CPU has its first address space
 *
 * From cpu_init(), before anything of the CPU can be interrupted.
 */
void pv_shadow_cpu_alive(void)
{
	this_cpu_write(pvs_alive, true);
	smp_mb(); /* see above */
	if (pvs_active())
		pvs_cpu_adopt();
}

/**
 * pv_shadow_cpu_dead - this CPU is about to stop for good
 *
 * The last thing before it tells the others so. What it executes from now on is
 * a loop that halts, on Linux's own tables.
 */
void pv_shadow_cpu_dead(void)
{
	unsigned long flags;

	local_irq_save(flags);
	pvs_cpu_leave();
	smp_mb(); /* whoever sees us dead sees us off our roots */
	this_cpu_write(pvs_alive, false);
	local_irq_restore(flags);
}
