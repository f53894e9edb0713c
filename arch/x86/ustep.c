// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions of user mode that only the processor itself can do: single-stepped, with
 * the page revealed to this CPU only.
 *
 * User mode may be left for a signal or another task on every way back to it. So the
 * fault only takes down what is to be stepped. The last thing on the way back, when
 * nothing comes between any more but an NMI, reveals the pages, sets TF and clears IF.
 * The first thing on the way in, for whatever reason, hides them and gives the flags
 * back: nobody ever sees them, neither another task nor a signal frame nor a debugger.
 */
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/sched.h>

#include <asm/debugreg.h>
#include <asm/insn.h>
#include <asm/paravirt.h>

#include "../../mm/stats.h"
#include "../../mm/trap.h"
#include "../../pvops/root.h"
#include "step.h"
#include "ustep.h"

/**
 * struct pvs_ustep - what is to be stepped on this CPU
 * @step:  the instruction
 * @insn:  what it is
 * @task:  whose it is; NULL if there is none
 * @armed: user mode is about to run it, or runs it
 * @ran:   it has been tried
 * @back:  user mode has just been left with it tried
 * @blocks: a debugger wants to stop at branches only
 */
struct pvs_ustep {
	struct pvs_step		step;
	struct pvs_insn		insn;
	struct task_struct	*task;
	bool			armed;
	bool			ran;
	bool			back;
	bool			blocks;
};

static DEFINE_PER_CPU(struct pvs_ustep, pvs_usteps);

/*
 * May anything in there be set: from pvs_user_begin() on until user mode is entered and
 * there is nothing to be stepped. Only ever changed by its own CPU, interrupts off.
 */
DEFINE_PER_CPU(bool, pv_shadow_user_step);

static bool pvs_user_same(const struct pvs_ustep *us, const struct pt_regs *regs)
{
	return us->task == current && us->step.ip == regs->ip && us->step.sp == regs->sp;
}

/* It will not be completed. If it ran, what it has done by now is done. */
static void pvs_user_drop(struct pvs_ustep *us)
{
	if (!us->task)
		return;
	us->task = NULL;
	if (!us->ran)
		return;
	pvs_count(PVS_ABORTED);
	if (pvs_step_in_parts(&us->step)) {
		pvs_time_end(&us->step);
		pvs_step_report_unknown(&us->step);
	}
}

/**
 * pvs_user_continues - is a fault that of an instruction that is to be stepped already
 * @regs: registers, of user mode
 *
 * Interrupts off. If there is another one it is not any more.
 */
bool pvs_user_continues(const struct pt_regs *regs)
{
	struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);

	if (likely(!us->task))
		return false;
	if (pvs_user_same(us, regs))
		return true;
	pvs_user_drop(us);
	return false;
}

/**
 * pvs_user_begin - an instruction of user mode is to be stepped
 * @step: it
 *
 * Interrupts off.
 */
void pvs_user_begin(const struct pvs_step *step)
{
	struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);

	us->step = *step;
	us->insn = *step->insn;
	us->step.insn = &us->insn;
	us->step.nr = 0;
	us->ran = false;
	us->task = current;
	this_cpu_write(pv_shadow_user_step, true);
}

/**
 * pvs_user_add - ... with this page
 * @addr:  where it faulted
 * @range: whose the page is
 *
 * Return: false if that cannot be; then it is not to be stepped any more.
 */
bool pvs_user_add(unsigned long addr, struct pv_shadow_range *range)
{
	struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);
	struct pvs_step *step = &us->step;
	unsigned int i;

	for (i = 0; i < step->nr; i++) {
		/* It was untrapped meanwhile, or something else is there now. */
		if (!((step->addr[i] ^ addr) & PAGE_MASK))
			break;
	}
	if (i < step->nr || i == PVS_PAGES) {
		pvs_user_drop(us);
		return false;
	}
	step->addr[i] = addr;
	step->range[i] = range;
	step->nr++;
	return true;
}

/**
 * pvs_user_aborted - user mode faulted on something that is not trapped
 * @ran: not when it fetched an instruction
 *
 * If it was the instruction that is being stepped it starts anew after that.
 */
void pvs_user_aborted(bool ran)
{
	struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);

	if (us->back) {
		/* With a second page it has been tried before. */
		us->ran = ran || us->step.nr > 1;
		pvs_user_drop(us);
	}
}
NOKPROBE_SYMBOL(pvs_user_aborted);

/**
 * pvs_user_settle - tell of what will not be completed, now
 *
 * Interrupts off. Before the current task leaves this CPU, so that it is told of as its
 * own, and before what was trapped is forgotten.
 */
void pvs_user_settle(void)
{
	struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);

	if (unlikely(us->task && !us->armed))
		pvs_user_drop(us);
}

/**
 * pvs_user_hide - an NMI's handlers are about to run
 */
void pvs_user_hide(void)
{
	struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);

	/* Also where they are just about to be hidden. */
	if (unlikely(us->task))
		pvs_hide_all(&us->step);
}
NOKPROBE_SYMBOL(pvs_user_hide);

/* Return: false if one of the pages is not what it was. */
static bool pvs_user_reveal_all(const struct pvs_step *step)
{
	unsigned int i;

	for (i = 0; i < step->nr; i++)
		if (pvs_trapped(step->addr[i]) != step->range[i] ||
		    !pvs_reveal(step->addr[i], false))
			return false;
	return true;
}
NOKPROBE_SYMBOL(pvs_user_reveal_all);

/**
 * pvs_user_reveal - an NMI's handlers have run
 */
void pvs_user_reveal(void)
{
	struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);

	/* What it cannot reveal faults once more. */
	if (unlikely(us->armed)) {
		pvs_user_reveal_all(&us->step);
		pvs_branches_only(false);
	}
}
NOKPROBE_SYMBOL(pvs_user_reveal);

/**
 * pvs_user_idle - is no instruction of user mode being stepped, and is what there is known of
 *
 * In an interrupt that is no NMI.
 */
bool pvs_user_idle(void)
{
	const struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);

	return !us->armed &&
	       (this_cpu_read(pv_shadow_user_step) || (!us->task && !us->back));
}

PV_CALLEE_SAVE_REGS_THUNK(__pv_shadow_user_exit);
PV_CALLEE_SAVE_REGS_THUNK(__pv_shadow_user_entry);

/**
 * __pv_shadow_user_exit - this CPU is about to go to user mode
 *
 * Interrupts off, and nothing left to be done. The registers there are current_pt_regs():
 * what an exception of user mode pushed elsewhere has been moved to the task's stack.
 */
void __pv_shadow_user_exit(void)
{
	struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);
	struct pt_regs *regs = current_pt_regs();
	struct pvs_step *step = &us->step;

	us->back = false;
	if (us->task && (!pvs_user_same(us, regs) || !pvs_cpu_on()))
		pvs_user_drop(us);
	if (!us->task) {
		this_cpu_write(pv_shadow_user_step, false);
		return;
	}

	/* An NMI that comes now hides them, and reveals them again. */
	us->armed = true;
	barrier();
	if (!pvs_user_reveal_all(step)) {
		us->armed = false;
		barrier();
		pvs_hide_all(step);
		pvs_user_drop(us);
		return;
	}
	step->flags = regs->flags & (X86_EFLAGS_TF | X86_EFLAGS_IF);
	regs->flags |= X86_EFLAGS_TF;
	/* An enclave is one instruction, and may take its time: there an IRQ begins it anew. */
	if (!boot_cpu_has(X86_FEATURE_SGX))
		regs->flags &= ~X86_EFLAGS_IF;
	us->blocks = pvs_branches_only(false);
}

/**
 * __pv_shadow_user_entry - this CPU comes from user mode
 *
 * Interrupts off, not from an NMI. The registers there are current_pt_regs().
 */
void __pv_shadow_user_entry(void)
{
	struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);
	struct pt_regs *regs = current_pt_regs();

	if (!us->armed)
		return;

	us->armed = false;
	barrier();
	pvs_hide_all(&us->step);
	regs->flags &= ~(X86_EFLAGS_TF | X86_EFLAGS_IF);
	regs->flags |= us->step.flags;
	pvs_branches_only(true);
	us->ran = true;
	us->back = true;
}

/**
 * __pv_shadow_user_debug - a debug trap of user mode, before anybody else hears of it
 * @regs: registers
 * @dr6:  what the trap was for; what was ours is removed
 *
 * Return: true if it was for nothing else.
 */
bool __pv_shadow_user_debug(struct pt_regs *regs, unsigned long *dr6)
{
	struct pvs_ustep *us = this_cpu_ptr(&pvs_usteps);

	/* DR6 may have been cleared by an NMI's handler. */
	if (!us->back || !us->task || (*dr6 && !(*dr6 & DR_STEP)))
		return false;

	us->back = false;
	us->task = NULL;
	pvs_time_end(&us->step);
	pvs_count(PVS_STEPPED);
	pvs_step_report(&us->step, regs);

	/* Somebody else was stepping the same instruction, if not from branch to branch. */
	if ((us->step.flags & X86_EFLAGS_TF) &&
	    (!us->blocks || regs->ip - us->step.ip > MAX_INSN_SIZE))
		return false;

	*dr6 &= ~DR_STEP;
	return !*dr6;
}
