/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instruction done by two engines.
 */
#ifndef _PV_SHADOW_COMPARE_H
#define _PV_SHADOW_COMPARE_H

#include <linux/types.h>

#include "decode.h"

struct pt_regs;
struct pvs_fault;

int pvs_compare_alloc(void);
void pvs_compare_free(void);

bool pvs_compare_begin(unsigned int depth, const struct pvs_fault *fault,
		       const struct pvs_insn *insn, const struct pvs_operands *ops,
		       const struct pt_regs *regs);
void pvs_compare_again(unsigned int depth, const struct pvs_insn *insn,
		       struct pt_regs *regs);
void pvs_compare_end(unsigned int depth, const struct pvs_insn *insn,
		     const struct pt_regs *regs);

#endif /* _PV_SHADOW_COMPARE_H */
