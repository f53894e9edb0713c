// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an instruction does to memory: the moves, which are what drivers use. All
 * others are PVS_INSN_UNKNOWN.
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/insn.h>
#include <asm/insn-eval.h>

#include "decode.h"

static const u8 pvs_reg_offset[16] = {
	offsetof(struct pt_regs, ax), offsetof(struct pt_regs, cx),
	offsetof(struct pt_regs, dx), offsetof(struct pt_regs, bx),
	offsetof(struct pt_regs, sp), offsetof(struct pt_regs, bp),
	offsetof(struct pt_regs, si), offsetof(struct pt_regs, di),
	offsetof(struct pt_regs, r8), offsetof(struct pt_regs, r9),
	offsetof(struct pt_regs, r10), offsetof(struct pt_regs, r11),
	offsetof(struct pt_regs, r12), offsetof(struct pt_regs, r13),
	offsetof(struct pt_regs, r14), offsetof(struct pt_regs, r15),
};

/* Offset of the bytes that a reg field of ModRM names. */
static u8 pvs_modrm_reg(const struct insn *insn, unsigned int size)
{
	unsigned int reg = X86_MODRM_REG(insn->modrm.value);

	/* AH, CH, DH, BH */
	if (size == 1 && !insn->rex_prefix.nbytes && reg >= 4)
		return pvs_reg_offset[reg - 4] + 1;
	if (X86_REX_R(insn->rex_prefix.value))
		reg += 8;
	return pvs_reg_offset[reg];
}
NOKPROBE_SYMBOL(pvs_modrm_reg);

static u64 pvs_get_bytes(const void *from, unsigned int size)
{
	u64 value = 0;

	memcpy(&value, from, size);
	return value;
}
NOKPROBE_SYMBOL(pvs_get_bytes);

static u64 pvs_get_reg(const struct pt_regs *regs, u8 offset, unsigned int size)
{
	return pvs_get_bytes((const u8 *)regs + offset, size);
}
NOKPROBE_SYMBOL(pvs_get_reg);

static unsigned long pvs_mask_addr(unsigned long addr, unsigned int size)
{
	return size == 4 ? (u32)addr : addr;
}
NOKPROBE_SYMBOL(pvs_mask_addr);

static bool pvs_has_segment(struct insn *insn)
{
	insn_byte_t p;
	int i;

	for_each_insn_prefix(insn, i, p)
		if (p == 0x64 || p == 0x65)
			return true;
	return false;
}
NOKPROBE_SYMBOL(pvs_has_segment);

static void pvs_decode_modrm(struct pvs_insn *out, struct insn *insn,
			     struct pt_regs *regs, enum pvs_insn_type type,
			     unsigned int width, unsigned int reg_size,
			     bool extend)
{
	void __user *addr = insn_get_addr_ref(insn, regs);

	if (addr == (void __user *)-1L)
		return;

	out->type = type;
	out->addr = (unsigned long)addr;
	out->width = width;
	out->reg = pvs_modrm_reg(insn, reg_size);
	out->reg_size = reg_size;
	out->extend = extend;
	if (type == PVS_INSN_STORE)
		out->value = pvs_get_reg(regs, out->reg, width);
}
NOKPROBE_SYMBOL(pvs_decode_modrm);

/* The accumulator's moves: string instructions and absolute addresses. */
static void pvs_decode_acc(struct pvs_insn *out, struct pt_regs *regs,
			   enum pvs_insn_type type, unsigned long addr,
			   unsigned int width)
{
	out->type = type;
	out->addr = addr;
	out->width = width;
	out->reg = offsetof(struct pt_regs, ax);
	out->reg_size = width;
	if (type == PVS_INSN_STORE)
		out->value = pvs_get_reg(regs, out->reg, width);
}
NOKPROBE_SYMBOL(pvs_decode_acc);

static void pvs_decode_string(struct pvs_insn *out, struct insn *insn,
			      struct pt_regs *regs, u8 opcode,
			      unsigned int width)
{
	unsigned long si = pvs_mask_addr(regs->si, insn->addr_bytes);
	unsigned long di = pvs_mask_addr(regs->di, insn->addr_bytes);

	if (pvs_has_segment(insn))
		return;

	out->string = true;
	out->rep = insn_has_rep_prefix(insn);
	switch (opcode & ~1) {
	case 0xa4: /* movs */
		out->type = PVS_INSN_MOVS;
		out->addr = si;
		out->dst = di;
		out->width = width;
		out->move_si = true;
		out->move_di = true;
		break;
	case 0xaa: /* stos */
		pvs_decode_acc(out, regs, PVS_INSN_STORE, di, width);
		out->move_di = true;
		break;
	case 0xac: /* lods */
		pvs_decode_acc(out, regs, PVS_INSN_LOAD, si, width);
		out->move_si = true;
		break;
	}
}
NOKPROBE_SYMBOL(pvs_decode_string);

static void pvs_decode_imm(struct pvs_insn *out, struct insn *insn,
			   struct pt_regs *regs, unsigned int width)
{
	if (X86_MODRM_REG(insn->modrm.value))
		return;

	pvs_decode_modrm(out, insn, regs, PVS_INSN_STORE, width, width, false);
	out->value = (s64)insn->immediate1.value;
	if (width < sizeof(u64))
		out->value &= BIT_ULL(8 * width) - 1;
}
NOKPROBE_SYMBOL(pvs_decode_imm);

static void pvs_decode_one_byte(struct pvs_insn *out, struct insn *insn,
				struct pt_regs *regs)
{
	unsigned int opnd = insn->opnd_bytes;
	u8 opcode = insn->opcode.bytes[0];
	unsigned int width = opcode & 1 ? opnd : 1;
	unsigned long moffset;

	switch (opcode) {
	case 0x88:
	case 0x89:
		pvs_decode_modrm(out, insn, regs, PVS_INSN_STORE, width, width,
				 false);
		break;
	case 0x8a:
	case 0x8b:
		pvs_decode_modrm(out, insn, regs, PVS_INSN_LOAD, width, width,
				 false);
		break;
	case 0x63: /* movsxd */
		pvs_decode_modrm(out, insn, regs, PVS_INSN_LOAD, min(opnd, 4U),
				 opnd, true);
		break;
	case 0xa0 ... 0xa3:
		moffset = (u32)insn->moffset1.value |
			  (u64)(u32)insn->moffset2.value << 32;
		if (!pvs_has_segment(insn))
			pvs_decode_acc(out, regs,
				       opcode & 2 ? PVS_INSN_STORE : PVS_INSN_LOAD,
				       moffset, width);
		break;
	case 0xa4:
	case 0xa5:
	case 0xaa ... 0xad:
		pvs_decode_string(out, insn, regs, opcode, width);
		break;
	case 0xc6:
	case 0xc7:
		pvs_decode_imm(out, insn, regs, width);
		break;
	}
}
NOKPROBE_SYMBOL(pvs_decode_one_byte);

static void pvs_decode_two_bytes(struct pvs_insn *out, struct insn *insn,
				 struct pt_regs *regs)
{
	unsigned int opnd = insn->opnd_bytes;
	u8 opcode = insn->opcode.bytes[1];

	switch (opcode) {
	case 0xb6: /* movzx */
	case 0xb7:
	case 0xbe: /* movsx */
	case 0xbf:
		pvs_decode_modrm(out, insn, regs, PVS_INSN_LOAD,
				 opcode & 1 ? 2 : 1, opnd, opcode & 8);
		/* Its register is never one of the high bytes. */
		break;
	case 0xc3: /* movnti */
		pvs_decode_modrm(out, insn, regs, PVS_INSN_STORE, opnd, opnd,
				 false);
		break;
	}
}
NOKPROBE_SYMBOL(pvs_decode_two_bytes);

/**
 * pvs_decode - decode the instruction that faulted
 * @out:  result; type PVS_INSN_UNKNOWN if it is none of the moves
 * @regs: kernel registers, as they were before it
 *
 * Any context.
 */
void pvs_decode(struct pvs_insn *out, struct pt_regs *regs)
{
	u8 text[MAX_INSN_SIZE];
	struct insn insn;
	int len = sizeof(text);

	memset(out, 0, sizeof(*out));
	memset(text, 0, sizeof(text));

	/* The instruction is there; what follows it on the next page may not be. */
	if (copy_from_kernel_nofault(text, (void *)regs->ip, len)) {
		len = PAGE_SIZE - offset_in_page(regs->ip);
		if (len >= sizeof(text) ||
		    copy_from_kernel_nofault(text, (void *)regs->ip, len))
			return;
	}
	out->bytes = text[0] << 16 | text[1] << 8 | text[2];

	if (insn_decode(&insn, text, len, INSN_MODE_64))
		return;
	out->len = insn.length;
	out->addr_size = insn.addr_bytes;

	if (insn_is_avx(&insn))
		return;
	if (insn.opcode.nbytes == 1)
		pvs_decode_one_byte(out, &insn, regs);
	else if (insn.opcode.nbytes == 2 && insn.opcode.bytes[0] == 0x0f)
		pvs_decode_two_bytes(out, &insn, regs);
}
NOKPROBE_SYMBOL(pvs_decode);

/**
 * pvs_loaded_value - what a load got
 * @insn: the load
 * @regs: registers, as they are after it
 */
u64 pvs_loaded_value(const struct pvs_insn *insn, const struct pt_regs *regs)
{
	return pvs_get_reg(regs, insn->reg, insn->width);
}
NOKPROBE_SYMBOL(pvs_loaded_value);

static void pvs_set_reg(const struct pvs_insn *insn, struct pt_regs *regs,
			u64 value)
{
	unsigned int size = insn->reg_size;

	if (insn->extend)
		value = sign_extend64(value, 8 * insn->width - 1);
	/* A 32-bit result clears the upper half, a smaller one leaves the rest. */
	if (size == 4) {
		value = (u32)value;
		size = 8;
	}
	memcpy((u8 *)regs + insn->reg, &value, size);
}
NOKPROBE_SYMBOL(pvs_set_reg);

static void pvs_advance(unsigned long *reg, long by, unsigned int addr_size)
{
	*reg = pvs_mask_addr(*reg + by, addr_size);
}
NOKPROBE_SYMBOL(pvs_advance);

/**
 * pvs_complete - leave the registers as the instruction leaves them
 * @insn:  the instruction, or one element of a string instruction
 * @regs:  registers
 * @value: what was loaded, if it loads
 */
void pvs_complete(const struct pvs_insn *insn, struct pt_regs *regs, u64 value)
{
	long by = regs->flags & X86_EFLAGS_DF ? -(long)insn->width : insn->width;

	if (insn->type == PVS_INSN_LOAD)
		pvs_set_reg(insn, regs, value);
	if (insn->move_si)
		pvs_advance(&regs->si, by, insn->addr_size);
	if (insn->move_di)
		pvs_advance(&regs->di, by, insn->addr_size);
	if (insn->rep) {
		pvs_advance(&regs->cx, -1, insn->addr_size);
		if (pvs_mask_addr(regs->cx, insn->addr_size))
			return;
	}

	regs->ip += insn->len;
	/* Its own breakpoint was dealt with before it faulted. */
	regs->flags &= ~X86_EFLAGS_RF;
}
NOKPROBE_SYMBOL(pvs_complete);
