/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fault handler's own ways to do what an instruction does.
 */
#ifndef _PV_SHADOW_ENGINE_H
#define _PV_SHADOW_ENGINE_H

#include <linux/types.h>

#include "cache.h"
#include "decode.h"

struct pt_regs;
struct pv_shadow_range;
struct seq_file;

/**
 * struct pvs_access - what an instruction did to one operand
 * @addr:  its address
 * @range: whose it was, or NULL: untrapped
 * @known: @data holds the value
 * @made:  it did anything
 * @data:  the bytes
 */
struct pvs_access {
	unsigned long		addr;
	struct pv_shadow_range	*range;
	bool			known;
	bool			made;
	u8			data[PVS_MAX_WIDTH] __aligned(PVS_MAX_WIDTH);
};

/**
 * struct pvs_result - what an instruction did
 * @read:  to the operand that it reads
 * @write: to the one that it writes
 * @other: of user mode: where it faults on an operand that is not trapped, or PVS_NOWHERE
 * @other_write: ... writing to it
 */
struct pvs_result {
	struct pvs_access	read;
	struct pvs_access	write;
	unsigned long		other;
	bool			other_write;
};

/* No operand's address. Not 0, which is one. */
#define PVS_NOWHERE	(~0UL)

/**
 * struct pvs_fault - a fault on a trapped page
 * @addr:    where
 * @range:   whose the page is
 * @no_step: the instruction cannot be stepped, whatever was chosen
 * @user:    it was made in user mode
 */
struct pvs_fault {
	unsigned long		addr;
	struct pv_shadow_range	*range;
	bool			no_step;
	bool			user;
};

bool pvs_user_open(const struct pt_regs *regs);
unsigned long pvs_user_fault(const struct pvs_insn *insn,
			     const struct pvs_operands *ops,
			     const struct pt_regs *regs);
int pvs_engine_run(const struct pvs_fault *fault, struct pvs_decoded *decoded,
		   const struct pvs_operands *ops, struct pt_regs *regs,
		   struct pvs_result *result);

int pvs_engine_set(const char *name);
bool pvs_engine_compares(void);
void pvs_engine_show(struct seq_file *m);

#endif /* _PV_SHADOW_ENGINE_H */
