/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running an instruction's code with the registers of the interrupted context.
 */
#ifndef _PV_SHADOW_EXEC_H
#define _PV_SHADOW_EXEC_H

#include <linux/types.h>

#include "decode.h"

/* endbr64 before the code, jmp behind it. */
#define PVS_EXEC_SIZE	(4 + PVS_CODE_SIZE + 5)

unsigned int pvs_exec_emit(u8 *where, unsigned long at,
			   const struct pvs_insn *insn);

/**
 * pvs_exec - run the code of an instruction
 * @code:   what pvs_exec_emit() made of it, executable
 * @regs:   registers of the context: general registers and arithmetic flags are
 *	    taken from there and left there as the code leaves them
 * @base:   offset in @regs of the register that has the address of the memory
 *	    operand instead, pvs_insn.exec_base; it keeps its value in @regs
 * @addr:   that address, less pvs_operands.offset
 *
 * All other state, as vector registers, is that of the context still. The code must
 * not make a page fault. @regs may be changed by nobody else meanwhile.
 *
 * Return: 0 if the code made an exception; then it has done nothing.
 */
unsigned long pvs_exec(const void *code, struct pt_regs *regs, unsigned long base,
		       unsigned long addr);

/* Where the code goes on; no function. */
extern const u8 pvs_exec_return[];

#endif /* _PV_SHADOW_EXEC_H */
