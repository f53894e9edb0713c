/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an instruction does to memory. What its text says is told once and may be
 * kept per address; what it means with the registers of the moment is resolved
 * each time.
 */
#ifndef _PV_SHADOW_DECODE_H
#define _PV_SHADOW_DECODE_H

#include <linux/types.h>

struct insn;
struct pt_regs;
struct pvs_prefixes;

enum pvs_insn_type {
	PVS_INSN_UNKNOWN,
	PVS_INSN_LOAD,	/* memory to register */
	PVS_INSN_STORE,	/* register or immediate to memory */
	PVS_INSN_MOVS,	/* memory to memory */
	PVS_INSN_EXEC,	/* anything else with one operand in memory */
};

/* How the operand of a locked instruction can be told from the registers. */
enum pvs_locked {
	PVS_LOCKED_NO,
	PVS_LOCKED_XCHG,
	PVS_LOCKED_XADD,
	PVS_LOCKED_CMPXCHG,
	PVS_LOCKED_CMPXCHG2,	/* cmpxchg8b, cmpxchg16b */
	PVS_LOCKED_OTHER,	/* it cannot */
};

/* Bytes of the widest operand. */
#define PVS_MAX_WIDTH	64

#define PVS_NO_REG	0xff
#define PVS_CODE_SIZE	24

/**
 * struct pvs_insn - one instruction, or one element of a string instruction
 * @type:     what it does
 * @len:      bytes of the instruction
 * @width:    bytes of the memory operand, 1 to 64, a power of two
 * @addr_size: bytes of the address registers
 * @bytes:    its first three bytes, the first one highest
 * @reads:    it reads the memory operand; of MOVS: @base...
 * @writes:   it writes the memory operand; of MOVS: @dst
 * @locked:   it does so in one, and what is known then; enum pvs_locked
 * @aligned:  it faults unless the address is a multiple of @width; of @direct: the
 *	      destination's
 * @base:     offset in struct pt_regs of the base register, or PVS_NO_REG
 * @index:    ... of the index register, or PVS_NO_REG
 * @scale:    bits that the index is shifted by
 * @disp:     what is added to that; with the address of the next instruction, if
 *	      it is relative to that
 * @dst:      of MOVS: offset of the register with the destination's address
 * @reg:      of LOAD and STORE: offset of the register's bytes, or PVS_NO_REG; of
 *	      an exchange: likewise
 * @reg_size: bytes of the register that a LOAD sets
 * @extend:   the loaded value is sign-extended
 * @imm:      of a STORE that has no @reg: the value
 * @string:   it is a string instruction
 * @rep:      ... and the count register counts
 * @move_si:  the source index moves on
 * @move_di:  the destination index moves on
 * @direct:   movdir64b: a MOVS that is no string instruction
 * @pop:      a STORE of what is on top of the stack
 * @stepped:  a LOAD that only the processor itself can do: to the stack, where the
 *	      fault's own frame is, with no @reg; or to the instruction pointer, which
 *	      it may have to check
 * @bits:     offset of the register whose bits above those of the operand move
 *	      the operand (bt, bts, btr, btc), or PVS_NO_REG
 * @exec_base: of EXEC: offset of the register that holds the operand's address
 *	      when @code runs
 * @code_len: bytes of @code
 * @code:     of EXEC: the instruction with (%exec_base) for its memory operand
 */
struct pvs_insn {
	enum pvs_insn_type	type;
	u32			bytes;
	unsigned long		disp;
	u64			imm;
	u8			len;
	u8			width;
	u8			addr_size;
	u8			locked;
	bool			reads;
	bool			writes;
	bool			aligned;
	u8			base;
	u8			index;
	u8			scale;
	u8			dst;
	u8			reg;
	u8			reg_size;
	bool			extend;
	bool			string;
	bool			rep;
	bool			move_si;
	bool			move_di;
	bool			direct;
	bool			pop;
	bool			stepped;
	u8			bits;
	u8			exec_base;
	u8			code_len;
	u8			code[PVS_CODE_SIZE];
};

/**
 * struct pvs_operands - an instruction's operands with the registers of the moment
 * @addr:   address of the memory operand; of MOVS: of the source
 * @dst:    of MOVS: address of the destination
 * @value:  of STORE: what is stored
 * @offset: of EXEC: what the code itself adds to the address it is given (the
 *	    bit tests do), so that this has to be lower
 */
struct pvs_operands {
	unsigned long	addr;
	unsigned long	dst;
	u64		value;
	unsigned long	offset;
};

void pvs_decode(struct pvs_insn *insn, const u8 *text, unsigned int len,
		unsigned long ip);
void pvs_decode_operand(struct pvs_insn *insn, struct pvs_prefixes *p, struct insn *decoded,
			const u8 *text, unsigned long ip);
void pvs_resolve(const struct pvs_insn *insn, const struct pt_regs *regs,
		 struct pvs_operands *ops);
u64 pvs_loaded_value(const struct pvs_insn *insn, const struct pt_regs *regs);
bool pvs_locked_values(const struct pvs_insn *insn, const struct pt_regs *before,
		       const struct pt_regs *after, u64 *old, u64 *new);
bool pvs_rep_left(const struct pvs_insn *insn, const struct pt_regs *regs);
void pvs_skip(const struct pvs_insn *insn, struct pt_regs *regs, unsigned int count);
void pvs_complete(const struct pvs_insn *insn, struct pt_regs *regs, u64 value);

#endif /* _PV_SHADOW_DECODE_H */
