/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instruction that hit, until it is completed and told of.
 */
#ifndef _PV_SHADOW_STEP_H
#define _PV_SHADOW_STEP_H

#include <linux/types.h>

#include "decode.h"
#include "engine.h"

struct pt_regs;

/* A gather of 16 elements, each across a page boundary. */
#define PVS_PAGES	32

/**
 * struct pvs_step - an instruction being completed
 * @fault:    the one that it began with
 * @insn:     what it is; stays while it is on the stack
 * @ops:      its operands, unless it is unknown
 * @known:    it is of a kind whose value can be told from @ops and the registers
 * @ip:       where
 * @sp:       stack pointer there: tells it from another run of the same code
 * @flags:    TF and IF of the interrupted code
 * @addr:     where it faulted, one in each page
 * @range:    whose the pages are
 * @nr:       number of pages
 * @revealed: they are revealed, except while an NMI is handled
 * @armed:    a debug trap will tell when the instruction has run
 * @start:    when it faulted, if that is wanted
 * @duration: how long it took, in ns, when it is done
 * @compare:  the handler has done it, undone it, and the step is to do it once more
 * @engine:   how the handler did it
 * @result:   what the handler itself did
 *
 * One that is free has @ip, @nr, @revealed and @armed 0, so that an NMI may find
 * the top of the stack at any stage of being filled.
 */
struct pvs_step {
	struct pvs_fault	fault;
	const struct pvs_insn	*insn;
	struct pvs_operands	ops;
	bool			known;
	unsigned long		ip;
	unsigned long		sp;
	unsigned long		flags;
	unsigned long		addr[PVS_PAGES];
	struct pv_shadow_range	*range[PVS_PAGES];
	unsigned int		nr;
	bool			revealed;
	bool			armed;
	u64			start;
	u64			duration;
	bool			compare;
	enum pv_shadow_engine	engine;
	struct pvs_result	result;
};

/*
 * If it faults half way, may it have accessed the device by then? One that is known has no
 * other operand, but the processor's own accesses to the stack, and the jump.
 */
static inline bool pvs_step_in_parts(const struct pvs_step *step)
{
	return !step->known || step->insn->stepped;
}

void pvs_time_start(struct pvs_step *step);
void pvs_time_end(struct pvs_step *step);
bool pvs_branches_only(bool on);
void pvs_hide_all(const struct pvs_step *step);

void pvs_report_result(const struct pvs_step *step);
void pvs_step_report(const struct pvs_step *step, struct pt_regs *regs);
void pvs_step_report_unknown(const struct pvs_step *step);

#endif /* _PV_SHADOW_STEP_H */
