/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each opcode does with its memory operand, and what prefixes say.
 */
#ifndef _PV_SHADOW_OPCODES_H
#define _PV_SHADOW_OPCODES_H

#include <linux/bits.h>
#include <linux/types.h>

/* Bytes of the memory operand. */
enum pvs_op_width {
	PVS_WIDTH_1,
	PVS_WIDTH_2,
	PVS_WIDTH_4,
	PVS_WIDTH_8,
	PVS_WIDTH_16,
	PVS_WIDTH_32,
	PVS_WIDTH_OPERAND,	/* the operand size: 2, 4, 8 */
	PVS_WIDTH_REX,		/* 8 with REX.W or VEX.W, else 4 */
	PVS_WIDTH_REX2,		/* twice that */
	PVS_WIDTH_MOVSXD,	/* 4, if the operand size is no less */
	PVS_WIDTH_VECTOR,	/* the vector length */
	PVS_WIDTH_HALF,		/* ... or a part of it */
	PVS_WIDTH_QUARTER,
	PVS_WIDTH_EIGHTH,
	PVS_WIDTH_DUP,		/* movddup: 8 of 16, all of longer ones */
};

enum pvs_op_kind {
	PVS_KIND_EXEC,
	PVS_KIND_LOAD,		/* the register is as wide as the operand */
	PVS_KIND_LOAD_ZX,	/* the register has the operand size */
	PVS_KIND_LOAD_SX,
	PVS_KIND_STORE,
	PVS_KIND_STORE_IMM,
	PVS_KIND_MOFFS_LOAD,
	PVS_KIND_MOFFS_STORE,
	PVS_KIND_MOVS,
	PVS_KIND_STOS,
	PVS_KIND_LODS,
	PVS_KIND_DIRECT,	/* movdir64b */
	PVS_KIND_PUSH,
	PVS_KIND_POP,
	PVS_KIND_JUMP,		/* and call */
};

/* A descriptor; 0: not handled. */
#define PVS_OP_WIDTH(op)	((op) & 0xf)
#define PVS_OP_KIND(op)		((op) >> 4 & 0xf)
#define PVS_OP_LOCKED(op)	((op) >> 8 & 0x7)	/* enum pvs_locked */
#define PVS_OP_READ		BIT(11)
#define PVS_OP_WRITE		BIT(12)
#define PVS_OP_LEGACY		BIT(13)	/* has an encoding without VEX */
#define PVS_OP_VEX		BIT(14)
#define PVS_OP_EVEX		BIT(15)
#define PVS_OP_UNALIGNED	BIT(16)	/* without VEX, 16 bytes need no alignment */
#define PVS_OP_ALIGNED		BIT(17)	/* whatever the encoding and width, they do */
#define PVS_OP_GPR		BIT(18)	/* the reg field is a general register */
#define PVS_OP_BYTE_REG		BIT(19)	/* ... or a byte of one */
#define PVS_OP_BITS		BIT(20)	/* the register's bits move the operand */
#define PVS_OP_IMPLICIT_LOCK	BIT(21)
#define PVS_OP_VVVV_GPR		BIT(22)	/* VEX.vvvv is a general register */

/**
 * enum pvs_map - opcode maps
 * @PVS_MAP_ONE:  one-byte opcodes
 * @PVS_MAP_0F:   those after 0f, VEX map 1
 * @PVS_MAP_0F38: those after 0f 38, VEX map 2
 * @PVS_MAP_0F3A: those after 0f 3a, VEX map 3
 * @PVS_NR_MAPS:  how many
 */
enum pvs_map {
	PVS_MAP_ONE,
	PVS_MAP_0F,
	PVS_MAP_0F38,
	PVS_MAP_0F3A,
	PVS_NR_MAPS
};

/**
 * enum pvs_pfx - mandatory prefix, numbered as in VEX.pp
 * @PVS_PFX_NONE: none
 * @PVS_PFX_66:   66
 * @PVS_PFX_F3:   f3, with or without 66
 * @PVS_PFX_F2:   f2, with or without 66
 * @PVS_NR_PFX:   how many
 */
enum pvs_pfx {
	PVS_PFX_NONE,
	PVS_PFX_66,
	PVS_PFX_F3,
	PVS_PFX_F2,
	PVS_NR_PFX
};

/* Prefixes of segments that have a base. */
#define PVS_FS		0x64
#define PVS_GS		0x65

/**
 * struct pvs_prefixes - what the prefixes before REX and VEX say
 * @mandatory: as a part of the opcode
 * @opnd_size: 66
 * @rep:       f2 or f3
 * @lock:      f0
 * @segment:   PVS_FS, PVS_GS or 0
 */
struct pvs_prefixes {
	enum pvs_pfx	mandatory;
	bool		opnd_size;
	bool		rep;
	bool		lock;
	u8		segment;
};

u32 pvs_opcode(enum pvs_map map, u8 opcode, enum pvs_pfx pfx, u8 modrm);

#endif /* _PV_SHADOW_OPCODES_H */
