// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each opcode does with its memory operand: the tables.
 *
 * An opcode has a class; a class has a descriptor for each mandatory prefix. Where
 * the reg field of ModRM is a part of the opcode, the class is that of a group.
 *
 * Not in the tables, and so left to single-stepping with no value shown, is what does
 * more than access one operand with one width: what may be interrupted half way, what
 * faults on its operand's value, what masks its operand, x87 and the
 * instructions that save and restore state.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>

#include "decode.h"
#include "opcodes.h"

enum pvs_class {
	C_NONE,
	/* general registers; ..8: byte operand */
	C_READ_REG8, C_READ_REG, C_RMW_REG8, C_RMW_REG,
	C_READ8, C_READ, C_RMW8, C_RMW, C_WRITE8,
	C_XCHG8, C_XCHG, C_XADD8, C_XADD, C_CMPXCHG8, C_CMPXCHG, C_CMPXCHG2,
	C_BT, C_BTS,
	C_BSF, C_POPCNT, C_MOVBE_LD, C_MOVBE_ST, C_CRC32, C_ADX,
	C_VGPR, C_VGPR_GROUP, C_BZHI, C_BEXTR, C_RORX,
	/* moves */
	C_LOAD8, C_LOAD, C_STORE8, C_STORE, C_IMM8, C_IMM,
	C_ZX8, C_ZX16, C_SX8, C_SX16, C_SXD,
	C_MOFFS_LD8, C_MOFFS_LD, C_MOFFS_ST8, C_MOFFS_ST,
	C_MOVS8, C_MOVS, C_STOS8, C_STOS, C_LODS8, C_LODS,
	C_MOVNTI, C_MOVDIRI, C_MOVDIR64B,
	C_PUSH, C_POP, C_JUMP,
	/* vectors, named after what they are for */
	C_MOVU_LD, C_MOVU_ST, C_MOVA_LD, C_MOVA_ST, C_MOVLP_LD, C_MOVHP_LD,
	C_MOVLP_ST, C_MOVD_LD, C_MOVD_ST, C_MOVDQ_LD, C_MOVDQ_ST, C_MOVQ_ST,
	C_MOVNTDQ, C_MOVNTDQA, C_LDDQU,
	C_PS_PD, C_PS_PD_SS_SD, C_PS_SS, C_COMIS,
	C_CVTPI2PS, C_CVTPS2PI, C_CVTPS2PD, C_CVTDQ2PS, C_CVTDQ2PD,
	C_CVTPH2PS, C_CVTPS2PH,
	C_MMX, C_MMX_NO_EVEX, C_MMX4, C_MMX_SHIFT, C_SSE, C_SSE_NO_EVEX,
	C_SSE_ONLY, C_SHA, C_HADD, C_PSHUF, C_PINSRW, C_PCMPSTR,
	C_VEX_ONLY, C_VEX_EVEX, C_SCALAR_W, C_R4, C_R8, C_R16,
	C_PMOVX2, C_PMOVX4, C_PMOVX8,
	C_BCAST1, C_BCAST2, C_BCAST4, C_BCAST8, C_BCAST16, C_BCAST32,
	C_EXTRACT1, C_EXTRACT2, C_EXTRACT4, C_EXTRACT_W, C_EXTRACT16, C_EXTRACT32,
	C_INSERT1, C_INSERT_W, C_INSERT16,
	/* groups; see pvs_groups */
	G_ALU8, G_ALU, G_SHIFT8, G_SHIFT, G_UNARY8, G_UNARY, G_INC8, G_INC,
	G_BT, G_CMPXCHG2, G_IMM8, G_IMM, G_POP, G_BLSR,
	NR_CLASSES,
	G_FIRST = G_ALU8,
};

#define R	PVS_OP_READ
#define W	PVS_OP_WRITE
#define L	PVS_OP_LEGACY
#define V	PVS_OP_VEX
#define E	PVS_OP_EVEX
#define UN	PVS_OP_UNALIGNED
#define AL	PVS_OP_ALIGNED
#define REG	PVS_OP_GPR
#define VVVV	PVS_OP_VVVV_GPR
#define REG8	(PVS_OP_GPR | PVS_OP_BYTE_REG)

#define W1	PVS_WIDTH_1
#define W2	PVS_WIDTH_2
#define W4	PVS_WIDTH_4
#define W8	PVS_WIDTH_8
#define W16	PVS_WIDTH_16
#define W32	PVS_WIDTH_32
#define WO	PVS_WIDTH_OPERAND
#define WX	PVS_WIDTH_REX
#define WV	PVS_WIDTH_VECTOR

#define KIND(kind)	(PVS_KIND_##kind << 4)
#define LOCKED(how)	(PVS_LOCKED_##how << 8)

/* The prefixes 66, f3, f2 make no other instruction of it. */
#define ANY(op)		{ op, op, op, op }
#define ANY_L(op)	ANY((op) | L)
#define MOVE(kind, op)	ANY((op) | KIND(kind) | L)

/* All encodings; those of SSE alone, of AVX, of AVX-512. */
#define LVE(op)		((op) | L | V | E)
#define LV(op)		((op) | L | V)
#define VE(op)		((op) | V | E)

/* In the order none, 66, f3, f2. */
static const u32 pvs_classes[G_FIRST][PVS_NR_PFX] = {
	[C_READ_REG8]	= ANY_L(R | W1 | REG8),
	[C_READ_REG]	= ANY_L(R | WO | REG),
	[C_RMW_REG8]	= ANY_L(R | W | W1 | REG8),
	[C_RMW_REG]	= ANY_L(R | W | WO | REG),
	[C_READ8]	= ANY_L(R | W1),
	[C_READ]	= ANY_L(R | WO),
	[C_RMW8]	= ANY_L(R | W | W1),
	[C_RMW]		= ANY_L(R | W | WO),
	[C_WRITE8]	= ANY_L(W | W1),
	[C_XCHG8]	= ANY_L(R | W | W1 | REG8 | LOCKED(XCHG) | PVS_OP_IMPLICIT_LOCK),
	[C_XCHG]	= ANY_L(R | W | WO | REG | LOCKED(XCHG) | PVS_OP_IMPLICIT_LOCK),
	[C_XADD8]	= ANY_L(R | W | W1 | REG8 | LOCKED(XADD)),
	[C_XADD]	= ANY_L(R | W | WO | REG | LOCKED(XADD)),
	[C_CMPXCHG8]	= ANY_L(R | W | W1 | REG8 | LOCKED(CMPXCHG)),
	[C_CMPXCHG]	= ANY_L(R | W | WO | REG | LOCKED(CMPXCHG)),
	[C_CMPXCHG2]	= ANY_L(R | W | PVS_WIDTH_REX2 | LOCKED(CMPXCHG2)),
	[C_BT]		= ANY_L(R | WO | REG | PVS_OP_BITS),
	[C_BTS]		= ANY_L(R | W | WO | REG | PVS_OP_BITS),
	[C_BSF]		= ANY_L(R | WO | REG),
	[C_POPCNT]	= { 0, 0, R | WO | REG | L, 0 },
	[C_MOVBE_LD]	= { R | WO | REG | L, R | WO | REG | L, 0, R | W1 | REG | L },
	[C_MOVBE_ST]	= { W | WO | REG | L, W | WO | REG | L, 0, R | WO | REG | L },
	[C_ADX]		= { 0, R | WX | REG | L, R | WX | REG | L, R | WX | REG | VVVV | V },
	[C_VGPR]	= { R | WX | REG | VVVV | V },
	[C_VGPR_GROUP]	= { R | WX | VVVV | V },
	[C_BZHI]	= { R | WX | REG | VVVV | V, 0,
			    R | WX | REG | VVVV | V, R | WX | REG | VVVV | V },
	[C_BEXTR]	= ANY(R | WX | REG | VVVV | V),
	[C_RORX]	= { 0, 0, 0, R | WX | REG | V },

	[C_LOAD8]	= MOVE(LOAD, R | W1 | REG8),
	[C_LOAD]	= MOVE(LOAD, R | WO | REG),
	[C_STORE8]	= MOVE(STORE, W | W1 | REG8),
	[C_STORE]	= MOVE(STORE, W | WO | REG),
	[C_IMM8]	= MOVE(STORE_IMM, W | W1),
	[C_IMM]		= MOVE(STORE_IMM, W | WO),
	[C_ZX8]		= MOVE(LOAD_ZX, R | W1 | REG),
	[C_ZX16]	= MOVE(LOAD_ZX, R | W2 | REG),
	[C_SX8]		= MOVE(LOAD_SX, R | W1 | REG),
	[C_SX16]	= MOVE(LOAD_SX, R | W2 | REG),
	[C_SXD]		= MOVE(LOAD_SX, R | PVS_WIDTH_MOVSXD | REG),
	[C_MOFFS_LD8]	= MOVE(MOFFS_LOAD, R | W1),
	[C_MOFFS_LD]	= MOVE(MOFFS_LOAD, R | WO),
	[C_MOFFS_ST8]	= MOVE(MOFFS_STORE, W | W1),
	[C_MOFFS_ST]	= MOVE(MOFFS_STORE, W | WO),
	[C_MOVS8]	= MOVE(MOVS, R | W | W1),
	[C_MOVS]	= MOVE(MOVS, R | W | WO),
	[C_STOS8]	= MOVE(STOS, W | W1),
	[C_STOS]	= MOVE(STOS, W | WO),
	[C_LODS8]	= MOVE(LODS, R | W1),
	[C_LODS]	= MOVE(LODS, R | WO),
	[C_MOVNTI]	= { W | WX | REG | L | KIND(STORE) },
	[C_MOVDIRI]	= { W | WX | REG | L | KIND(STORE) },
	/* Its width is 64, which nothing else here has for itself. */
	[C_MOVDIR64B]	= { 0, R | W | REG | L | KIND(DIRECT) },

	[C_PUSH]	= MOVE(PUSH, R | W8),
	[C_POP]		= MOVE(POP, W | W8),
	[C_JUMP]	= MOVE(JUMP, R | W8),

	[C_MOVU_LD]	= { LVE(R | WV | UN), LVE(R | WV | UN), LVE(R | W4), LVE(R | W8) },
	[C_MOVU_ST]	= { LVE(W | WV | UN), LVE(W | WV | UN), LVE(W | W4), LVE(W | W8) },
	[C_MOVA_LD]	= { LVE(R | WV | AL), LVE(R | WV | AL) },
	[C_MOVA_ST]	= { LVE(W | WV | AL), LVE(W | WV | AL) },
	[C_MOVLP_LD]	= { LVE(R | W8), LVE(R | W8), LVE(R | WV), LVE(R | PVS_WIDTH_DUP) },
	[C_MOVHP_LD]	= { LVE(R | W8), LVE(R | W8), LVE(R | WV) },
	[C_MOVLP_ST]	= { LVE(W | W8), LVE(W | W8) },
	[C_MOVD_LD]	= { R | WX | L, LVE(R | WX) },
	[C_MOVD_ST]	= { W | WX | L, LVE(W | WX), LVE(R | W8) },
	[C_MOVDQ_LD]	= { R | W8 | L, LVE(R | WV | AL), LVE(R | WV | UN), R | WV | E },
	[C_MOVDQ_ST]	= { W | W8 | L, LVE(W | WV | AL), LVE(W | WV | UN), W | WV | E },
	[C_MOVQ_ST]	= { 0, LVE(W | W8) },
	[C_MOVNTDQ]	= { W | W8 | L, LVE(W | WV | AL) },
	[C_MOVNTDQA]	= { 0, LVE(R | WV | AL) },
	[C_LDDQU]	= { 0, 0, 0, LV(R | WV | UN) },
	[C_PS_PD]	= { LVE(R | WV), LVE(R | WV) },
	[C_PS_PD_SS_SD]	= { LVE(R | WV), LVE(R | WV), LVE(R | W4), LVE(R | W8) },
	[C_PS_SS]	= { LV(R | WV), 0, LV(R | W4) },
	[C_COMIS]	= { LVE(R | W4), LVE(R | W8) },
	[C_CVTPI2PS]	= { R | W8 | L, R | W8 | L, LVE(R | WX), LVE(R | WX) },
	[C_CVTPS2PI]	= { R | W8 | L, R | W16 | L, LVE(R | W4 | REG), LVE(R | W8 | REG) },
	[C_CVTPS2PD]	= { LVE(R | PVS_WIDTH_HALF), LVE(R | WV), LVE(R | W4), LVE(R | W8) },
	[C_CVTDQ2PS]	= { LVE(R | WV), LVE(R | WV), LVE(R | WV) },
	/* EVEX.W makes vcvtqq2pd of it, which reads twice as much. */
	[C_CVTDQ2PD]	= { 0, LVE(R | WV), LV(R | PVS_WIDTH_HALF), LVE(R | WV) },
	[C_CVTPH2PS]	= { 0, VE(R | PVS_WIDTH_HALF) },
	[C_CVTPS2PH]	= { 0, VE(W | PVS_WIDTH_HALF) },
	[C_MMX]		= { R | W8 | L, LVE(R | WV) },
	[C_MMX_NO_EVEX]	= { R | W8 | L, LV(R | WV) },
	[C_MMX4]	= { R | W4 | L, LVE(R | WV) },
	/* The count is 16 bytes, however long the vector is. */
	[C_MMX_SHIFT]	= { R | W8 | L, LVE(R | W16) },
	[C_SSE]		= { 0, LVE(R | WV) },
	[C_SSE_NO_EVEX]	= { 0, LV(R | WV) },
	[C_SSE_ONLY]	= { 0, R | WV | L },
	[C_SHA]		= { R | WV | L },
	[C_HADD]	= { 0, LV(R | WV), 0, LV(R | WV) },
	[C_PSHUF]	= { R | W8 | L, LVE(R | WV), LVE(R | WV), LVE(R | WV) },
	[C_PINSRW]	= { R | W2 | L, LVE(R | W2) },
	[C_PCMPSTR]	= { 0, LV(R | W16 | UN) },
	[C_VEX_ONLY]	= { 0, R | WV | V },
	[C_VEX_EVEX]	= { 0, VE(R | WV) },
	[C_SCALAR_W]	= { 0, VE(R | WX) },
	[C_R4]		= { 0, LVE(R | W4) },
	[C_R8]		= { 0, LVE(R | W8) },
	[C_R16]		= { 0, LV(R | W16) },
	[C_PMOVX2]	= { 0, LVE(R | PVS_WIDTH_HALF) },
	[C_PMOVX4]	= { 0, LVE(R | PVS_WIDTH_QUARTER) },
	[C_PMOVX8]	= { 0, LVE(R | PVS_WIDTH_EIGHTH) },
	[C_BCAST1]	= { 0, VE(R | W1) },
	[C_BCAST2]	= { 0, VE(R | W2) },
	[C_BCAST4]	= { 0, VE(R | W4) },
	[C_BCAST8]	= { 0, VE(R | W8) },
	[C_BCAST16]	= { 0, VE(R | W16) },
	[C_BCAST32]	= { 0, R | W32 | E },
	[C_EXTRACT1]	= { 0, LVE(W | W1) },
	[C_EXTRACT2]	= { 0, LVE(W | W2) },
	[C_EXTRACT4]	= { 0, LVE(W | W4) },
	[C_EXTRACT_W]	= { 0, LVE(W | WX) },
	[C_EXTRACT16]	= { 0, VE(W | W16) },
	[C_EXTRACT32]	= { 0, W | W32 | E },
	[C_INSERT1]	= { 0, LVE(R | W1) },
	[C_INSERT_W]	= { 0, LVE(R | WX) },
	[C_INSERT16]	= { 0, VE(R | W16) },
};

/* By the reg field of ModRM. */
static const u8 pvs_groups[NR_CLASSES - G_FIRST][8] = {
	[G_ALU8 - G_FIRST]	= { [0 ... 6] = C_RMW8, [7] = C_READ8 },
	[G_ALU - G_FIRST]	= { [0 ... 6] = C_RMW, [7] = C_READ },
	[G_SHIFT8 - G_FIRST]	= { [0 ... 5] = C_RMW8, [7] = C_RMW8 },
	[G_SHIFT - G_FIRST]	= { [0 ... 5] = C_RMW, [7] = C_RMW },
	/* test, not, neg, mul, imul; div and idiv may fault */
	[G_UNARY8 - G_FIRST]	= { [0] = C_READ8, [2 ... 3] = C_RMW8, [4 ... 5] = C_READ8 },
	[G_UNARY - G_FIRST]	= { [0] = C_READ, [2 ... 3] = C_RMW, [4 ... 5] = C_READ },
	[G_INC8 - G_FIRST]	= { [0 ... 1] = C_RMW8 },
	[G_INC - G_FIRST]	= { [0 ... 1] = C_RMW, [2] = C_JUMP, [4] = C_JUMP,
				    [6] = C_PUSH },
	[G_BT - G_FIRST]	= { [4] = C_READ, [5 ... 7] = C_RMW },
	[G_CMPXCHG2 - G_FIRST]	= { [1] = C_CMPXCHG2 },
	[G_IMM8 - G_FIRST]	= { [0] = C_IMM8 },
	[G_IMM - G_FIRST]	= { [0] = C_IMM },
	[G_POP - G_FIRST]	= { [0] = C_POP },
	[G_BLSR - G_FIRST]	= { [1 ... 3] = C_VGPR_GROUP },
};

#define ALU(op)								\
	[(op)]		= C_RMW_REG8,	[(op) + 1] = C_RMW_REG,		\
	[(op) + 2]	= C_READ_REG8,	[(op) + 3] = C_READ_REG

static const u8 pvs_opcodes[PVS_NR_MAPS][256] = {
	[PVS_MAP_ONE] = {
		ALU(0x00), ALU(0x08), ALU(0x10), ALU(0x18),
		ALU(0x20), ALU(0x28), ALU(0x30),
		[0x38] = C_READ_REG8, [0x39] = C_READ_REG,	/* cmp */
		[0x3a] = C_READ_REG8, [0x3b] = C_READ_REG,
		[0x63] = C_SXD,
		[0x69] = C_READ_REG, [0x6b] = C_READ_REG,	/* imul */
		[0x80] = G_ALU8, [0x81] = G_ALU, [0x83] = G_ALU,
		[0x84] = C_READ_REG8, [0x85] = C_READ_REG,	/* test */
		[0x86] = C_XCHG8, [0x87] = C_XCHG,
		[0x88] = C_STORE8, [0x89] = C_STORE,
		[0x8a] = C_LOAD8, [0x8b] = C_LOAD,
		[0x8f] = G_POP,
		[0xa0] = C_MOFFS_LD8, [0xa1] = C_MOFFS_LD,
		[0xa2] = C_MOFFS_ST8, [0xa3] = C_MOFFS_ST,
		[0xa4] = C_MOVS8, [0xa5] = C_MOVS,
		[0xaa] = C_STOS8, [0xab] = C_STOS,
		[0xac] = C_LODS8, [0xad] = C_LODS,
		[0xc0] = G_SHIFT8, [0xc1] = G_SHIFT,
		[0xc6] = G_IMM8, [0xc7] = G_IMM,
		[0xd0] = G_SHIFT8, [0xd1] = G_SHIFT,
		[0xd2] = G_SHIFT8, [0xd3] = G_SHIFT,
		[0xf6] = G_UNARY8, [0xf7] = G_UNARY,
		[0xfe] = G_INC8, [0xff] = G_INC,
	},
	[PVS_MAP_0F] = {
		[0x10] = C_MOVU_LD, [0x11] = C_MOVU_ST,
		[0x12] = C_MOVLP_LD, [0x13] = C_MOVLP_ST,
		[0x14 ... 0x15] = C_PS_PD,			/* unpckl, unpckh */
		[0x16] = C_MOVHP_LD, [0x17] = C_MOVLP_ST,
		[0x28] = C_MOVA_LD, [0x29] = C_MOVA_ST,
		[0x2a] = C_CVTPI2PS,
		[0x2b] = C_MOVA_ST,				/* movntps */
		[0x2c ... 0x2d] = C_CVTPS2PI,
		[0x2e ... 0x2f] = C_COMIS,
		[0x40 ... 0x4f] = C_READ_REG,			/* cmov */
		[0x51] = C_PS_PD_SS_SD,				/* sqrt */
		[0x52 ... 0x53] = C_PS_SS,			/* rsqrt, rcp */
		[0x54 ... 0x57] = C_PS_PD,			/* and, andn, or, xor */
		[0x58 ... 0x59] = C_PS_PD_SS_SD,		/* add, mul */
		[0x5a] = C_CVTPS2PD, [0x5b] = C_CVTDQ2PS,
		[0x5c ... 0x5f] = C_PS_PD_SS_SD,		/* sub, min, div, max */
		[0x60 ... 0x62] = C_MMX4,			/* punpckl */
		[0x63 ... 0x6b] = C_MMX,
		[0x6c ... 0x6d] = C_SSE,			/* punpckqdq */
		[0x6e] = C_MOVD_LD, [0x6f] = C_MOVDQ_LD,
		[0x70] = C_PSHUF,
		[0x74 ... 0x76] = C_MMX,			/* pcmpeq */
		[0x7c ... 0x7d] = C_HADD,
		[0x7e] = C_MOVD_ST, [0x7f] = C_MOVDQ_ST,
		[0x90 ... 0x9f] = C_WRITE8,			/* setcc */
		[0xa3] = C_BT,
		[0xa4 ... 0xa5] = C_RMW_REG,			/* shld */
		[0xab] = C_BTS,
		[0xac ... 0xad] = C_RMW_REG,			/* shrd */
		[0xaf] = C_READ_REG,				/* imul */
		[0xb0] = C_CMPXCHG8, [0xb1] = C_CMPXCHG,
		[0xb3] = C_BTS,					/* btr */
		[0xb6] = C_ZX8, [0xb7] = C_ZX16,
		[0xb8] = C_POPCNT,
		[0xba] = G_BT,
		[0xbb] = C_BTS,					/* btc */
		[0xbc ... 0xbd] = C_BSF,			/* and tzcnt, lzcnt */
		[0xbe] = C_SX8, [0xbf] = C_SX16,
		[0xc0] = C_XADD8, [0xc1] = C_XADD,
		[0xc2] = C_PS_PD_SS_SD,				/* cmp */
		[0xc3] = C_MOVNTI,
		[0xc4] = C_PINSRW,
		[0xc6] = C_PS_PD,				/* shuf */
		[0xc7] = G_CMPXCHG2,
		[0xd0] = C_HADD,				/* addsub */
		[0xd1 ... 0xd3] = C_MMX_SHIFT,
		[0xd4 ... 0xd5] = C_MMX,
		[0xd6] = C_MOVQ_ST,
		[0xd8 ... 0xe0] = C_MMX,
		[0xe1 ... 0xe2] = C_MMX_SHIFT,
		[0xe3 ... 0xe5] = C_MMX,
		[0xe6] = C_CVTDQ2PD,
		[0xe7] = C_MOVNTDQ,
		[0xe8 ... 0xef] = C_MMX,
		[0xf0] = C_LDDQU,
		[0xf1 ... 0xf3] = C_MMX_SHIFT,
		[0xf4 ... 0xf6] = C_MMX,
		[0xf8 ... 0xfe] = C_MMX,
	},
	[PVS_MAP_0F38] = {
		[0x00] = C_MMX,					/* pshufb */
		[0x01 ... 0x03] = C_MMX_NO_EVEX,
		[0x04] = C_MMX,					/* pmaddubsw */
		[0x05 ... 0x0a] = C_MMX_NO_EVEX,
		[0x0b] = C_MMX,					/* pmulhrsw */
		[0x0c ... 0x0d] = C_VEX_EVEX,			/* vpermil */
		[0x0e ... 0x0f] = C_VEX_ONLY,			/* vtest */
		[0x10] = C_SSE_ONLY,				/* pblendvb */
		[0x13] = C_CVTPH2PS,
		[0x14 ... 0x15] = C_SSE_ONLY,			/* blendv */
		[0x16] = C_VEX_EVEX,				/* vpermps */
		[0x17] = C_SSE_NO_EVEX,				/* ptest */
		[0x18] = C_BCAST4, [0x19] = C_BCAST8,
		[0x1a] = C_BCAST16, [0x1b] = C_BCAST32,
		[0x1c ... 0x1e] = C_MMX,			/* pabs */
		[0x20] = C_PMOVX2, [0x21] = C_PMOVX4, [0x22] = C_PMOVX8,
		[0x23] = C_PMOVX2, [0x24] = C_PMOVX4, [0x25] = C_PMOVX2,
		[0x28 ... 0x29] = C_SSE,			/* pmuldq, pcmpeqq */
		[0x2a] = C_MOVNTDQA,
		[0x2b] = C_SSE,					/* packusdw */
		[0x30] = C_PMOVX2, [0x31] = C_PMOVX4, [0x32] = C_PMOVX8,
		[0x33] = C_PMOVX2, [0x34] = C_PMOVX4, [0x35] = C_PMOVX2,
		[0x36] = C_VEX_EVEX,				/* vpermd */
		[0x37 ... 0x40] = C_SSE,			/* pcmpgtq, pmin, pmax, pmulld */
		[0x41] = C_R16,					/* phminposuw */
		[0x45 ... 0x47] = C_VEX_EVEX,			/* vps[lr][la]v */
		[0x58] = C_BCAST4, [0x59] = C_BCAST8,
		[0x5a] = C_BCAST16, [0x5b] = C_BCAST32,
		[0x78] = C_BCAST1, [0x79] = C_BCAST2,
		/* fused multiply-add: whole vectors, and scalars with odd opcodes */
		[0x96 ... 0x98] = C_VEX_EVEX, [0x99] = C_SCALAR_W,
		[0x9a] = C_VEX_EVEX, [0x9b] = C_SCALAR_W,
		[0x9c] = C_VEX_EVEX, [0x9d] = C_SCALAR_W,
		[0x9e] = C_VEX_EVEX, [0x9f] = C_SCALAR_W,
		[0xa6 ... 0xa8] = C_VEX_EVEX, [0xa9] = C_SCALAR_W,
		[0xaa] = C_VEX_EVEX, [0xab] = C_SCALAR_W,
		[0xac] = C_VEX_EVEX, [0xad] = C_SCALAR_W,
		[0xae] = C_VEX_EVEX, [0xaf] = C_SCALAR_W,
		[0xb6 ... 0xb8] = C_VEX_EVEX, [0xb9] = C_SCALAR_W,
		[0xba] = C_VEX_EVEX, [0xbb] = C_SCALAR_W,
		[0xbc] = C_VEX_EVEX, [0xbd] = C_SCALAR_W,
		[0xbe] = C_VEX_EVEX, [0xbf] = C_SCALAR_W,
		[0xc8 ... 0xcd] = C_SHA,
		[0xcf] = C_SSE,					/* gf2p8mulb */
		[0xdb] = C_SSE_NO_EVEX,				/* aesimc */
		[0xdc ... 0xdf] = C_SSE,			/* aesenc, aesdec */
		[0xf0] = C_MOVBE_LD, [0xf1] = C_MOVBE_ST,	/* and crc32 */
		[0xf2] = C_VGPR,				/* andn */
		[0xf3] = G_BLSR,
		[0xf5] = C_BZHI,				/* and pdep, pext */
		[0xf6] = C_ADX,					/* and mulx */
		[0xf7] = C_BEXTR,				/* and shlx, sarx, shrx */
		[0xf8] = C_MOVDIR64B, [0xf9] = C_MOVDIRI,
	},
	[PVS_MAP_0F3A] = {
		[0x00 ... 0x01] = C_VEX_EVEX,			/* vpermq, vpermpd */
		[0x02] = C_VEX_ONLY,				/* vpblendd */
		[0x04 ... 0x05] = C_VEX_EVEX,			/* vpermil */
		[0x06] = C_VEX_ONLY,				/* vperm2f128 */
		[0x08 ... 0x09] = C_SSE,			/* round */
		[0x0a] = C_R4, [0x0b] = C_R8,
		[0x0c ... 0x0e] = C_SSE_NO_EVEX,		/* blend */
		[0x0f] = C_MMX,					/* palignr */
		[0x14] = C_EXTRACT1, [0x15] = C_EXTRACT2,
		[0x16] = C_EXTRACT_W, [0x17] = C_EXTRACT4,
		[0x18] = C_INSERT16, [0x19] = C_EXTRACT16,
		[0x1a] = C_BCAST32, [0x1b] = C_EXTRACT32,	/* vinsert, vextract */
		[0x1d] = C_CVTPS2PH,
		[0x20] = C_INSERT1, [0x21] = C_R4, [0x22] = C_INSERT_W,
		[0x38] = C_INSERT16, [0x39] = C_EXTRACT16,
		[0x3a] = C_BCAST32, [0x3b] = C_EXTRACT32,
		[0x40 ... 0x42] = C_SSE_NO_EVEX,		/* dpps, dppd, mpsadbw */
		[0x44] = C_SSE,					/* pclmulqdq */
		[0x46] = C_VEX_ONLY,				/* vperm2i128 */
		[0x4a ... 0x4c] = C_VEX_ONLY,			/* vblendv */
		[0x60 ... 0x63] = C_PCMPSTR,
		[0xcc] = C_SHA,					/* sha1rnds4 */
		[0xce ... 0xcf] = C_SSE,			/* gf2p8affine */
		[0xdf] = C_R16,					/* aeskeygenassist */
		[0xf0] = C_RORX,
	},
};

/**
 * pvs_opcode - what an opcode does with its memory operand
 * @map:    the opcode's map
 * @opcode: its last byte
 * @pfx:    mandatory prefix
 * @modrm:  the byte that follows
 *
 * Return: descriptor; 0 if it is not handled.
 */
u32 pvs_opcode(enum pvs_map map, u8 opcode, enum pvs_pfx pfx, u8 modrm)
{
	u8 class = pvs_opcodes[map][opcode];

	if (class >= G_FIRST)
		class = pvs_groups[class - G_FIRST][modrm >> 3 & 7];
	return pvs_classes[class][pfx];
}
NOKPROBE_SYMBOL(pvs_opcode);
