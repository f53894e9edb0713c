/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an instruction does to memory, as far as its value and width can be told
 * from the registers.
 */
#ifndef _PV_SHADOW_DECODE_H
#define _PV_SHADOW_DECODE_H

#include <linux/types.h>

struct pt_regs;

enum pvs_insn_type {
	PVS_INSN_UNKNOWN,
	PVS_INSN_LOAD,	/* memory to register */
	PVS_INSN_STORE,	/* register or immediate to memory */
	PVS_INSN_MOVS,	/* memory to memory */
};

/**
 * struct pvs_insn - one instruction, or one element of a string instruction
 * @type:     what it does
 * @addr:     address of the memory operand; of MOVS: of the source
 * @dst:      of MOVS: address of the destination
 * @value:    of a store
 * @reg:      of a load: offset in struct pt_regs where the register's bytes are
 * @reg_size: of a load: bytes of the register that it sets
 * @extend:   of a load: the value is sign-extended
 * @string:   it is a string instruction
 * @rep:      ... and the count register counts
 * @move_si:  the source index moves on
 * @move_di:  the destination index moves on
 * @addr_size: bytes of the address registers
 * @width:    bytes of the memory operand
 * @len:      bytes of the instruction
 * @bytes:    its first three bytes, the first one highest
 */
struct pvs_insn {
	enum pvs_insn_type	type;
	unsigned long		addr;
	unsigned long		dst;
	u64			value;
	u8			reg;
	u8			reg_size;
	bool			extend;
	bool			string;
	bool			rep;
	bool			move_si;
	bool			move_di;
	u8			addr_size;
	u8			width;
	u8			len;
	u32			bytes;
};

void pvs_decode(struct pvs_insn *out, struct pt_regs *regs);
u64 pvs_loaded_value(const struct pvs_insn *insn, const struct pt_regs *regs);
void pvs_complete(const struct pvs_insn *insn, struct pt_regs *regs, u64 value);

#endif /* _PV_SHADOW_DECODE_H */
