// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the text of an instruction says: where its memory operand is, how wide, and
 * what is done to it. Pure functions of the text; all that is not understood is
 * PVS_INSN_UNKNOWN.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/string.h>

#include <asm/insn.h>

#include "decode.h"
#include "opcodes.h"

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

#define PVS_REG_SP	4

static void pvs_scan_prefixes(struct pvs_prefixes *p, const struct insn *insn,
			      const u8 *text)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < insn->prefixes.nbytes; i++) {
		switch (text[i]) {
		case 0x66:
			p->opnd_size = true;
			break;
		case 0xf2:
			p->mandatory = PVS_PFX_F2;
			p->rep = true;
			break;
		case 0xf3:
			p->mandatory = PVS_PFX_F3;
			p->rep = true;
			break;
		case 0xf0:
			p->lock = true;
			break;
		case PVS_FS:
		case PVS_GS:
			p->segment = text[i];
			break;
		}
	}
	if (!p->rep && p->opnd_size)
		p->mandatory = PVS_PFX_66;
}
NOKPROBE_SYMBOL(pvs_scan_prefixes);

/* Fields of VEX and EVEX, or their defaults, as the instruction means them. */
static bool pvs_vex_w(struct insn *insn)
{
	return insn_is_avx(insn) ? insn_vex_w_bit(insn) :
				   X86_REX_W(insn->rex_prefix.value);
}
NOKPROBE_SYMBOL(pvs_vex_w);

static unsigned int pvs_vex_vvvv(struct insn *insn)
{
	return ~X86_VEX_V(insn->vex_prefix.bytes[2]) & 15;
}
NOKPROBE_SYMBOL(pvs_vex_vvvv);

/* Bytes of a vector; 0: there are none so long. */
static unsigned int pvs_vector_length(struct insn *insn)
{
	static const u8 evex[] = { 16, 32, 64, 0 };

	if (insn_is_evex(insn))
		return evex[insn->vex_prefix.bytes[3] >> 5 & 3];
	if (insn_is_avx(insn) && X86_VEX_L(insn->vex_prefix.bytes[2]))
		return 32;
	return 16;
}
NOKPROBE_SYMBOL(pvs_vector_length);

/* Number of the register that the reg field of ModRM names. */
static unsigned int pvs_modrm_reg(struct insn *insn)
{
	unsigned int reg = X86_MODRM_REG(insn->modrm.value);
	bool high;

	if (insn_is_avx(insn))
		high = !X86_VEX_R(insn->vex_prefix.bytes[1]);
	else
		high = X86_REX_R(insn->rex_prefix.value);
	return reg + 8 * high;
}
NOKPROBE_SYMBOL(pvs_modrm_reg);

static bool pvs_is_high_byte(struct insn *insn, unsigned int reg)
{
	return !insn->rex_prefix.nbytes && reg >= 4;
}
NOKPROBE_SYMBOL(pvs_is_high_byte);

/* Offset of the bytes that it has in struct pt_regs. */
static u8 pvs_modrm_reg_offset(struct insn *insn, u32 op)
{
	unsigned int reg = pvs_modrm_reg(insn);

	/* AH, CH, DH, BH */
	if ((op & PVS_OP_BYTE_REG) == PVS_OP_BYTE_REG &&
	    pvs_is_high_byte(insn, reg))
		return pvs_reg_offset[reg - 4] + 1;
	return pvs_reg_offset[reg];
}
NOKPROBE_SYMBOL(pvs_modrm_reg_offset);

#define PVS_EVEX_BROADCAST	0x10

static unsigned int pvs_op_width(struct insn *insn, u32 op)
{
	unsigned int vector = pvs_vector_length(insn);
	unsigned int w = pvs_vex_w(insn) ? 8 : 4;

	if (insn_is_evex(insn) && (insn->vex_prefix.bytes[3] & PVS_EVEX_BROADCAST))
		return w;
	switch (PVS_OP_WIDTH(op)) {
	case PVS_WIDTH_1:
		return 1;
	case PVS_WIDTH_2:
		return 2;
	case PVS_WIDTH_4:
		return 4;
	case PVS_WIDTH_8:
		return 8;
	case PVS_WIDTH_16:
		return 16;
	case PVS_WIDTH_32:
		return 32;
	case PVS_WIDTH_OPERAND:
		return insn->opnd_bytes;
	case PVS_WIDTH_REX:
		return w;
	case PVS_WIDTH_REX2:
		return 2 * w;
	case PVS_WIDTH_MOVSXD:
		/* With 16 bits, Intel reads two bytes and AMD four. */
		return insn->opnd_bytes < 4 ? 0 : 4;
	case PVS_WIDTH_VECTOR:
		return vector;
	case PVS_WIDTH_HALF:
		return vector / 2;
	case PVS_WIDTH_QUARTER:
		return vector / 4;
	case PVS_WIDTH_EIGHTH:
		return vector / 8;
	case PVS_WIDTH_DUP:
		return vector == 16 ? 8 : vector;
	}
	return 0;
}
NOKPROBE_SYMBOL(pvs_op_width);

/* The descriptor of an instruction's opcode, if it may be encoded like this. */
static u32 pvs_find_opcode(struct insn *insn, const struct pvs_prefixes *p)
{
	const u8 *opcode = insn->opcode.bytes;
	unsigned int map;
	u32 op;

	if (insn_is_avx(insn)) {
		/* These make the instruction undefined. */
		if (p->rep || p->opnd_size || p->lock || insn->rex_prefix.nbytes)
			return 0;
		map = insn_vex_m_bits(insn);
		if (map < PVS_MAP_0F || map >= PVS_NR_MAPS)
			return 0;
		op = pvs_opcode(map, opcode[0], insn_vex_p_bits(insn),
				insn->modrm.value);
		return op & (insn_is_evex(insn) ? PVS_OP_EVEX : PVS_OP_VEX) ?
			op : 0;
	}

	if (insn->opcode.nbytes == 1)
		map = PVS_MAP_ONE;
	else if (insn->opcode.nbytes == 2)
		map = PVS_MAP_0F;
	else if (opcode[1] == 0x38)
		map = PVS_MAP_0F38;
	else if (opcode[1] == 0x3a)
		map = PVS_MAP_0F3A;
	else
		return 0;
	op = pvs_opcode(map, opcode[insn->opcode.nbytes - 1], p->mandatory,
			insn->modrm.value);
	return op & PVS_OP_LEGACY ? op : 0;
}
NOKPROBE_SYMBOL(pvs_find_opcode);

/* Reserved bits of EVEX. */
static bool pvs_evex_valid(struct insn *insn)
{
	const u8 *evex = insn->vex_prefix.bytes;

	return !(evex[1] & 0x08) && (evex[2] & 0x04);
}
NOKPROBE_SYMBOL(pvs_evex_valid);

/*
 * What EVEX adds that no engine does: a mask, by which parts of the operand are not
 * touched; one element instead of the operand.
 */
static bool pvs_evex_plain(struct insn *insn)
{
	return !(insn->vex_prefix.bytes[3] & (0x87 | PVS_EVEX_BROADCAST));
}
NOKPROBE_SYMBOL(pvs_evex_plain);

static void pvs_decode_address(struct pvs_insn *out, struct insn *insn,
			       unsigned long ip)
{
	unsigned int mod = X86_MODRM_MOD(insn->modrm.value);
	unsigned int rm = X86_MODRM_RM(insn->modrm.value);
	unsigned int x = X86_REX_X(insn->rex_prefix.value) ? 8 : 0;
	unsigned int b = X86_REX_B(insn->rex_prefix.value) ? 8 : 0;
	unsigned int index;

	/* Two bytes of VEX have no room for these. */
	if (insn->vex_prefix.nbytes > 2) {
		x = X86_VEX_X(insn->vex_prefix.bytes[1]) ? 0 : 8;
		b = X86_VEX_B(insn->vex_prefix.bytes[1]) ? 0 : 8;
	}

	/* Not got, it is 0. */
	out->disp = (long)insn->displacement.value;
	if (insn_is_evex(insn) && insn->displacement.nbytes == 1)
		out->disp *= out->width;

	if (insn->sib.nbytes) {
		rm = X86_SIB_BASE(insn->sib.value);
		index = X86_SIB_INDEX(insn->sib.value) + x;
		if (index != PVS_REG_SP) {
			out->index = pvs_reg_offset[index];
			out->scale = X86_SIB_SCALE(insn->sib.value);
		}
		if (mod != 0 || rm != 5)
			out->base = pvs_reg_offset[rm + b];
	} else if (mod == 0 && rm == 5) {
		out->disp += ip + insn->length;
	} else {
		out->base = pvs_reg_offset[rm + b];
	}
}
NOKPROBE_SYMBOL(pvs_decode_address);

static void pvs_decode_string(struct pvs_insn *out, unsigned int kind, bool rep)
{
	out->string = true;
	out->rep = rep;
	out->move_si = kind != PVS_KIND_STOS;
	out->move_di = kind != PVS_KIND_LODS;
	out->base = out->move_si ? offsetof(struct pt_regs, si) :
				   offsetof(struct pt_regs, di);
	if (kind == PVS_KIND_MOVS) {
		out->dst = offsetof(struct pt_regs, di);
	} else {
		out->reg = offsetof(struct pt_regs, ax);
		out->reg_size = out->width;
	}
}
NOKPROBE_SYMBOL(pvs_decode_string);

static void pvs_decode_moffs(struct pvs_insn *out, const struct insn *insn)
{
	out->disp = (u32)insn->moffset1.value |
		    (u64)(u32)insn->moffset2.value << 32;
	out->reg = offsetof(struct pt_regs, ax);
	out->reg_size = out->width;
}
NOKPROBE_SYMBOL(pvs_decode_moffs);

static void pvs_decode_imm(struct pvs_insn *out, const struct insn *insn)
{
	out->imm = (s64)insn->immediate1.value;
	if (out->width < sizeof(u64))
		out->imm &= BIT_ULL(8 * out->width) - 1;
}
NOKPROBE_SYMBOL(pvs_decode_imm);

/*
 * A base register for the code. It needs neither REX nor SIB nor displacement, and
 * the instruction uses it for nothing else: of those that use rbx, rsi or rdi
 * without naming them, only cmpxchg8b has no string, and it names no other.
 */
static unsigned int pvs_pick_base(struct insn *insn, u32 op)
{
	static const u8 candidates[] = { 6, 7, 3 };	/* rsi, rdi, rbx */
	unsigned int reg = pvs_modrm_reg(insn);
	unsigned int i;

	if ((op & PVS_OP_BYTE_REG) == PVS_OP_BYTE_REG &&
	    pvs_is_high_byte(insn, reg))
		reg -= 4;
	for (i = 0; i < ARRAY_SIZE(candidates) - 1; i++)
		if (candidates[i] != reg &&
		    !(insn_is_avx(insn) && candidates[i] == pvs_vex_vvvv(insn)))
			break;
	return candidates[i];
}
NOKPROBE_SYMBOL(pvs_pick_base);

/* Address size and segments are no part of an operand at (%base). */
static bool pvs_prefix_dropped(u8 prefix)
{
	switch (prefix) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x67:
		return true;
	}
	return false;
}
NOKPROBE_SYMBOL(pvs_prefix_dropped);

/* The same instruction on (%base): no longer than it was. */
static unsigned int pvs_reencode(u8 *code, const struct insn *insn,
				 const u8 *text, unsigned int base)
{
	const u8 *imm = text + insn_offset_immediate((struct insn *)insn);
	unsigned int imm_len = text + insn->length - imm;
	u8 *p = code;
	unsigned int i;

	for (i = 0; i < insn->prefixes.nbytes; i++)
		if (!pvs_prefix_dropped(text[i]))
			*p++ = text[i];
	/* Even if nothing is left in REX: without it, spl would be ah. */
	if (insn->rex_prefix.nbytes)
		*p++ = insn->rex_prefix.bytes[0] & ~0x03;

	/* Inverted here, and two bytes of VEX have neither. */
	memcpy(p, insn->vex_prefix.bytes, 2);
	if (insn->vex_prefix.nbytes > 2) {
		p[1] |= 0x60;
		memcpy(p + 2, &insn->vex_prefix.bytes[2],
		       insn->vex_prefix.nbytes - 2);
	}
	p += insn->vex_prefix.nbytes;

	memcpy(p, insn->opcode.bytes, insn->opcode.nbytes);
	p += insn->opcode.nbytes;
	*p++ = (insn->modrm.bytes[0] & 0x38) | base;
	memcpy(p, imm, imm_len);
	p += imm_len;

	return p - code;
}
NOKPROBE_SYMBOL(pvs_reencode);

static void pvs_decode_exec(struct pvs_insn *out, struct insn *insn,
			    const u8 *text, u32 op,
			    const struct pvs_prefixes *p)
{
	unsigned int reg = pvs_modrm_reg(insn);
	bool high = (op & PVS_OP_BYTE_REG) == PVS_OP_BYTE_REG &&
		    pvs_is_high_byte(insn, reg);
	unsigned int base;

	if (op & PVS_OP_BITS)
		out->bits = pvs_reg_offset[reg];
	/* The code runs on another stack. */
	if ((op & PVS_OP_GPR) && reg == PVS_REG_SP && !high)
		return;
	if ((op & PVS_OP_VVVV_GPR) && pvs_vex_vvvv(insn) == PVS_REG_SP)
		return;
	/*
	 * To the decoder the last prefix is a part of the opcode, of one with 0f. It
	 * must find the same one in the code.
	 */
	if (p->mandatory && insn->opcode.nbytes > 1 &&
	    pvs_prefix_dropped(text[insn->prefixes.nbytes - 1]))
		return;
	if (p->lock || (op & PVS_OP_IMPLICIT_LOCK)) {
		if (!out->reads || !out->writes)
			return;
		out->locked = PVS_OP_LOCKED(op) ?: PVS_LOCKED_OTHER;
	}
	if (PVS_OP_LOCKED(op) && (op & PVS_OP_GPR))
		out->reg = pvs_modrm_reg_offset(insn, op);

	base = pvs_pick_base(insn, op);
	out->exec_base = pvs_reg_offset[base];
	out->code_len = pvs_reencode(out->code, insn, text, base);
	out->type = PVS_INSN_EXEC;
}
NOKPROBE_SYMBOL(pvs_decode_exec);

/*
 * Has it a ModRM byte if and only if it should, and does that name memory? The
 * decoder takes the last prefix for a part of the opcode whatever it is; where that
 * finds no such instruction, it has found no ModRM byte.
 */
static bool pvs_modrm_fits(const struct insn *insn, u32 op)
{
	switch (PVS_OP_KIND(op)) {
	case PVS_KIND_MOFFS_LOAD:
	case PVS_KIND_MOFFS_STORE:
	case PVS_KIND_MOVS:
	case PVS_KIND_STOS:
	case PVS_KIND_LODS:
		return !insn->modrm.nbytes;
	default:
		return insn->modrm.nbytes &&
		       X86_MODRM_MOD(insn->modrm.value) != 3;
	}
}
NOKPROBE_SYMBOL(pvs_modrm_fits);

static void pvs_decode_op(struct pvs_insn *out, struct insn *insn,
			  const u8 *text, unsigned long ip, u32 op,
			  const struct pvs_prefixes *p)
{
	unsigned int kind = PVS_OP_KIND(op);

	out->width = kind == PVS_KIND_DIRECT ? 64 : pvs_op_width(insn, op);
	if (!out->width)
		return;
	out->reads = op & PVS_OP_READ;
	out->writes = op & PVS_OP_WRITE;
	if (insn->modrm.nbytes)
		pvs_decode_address(out, insn, ip);

	switch (kind) {
	case PVS_KIND_EXEC:
		out->aligned = (op & PVS_OP_ALIGNED) ||
			       (out->width == 16 && !insn_is_avx(insn) &&
				!(op & PVS_OP_UNALIGNED));
		pvs_decode_exec(out, insn, text, op, p);
		return;
	case PVS_KIND_LOAD:
	case PVS_KIND_LOAD_ZX:
	case PVS_KIND_LOAD_SX:
		out->type = PVS_INSN_LOAD;
		out->reg = pvs_modrm_reg_offset(insn, op);
		out->reg_size = kind == PVS_KIND_LOAD ? out->width :
							insn->opnd_bytes;
		out->extend = kind == PVS_KIND_LOAD_SX;
		break;
	case PVS_KIND_STORE:
		out->type = PVS_INSN_STORE;
		out->reg = pvs_modrm_reg_offset(insn, op);
		break;
	case PVS_KIND_STORE_IMM:
		out->type = PVS_INSN_STORE;
		pvs_decode_imm(out, insn);
		break;
	case PVS_KIND_MOFFS_LOAD:
		out->type = PVS_INSN_LOAD;
		pvs_decode_moffs(out, insn);
		break;
	case PVS_KIND_MOFFS_STORE:
		out->type = PVS_INSN_STORE;
		pvs_decode_moffs(out, insn);
		break;
	case PVS_KIND_MOVS:
		out->type = PVS_INSN_MOVS;
		pvs_decode_string(out, kind, p->rep);
		break;
	case PVS_KIND_STOS:
		out->type = PVS_INSN_STORE;
		pvs_decode_string(out, kind, p->rep);
		break;
	case PVS_KIND_LODS:
		out->type = PVS_INSN_LOAD;
		pvs_decode_string(out, kind, p->rep);
		break;
	case PVS_KIND_DIRECT:
		out->type = PVS_INSN_MOVS;
		out->direct = true;
		out->aligned = true;
		out->dst = pvs_reg_offset[pvs_modrm_reg(insn)];
		break;
	case PVS_KIND_POP:
		out->type = PVS_INSN_STORE;
		out->pop = true;
		break;
	case PVS_KIND_JUMP:
		out->reg = offsetof(struct pt_regs, ip);
		fallthrough;
	case PVS_KIND_PUSH:
		out->type = PVS_INSN_LOAD;
		out->stepped = true;
		break;
	}
	/* Of 16 bits without REX.W, and for jumps not the same on all processors. */
	if (p->opnd_size && (out->pop || out->stepped)) {
		out->type = PVS_INSN_UNKNOWN;
		out->width = pvs_vex_w(insn) ? 8 : 2;
	}
	/* The moves cannot be locked. */
	if (p->lock)
		out->type = PVS_INSN_UNKNOWN;
}
NOKPROBE_SYMBOL(pvs_decode_op);

static void pvs_decode_nothing(struct pvs_insn *out)
{
	memset(out, 0, sizeof(*out));
	out->base = PVS_NO_REG;
	out->index = PVS_NO_REG;
	out->dst = PVS_NO_REG;
	out->reg = PVS_NO_REG;
	out->bits = PVS_NO_REG;
	out->exec_base = PVS_NO_REG;
}
NOKPROBE_SYMBOL(pvs_decode_nothing);

/* @any: also what no engine does. */
static void pvs_decode_insn(struct pvs_insn *out, struct insn *insn, const u8 *text,
			    unsigned long ip, struct pvs_prefixes *p, bool any)
{
	u32 op;

	out->len = insn->length;
	out->addr_size = insn->addr_bytes;

	pvs_scan_prefixes(p, insn, text);
	if (insn_is_rex2(insn) || insn_has_emulate_prefix(insn) ||
	    (insn_is_evex(insn) && !pvs_evex_valid(insn)))
		return;
	/* No register says where fs and gs are. */
	if (!any && (p->segment || (insn_is_evex(insn) && !pvs_evex_plain(insn))))
		return;
	op = pvs_find_opcode(insn, p);
	if (op && pvs_modrm_fits(insn, op))
		pvs_decode_op(out, insn, text, ip, op, p);
}
NOKPROBE_SYMBOL(pvs_decode_insn);

/**
 * pvs_decode - decode an instruction
 * @out:  result; type PVS_INSN_UNKNOWN if it is to be single-stepped
 * @text: its text
 * @len:  bytes of @text, which may be more than the instruction has
 * @ip:   its address, where it runs
 *
 * The result depends on the arguments only. Any context.
 */
void pvs_decode(struct pvs_insn *out, const u8 *text, unsigned int len,
		unsigned long ip)
{
	struct pvs_prefixes p;
	struct insn insn;
	unsigned int i;

	pvs_decode_nothing(out);
	for (i = 0; i < 3; i++)
		out->bytes = out->bytes << 8 | (i < len ? text[i] : 0);

	if (!insn_decode(&insn, text, len, INSN_MODE_64))
		pvs_decode_insn(out, &insn, text, ip, &p, false);
}
NOKPROBE_SYMBOL(pvs_decode);

/**
 * pvs_decode_operand - where an instruction's memory operand is, whoever is to run it
 * @out:  result, for pvs_resolve(), without @bytes; width 0 if the table of opcodes does not
 *	  have it: then it is the address alone, if its ModRM byte names memory
 * @p:	  its prefixes
 * @insn: it, decoded
 * @text: its text
 * @ip:	  its address, where it runs
 *
 * The result depends on the arguments only, and knows of no segment. Any context.
 */
void pvs_decode_operand(struct pvs_insn *out, struct pvs_prefixes *p, struct insn *insn,
			const u8 *text, unsigned long ip)
{
	pvs_decode_nothing(out);
	pvs_decode_insn(out, insn, text, ip, p, true);
	if (!out->width && insn->modrm.nbytes && X86_MODRM_MOD(insn->modrm.value) != 3)
		pvs_decode_address(out, insn, ip);
}
NOKPROBE_SYMBOL(pvs_decode_operand);
