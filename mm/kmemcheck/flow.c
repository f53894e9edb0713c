// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of what was read: the text behind a load is read until it is clear whether
 * anybody looks at the value.
 *
 * To copy a structure the compiler loads it to registers and stores these; and to set a
 * field of some bits it loads the word, changes the bits and puts the word back. Neither
 * looks at what was not initialized before. All else does, or cannot be told from it.
 */
#include <linux/bits.h>
#include <linux/kprobes.h>
#include <linux/uaccess.h>

#include <asm/insn.h>
#include <asm/nospec-branch.h>
#include <asm/ptrace.h>

#include "../../arch/x86/cache.h"
#include "../../arch/x86/decode.h"
#include "kmemcheck.h"

/* Instructions that are looked at behind a load. */
#define KMEMCHECK_AHEAD	24

/* What a function may get its arguments in, and what it may change. */
#define KMEMCHECK_ARGUMENTS	(BIT(7) | BIT(6) | BIT(2) | BIT(1) | BIT(8) | BIT(9))
#define KMEMCHECK_SCRATCH	(KMEMCHECK_ARGUMENTS | BIT(0) | BIT(10) | BIT(11))

/**
 * struct kmemcheck_flow_state - what is known at some place behind the load
 * @carry:  registers that have the value, or part of it
 * @mixed:  ... and bits of something else
 * @changed: registers that are not what they were behind the load
 * @flags:  the flags depend on it
 * @width:  bytes that were read
 * @put:    it was put back where it came from
 * @stored: it was stored elsewhere
 * @first:  the load
 * @regs:   registers behind it
 * @store:  where it was stored first, if @stored
 */
struct kmemcheck_flow_state {
	u32				carry;
	u32				mixed;
	u32				changed;
	bool				flags;
	u8				width;
	bool				put;
	bool				stored;
	struct insn			first;
	const struct pt_regs		*regs;
	struct kmemcheck_store		*store;
};

static bool kmemcheck_read(struct insn *insn, unsigned long ip)
{
	u64 text[2];

	pvs_read_text(text, ip);
	return !insn_decode(insn, text, MAX_INSN_SIZE, INSN_MODE_64);
}
NOKPROBE_SYMBOL(kmemcheck_read);

static bool kmemcheck_in_memory(const struct insn *insn)
{
	return insn->modrm.nbytes && X86_MODRM_MOD(insn->modrm.value) != 3;
}
NOKPROBE_SYMBOL(kmemcheck_in_memory);

/* A register as a bit. Of 8 bits it may be the second byte of another one. */
static u32 kmemcheck_register(const struct insn *insn, u8 low, bool high, bool bytes)
{
	if (bytes && !insn->rex_prefix.nbytes && low >= 4)
		low -= 4;
	return BIT(low | (high ? 8 : 0));
}
NOKPROBE_SYMBOL(kmemcheck_register);

static u32 kmemcheck_reg(const struct insn *insn, bool bytes)
{
	return kmemcheck_register(insn, X86_MODRM_REG(insn->modrm.value),
				  X86_REX_R(insn->rex_prefix.value), bytes);
}
NOKPROBE_SYMBOL(kmemcheck_reg);

static u32 kmemcheck_rm(const struct insn *insn, bool bytes)
{
	return kmemcheck_register(insn, X86_MODRM_RM(insn->modrm.value),
				  X86_REX_B(insn->rex_prefix.value), bytes);
}
NOKPROBE_SYMBOL(kmemcheck_rm);

/* Its address counts from the next instruction. */
static bool kmemcheck_relative(const struct insn *insn)
{
	return !insn->sib.nbytes && !X86_MODRM_MOD(insn->modrm.value) &&
	       X86_MODRM_RM(insn->modrm.value) == 5;
}
NOKPROBE_SYMBOL(kmemcheck_relative);

static bool kmemcheck_no_base(const struct insn *insn)
{
	return insn->sib.nbytes && !X86_MODRM_MOD(insn->modrm.value) &&
	       X86_SIB_BASE(insn->sib.value) == 5;
}
NOKPROBE_SYMBOL(kmemcheck_no_base);

/* Registers that the address of the operand in memory is made of. */
static u32 kmemcheck_address(const struct insn *insn)
{
	u8 rex = insn->rex_prefix.value, sib = insn->sib.value;
	u32 regs;

	if (!kmemcheck_in_memory(insn))
		return 0;
	if (!insn->sib.nbytes)
		return kmemcheck_relative(insn) ? 0 : kmemcheck_rm(insn, false);
	regs = kmemcheck_no_base(insn) ? 0 : BIT(X86_SIB_BASE(sib) | (X86_REX_B(rex) ? 8 : 0));
	if (X86_SIB_INDEX(sib) != 4 || X86_REX_X(rex))
		regs |= BIT(X86_SIB_INDEX(sib) | (X86_REX_X(rex) ? 8 : 0));
	return regs;
}
NOKPROBE_SYMBOL(kmemcheck_address);

static bool kmemcheck_segment(const struct insn *insn)
{
	unsigned int i;

	for (i = 0; i < insn->prefixes.nbytes && i < 4; i++)
		if (insn->prefixes.bytes[i] == 0x64 || insn->prefixes.bytes[i] == 0x65)
			return true;
	return false;
}
NOKPROBE_SYMBOL(kmemcheck_segment);

static bool kmemcheck_same_operand(const struct insn *a, const struct insn *b)
{
	return kmemcheck_in_memory(a) && kmemcheck_in_memory(b) &&
	       X86_MODRM_RM(a->modrm.value) == X86_MODRM_RM(b->modrm.value) &&
	       a->sib.value == b->sib.value &&
	       !((a->rex_prefix.value ^ b->rex_prefix.value) & 3) &&
	       !X86_MODRM_MOD(a->modrm.value) == !X86_MODRM_MOD(b->modrm.value) &&
	       a->displacement.value == b->displacement.value && !kmemcheck_relative(a) &&
	       !kmemcheck_segment(a) && !kmemcheck_segment(b);
}
NOKPROBE_SYMBOL(kmemcheck_same_operand);

/* Where a store will write. Return: can one tell? */
static bool kmemcheck_resolve(const struct kmemcheck_flow_state *f, const struct insn *insn,
			      unsigned long ip, unsigned long *addr)
{
	struct pvs_operands ops;
	struct pvs_insn store;

	if (f->changed & kmemcheck_address(insn))
		return false;
	pvs_decode_at(&store, ip);
	if (store.type != PVS_INSN_STORE)
		return false;
	pvs_resolve(&store, f->regs, &ops);
	*addr = ops.addr;
	return true;
}
NOKPROBE_SYMBOL(kmemcheck_resolve);

static void kmemcheck_assign(struct kmemcheck_flow_state *f, u32 reg, bool carries)
{
	f->changed |= reg;
	f->mixed &= ~reg;
	if (carries)
		f->carry |= reg;
	else
		f->carry &= ~reg;
}
NOKPROBE_SYMBOL(kmemcheck_assign);

/* A register is moved to another one; only a part of that changes, perhaps. */
static void kmemcheck_transfer(struct kmemcheck_flow_state *f, u32 to, u32 from, bool part)
{
	bool carries = f->carry & (part ? to | from : from);
	bool mixed = f->mixed & (part ? to | from : from);

	/* What stays is of something else than what comes. */
	mixed |= part && (!(f->carry & to) != !(f->carry & from));

	kmemcheck_assign(f, to, carries);
	if (mixed)
		f->mixed |= to;
}
NOKPROBE_SYMBOL(kmemcheck_transfer);

/* A part of a register is set to something else. */
static void kmemcheck_set_part(struct kmemcheck_flow_state *f, u32 reg)
{
	f->changed |= reg;
	f->mixed |= f->carry & reg;
}
NOKPROBE_SYMBOL(kmemcheck_set_part);

/* and, or, xor, shifts: bits of the result are those of the operands, or none. */
static void kmemcheck_combine(struct kmemcheck_flow_state *f, u32 to, u32 from, bool mixed)
{
	bool carries = f->carry & (to | from);

	mixed |= f->mixed & (to | from);
	kmemcheck_assign(f, to, carries);
	if (carries && mixed)
		f->mixed |= to;
	f->flags = carries;
}
NOKPROBE_SYMBOL(kmemcheck_combine);

static enum kmemcheck_flow kmemcheck_undecided(const struct kmemcheck_flow_state *f)
{
	if (f->stored)
		return KMEMCHECK_COPIED;
	return f->put ? KMEMCHECK_UNUSED : KMEMCHECK_USED;
}
NOKPROBE_SYMBOL(kmemcheck_undecided);

/* Nobody has it any more. */
static enum kmemcheck_flow kmemcheck_gone(const struct kmemcheck_flow_state *f)
{
	return f->stored ? KMEMCHECK_COPIED : KMEMCHECK_UNUSED;
}
NOKPROBE_SYMBOL(kmemcheck_gone);

#define KMEMCHECK_ON	(-1)

/* A register is moved to a register or to memory. */
static int kmemcheck_move(struct kmemcheck_flow_state *f, const struct insn *insn,
			  unsigned long ip, bool bytes)
{
	u32 reg = kmemcheck_reg(insn, bytes);
	bool part = bytes || insn->opnd_bytes < 4;

	if (!kmemcheck_in_memory(insn)) {
		kmemcheck_transfer(f, kmemcheck_rm(insn, bytes), reg, part);
		return KMEMCHECK_ON;
	}
	if (!(f->carry & reg))
		return KMEMCHECK_ON;
	if (!(f->changed & kmemcheck_address(&f->first)) &&
	    kmemcheck_same_operand(insn, &f->first)) {
		f->put = true;
		f->carry &= ~reg;
		return KMEMCHECK_ON;
	}
	if (!f->stored && !(f->mixed & reg) && (bytes ? 1 : insn->opnd_bytes) <= f->width) {
		f->store->ip = ip;
		f->store->known = kmemcheck_resolve(f, insn, ip, &f->store->addr);
	} else if (!f->stored) {
		f->store->known = false;
	}
	f->stored = true;
	return KMEMCHECK_ON;
}
NOKPROBE_SYMBOL(kmemcheck_move);

static void kmemcheck_load(struct kmemcheck_flow_state *f, const struct insn *insn,
			   bool from_bytes, bool part)
{
	u32 from = kmemcheck_in_memory(insn) ? 0 : kmemcheck_rm(insn, from_bytes);

	kmemcheck_transfer(f, kmemcheck_reg(insn, part && from_bytes), from, part);
}
NOKPROBE_SYMBOL(kmemcheck_load);

/* The forms of eight operations with each other's operands: add or adc sbb and sub xor cmp. */
static int kmemcheck_arithmetic(struct kmemcheck_flow_state *f, const struct insn *insn)
{
	u8 op = insn->opcode.bytes[0], what = op >> 3 & 7, form = op & 7;
	bool bits = what == 1 || what == 4 || what == 6;
	u32 to, from;

	if (form >= 4) {
		to = BIT(0);
		from = 0;
	} else {
		bool bytes = !(form & 1);

		to = form & 2 ? kmemcheck_reg(insn, bytes) : kmemcheck_rm(insn, bytes);
		from = form & 2 ? kmemcheck_rm(insn, bytes) : kmemcheck_reg(insn, bytes);
		if (kmemcheck_in_memory(insn)) {
			to = form & 2 ? to : 0;
			from = form & 2 ? 0 : from;
			if (!to && (f->carry & from))
				return KMEMCHECK_USED;
		}
	}
	if (bits) {
		if (to == from && what == 6 && form < 4) {
			kmemcheck_assign(f, to, false);
			f->flags = false;
		} else {
			kmemcheck_combine(f, to, from, form < 4 || what != 4);
		}
		return KMEMCHECK_ON;
	}
	/* Added to itself it is shifted. */
	if (!what && to == from) {
		kmemcheck_combine(f, to, from, false);
		return KMEMCHECK_ON;
	}
	if ((f->carry & (to | from)) || (f->flags && (what == 2 || what == 3)))
		return KMEMCHECK_USED;
	f->flags = false;
	if (what != 7)
		kmemcheck_assign(f, to, false);
	return KMEMCHECK_ON;
}
NOKPROBE_SYMBOL(kmemcheck_arithmetic);

/* 80, 81, 83: the same with an immediate. */
static int kmemcheck_immediate(struct kmemcheck_flow_state *f, const struct insn *insn)
{
	u8 what = X86_MODRM_REG(insn->modrm.value);
	u32 to = kmemcheck_in_memory(insn) ? 0 :
		 kmemcheck_rm(insn, insn->opcode.bytes[0] == 0x80);

	if (what == 1 || what == 4 || what == 6) {
		kmemcheck_combine(f, to, 0, what != 4);
		return KMEMCHECK_ON;
	}
	if ((f->carry & to) || (f->flags && (what == 2 || what == 3)))
		return KMEMCHECK_USED;
	f->flags = false;
	if (what != 7)
		kmemcheck_assign(f, to, false);
	return KMEMCHECK_ON;
}
NOKPROBE_SYMBOL(kmemcheck_immediate);

static int kmemcheck_two_bytes(struct kmemcheck_flow_state *f, const struct insn *insn)
{
	u8 op = insn->opcode.bytes[1];

	switch (op) {
	case 0x1f: /* nop */
	case 0x1e:
	case 0x18: /* prefetch */
	case 0x0d:
		return KMEMCHECK_ON;
	case 0xaf:
		if (f->carry & (kmemcheck_reg(insn, false) |
				(kmemcheck_in_memory(insn) ? 0 : kmemcheck_rm(insn, false))))
			return KMEMCHECK_USED;
		kmemcheck_assign(f, kmemcheck_reg(insn, false), false);
		f->flags = false;
		return KMEMCHECK_ON;
	case 0xb6: case 0xb7: case 0xbe: case 0xbf:
		kmemcheck_load(f, insn, !(op & 1), false);
		return KMEMCHECK_ON;
	case 0x40 ... 0x4f:
		if (f->flags)
			return KMEMCHECK_USED;
		/* One of two, and nobody says which. */
		f->changed |= kmemcheck_reg(insn, false);
		if (f->carry & (kmemcheck_reg(insn, false) |
				(kmemcheck_in_memory(insn) ? 0 : kmemcheck_rm(insn, false)))) {
			f->carry |= kmemcheck_reg(insn, false);
			f->mixed |= kmemcheck_reg(insn, false);
		}
		return KMEMCHECK_ON;
	case 0x80 ... 0x8f:
		return f->flags ? KMEMCHECK_USED : kmemcheck_undecided(f);
	case 0x90 ... 0x9f:
		if (f->flags)
			return KMEMCHECK_USED;
		if (!kmemcheck_in_memory(insn))
			kmemcheck_set_part(f, kmemcheck_rm(insn, true));
		return KMEMCHECK_ON;
	}
	return kmemcheck_undecided(f);
}
NOKPROBE_SYMBOL(kmemcheck_two_bytes);

/* Where a call or jump leads to that goes where a register says: that, or 0. */
static u32 kmemcheck_thunk(unsigned long target)
{
#ifdef CONFIG_MITIGATION_RETPOLINE
	unsigned long offset = target - (unsigned long)__x86_indirect_thunk_array;

	if (offset < 16 * RETPOLINE_THUNK_SIZE)
		return BIT(offset / RETPOLINE_THUNK_SIZE);
#endif
	return 0;
}
NOKPROBE_SYMBOL(kmemcheck_thunk);

/*
 * What a thunk that SLUB and others tell us by gets its arguments in, or 0 if it is none of
 * them: they leave all registers but rax alone.
 */
static u32 kmemcheck_own_arguments(unsigned long target)
{
	static const struct {
		const void *thunk;
		u32 arguments;
	} own[] = {
		{ __raw_callee_save___pv_kmemcheck_seen, BIT(7) },
		{ __raw_callee_save___pv_kmemcheck_slab_alloc, BIT(7) | BIT(6) | BIT(2) },
		{ __raw_callee_save___pv_kmemcheck_slab_free, BIT(7) | BIT(6) },
		{ __raw_callee_save___pv_kmemcheck_new_slab, BIT(7) | BIT(6) | BIT(2) | BIT(1) },
		{ __raw_callee_save___pv_kmemcheck_free_page, BIT(7) | BIT(6) },
		{ __raw_callee_save___pv_kmemcheck_get_pages, BIT(7) | BIT(6) | BIT(2) },
		{ __raw_callee_save___pv_kmemcheck_mark, BIT(7) | BIT(6) | BIT(2) },
		{ __raw_callee_save___pv_kmemcheck_copy_to_user, BIT(7) | BIT(6) | BIT(2) | BIT(1) },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(own); i++)
		if (target == (unsigned long)own[i].thunk)
			return own[i].arguments;
	return 0;
}
NOKPROBE_SYMBOL(kmemcheck_own_arguments);

/*
 * What is in an argument's register may be an argument, or left from before. Some functions
 * in assembler take one in rax.
 */
static int kmemcheck_call(struct kmemcheck_flow_state *f, unsigned long target)
{
	u32 own = kmemcheck_own_arguments(target);
	u32 scratch = own ? BIT(0) : KMEMCHECK_SCRATCH;

	if (f->carry & kmemcheck_thunk(target))
		return KMEMCHECK_USED;
	if (f->carry & (own ?: KMEMCHECK_ARGUMENTS | BIT(0)))
		return kmemcheck_undecided(f);
	f->carry &= ~scratch;
	f->changed |= scratch;
	f->flags = false;
	return KMEMCHECK_ON;
}
NOKPROBE_SYMBOL(kmemcheck_call);

/* f6, f7: test not neg mul imul div idiv. */
static int kmemcheck_unary(struct kmemcheck_flow_state *f, const struct insn *insn)
{
	u8 what = X86_MODRM_REG(insn->modrm.value);
	u32 reg = kmemcheck_in_memory(insn) ? 0 :
		  kmemcheck_rm(insn, insn->opcode.bytes[0] == 0xf6);

	if (what == 2) {
		f->changed |= reg;
		return KMEMCHECK_ON;
	}
	if (what >= 4)
		reg |= BIT(0) | BIT(2);
	if (f->carry & reg)
		return KMEMCHECK_USED;
	f->changed |= reg;
	f->flags = false;
	return KMEMCHECK_ON;
}
NOKPROBE_SYMBOL(kmemcheck_unary);

/* fe, ff: inc dec call jmp push. */
static int kmemcheck_group5(struct kmemcheck_flow_state *f, const struct insn *insn)
{
	u8 what = X86_MODRM_REG(insn->modrm.value);
	u32 reg = kmemcheck_in_memory(insn) ? 0 :
		  kmemcheck_rm(insn, insn->opcode.bytes[0] == 0xfe);

	if (f->carry & reg)
		return KMEMCHECK_USED;
	switch (what) {
	case 0: case 1: /* they leave the carry flag */
		f->changed |= reg;
		return KMEMCHECK_ON;
	case 2:
		return kmemcheck_call(f, 0);
	case 6:
		return KMEMCHECK_ON;
	}
	return kmemcheck_undecided(f);
}
NOKPROBE_SYMBOL(kmemcheck_group5);

static int kmemcheck_return(struct kmemcheck_flow_state *f)
{
	return f->carry & BIT(0) ? kmemcheck_undecided(f) : kmemcheck_gone(f);
}
NOKPROBE_SYMBOL(kmemcheck_return);

/* Where a jump leads to that is none back to the caller, or onto somewhere unknown. */
static bool kmemcheck_is_return(unsigned long target)
{
#ifdef CONFIG_MITIGATION_RETHUNK
	return target == (unsigned long)__x86_return_thunk ||
	       target == (unsigned long)x86_return_thunk;
#else
	return false;
#endif
}
NOKPROBE_SYMBOL(kmemcheck_is_return);

/* One instruction. Return: what is known then, or KMEMCHECK_ON. */
static int kmemcheck_step(struct kmemcheck_flow_state *f, const struct insn *insn,
			  unsigned long ip)
{
	u8 op = insn->opcode.bytes[0];
	bool bytes = !(op & 1);

	if (insn_is_avx((struct insn *)insn))
		return kmemcheck_undecided(f);
	if (op == 0x0f)
		return kmemcheck_two_bytes(f, insn);

	switch (op) {
	case 0x00 ... 0x05: case 0x08 ... 0x0d: case 0x10 ... 0x15: case 0x18 ... 0x1d:
	case 0x20 ... 0x25: case 0x28 ... 0x2d: case 0x30 ... 0x35: case 0x38 ... 0x3d:
		return kmemcheck_arithmetic(f, insn);
	case 0x80: case 0x81: case 0x83:
		return kmemcheck_immediate(f, insn);
	case 0x88: case 0x89:
		return kmemcheck_move(f, insn, ip, bytes);
	case 0x8a: case 0x8b:
		kmemcheck_load(f, insn, bytes, bytes || insn->opnd_bytes < 4);
		return KMEMCHECK_ON;
	case 0x63:
		kmemcheck_load(f, insn, false, false);
		return KMEMCHECK_ON;
	case 0x8d:
		kmemcheck_assign(f, kmemcheck_reg(insn, false), false);
		return KMEMCHECK_ON;
	case 0xc7:
		if (!kmemcheck_in_memory(insn))
			kmemcheck_assign(f, kmemcheck_rm(insn, false), false);
		return KMEMCHECK_ON;
	case 0xc6:
		if (!kmemcheck_in_memory(insn))
			kmemcheck_set_part(f, kmemcheck_rm(insn, true));
		return KMEMCHECK_ON;
	case 0x90: /* nop, but with r8 an xchg */
		return X86_REX_B(insn->rex_prefix.value) ? kmemcheck_undecided(f) : KMEMCHECK_ON;
	case 0x68: case 0x6a:
		return KMEMCHECK_ON;
	case 0xb0 ... 0xb7:
		kmemcheck_set_part(f, kmemcheck_register(insn, op & 7,
							 X86_REX_B(insn->rex_prefix.value), true));
		return KMEMCHECK_ON;
	case 0xa8: case 0xa9:
		if (f->carry & BIT(0))
			return KMEMCHECK_USED;
		f->flags = false;
		return KMEMCHECK_ON;
	case 0x98:
		f->changed |= BIT(0);
		return KMEMCHECK_ON;
	case 0x99:
		kmemcheck_assign(f, BIT(2), f->carry & BIT(0));
		return KMEMCHECK_ON;
	case 0x69: case 0x6b:
		if (!kmemcheck_in_memory(insn) && (f->carry & kmemcheck_rm(insn, false)))
			return KMEMCHECK_USED;
		kmemcheck_assign(f, kmemcheck_reg(insn, false), false);
		f->flags = false;
		return KMEMCHECK_ON;
	case 0xb8 ... 0xbf:
		kmemcheck_assign(f, BIT((op & 7) | (X86_REX_B(insn->rex_prefix.value) ? 8 : 0)),
				 false);
		return KMEMCHECK_ON;
	case 0xc0: case 0xc1: case 0xd0: case 0xd1:
		/* rcl, rcr */
		if (f->flags && (X86_MODRM_REG(insn->modrm.value) & 6) == 2)
			return KMEMCHECK_USED;
		if (!kmemcheck_in_memory(insn))
			kmemcheck_combine(f, kmemcheck_rm(insn, bytes), 0, false);
		return KMEMCHECK_ON;
	case 0x84: case 0x85:
		if (f->carry & (kmemcheck_reg(insn, bytes) |
				(kmemcheck_in_memory(insn) ? 0 : kmemcheck_rm(insn, bytes))))
			return KMEMCHECK_USED;
		f->flags = false;
		return KMEMCHECK_ON;
	case 0x50 ... 0x57:
		return f->carry & BIT((op & 7) | (X86_REX_B(insn->rex_prefix.value) ? 8 : 0)) ?
		       KMEMCHECK_USED : KMEMCHECK_ON;
	case 0x58 ... 0x5f:
		kmemcheck_assign(f, BIT((op & 7) | (X86_REX_B(insn->rex_prefix.value) ? 8 : 0)),
				 false);
		return KMEMCHECK_ON;
	case 0x70 ... 0x7f:
		return f->flags ? KMEMCHECK_USED : kmemcheck_undecided(f);
	case 0xf6: case 0xf7:
		return kmemcheck_unary(f, insn);
	case 0xfe: case 0xff:
		return kmemcheck_group5(f, insn);
	case 0xe8:
		return kmemcheck_call(f, ip + insn->length + (long)insn->immediate.value);
	case 0xc3:
		return kmemcheck_return(f);
	}
	return kmemcheck_undecided(f);
}
NOKPROBE_SYMBOL(kmemcheck_step);

static bool kmemcheck_is_cmov(const struct insn *insn)
{
	return insn->opcode.bytes[0] == 0x0f && (insn->opcode.bytes[1] & 0xf0) == 0x40;
}
NOKPROBE_SYMBOL(kmemcheck_is_cmov);

/* Is the condition true that the end of an opcode says? */
static bool kmemcheck_condition(unsigned long flags, u8 condition)
{
	bool less = !(flags & X86_EFLAGS_SF) != !(flags & X86_EFLAGS_OF), is = false;

	switch (condition >> 1 & 7) {
	case 0:
		is = flags & X86_EFLAGS_OF;
		break;
	case 1:
		is = flags & X86_EFLAGS_CF;
		break;
	case 2:
		is = flags & X86_EFLAGS_ZF;
		break;
	case 3:
		is = flags & (X86_EFLAGS_CF | X86_EFLAGS_ZF);
		break;
	case 4:
		is = flags & X86_EFLAGS_SF;
		break;
	case 5:
		is = flags & X86_EFLAGS_PF;
		break;
	case 6:
		is = less;
		break;
	case 7:
		is = less || (flags & X86_EFLAGS_ZF);
		break;
	}
	return is != (condition & 1);
}
NOKPROBE_SYMBOL(kmemcheck_condition);

/* The register that a plain load sets, or 0, and how much of it is what was read. */
static u32 kmemcheck_loaded(const struct insn *insn, u8 *width)
{
	u8 op = insn->opcode.bytes[0];

	if (insn_is_avx((struct insn *)insn))
		return 0;
	*width = insn->opnd_bytes;
	if (kmemcheck_is_cmov(insn))
		return kmemcheck_reg(insn, false);
	if (op == 0x0f) {
		op = insn->opcode.bytes[1];
		*width = op & 1 ? 2 : 1;
		return op == 0xb6 || op == 0xb7 || op == 0xbe || op == 0xbf ?
		       kmemcheck_reg(insn, false) : 0;
	}
	if (op == 0x8a)
		*width = 1;
	else if (op == 0x63)
		*width = 4;
	if (op == 0x8a || op == 0x8b || op == 0x63)
		return kmemcheck_reg(insn, op == 0x8a);
	return 0;
}
NOKPROBE_SYMBOL(kmemcheck_loaded);

static bool kmemcheck_is_nop(const struct insn *insn)
{
	return insn->opcode.bytes[0] == 0x0f &&
	       (insn->opcode.bytes[1] == 0x1f || insn->opcode.bytes[1] == 0x18 ||
		insn->opcode.bytes[1] == 0x0d);
}
NOKPROBE_SYMBOL(kmemcheck_is_nop);

/**
 * kmemcheck_follow - is what was read looked at
 * @ip:	   the instruction that read it
 * @regs:  registers as it left them
 * @store: if it is copied: the instruction that stores it first
 *
 * Any context.
 */
enum kmemcheck_flow kmemcheck_follow(unsigned long ip, const struct pt_regs *regs,
				     struct kmemcheck_store *store)
{
	struct kmemcheck_flow_state f = { .regs = regs, .store = store };
	unsigned long target;
	struct insn insn;
	unsigned int i;
	int what;

	if (!kmemcheck_read(&f.first, ip))
		return KMEMCHECK_USED;
	f.carry = kmemcheck_loaded(&f.first, &f.width);
	if (!f.carry)
		return KMEMCHECK_USED;
	/* It reads in any case. */
	if (kmemcheck_is_cmov(&f.first) &&
	    !kmemcheck_condition(regs->flags, f.first.opcode.bytes[1]))
		return KMEMCHECK_UNUSED;
	/* ah to bh are the second byte of a register. */
	if (f.first.opcode.bytes[0] == 0x8a && !f.first.rex_prefix.nbytes &&
	    X86_MODRM_REG(f.first.modrm.value) >= 4)
		f.mixed = f.carry;
	/* Its address is not known any more, if that was overwritten. */
	f.changed = f.carry & kmemcheck_address(&f.first);
	ip += f.first.length;

	for (i = 0; i < KMEMCHECK_AHEAD; i++, ip += insn.length) {
		if (!kmemcheck_read(&insn, ip))
			break;
		if (!insn_is_avx(&insn) &&
		    (insn.opcode.bytes[0] == 0xe9 || insn.opcode.bytes[0] == 0xeb)) {
			target = ip + insn.length + (long)insn.immediate.value;
			if (kmemcheck_is_return(target))
				return kmemcheck_return(&f);
			if (kmemcheck_thunk(target))
				return f.carry & kmemcheck_thunk(target) ? KMEMCHECK_USED :
				       kmemcheck_undecided(&f);
			ip = target - insn.length;
			continue;
		}
		if (!kmemcheck_is_nop(&insn) && (f.carry & kmemcheck_address(&insn)))
			return KMEMCHECK_USED;
		what = kmemcheck_step(&f, &insn, ip);
		if (what != KMEMCHECK_ON)
			return what;
		if (!f.carry && !f.flags)
			return kmemcheck_gone(&f);
	}
	return kmemcheck_undecided(&f);
}
NOKPROBE_SYMBOL(kmemcheck_follow);

/**
 * kmemcheck_sets_bits - does an instruction set or clear bits in memory, or exchange all
 * @ip: it
 *
 * And looks at no other: what these were is not asked.
 */
bool kmemcheck_sets_bits(unsigned long ip)
{
	struct insn insn;
	u8 op, what;

	if (!kmemcheck_read(&insn, ip))
		return false;
	op = insn.opcode.bytes[0];
	what = X86_MODRM_REG(insn.modrm.value);
	switch (op) {
	case 0x08: case 0x09: case 0x20: case 0x21: case 0x30: case 0x31:
	case 0x86: case 0x87:
		return true;
	case 0x80: case 0x81: case 0x83:
		return what == 1 || what == 4 || what == 6;
	case 0x0f:
		op = insn.opcode.bytes[1];
		return op == 0xab || op == 0xb3 || op == 0xbb || (op == 0xba && what >= 5);
	}
	return false;
}
NOKPROBE_SYMBOL(kmemcheck_sets_bits);
