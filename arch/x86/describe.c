// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an instruction does to memory that no engine does: several operands, of any size,
 * with a segment's base, or as a mask says.
 *
 * It depends on the text and the registers; kernel code only, for a segment's base is that
 * of now.
 */
#include <linux/compiler.h>
#include <linux/cpufeature.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include <asm/insn.h>
#include <asm/msr.h>

#include "decode.h"
#include "describe.h"
#include "opcodes.h"

/* Bytes of an operand, and what is done to it; 0: there is none, or it is not known. */
#define PVS_BYTES	0x0fff
#define PVS_WRITES	0x1000
/* The header that is behind 512 bytes; it says which of the others are read. */
#define PVS_XHEADER	0x2000

#define R(bytes)	(bytes)
#define W(bytes)	((bytes) | PVS_WRITES)
/* What of it is written is not known: so is its size. */
#define W_SOME		PVS_WRITES

#define PVS_XLEGACY_SIZE	512
#define PVS_XHEADER_SIZE	64

/* d8 to df, by the reg field of ModRM. */
static const u16 pvs_x87[8][8] = {
	{ R(4), R(4), R(4), R(4), R(4), R(4), R(4), R(4) },
	{ R(4), 0, W(4), W(4), R(28), R(2), W(28), W(2) },	/* fldenv, fldcw, fn... */
	{ R(4), R(4), R(4), R(4), R(4), R(4), R(4), R(4) },
	{ R(4), W(4), W(4), W(4), 0, R(10), 0, W(10) },
	{ R(8), R(8), R(8), R(8), R(8), R(8), R(8), R(8) },
	{ R(8), W(8), W(8), W(8), R(108), 0, W(108), W(2) },	/* frstor, fnsave, fnstsw */
	{ R(2), R(2), R(2), R(2), R(2), R(2), R(2), R(2) },
	{ R(2), W(2), W(2), W(2), R(10), R(8), W(10), W(8) },
};

/* 0f 00: sldt str lldt ltr verr verw; 0f 01: sgdt sidt lgdt lidt smsw lmsw. */
static const u16 pvs_tables[2][8] = {
	{ W(2), W(2), R(2), R(2), R(2), R(2) },
	{ W(10), W(10), R(10), R(10), W(2), 0, R(2) },
};

/* 0f ae: fxsave fxrstor ldmxcsr stmxcsr xsave xrstor xsaveopt. */
static const u16 pvs_states[8] = {
	W(PVS_XLEGACY_SIZE), R(PVS_XLEGACY_SIZE), R(4), W(4),
	W_SOME, PVS_XHEADER, W_SOME,
};

static u16 pvs_group9(unsigned int reg, enum pvs_pfx prefix)
{
	bool none = prefix == PVS_PFX_NONE;

	switch (reg) {
	case 3: /* xrstors */
		return none ? PVS_XHEADER : 0;
	case 4: /* xsavec */
	case 5: /* xsaves */
		return none ? W_SOME : 0;
	case 6: /* vmptrld, vmclear, vmxon */
		return prefix != PVS_PFX_F2 ? R(8) : 0;
	case 7: /* vmptrst */
		return none ? W(8) : 0;
	}
	return 0;
}
NOKPROBE_SYMBOL(pvs_group9);

static u16 pvs_two_bytes(const struct insn *insn, enum pvs_pfx prefix)
{
	unsigned int reg = X86_MODRM_REG(insn->modrm.value);
	bool none = prefix == PVS_PFX_NONE;
	u8 op = insn->opcode.bytes[1];

	switch (op) {
	case 0x00:
	case 0x01:
		return none ? pvs_tables[op][reg] : 0;
	case 0x02: /* lar */
	case 0x03: /* lsl */
		return R(2);
	case 0x38: /* invept, invvpid, invpcid */
		op = insn->opcode.bytes[2];
		return prefix == PVS_PFX_66 && op >= 0x80 && op <= 0x82 ? R(16) : 0;
	case 0x78: /* vmread */
		return none ? W(8) : 0;
	case 0x79: /* vmwrite */
		return none ? R(8) : 0;
	case 0xb2: /* lss, lfs, lgs */
	case 0xb4:
	case 0xb5:
		return R(2 + insn->opnd_bytes);
	case 0xae:
		return none ? pvs_states[reg] : 0;
	case 0xc7:
		return pvs_group9(reg, prefix);
	}
	return 0;
}
NOKPROBE_SYMBOL(pvs_two_bytes);

/* An operand that ModRM names. */
static u16 pvs_what(struct insn *insn, const struct pvs_prefixes *p)
{
	unsigned int reg = X86_MODRM_REG(insn->modrm.value);
	u8 op = insn->opcode.bytes[0];
	u16 what;

	if (insn_is_avx(insn))
		/* vldmxcsr, vstmxcsr */
		return insn_vex_m_bits(insn) == PVS_MAP_0F && op == 0xae && !insn_is_evex(insn) &&
		       insn_vex_p_bits(insn) == PVS_PFX_NONE && (reg == 2 || reg == 3) ?
		       pvs_states[reg] : 0;

	switch (op) {
	case 0x0f:
		return pvs_two_bytes(insn, p->mandatory);
	case 0x63: /* movsxd of 16 bits; AMD's read four bytes */
	case 0x8e:
		return R(2);
	case 0x8c:
		return W(2);
	case 0xd8 ... 0xdf:
		what = pvs_x87[op & 7][reg];
		/* The environment has registers of 16 bits then. */
		return insn->opnd_bytes == 2 && (what & PVS_BYTES) >= 28 ? what - 14 : what;
	case 0xf6: /* div, idiv */
		return reg >= 6 ? R(1) : 0;
	case 0xf7:
		return reg >= 6 ? R(insn->opnd_bytes) : 0;
	case 0xff: /* far call, far jmp */
		return reg == 3 || reg == 5 ? R(2 + insn->opnd_bytes) : 0;
	}
	return 0;
}
NOKPROBE_SYMBOL(pvs_what);

static unsigned long pvs_segment_base(u8 segment)
{
	switch (segment) {
	case PVS_FS:
		return __rdmsr(MSR_FS_BASE);
	case PVS_GS:
		return __rdmsr(MSR_GS_BASE);
	}
	return 0;
}
NOKPROBE_SYMBOL(pvs_segment_base);

/* An address of registers, in the segment with this base. */
static unsigned long pvs_address(const struct insn *insn, unsigned long addr,
				 unsigned long base)
{
	return base + (insn->addr_bytes == 4 ? (u32)addr : addr);
}
NOKPROBE_SYMBOL(pvs_address);

static void pvs_add(struct pvs_described *d, unsigned long addr, unsigned int size,
		    bool writes)
{
	d->operand[d->nr++] = (struct pv_shadow_operands){
		.read = addr,
		.write = addr,
		.size = size,
		.reads = !writes,
		.writes = writes,
	};
}
NOKPROBE_SYMBOL(pvs_add);

/* An operand that the table of opcodes has. */
static void pvs_add_known(struct pvs_described *d, const struct pvs_insn *known,
			  const struct pt_regs *regs, unsigned long base)
{
	struct pvs_operands ops;

	pvs_resolve(known, regs, &ops);
	/* What rdi alone names is elsewhere. */
	if (known->move_si || !known->move_di)
		ops.addr += base;
	pvs_describe(&d->operand[d->nr++], known, &ops, regs, 1);
}
NOKPROBE_SYMBOL(pvs_add_known);

/* One element of those that no engine does, and others whose operand ModRM does not name. */
static void pvs_add_implied(struct pvs_described *d, const struct insn *insn,
			    const struct pvs_prefixes *p, const struct pt_regs *regs,
			    unsigned long base)
{
	unsigned long si = pvs_address(insn, regs->si, base);
	unsigned long di = pvs_address(insn, regs->di, 0);
	u8 op = insn->opcode.bytes[0];
	unsigned int size = op & 1 ? insn->opnd_bytes : 1;

	switch (op) {
	case 0x6c: /* ins */
	case 0x6d:
		/* A hypervisor does many elements at once, and looks at TF then. */
		pvs_add(d, di, p->rep ? 0 : min(size, 4U), true);
		break;
	case 0x6e: /* outs */
	case 0x6f:
		pvs_add(d, si, min(size, 4U), false);
		break;
	case 0xa6: /* cmps */
	case 0xa7:
		pvs_add(d, si, size, false);
		pvs_add(d, di, size, false);
		break;
	case 0xae: /* scas */
	case 0xaf:
		pvs_add(d, di, size, false);
		break;
	case 0xd7: /* xlat */
		pvs_add(d, pvs_address(insn, regs->bx + (u8)regs->ax, base), 1, false);
		break;
	}
}
NOKPROBE_SYMBOL(pvs_add_implied);

#define PVS_VECTOR(n) case n:							\
	asm volatile("vmovdqu %%ymm" #n ", %0" : "=m" (*v));			\
	break

/* 32 bytes of a vector register. */
union pvs_vector {
	u32	d[8];
	u64	q[4];
};

/* The instruction uses it: it is there, and it is the interrupted code's. */
static void pvs_get_vector(union pvs_vector *v, unsigned int reg)
{
	switch (reg) {
	PVS_VECTOR(0);
	PVS_VECTOR(1);
	PVS_VECTOR(2);
	PVS_VECTOR(3);
	PVS_VECTOR(4);
	PVS_VECTOR(5);
	PVS_VECTOR(6);
	PVS_VECTOR(7);
	PVS_VECTOR(8);
	PVS_VECTOR(9);
	PVS_VECTOR(10);
	PVS_VECTOR(11);
	PVS_VECTOR(12);
	PVS_VECTOR(13);
	PVS_VECTOR(14);
	PVS_VECTOR(15);
	}
}
NOKPROBE_SYMBOL(pvs_get_vector);

/* Gathers and masked moves: the elements whose highest bit is set in a mask. */
static void pvs_add_elements(struct pvs_described *d, struct insn *insn, struct pvs_insn *at,
			     const struct pt_regs *regs, unsigned long base)
{
	unsigned int length = X86_VEX_L(insn->vex_prefix.bytes[2]) ? 32 : 16;
	unsigned int size = insn_vex_w_bit(insn) ? 8 : 4, index_size = 0, i, n;
	union pvs_vector mask = {}, index = {};
	u8 op = insn->opcode.bytes[0], scale;
	struct pvs_operands ops;
	unsigned long offset;
	bool writes = false;

	switch (op) {
	case 0x2c ... 0x2f: /* vmaskmov; no W */
		size = op & 1 ? 8 : 4;
		writes = op >= 0x2e;
		break;
	case 0x8c: /* vpmaskmov */
	case 0x8e:
		writes = op == 0x8e;
		break;
	case 0x90 ... 0x93: /* vgather, vpgather */
		index_size = op & 1 ? 8 : 4;
		break;
	default:
		return;
	}
	if (insn_vex_p_bits(insn) != PVS_PFX_66 || !boot_cpu_has(X86_FEATURE_AVX))
		return;
	if (index_size) {
		if (!insn->sib.nbytes)
			return;
		pvs_get_vector(&index, X86_SIB_INDEX(insn->sib.value) |
			       (X86_VEX_X(insn->vex_prefix.bytes[1]) ? 0 : 8));
		at->index = PVS_NO_REG;
	}
	pvs_get_vector(&mask, ~X86_VEX_V(insn->vex_prefix.bytes[2]) & 15);
	pvs_resolve(at, regs, &ops);

	scale = X86_SIB_SCALE(insn->sib.value);
	n = length / max(size, index_size);
	for (i = 0; i < n; i++) {
		if (size == 8 ? !(mask.q[i] >> 63) : !(mask.d[i] >> 31))
			continue;
		offset = i * size;
		if (index_size == 8)
			offset = index.q[i] << scale;
		else if (index_size)
			offset = (unsigned long)(s32)index.d[i] << scale;
		pvs_add(d, pvs_address(insn, ops.addr + offset, base), size, writes);
	}
}
NOKPROBE_SYMBOL(pvs_add_elements);

/* [v]maskmov: of 16 bytes those that a mask says; all of them count. */
static bool pvs_is_maskmov(struct insn *insn, const struct pvs_prefixes *p)
{
	const u8 *op = insn->opcode.bytes;

	if (insn_is_avx(insn))
		return !insn_is_evex(insn) && insn_vex_m_bits(insn) == PVS_MAP_0F &&
		       insn_vex_p_bits(insn) == PVS_PFX_66 && op[0] == 0xf7;
	return op[0] == 0x0f && op[1] == 0xf7 && p->mandatory <= PVS_PFX_66;
}
NOKPROBE_SYMBOL(pvs_is_maskmov);

/* Whose operand the ModRM byte names, but the table of opcodes has not. */
static void pvs_add_named(struct pvs_described *d, struct insn *insn, struct pvs_insn *at,
			  const struct pvs_prefixes *p, const struct pt_regs *regs,
			  unsigned long base)
{
	u16 what = pvs_what(insn, p);
	struct pvs_operands ops;

	if (insn_is_avx(insn) && !insn_is_evex(insn) && insn_vex_m_bits(insn) == PVS_MAP_0F38) {
		pvs_add_elements(d, insn, at, regs, base);
		return;
	}
	if (!what)
		return;
	pvs_resolve(at, regs, &ops);
	ops.addr += base;
	if (what == PVS_XHEADER) {
		d->more = true;
		pvs_add(d, ops.addr + PVS_XLEGACY_SIZE, PVS_XHEADER_SIZE, false);
	} else {
		pvs_add(d, ops.addr, what & PVS_BYTES, what & PVS_WRITES);
	}
}
NOKPROBE_SYMBOL(pvs_add_named);

/**
 * pvs_describe_any - what an instruction does to memory
 * @d:	  result
 * @text: its text
 * @len:  bytes of @text, which may be more than the instruction has
 * @regs: registers, as they are before it, with @regs->ip its address
 *
 * On the CPU that is about to run it, in the context that runs it or a fault of it: segments
 * and vector registers are those of now. Not for what it does to the stack.
 */
void pvs_describe_any(struct pvs_described *d, const u8 *text, unsigned int len,
		      const struct pt_regs *regs)
{
	struct pvs_prefixes p;
	struct pvs_insn at;
	struct insn insn;
	unsigned long base;

	d->nr = 0;
	d->more = false;
	if (insn_decode(&insn, text, len, INSN_MODE_64) || insn_is_rex2(&insn) ||
	    insn_has_emulate_prefix(&insn))
		return;
	pvs_decode_operand(&at, &p, &insn, text, regs->ip);
	base = pvs_segment_base(p.segment);

	if (at.width)
		pvs_add_known(d, &at, regs, base);
	else if (!insn.modrm.nbytes && !insn_is_avx(&insn))
		pvs_add_implied(d, &insn, &p, regs, base);
	else if (insn.modrm.nbytes && X86_MODRM_MOD(insn.modrm.value) != 3)
		pvs_add_named(d, &insn, &at, &p, regs, base);
	else if (pvs_is_maskmov(&insn, &p))
		pvs_add(d, pvs_address(&insn, regs->di, base),
			insn_is_avx(&insn) || p.opnd_size ? 16 : 8, true);
}
NOKPROBE_SYMBOL(pvs_describe_any);

/**
 * pvs_described_at - can an instruction have faulted there
 * @d:	  what it does
 * @addr: where it did
 *
 * Return: false if it was described wrongly, or not at all.
 */
bool pvs_described_at(const struct pvs_described *d, unsigned long addr)
{
	const struct pv_shadow_operands *o;

	if (d->more)
		return true;
	for (o = d->operand; o < d->operand + d->nr; o++)
		if (!o->size ? addr >= o->write :
			       (o->reads && addr - o->read < o->size) ||
			       (o->writes && addr - o->write < o->size))
			return true;
	return false;
}
NOKPROBE_SYMBOL(pvs_described_at);
