/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an instruction does to memory, for clients that ask before it and after it.
 */
#ifndef _PV_SHADOW_DESCRIBE_H
#define _PV_SHADOW_DESCRIBE_H

#include <linux/compiler.h>
#include <linux/pv_shadow.h>
#include <linux/types.h>

#include "decode.h"

struct pt_regs;

/* A gather of 8 elements. */
#define PVS_DESCRIBED	8

/**
 * struct pvs_described - what an instruction that is to be single-stepped does
 * @nr:	     operands; 0 if nothing is known
 * @more:    it may access memory beside them
 * @operand: they, without @regs and @ip
 */
struct pvs_described {
	unsigned int			nr;
	bool				more;
	struct pv_shadow_operands	operand[PVS_DESCRIBED];
};

/**
 * pvs_describe - what an instruction that is known does to memory
 * @what:  result
 * @insn:  the instruction, with a width
 * @ops:   its operands
 * @regs:  registers
 * @count: elements of a string instruction, else 1
 */
static __always_inline void pvs_describe(struct pv_shadow_operands *what,
					 const struct pvs_insn *insn,
					 const struct pvs_operands *ops,
					 const struct pt_regs *regs, unsigned int count)
{
	bool movs = insn->type == PVS_INSN_MOVS;

	*what = (struct pv_shadow_operands){
		.regs = regs,
		.ip = regs->ip,
		.read = ops->addr,
		.write = movs ? ops->dst : ops->addr,
		.size = insn->width * count,
		.reads = insn->reads,
		.writes = insn->writes,
		.copies = movs,
	};
}

void pvs_describe_any(struct pvs_described *d, const u8 *text, unsigned int len,
		      const struct pt_regs *regs);
bool pvs_described_at(const struct pvs_described *d, unsigned long addr);

#endif /* _PV_SHADOW_DESCRIBE_H */
