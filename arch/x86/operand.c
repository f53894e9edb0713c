// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a decoded instruction means with the registers of the moment, and what it
 * does to them.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/string.h>

#include <asm/processor-flags.h>

#include "decode.h"

static u64 pvs_get_reg(const struct pt_regs *regs, u8 offset, unsigned int size)
{
	const void *reg = (const u8 *)regs + offset;

	switch (size) {
	case 1:
		return *(const u8 *)reg;
	case 2:
		return *(const u16 *)reg;
	case 4:
		return *(const u32 *)reg;
	default:
		return *(const u64 *)reg;
	}
}
NOKPROBE_SYMBOL(pvs_get_reg);

static unsigned long pvs_get_addr_reg(const struct pt_regs *regs, u8 offset)
{
	return offset == PVS_NO_REG ? 0 : pvs_get_reg(regs, offset, sizeof(long));
}
NOKPROBE_SYMBOL(pvs_get_addr_reg);

static unsigned long pvs_mask_addr(unsigned long addr, unsigned int size)
{
	return size == 4 ? (u32)addr : addr;
}
NOKPROBE_SYMBOL(pvs_mask_addr);

static u64 pvs_sign_extend(u64 value, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (s64)(value << shift) >> shift;
}
NOKPROBE_SYMBOL(pvs_sign_extend);

/* The bits above those of the operand count operands, from the address on. */
static unsigned long pvs_bit_offset(const struct pvs_insn *insn,
				    const struct pt_regs *regs)
{
	s64 bit;

	if (insn->bits == PVS_NO_REG)
		return 0;
	bit = pvs_sign_extend(pvs_get_reg(regs, insn->bits, insn->width),
			      insn->width);
	return bit >> 3 & -(long)insn->width;
}
NOKPROBE_SYMBOL(pvs_bit_offset);

/**
 * pvs_resolve - an instruction's operands
 * @insn: the instruction; of one of type PVS_INSN_UNKNOWN it is what pvs_decode_operand()
 *	  made of it
 * @regs: registers, as they are before it
 * @ops:  result; without the value that is popped
 */
void pvs_resolve(const struct pvs_insn *insn, const struct pt_regs *regs,
		 struct pvs_operands *ops)
{
	unsigned long addr;

	ops->offset = pvs_bit_offset(insn, regs);
	addr = insn->disp + ops->offset + pvs_get_addr_reg(regs, insn->base) +
	       (pvs_get_addr_reg(regs, insn->index) << insn->scale);
	/* It counts from where the stack pointer is afterwards. */
	if (insn->pop && insn->base == offsetof(struct pt_regs, sp))
		addr += sizeof(u64);
	ops->addr = pvs_mask_addr(addr, insn->addr_size);
	ops->dst = 0;
	if (insn->type == PVS_INSN_MOVS)
		ops->dst = pvs_mask_addr(pvs_get_addr_reg(regs, insn->dst),
					 insn->addr_size);
	ops->value = 0;
	if (insn->type == PVS_INSN_STORE && !insn->pop)
		ops->value = insn->reg == PVS_NO_REG ? insn->imm :
			     pvs_get_reg(regs, insn->reg, insn->width);
}
NOKPROBE_SYMBOL(pvs_resolve);

/**
 * pvs_loaded_value - what a load got
 * @insn: the load, with a register
 * @regs: registers, as they are after it
 */
u64 pvs_loaded_value(const struct pvs_insn *insn, const struct pt_regs *regs)
{
	return pvs_get_reg(regs, insn->reg, insn->width);
}
NOKPROBE_SYMBOL(pvs_loaded_value);

/* Two registers' values as one of twice their width. */
static void pvs_pair(u64 value[2], u64 low, u64 high, unsigned int width)
{
	if (width == 16) {
		value[0] = low;
		value[1] = high;
	} else {
		value[0] = (u32)low | high << 32;
		value[1] = 0;
	}
}
NOKPROBE_SYMBOL(pvs_pair);

/**
 * pvs_locked_values - what a locked instruction found and left in memory
 * @insn:   the instruction, of type PVS_INSN_EXEC
 * @before: registers, as they were before it
 * @after:  registers, as they are after it
 * @old:    what it read, two words
 * @new:    what it wrote, two words
 *
 * Return: false if the registers do not tell.
 */
bool pvs_locked_values(const struct pvs_insn *insn, const struct pt_regs *before,
		       const struct pt_regs *after, u64 *old, u64 *new)
{
	bool equal = after->flags & X86_EFLAGS_ZF;

	old[1] = 0;
	new[1] = 0;
	switch (insn->locked) {
	case PVS_LOCKED_XCHG:
		old[0] = pvs_get_reg(after, insn->reg, insn->width);
		new[0] = pvs_get_reg(before, insn->reg, insn->width);
		return true;
	case PVS_LOCKED_XADD:
		old[0] = pvs_get_reg(after, insn->reg, insn->width);
		new[0] = old[0] + pvs_get_reg(before, insn->reg, insn->width);
		if (insn->width < sizeof(u64))
			new[0] &= BIT_ULL(8 * insn->width) - 1;
		return true;
	case PVS_LOCKED_CMPXCHG:
		/* Where they are not equal, it writes what it read. */
		old[0] = pvs_get_reg(equal ? before : after,
				     offsetof(struct pt_regs, ax), insn->width);
		new[0] = equal ? pvs_get_reg(before, insn->reg, insn->width) :
				 old[0];
		return true;
	case PVS_LOCKED_CMPXCHG2:
		if (equal) {
			pvs_pair(old, before->ax, before->dx, insn->width);
			pvs_pair(new, before->bx, before->cx, insn->width);
		} else {
			pvs_pair(old, after->ax, after->dx, insn->width);
			pvs_pair(new, after->ax, after->dx, insn->width);
		}
		return true;
	}
	return false;
}
NOKPROBE_SYMBOL(pvs_locked_values);

static void pvs_set_reg(const struct pvs_insn *insn, struct pt_regs *regs,
			u64 value)
{
	void *reg;

	if (insn->extend)
		value = pvs_sign_extend(value, insn->width);
	reg = (u8 *)regs + insn->reg;
	switch (insn->reg_size) {
	case 1:
		*(u8 *)reg = value;
		break;
	case 2:
		*(u16 *)reg = value;
		break;
	case 4: /* clears the upper half, where the smaller ones leave the rest */
		*(u64 *)reg = (u32)value;
		break;
	case 8:
		*(u64 *)reg = value;
		break;
	}
}
NOKPROBE_SYMBOL(pvs_set_reg);

static void pvs_advance(unsigned long *reg, long by, unsigned int addr_size)
{
	*reg = pvs_mask_addr(*reg + by, addr_size);
}
NOKPROBE_SYMBOL(pvs_advance);

/**
 * pvs_rep_left - has a repeated instruction elements left
 * @insn: the instruction
 * @regs: registers
 */
bool pvs_rep_left(const struct pvs_insn *insn, const struct pt_regs *regs)
{
	return pvs_mask_addr(regs->cx, insn->addr_size);
}
NOKPROBE_SYMBOL(pvs_rep_left);

/* One element. Return: was it the last? */
static bool pvs_complete_string(const struct pvs_insn *insn,
				struct pt_regs *regs)
{
	long by = regs->flags & X86_EFLAGS_DF ? -(long)insn->width : insn->width;

	if (insn->move_si)
		pvs_advance(&regs->si, by, insn->addr_size);
	if (insn->move_di)
		pvs_advance(&regs->di, by, insn->addr_size);
	if (!insn->rep)
		return true;
	pvs_advance(&regs->cx, -1, insn->addr_size);
	return !pvs_rep_left(insn, regs);
}
NOKPROBE_SYMBOL(pvs_complete_string);

/**
 * pvs_skip - leave the registers as some elements of a string instruction leave them
 * @insn:  the instruction, with rep; its address registers are 8 bytes
 * @regs:  registers
 * @count: elements, fewer than there are
 */
void pvs_skip(const struct pvs_insn *insn, struct pt_regs *regs, unsigned int count)
{
	long by = (long)insn->width * count;

	if (!count)
		return;
	if (insn->move_si)
		pvs_advance(&regs->si, by, insn->addr_size);
	if (insn->move_di)
		pvs_advance(&regs->di, by, insn->addr_size);
	pvs_advance(&regs->cx, -(long)count, insn->addr_size);
}
NOKPROBE_SYMBOL(pvs_skip);

/**
 * pvs_complete - leave the registers as the instruction leaves them
 * @insn:  the instruction, or one element of a string instruction
 * @regs:  registers
 * @value: what was loaded, if it is a LOAD
 *
 * The code of an EXEC has left its own results already. A string instruction whose
 * count is zero has no access to complete; it does not come here.
 */
void pvs_complete(const struct pvs_insn *insn, struct pt_regs *regs, u64 value)
{
	if (insn->type == PVS_INSN_LOAD)
		pvs_set_reg(insn, regs, value);
	if (insn->string && !pvs_complete_string(insn, regs))
		return;
	if (insn->pop)
		regs->sp += sizeof(u64);

	regs->ip += insn->len;
	/* Its own breakpoint was dealt with before it faulted. */
	regs->flags &= ~X86_EFLAGS_RF;
}
NOKPROBE_SYMBOL(pvs_complete);
