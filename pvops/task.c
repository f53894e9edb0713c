// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks whose accesses nobody wants run on Linux's own tables: to them nothing is
 * trapped, and they cost nothing but at their beginning and end.
 *
 * A CPU goes to its roots and back when it switches to another task, and when what is
 * wanted changes or a task gets another name. Each time it looks at all there is:
 *
 *	switch, interrupts off			somebody else
 *	look at what is wanted, follow it	what is wanted = ...
 *	switch, interrupts on			have each live CPU follow its task
 *
 * If it looked too early the IPI comes behind the switch, and finds the new task.
 *
 * Between the change and the switch itself the CPU is on what the next task is to run on
 * and still runs the last one: what an NMI does then may be trapped for no use, or not
 * trapped, as if it had come a moment later.
 *
 * A CPU that starts adopts its root whatever is wanted, until it switches tasks: RCU does
 * not watch it yet, so that nobody may be asked.
 */
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "../arch/x86/ustep.h"
#include "backend.h"
#include "cpu.h"
#include "root.h"
#include "task.h"

/* NULL: all tasks. It reads RCU-protected data where interrupts are off. */
static bool (*pvs_chosen)(const struct task_struct *task);

/* Some client traps memory that any task accesses, and has to see all of them do so. */
static bool pvs_all_tasks __ro_after_init;

/**
 * pvs_want_all_tasks - have CPUs run on their roots whoever they run
 *
 * Whatever pv_shadow_choose_tasks() says.
 */
void __init pvs_want_all_tasks(void)
{
	pvs_all_tasks = true;
}

/**
 * pvs_task_wanted - is a task to run on this CPU's roots
 * @task: it
 *
 * Interrupts off.
 */
bool pvs_task_wanted(const struct task_struct *task)
{
	bool (*chosen)(const struct task_struct *task) = READ_ONCE(pvs_chosen);

	return pvs_active() && (!chosen || pvs_all_tasks || chosen(task));
}

static void pvs_task_follow(const struct task_struct *task)
{
	if (pvs_task_wanted(task))
		pvs_cpu_adopt();
	else
		pvs_cpu_leave();
}

/**
 * pvs_cpu_follow - have this CPU run on what its task is to run on
 * @unused: for on_each_cpu()
 *
 * Interrupts off.
 */
void pvs_cpu_follow(void *unused)
{
	pvs_task_follow(current);
}

/**
 * pv_shadow_choose_tasks - have traps for some tasks only
 * @chosen: whether for this one, called with interrupts off, perhaps with its run queue
 *	    locked; NULL for all
 *
 * For all traps there are, so for a client that has them all. Interrupts belong to the
 * task that they interrupt. @chosen may give another answer than before when this is
 * called once more. When it returns all CPUs have asked anew. Sleeps.
 */
void pv_shadow_choose_tasks(bool (*chosen)(const struct task_struct *task))
{
	if (!chosen && !READ_ONCE(pvs_chosen))
		return;
	WRITE_ONCE(pvs_chosen, chosen);
	pvs_on_each_live_cpu(pvs_cpu_follow);
}

/**
 * __pv_shadow_switch - this CPU is about to switch tasks
 * @next: to this one
 *
 * From the scheduler: interrupts off, the run queue locked.
 */
void __pv_shadow_switch(const struct task_struct *next)
{
	if (unlikely(this_cpu_read(pv_shadow_user_step)))
		pvs_user_settle();
	if (READ_ONCE(pvs_chosen))
		pvs_task_follow(next);
}

/**
 * __pv_shadow_renamed - a task got another name or number
 * @task: it
 *
 * If it is not the current one it may run a moment longer on what it ran on. Interrupts
 * on.
 */
void __pv_shadow_renamed(const struct task_struct *task)
{
	unsigned long flags;

	if (!READ_ONCE(pvs_chosen))
		return;
	if (task == current) {
		local_irq_save(flags);
		pvs_cpu_follow(NULL);
		local_irq_restore(flags);
		return;
	}
	/* If it has left that CPU since, the one it went to has looked at its new name. */
	smp_mb();
	smp_call_function_single(task_cpu(task), pvs_cpu_follow, NULL, false);
}
