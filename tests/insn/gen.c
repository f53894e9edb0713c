// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions with one operand in memory, with registers that lead there.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/ptrace.h>
#include <linux/string.h>

#include <asm/processor-flags.h>

#include "gen.h"

enum gen_enc { LEG, VEX, EVEX };
enum gen_map { M1, M0F, M38, M3A };
enum gen_pfx { NP, P66, PF3, PF2 };

/* Operand sizes: byte; 16, 32, 64; W 0; W 1; W 0 and 1. */
enum gen_size { SB, SV, S0, S1, S01 };
/* Vector lengths: 128; 256; 128 and 256; and 512; 256 and 512; 512. */
enum gen_len { L0, L1, L01, L012, L12, L2 };
/* Immediates: none; one byte; of the operand size, 4 at most. */
enum gen_imm { I0, IB, IZ };

#define F_GPR		BIT(0)	/* reg is a general register */
#define F_VVVV		BIT(1)	/* VEX.vvvv is an operand */
#define F_VGPR		(BIT(2) | F_VVVV)	/* ... and a general register */
#define F_LOCK		BIT(3)	/* may be locked */
#define F_SI		BIT(4)	/* string instructions */
#define F_DI		BIT(5)
#define F_MOFFS		BIT(6)
#define F_BITS		BIT(7)
#define F_CMPXCHG	BIT(8)	/* sometimes equal */
#define F_CMPXCHG2	BIT(9)
#define F_MOVE		BIT(10)	/* of the moves */
#define F_DIRECT	BIT(11)	/* reg has the destination's address */
#define F_MASK		BIT(12)	/* reg is one of eight mask registers */
#define F_POP		BIT(13)
#define F_PUSH		BIT(14)	/* what it reads, or of a call where it comes from */
#define F_JUMP		BIT(15)	/* to where its operand says */

#define CF	X86_EFLAGS_CF
#define PF	X86_EFLAGS_PF
#define AF	X86_EFLAGS_AF
#define ZF	X86_EFLAGS_ZF
#define SF	X86_EFLAGS_SF
#define OF	X86_EFLAGS_OF

/*
 * Opcodes first to last, at most with one value of the reg field (ext, or -1). For
 * EVEX, n is what a displacement of one byte counts in, 'v' the vector length, 'h',
 * 'q', 'e' a half, a quarter, an eighth of it, 'x' 4 or 8, 'd' as movddup does.
 */
struct gen_form {
	const char	*name;
	u8		enc;
	u8		map;
	u8		pfx;
	u8		first;
	u8		last;
	s8		ext;
	u8		size;
	u8		len;
	u8		imm;
	u8		feature;
	u8		n;
	u16		flags;
	u16		undef;
};

#define FORM(nm, e, m, p, a, b, x, s, l, i, f, ft, u, d)			\
	{ .name = nm, .enc = e, .map = m, .pfx = p, .first = a, .last = b, \
	  .ext = x, .size = s, .len = l, .imm = i, .flags = f,		\
	  .feature = GEN_##ft, .undef = u, .n = d }

/* General registers: byte and larger operands have opcodes that differ by one. */
#define GPR(n, m, p, op, s, i, f, ft, u) \
	FORM(n, LEG, m, p, op, op, -1, s, L0, i, F_GPR | (f), ft, u, 0)
#define GRP(n, m, op, x, s, i, f, u) \
	FORM(n, LEG, m, NP, op, op, x, s, L0, i, f, BASE, u, 0)
#define VGPR(n, m, p, op, x, i, f, ft, u) \
	FORM(n, VEX, m, p, op, op, x, S01, L0, i, f, ft, u, 0)
#define ALU(n, op, f)				\
	GPR(n, M1, NP, (op), SB, I0, f, BASE, 0),	\
	GPR(n, M1, NP, (op) + 1, SV, I0, f, BASE, 0),	\
	GPR(n, M1, NP, (op) + 2, SB, I0, 0, BASE, 0),	\
	GPR(n, M1, NP, (op) + 3, SV, I0, 0, BASE, 0)
#define GRP_ALU(n, x, f)				\
	GRP(n, M1, 0x80, x, SB, IB, f, 0),		\
	GRP(n, M1, 0x81, x, SV, IZ, f, 0),		\
	GRP(n, M1, 0x83, x, SV, IB, f, 0)
#define SHIFT(n, x, u)					\
	GRP(n, M1, 0xc0, x, SB, IB, 0, u),		\
	GRP(n, M1, 0xc1, x, SV, IB, 0, u),		\
	GRP(n, M1, 0xd0, x, SB, I0, 0, u),		\
	GRP(n, M1, 0xd1, x, SV, I0, 0, u),		\
	GRP(n, M1, 0xd2, x, SB, I0, 0, u),		\
	GRP(n, M1, 0xd3, x, SV, I0, 0, u)
#define STRING(n, op, f)				\
	FORM(n, LEG, M1, NP, op, op, -1, SB, L0, I0, F_MOVE | (f), BASE, 0, 0), \
	FORM(n, LEG, M1, NP, (op) + 1, (op) + 1, -1, SV, L0, I0, F_MOVE | (f), BASE, 0, 0)

/* Vectors: without VEX; with it, f: F_VVVV; with EVEX. */
#define S(n, m, p, a, b, s, i, f, ft) \
	FORM(n, LEG, m, p, a, b, -1, s, L0, i, f, ft, 0, 0)
#define A(n, m, p, a, b, s, l, i, f, ft) \
	FORM(n, VEX, m, p, a, b, -1, s, l, i, f, ft, 0, 0)
#define Z(n, m, p, a, b, s, l, i, f, d) \
	FORM(n, EVEX, m, p, a, b, -1, s, l, i, f, AVX512, 0, d)
/* MMX and SSE2 integer operations of the same opcode, and AVX, AVX2. */
#define MMX(n, a, b)					\
	S(n, M0F, NP, a, b, S0, I0, 0, BASE),		\
	S(n, M0F, P66, a, b, S0, I0, 0, BASE),		\
	A(n, M0F, P66, a, b, S0, L01, I0, F_VVVV, AVX2)
#define SSSE3(n, a, b, f)				\
	S(n, M38, NP, a, b, S0, I0, 0, SSSE3),		\
	S(n, M38, P66, a, b, S0, I0, 0, SSSE3),		\
	A(n, M38, P66, a, b, S0, L01, I0, f, AVX2)
#define SSE41(n, a, b, f)				\
	S(n, M38, P66, a, b, S0, I0, 0, SSE41),		\
	A(n, M38, P66, a, b, S0, L01, I0, f, AVX2)
/* Floating point: vectors and scalars. */
#define PSPD(n, a, b, i)				\
	S(n, M0F, NP, a, b, S0, i, 0, BASE),		\
	S(n, M0F, P66, a, b, S0, i, 0, BASE),		\
	A(n, M0F, NP, a, b, S0, L01, i, F_VVVV, AVX),	\
	A(n, M0F, P66, a, b, S0, L01, i, F_VVVV, AVX),	\
	Z(n, M0F, NP, a, b, S0, L012, i, F_VVVV, 'v'),	\
	Z(n, M0F, P66, a, b, S1, L012, i, F_VVVV, 'v')
#define SSSD(n, a, b, i)				\
	S(n, M0F, PF3, a, b, S0, i, 0, BASE),		\
	S(n, M0F, PF2, a, b, S0, i, 0, BASE),		\
	A(n, M0F, PF3, a, b, S0, L0, i, F_VVVV, AVX),	\
	A(n, M0F, PF2, a, b, S0, L0, i, F_VVVV, AVX),	\
	Z(n, M0F, PF3, a, b, S0, L0, i, F_VVVV, 4),	\
	Z(n, M0F, PF2, a, b, S1, L0, i, F_VVVV, 8)
#define FMA(n, op)					\
	A(n, M38, P66, op, op, S01, L01, I0, F_VVVV, FMA), \
	Z(n, M38, P66, op, op, S01, L012, I0, F_VVVV, 'v')
#define FMA1(n, op)					\
	A(n, M38, P66, op, op, S01, L0, I0, F_VVVV, FMA), \
	Z(n, M38, P66, op, op, S01, L0, I0, F_VVVV, 'x')
#define PMOV(n, op, d)					\
	S(n, M38, P66, op, op, S0, I0, 0, SSE41),	\
	A(n, M38, P66, op, op, S0, L01, I0, 0, AVX2),	\
	Z(n, M38, P66, op, op, S0, L012, I0, 0, d)

static const struct gen_form gen_list[] = {
	ALU("add", 0x00, F_LOCK), ALU("or", 0x08, F_LOCK), ALU("adc", 0x10, F_LOCK),
	ALU("sbb", 0x18, F_LOCK), ALU("sub", 0x28, F_LOCK), ALU("cmp", 0x38, 0),
	GPR("and", M1, NP, 0x20, SB, I0, F_LOCK, BASE, AF),
	GPR("and", M1, NP, 0x21, SV, I0, F_LOCK, BASE, AF),
	GPR("and", M1, NP, 0x22, SB, I0, 0, BASE, AF),
	GPR("and", M1, NP, 0x23, SV, I0, 0, BASE, AF),
	GPR("xor", M1, NP, 0x30, SB, I0, F_LOCK, BASE, AF),
	GPR("xor", M1, NP, 0x31, SV, I0, F_LOCK, BASE, AF),
	GPR("xor", M1, NP, 0x32, SB, I0, 0, BASE, AF),
	GPR("xor", M1, NP, 0x33, SV, I0, 0, BASE, AF),
	GRP_ALU("add", 0, F_LOCK), GRP_ALU("or", 1, F_LOCK), GRP_ALU("adc", 2, F_LOCK),
	GRP_ALU("sbb", 3, F_LOCK), GRP_ALU("and", 4, F_LOCK), GRP_ALU("sub", 5, F_LOCK),
	GRP_ALU("xor", 6, F_LOCK), GRP_ALU("cmp", 7, 0),
	GPR("test", M1, NP, 0x84, SB, I0, 0, BASE, AF),
	GPR("test", M1, NP, 0x85, SV, I0, 0, BASE, AF),
	GRP("test", M1, 0xf6, 0, SB, IB, 0, AF), GRP("test", M1, 0xf7, 0, SV, IZ, 0, AF),
	GRP("not", M1, 0xf6, 2, SB, I0, F_LOCK, 0), GRP("not", M1, 0xf7, 2, SV, I0, F_LOCK, 0),
	GRP("neg", M1, 0xf6, 3, SB, I0, F_LOCK, 0), GRP("neg", M1, 0xf7, 3, SV, I0, F_LOCK, 0),
	GRP("mul", M1, 0xf6, 4, SB, I0, 0, SF | ZF | AF | PF),
	GRP("mul", M1, 0xf7, 4, SV, I0, 0, SF | ZF | AF | PF),
	GRP("imul", M1, 0xf6, 5, SB, I0, 0, SF | ZF | AF | PF),
	GRP("imul", M1, 0xf7, 5, SV, I0, 0, SF | ZF | AF | PF),
	GPR("imul", M0F, NP, 0xaf, SV, I0, 0, BASE, SF | ZF | AF | PF),
	GPR("imul", M1, NP, 0x69, SV, IZ, 0, BASE, SF | ZF | AF | PF),
	GPR("imul", M1, NP, 0x6b, SV, IB, 0, BASE, SF | ZF | AF | PF),
	GRP("inc", M1, 0xfe, 0, SB, I0, F_LOCK, 0), GRP("inc", M1, 0xff, 0, SV, I0, F_LOCK, 0),
	GRP("dec", M1, 0xfe, 1, SB, I0, F_LOCK, 0), GRP("dec", M1, 0xff, 1, SV, I0, F_LOCK, 0),
	SHIFT("rol", 0, OF), SHIFT("ror", 1, OF), SHIFT("rcl", 2, OF), SHIFT("rcr", 3, OF),
	SHIFT("shl", 4, OF | AF | CF), SHIFT("shr", 5, OF | AF | CF), SHIFT("sar", 7, OF | AF),
	/* With 16 bits and a larger count the result is undefined too. */
	GPR("shld", M0F, NP, 0xa4, S01, IB, 0, BASE, OF | AF),
	GPR("shld", M0F, NP, 0xa5, S01, I0, 0, BASE, OF | AF),
	GPR("shrd", M0F, NP, 0xac, S01, IB, 0, BASE, OF | AF),
	GPR("shrd", M0F, NP, 0xad, S01, I0, 0, BASE, OF | AF),
	GRP("bt", M0F, 0xba, 4, SV, IB, 0, OF | SF | AF | PF),
	GRP("bts", M0F, 0xba, 5, SV, IB, F_LOCK, OF | SF | AF | PF),
	GRP("btr", M0F, 0xba, 6, SV, IB, F_LOCK, OF | SF | AF | PF),
	GRP("btc", M0F, 0xba, 7, SV, IB, F_LOCK, OF | SF | AF | PF),
	GPR("bt", M0F, NP, 0xa3, SV, I0, F_BITS, BASE, OF | SF | AF | PF),
	GPR("bts", M0F, NP, 0xab, SV, I0, F_BITS | F_LOCK, BASE, OF | SF | AF | PF),
	GPR("btr", M0F, NP, 0xb3, SV, I0, F_BITS | F_LOCK, BASE, OF | SF | AF | PF),
	GPR("btc", M0F, NP, 0xbb, SV, I0, F_BITS | F_LOCK, BASE, OF | SF | AF | PF),
	GPR("xchg", M1, NP, 0x86, SB, I0, F_LOCK, BASE, 0),
	GPR("xchg", M1, NP, 0x87, SV, I0, F_LOCK, BASE, 0),
	GPR("cmpxchg", M0F, NP, 0xb0, SB, I0, F_LOCK | F_CMPXCHG, BASE, 0),
	GPR("cmpxchg", M0F, NP, 0xb1, SV, I0, F_LOCK | F_CMPXCHG, BASE, 0),
	FORM("cmpxchg8b", LEG, M0F, NP, 0xc7, 0xc7, 1, S0, L0, I0, F_LOCK | F_CMPXCHG2, BASE, 0, 0),
	FORM("cmpxchg16b", LEG, M0F, NP, 0xc7, 0xc7, 1, S1, L0, I0, F_LOCK | F_CMPXCHG2, CX16, 0, 0),
	GPR("xadd", M0F, NP, 0xc0, SB, I0, F_LOCK, BASE, 0),
	GPR("xadd", M0F, NP, 0xc1, SV, I0, F_LOCK, BASE, 0),
	FORM("cmov", LEG, M0F, NP, 0x40, 0x4f, -1, SV, L0, I0, F_GPR, BASE, 0, 0),
	FORM("setcc", LEG, M0F, NP, 0x90, 0x9f, 0, SB, L0, I0, 0, BASE, 0, 0),
	GPR("bsf", M0F, NP, 0xbc, SV, I0, 0, BASE, CF | OF | SF | AF | PF),
	GPR("bsr", M0F, NP, 0xbd, SV, I0, 0, BASE, CF | OF | SF | AF | PF),
	GPR("tzcnt", M0F, PF3, 0xbc, SV, I0, 0, BMI1, OF | SF | AF | PF),
	GPR("lzcnt", M0F, PF3, 0xbd, SV, I0, 0, LZCNT, OF | SF | AF | PF),
	GPR("popcnt", M0F, PF3, 0xb8, SV, I0, 0, POPCNT, 0),
	GPR("movbe", M38, NP, 0xf0, SV, I0, 0, MOVBE, 0),
	GPR("movbe", M38, NP, 0xf1, SV, I0, 0, MOVBE, 0),
	GPR("crc32", M38, PF2, 0xf0, S01, I0, 0, SSE42, 0),
	GPR("crc32", M38, PF2, 0xf1, SV, I0, 0, SSE42, 0),
	GPR("adcx", M38, P66, 0xf6, S01, I0, 0, ADX, 0),
	GPR("adox", M38, PF3, 0xf6, S01, I0, 0, ADX, 0),
	VGPR("andn", M38, NP, 0xf2, -1, I0, F_GPR | F_VGPR, BMI1, AF | PF),
	VGPR("bextr", M38, NP, 0xf7, -1, I0, F_GPR | F_VGPR, BMI1, AF | SF | PF),
	VGPR("bzhi", M38, NP, 0xf5, -1, I0, F_GPR | F_VGPR, BMI2, AF | PF),
	VGPR("pdep", M38, PF2, 0xf5, -1, I0, F_GPR | F_VGPR, BMI2, 0),
	VGPR("pext", M38, PF3, 0xf5, -1, I0, F_GPR | F_VGPR, BMI2, 0),
	VGPR("mulx", M38, PF2, 0xf6, -1, I0, F_GPR | F_VGPR, BMI2, 0),
	VGPR("rorx", M3A, PF2, 0xf0, -1, IB, F_GPR, BMI2, 0),
	VGPR("shlx", M38, P66, 0xf7, -1, I0, F_GPR | F_VGPR, BMI2, 0),
	VGPR("sarx", M38, PF3, 0xf7, -1, I0, F_GPR | F_VGPR, BMI2, 0),
	VGPR("shrx", M38, PF2, 0xf7, -1, I0, F_GPR | F_VGPR, BMI2, 0),
	VGPR("blsr", M38, NP, 0xf3, 1, I0, F_VGPR, BMI1, AF | PF),
	VGPR("blsmsk", M38, NP, 0xf3, 2, I0, F_VGPR, BMI1, AF | PF),
	VGPR("blsi", M38, NP, 0xf3, 3, I0, F_VGPR, BMI1, AF | PF),

	GPR("mov", M1, NP, 0x88, SB, I0, F_MOVE, BASE, 0),
	GPR("mov", M1, NP, 0x89, SV, I0, F_MOVE, BASE, 0),
	GPR("mov", M1, NP, 0x8a, SB, I0, F_MOVE, BASE, 0),
	GPR("mov", M1, NP, 0x8b, SV, I0, F_MOVE, BASE, 0),
	GRP("mov", M1, 0xc6, 0, SB, IB, F_MOVE, 0), GRP("mov", M1, 0xc7, 0, SV, IZ, F_MOVE, 0),
	GPR("movsxd", M1, NP, 0x63, S01, I0, F_MOVE, BASE, 0),
	GPR("movzx", M0F, NP, 0xb6, SV, I0, F_MOVE, BASE, 0),
	GPR("movzx", M0F, NP, 0xb7, SV, I0, F_MOVE, BASE, 0),
	GPR("movsx", M0F, NP, 0xbe, SV, I0, F_MOVE, BASE, 0),
	GPR("movsx", M0F, NP, 0xbf, SV, I0, F_MOVE, BASE, 0),
	GPR("movnti", M0F, NP, 0xc3, S01, I0, F_MOVE, BASE, 0),
	GPR("movdiri", M38, NP, 0xf9, S01, I0, F_MOVE, MOVDIRI, 0),
	GPR("movdir64b", M38, P66, 0xf8, S0, I0, F_MOVE | F_DIRECT, MOVDIR64B, 0),
	FORM("mov moffs", LEG, M1, NP, 0xa0, 0xa0, -1, SB, L0, I0, F_MOVE | F_MOFFS, BASE, 0, 0),
	FORM("mov moffs", LEG, M1, NP, 0xa1, 0xa1, -1, SV, L0, I0, F_MOVE | F_MOFFS, BASE, 0, 0),
	FORM("mov moffs", LEG, M1, NP, 0xa2, 0xa2, -1, SB, L0, I0, F_MOVE | F_MOFFS, BASE, 0, 0),
	FORM("mov moffs", LEG, M1, NP, 0xa3, 0xa3, -1, SV, L0, I0, F_MOVE | F_MOFFS, BASE, 0, 0),
	STRING("movs", 0xa4, F_SI | F_DI), STRING("stos", 0xaa, F_DI), STRING("lods", 0xac, F_SI),

	/* movups and movupd; movss and movsd; the same to memory */
	S("movup", M0F, NP, 0x10, 0x11, S0, I0, 0, BASE),
	S("movup", M0F, P66, 0x10, 0x11, S0, I0, 0, BASE),
	S("movs", M0F, PF3, 0x10, 0x11, S0, I0, 0, BASE),
	S("movs", M0F, PF2, 0x10, 0x11, S0, I0, 0, BASE),
	A("vmovup", M0F, NP, 0x10, 0x11, S0, L01, I0, 0, AVX),
	A("vmovup", M0F, P66, 0x10, 0x11, S0, L01, I0, 0, AVX),
	A("vmovs", M0F, PF3, 0x10, 0x11, S0, L0, I0, 0, AVX),
	A("vmovs", M0F, PF2, 0x10, 0x11, S0, L0, I0, 0, AVX),
	Z("vmovup", M0F, NP, 0x10, 0x11, S0, L012, I0, 0, 'v'),
	Z("vmovup", M0F, P66, 0x10, 0x11, S1, L012, I0, 0, 'v'),
	Z("vmovs", M0F, PF3, 0x10, 0x11, S0, L0, I0, 0, 4),
	Z("vmovs", M0F, PF2, 0x10, 0x11, S1, L0, I0, 0, 8),
	/* movlps and movlpd, movhps and movhpd */
	S("movlp", M0F, NP, 0x12, 0x13, S0, I0, 0, BASE),
	S("movlp", M0F, P66, 0x12, 0x13, S0, I0, 0, BASE),
	S("movhp", M0F, NP, 0x16, 0x17, S0, I0, 0, BASE),
	S("movhp", M0F, P66, 0x16, 0x17, S0, I0, 0, BASE),
	A("vmovlp", M0F, NP, 0x12, 0x12, S0, L0, I0, F_VVVV, AVX),
	A("vmovlp", M0F, P66, 0x12, 0x12, S0, L0, I0, F_VVVV, AVX),
	A("vmovlp", M0F, NP, 0x13, 0x13, S0, L0, I0, 0, AVX),
	A("vmovlp", M0F, P66, 0x13, 0x13, S0, L0, I0, 0, AVX),
	A("vmovhp", M0F, NP, 0x16, 0x16, S0, L0, I0, F_VVVV, AVX),
	A("vmovhp", M0F, P66, 0x16, 0x16, S0, L0, I0, F_VVVV, AVX),
	A("vmovhp", M0F, NP, 0x17, 0x17, S0, L0, I0, 0, AVX),
	A("vmovhp", M0F, P66, 0x17, 0x17, S0, L0, I0, 0, AVX),
	Z("vmovlp", M0F, NP, 0x12, 0x12, S0, L0, I0, F_VVVV, 8),
	Z("vmovlp", M0F, P66, 0x13, 0x13, S1, L0, I0, 0, 8),
	Z("vmovhp", M0F, NP, 0x17, 0x17, S0, L0, I0, 0, 8),
	Z("vmovhp", M0F, P66, 0x16, 0x16, S1, L0, I0, F_VVVV, 8),
	S("movsldup", M0F, PF3, 0x12, 0x12, S0, I0, 0, SSE3),
	S("movshdup", M0F, PF3, 0x16, 0x16, S0, I0, 0, SSE3),
	S("movddup", M0F, PF2, 0x12, 0x12, S0, I0, 0, SSE3),
	A("vmovsldup", M0F, PF3, 0x12, 0x12, S0, L01, I0, 0, AVX),
	A("vmovshdup", M0F, PF3, 0x16, 0x16, S0, L01, I0, 0, AVX),
	A("vmovddup", M0F, PF2, 0x12, 0x12, S0, L01, I0, 0, AVX),
	Z("vmovsldup", M0F, PF3, 0x12, 0x12, S0, L012, I0, 0, 'v'),
	Z("vmovddup", M0F, PF2, 0x12, 0x12, S1, L012, I0, 0, 'd'),
	PSPD("unpck", 0x14, 0x15, I0),
	S("movap", M0F, NP, 0x28, 0x29, S0, I0, 0, BASE),
	S("movap", M0F, P66, 0x28, 0x29, S0, I0, 0, BASE),
	A("vmovap", M0F, NP, 0x28, 0x29, S0, L01, I0, 0, AVX),
	A("vmovap", M0F, P66, 0x28, 0x29, S0, L01, I0, 0, AVX),
	Z("vmovap", M0F, NP, 0x28, 0x29, S0, L012, I0, 0, 'v'),
	Z("vmovap", M0F, P66, 0x28, 0x29, S1, L012, I0, 0, 'v'),
	S("cvtpi2p", M0F, NP, 0x2a, 0x2a, S0, I0, 0, BASE),
	S("cvtpi2p", M0F, P66, 0x2a, 0x2a, S0, I0, 0, BASE),
	S("cvtsi2s", M0F, PF3, 0x2a, 0x2a, S01, I0, 0, BASE),
	S("cvtsi2s", M0F, PF2, 0x2a, 0x2a, S01, I0, 0, BASE),
	A("vcvtsi2s", M0F, PF3, 0x2a, 0x2a, S01, L0, I0, F_VVVV, AVX),
	A("vcvtsi2s", M0F, PF2, 0x2a, 0x2a, S01, L0, I0, F_VVVV, AVX),
	Z("vcvtsi2s", M0F, PF3, 0x2a, 0x2a, S01, L0, I0, F_VVVV, 'x'),
	Z("vcvtsi2s", M0F, PF2, 0x2a, 0x2a, S01, L0, I0, F_VVVV, 'x'),
	S("movntp", M0F, NP, 0x2b, 0x2b, S0, I0, 0, BASE),
	S("movntp", M0F, P66, 0x2b, 0x2b, S0, I0, 0, BASE),
	A("vmovntp", M0F, NP, 0x2b, 0x2b, S0, L01, I0, 0, AVX),
	A("vmovntp", M0F, P66, 0x2b, 0x2b, S0, L01, I0, 0, AVX),
	Z("vmovntp", M0F, P66, 0x2b, 0x2b, S1, L012, I0, 0, 'v'),
	S("cvtp2pi", M0F, NP, 0x2c, 0x2d, S0, I0, 0, BASE),
	S("cvtp2pi", M0F, P66, 0x2c, 0x2d, S0, I0, 0, BASE),
	S("cvts2si", M0F, PF3, 0x2c, 0x2d, S01, I0, F_GPR, BASE),
	S("cvts2si", M0F, PF2, 0x2c, 0x2d, S01, I0, F_GPR, BASE),
	A("vcvts2si", M0F, PF3, 0x2c, 0x2d, S01, L0, I0, F_GPR, AVX),
	A("vcvts2si", M0F, PF2, 0x2c, 0x2d, S01, L0, I0, F_GPR, AVX),
	Z("vcvts2si", M0F, PF3, 0x2c, 0x2d, S01, L0, I0, F_GPR, 4),
	Z("vcvts2si", M0F, PF2, 0x2c, 0x2d, S01, L0, I0, F_GPR, 8),
	S("comis", M0F, NP, 0x2e, 0x2f, S0, I0, 0, BASE),
	S("comis", M0F, P66, 0x2e, 0x2f, S0, I0, 0, BASE),
	A("vcomis", M0F, NP, 0x2e, 0x2f, S0, L0, I0, 0, AVX),
	A("vcomis", M0F, P66, 0x2e, 0x2f, S0, L0, I0, 0, AVX),
	Z("vcomis", M0F, NP, 0x2e, 0x2f, S0, L0, I0, 0, 4),
	Z("vcomis", M0F, P66, 0x2e, 0x2f, S1, L0, I0, 0, 8),
	/* sqrt has one operand less than the rest when it is not scalar */
	S("sqrt", M0F, NP, 0x51, 0x51, S0, I0, 0, BASE),
	S("sqrt", M0F, P66, 0x51, 0x51, S0, I0, 0, BASE),
	A("vsqrt", M0F, NP, 0x51, 0x51, S0, L01, I0, 0, AVX),
	A("vsqrt", M0F, P66, 0x51, 0x51, S0, L01, I0, 0, AVX),
	Z("vsqrt", M0F, NP, 0x51, 0x51, S0, L012, I0, 0, 'v'),
	Z("vsqrt", M0F, P66, 0x51, 0x51, S1, L012, I0, 0, 'v'),
	SSSD("sqrt", 0x51, 0x51, I0),
	S("rsqrt, rcp", M0F, NP, 0x52, 0x53, S0, I0, 0, BASE),
	S("rsqrt, rcp", M0F, PF3, 0x52, 0x53, S0, I0, 0, BASE),
	A("vrsqrt, vrcp", M0F, NP, 0x52, 0x53, S0, L01, I0, 0, AVX),
	A("vrsqrt, vrcp", M0F, PF3, 0x52, 0x53, S0, L0, I0, F_VVVV, AVX),
	PSPD("and, andn, or, xor", 0x54, 0x57, I0),
	PSPD("add, mul", 0x58, 0x59, I0), SSSD("add, mul", 0x58, 0x59, I0),
	PSPD("sub, min, div, max", 0x5c, 0x5f, I0), SSSD("sub, min, div, max", 0x5c, 0x5f, I0),
	S("cvtps2pd", M0F, NP, 0x5a, 0x5a, S0, I0, 0, BASE),
	S("cvtpd2ps", M0F, P66, 0x5a, 0x5a, S0, I0, 0, BASE),
	A("vcvtps2pd", M0F, NP, 0x5a, 0x5a, S0, L01, I0, 0, AVX),
	A("vcvtpd2ps", M0F, P66, 0x5a, 0x5a, S0, L01, I0, 0, AVX),
	Z("vcvtps2pd", M0F, NP, 0x5a, 0x5a, S0, L012, I0, 0, 'h'),
	Z("vcvtpd2ps", M0F, P66, 0x5a, 0x5a, S1, L012, I0, 0, 'v'),
	SSSD("cvtss2sd", 0x5a, 0x5a, I0),
	S("cvtdq2ps", M0F, NP, 0x5b, 0x5b, S0, I0, 0, BASE),
	S("cvtps2dq", M0F, P66, 0x5b, 0x5b, S0, I0, 0, BASE),
	S("cvttps2dq", M0F, PF3, 0x5b, 0x5b, S0, I0, 0, BASE),
	A("vcvtdq2ps", M0F, NP, 0x5b, 0x5b, S0, L01, I0, 0, AVX),
	A("vcvtps2dq", M0F, P66, 0x5b, 0x5b, S0, L01, I0, 0, AVX),
	A("vcvttps2dq", M0F, PF3, 0x5b, 0x5b, S0, L01, I0, 0, AVX),
	Z("vcvtdq2ps", M0F, NP, 0x5b, 0x5b, S0, L012, I0, 0, 'v'),
	Z("vcvttps2dq", M0F, PF3, 0x5b, 0x5b, S0, L012, I0, 0, 'v'),
	MMX("punpckl", 0x60, 0x62), MMX("pack, pcmpgt", 0x63, 0x67),
	MMX("punpckh, packss", 0x68, 0x6b),
	S("punpckqdq", M0F, P66, 0x6c, 0x6d, S0, I0, 0, BASE),
	A("vpunpckqdq", M0F, P66, 0x6c, 0x6d, S0, L01, I0, F_VVVV, AVX2),
	Z("vpunpck", M0F, P66, 0x60, 0x61, S0, L012, I0, F_VVVV, 'v'),
	Z("vpunpckqdq", M0F, P66, 0x6c, 0x6d, S1, L012, I0, F_VVVV, 'v'),
	/* movd and movq */
	S("movd", M0F, NP, 0x6e, 0x6e, S01, I0, 0, BASE),
	S("movd", M0F, NP, 0x7e, 0x7e, S01, I0, 0, BASE),
	S("movd", M0F, P66, 0x6e, 0x6e, S01, I0, 0, BASE),
	S("movd", M0F, P66, 0x7e, 0x7e, S01, I0, 0, BASE),
	S("movq", M0F, PF3, 0x7e, 0x7e, S0, I0, 0, BASE),
	S("movq", M0F, P66, 0xd6, 0xd6, S0, I0, 0, BASE),
	A("vmovd", M0F, P66, 0x6e, 0x6e, S01, L0, I0, 0, AVX),
	A("vmovd", M0F, P66, 0x7e, 0x7e, S01, L0, I0, 0, AVX),
	A("vmovq", M0F, PF3, 0x7e, 0x7e, S0, L0, I0, 0, AVX),
	A("vmovq", M0F, P66, 0xd6, 0xd6, S0, L0, I0, 0, AVX),
	Z("vmovd", M0F, P66, 0x6e, 0x6e, S01, L0, I0, 0, 'x'),
	Z("vmovd", M0F, P66, 0x7e, 0x7e, S01, L0, I0, 0, 'x'),
	Z("vmovq", M0F, PF3, 0x7e, 0x7e, S1, L0, I0, 0, 8),
	Z("vmovq", M0F, P66, 0xd6, 0xd6, S1, L0, I0, 0, 8),
	/* movq of MMX, movdqa, movdqu */
	S("movq", M0F, NP, 0x6f, 0x6f, S0, I0, 0, BASE),
	S("movq", M0F, NP, 0x7f, 0x7f, S0, I0, 0, BASE),
	S("movdq", M0F, P66, 0x6f, 0x6f, S0, I0, 0, BASE),
	S("movdq", M0F, P66, 0x7f, 0x7f, S0, I0, 0, BASE),
	S("movdq", M0F, PF3, 0x6f, 0x6f, S0, I0, 0, BASE),
	S("movdq", M0F, PF3, 0x7f, 0x7f, S0, I0, 0, BASE),
	A("vmovdq", M0F, P66, 0x6f, 0x6f, S0, L01, I0, 0, AVX),
	A("vmovdq", M0F, P66, 0x7f, 0x7f, S0, L01, I0, 0, AVX),
	A("vmovdq", M0F, PF3, 0x6f, 0x6f, S0, L01, I0, 0, AVX),
	A("vmovdq", M0F, PF3, 0x7f, 0x7f, S0, L01, I0, 0, AVX),
	Z("vmovdqa", M0F, P66, 0x6f, 0x6f, S01, L012, I0, 0, 'v'),
	Z("vmovdqa", M0F, P66, 0x7f, 0x7f, S01, L012, I0, 0, 'v'),
	Z("vmovdqu", M0F, PF3, 0x6f, 0x6f, S01, L012, I0, 0, 'v'),
	Z("vmovdqu", M0F, PF3, 0x7f, 0x7f, S01, L012, I0, 0, 'v'),
	Z("vmovdqu8", M0F, PF2, 0x6f, 0x6f, S01, L012, I0, 0, 'v'),
	Z("vmovdqu8", M0F, PF2, 0x7f, 0x7f, S01, L012, I0, 0, 'v'),
	S("pshufw", M0F, NP, 0x70, 0x70, S0, IB, 0, BASE),
	S("pshuf", M0F, P66, 0x70, 0x70, S0, IB, 0, BASE),
	S("pshuf", M0F, PF3, 0x70, 0x70, S0, IB, 0, BASE),
	S("pshuf", M0F, PF2, 0x70, 0x70, S0, IB, 0, BASE),
	A("vpshuf", M0F, P66, 0x70, 0x70, S0, L01, IB, 0, AVX2),
	A("vpshuf", M0F, PF3, 0x70, 0x70, S0, L01, IB, 0, AVX2),
	A("vpshuf", M0F, PF2, 0x70, 0x70, S0, L01, IB, 0, AVX2),
	Z("vpshuf", M0F, P66, 0x70, 0x70, S0, L012, IB, 0, 'v'),
	MMX("pcmpeq", 0x74, 0x76),
	Z("vpcmpeqb", M0F, P66, 0x74, 0x74, S0, L012, I0, F_VVVV | F_MASK, 'v'),
	S("hadd", M0F, P66, 0x7c, 0x7d, S0, I0, 0, SSE3),
	S("hadd", M0F, PF2, 0x7c, 0x7d, S0, I0, 0, SSE3),
	A("vhadd", M0F, P66, 0x7c, 0x7d, S0, L01, I0, F_VVVV, AVX),
	A("vhadd", M0F, PF2, 0x7c, 0x7d, S0, L01, I0, F_VVVV, AVX),
	S("addsub", M0F, P66, 0xd0, 0xd0, S0, I0, 0, SSE3),
	S("addsub", M0F, PF2, 0xd0, 0xd0, S0, I0, 0, SSE3),
	A("vaddsub", M0F, P66, 0xd0, 0xd0, S0, L01, I0, F_VVVV, AVX),
	A("vaddsub", M0F, PF2, 0xd0, 0xd0, S0, L01, I0, F_VVVV, AVX),
	S("cmpp", M0F, NP, 0xc2, 0xc2, S0, IB, 0, BASE),
	S("cmpp", M0F, P66, 0xc2, 0xc2, S0, IB, 0, BASE),
	S("cmps", M0F, PF3, 0xc2, 0xc2, S0, IB, 0, BASE),
	S("cmps", M0F, PF2, 0xc2, 0xc2, S0, IB, 0, BASE),
	A("vcmpp", M0F, NP, 0xc2, 0xc2, S0, L01, IB, F_VVVV, AVX),
	A("vcmpp", M0F, P66, 0xc2, 0xc2, S0, L01, IB, F_VVVV, AVX),
	A("vcmps", M0F, PF3, 0xc2, 0xc2, S0, L0, IB, F_VVVV, AVX),
	A("vcmps", M0F, PF2, 0xc2, 0xc2, S0, L0, IB, F_VVVV, AVX),
	Z("vcmpp", M0F, NP, 0xc2, 0xc2, S0, L012, IB, F_VVVV | F_MASK, 'v'),
	Z("vcmps", M0F, PF2, 0xc2, 0xc2, S1, L0, IB, F_VVVV | F_MASK, 8),
	S("pinsrw", M0F, NP, 0xc4, 0xc4, S0, IB, 0, BASE),
	S("pinsrw", M0F, P66, 0xc4, 0xc4, S0, IB, 0, BASE),
	A("vpinsrw", M0F, P66, 0xc4, 0xc4, S0, L0, IB, F_VVVV, AVX),
	Z("vpinsrw", M0F, P66, 0xc4, 0xc4, S0, L0, IB, F_VVVV, 2),
	PSPD("shuf", 0xc6, 0xc6, IB),
	/* shifts, whose count is 16 bytes, and the rest of MMX */
	MMX("psrl, paddq, pmullw", 0xd1, 0xd5), MMX("psubus to psra", 0xd8, 0xe2),
	MMX("pavgw, pmulh", 0xe3, 0xe5), MMX("psubs to pxor", 0xe8, 0xef),
	MMX("psll to psadbw", 0xf1, 0xf6), MMX("psub, padd", 0xf8, 0xfe),
	Z("vpsrlw", M0F, P66, 0xd1, 0xd1, S0, L012, I0, F_VVVV, 16),
	Z("vpsrld", M0F, P66, 0xd2, 0xd2, S0, L012, I0, F_VVVV, 16),
	Z("vpaddq", M0F, P66, 0xd4, 0xd4, S1, L012, I0, F_VVVV, 'v'),
	Z("vpmullw", M0F, P66, 0xd5, 0xd5, S0, L012, I0, F_VVVV, 'v'),
	Z("vpand", M0F, P66, 0xdb, 0xdb, S01, L012, I0, F_VVVV, 'v'),
	Z("vpxor", M0F, P66, 0xef, 0xef, S01, L012, I0, F_VVVV, 'v'),
	Z("vpaddb", M0F, P66, 0xfc, 0xfd, S0, L012, I0, F_VVVV, 'v'),
	S("cvtdq2pd", M0F, PF3, 0xe6, 0xe6, S0, I0, 0, BASE),
	S("cvtpd2dq", M0F, PF2, 0xe6, 0xe6, S0, I0, 0, BASE),
	S("cvttpd2dq", M0F, P66, 0xe6, 0xe6, S0, I0, 0, BASE),
	A("vcvtdq2pd", M0F, PF3, 0xe6, 0xe6, S0, L01, I0, 0, AVX),
	A("vcvtpd2dq", M0F, PF2, 0xe6, 0xe6, S0, L01, I0, 0, AVX),
	A("vcvttpd2dq", M0F, P66, 0xe6, 0xe6, S0, L01, I0, 0, AVX),
	S("movntq", M0F, NP, 0xe7, 0xe7, S0, I0, 0, BASE),
	S("movntdq", M0F, P66, 0xe7, 0xe7, S0, I0, 0, BASE),
	A("vmovntdq", M0F, P66, 0xe7, 0xe7, S0, L01, I0, 0, AVX),
	Z("vmovntdq", M0F, P66, 0xe7, 0xe7, S0, L012, I0, 0, 'v'),
	S("lddqu", M0F, PF2, 0xf0, 0xf0, S0, I0, 0, SSE3),
	A("vlddqu", M0F, PF2, 0xf0, 0xf0, S0, L01, I0, 0, AVX),

	SSSE3("pshufb to pmulhrsw", 0x00, 0x0b, F_VVVV), SSSE3("pabs", 0x1c, 0x1e, 0),
	Z("vpshufb", M38, P66, 0x00, 0x00, S0, L012, I0, F_VVVV, 'v'),
	Z("vpabsd", M38, P66, 0x1e, 0x1e, S0, L012, I0, 0, 'v'),
	A("vpermil", M38, P66, 0x0c, 0x0d, S0, L01, I0, F_VVVV, AVX),
	A("vtest", M38, P66, 0x0e, 0x0f, S0, L01, I0, 0, AVX),
	S("pblendvb", M38, P66, 0x10, 0x10, S0, I0, 0, SSE41),
	S("blendv", M38, P66, 0x14, 0x15, S0, I0, 0, SSE41),
	S("ptest", M38, P66, 0x17, 0x17, S0, I0, 0, SSE41),
	A("vptest", M38, P66, 0x17, 0x17, S0, L01, I0, 0, AVX),
	A("vcvtph2ps", M38, P66, 0x13, 0x13, S0, L01, I0, 0, F16C),
	A("vcvtps2ph", M3A, P66, 0x1d, 0x1d, S0, L01, IB, 0, F16C),
	Z("vcvtph2ps", M38, P66, 0x13, 0x13, S0, L012, I0, 0, 'h'),
	Z("vcvtps2ph", M3A, P66, 0x1d, 0x1d, S0, L012, IB, 0, 'h'),
	A("vpermps", M38, P66, 0x16, 0x16, S0, L1, I0, F_VVVV, AVX2),
	A("vpermd", M38, P66, 0x36, 0x36, S0, L1, I0, F_VVVV, AVX2),
	Z("vpermps", M38, P66, 0x16, 0x16, S01, L12, I0, F_VVVV, 'v'),
	A("vbroadcastss", M38, P66, 0x18, 0x18, S0, L01, I0, 0, AVX),
	A("vbroadcastsd", M38, P66, 0x19, 0x19, S0, L1, I0, 0, AVX),
	A("vbroadcastf128", M38, P66, 0x1a, 0x1a, S0, L1, I0, 0, AVX),
	A("vbroadcasti128", M38, P66, 0x5a, 0x5a, S0, L1, I0, 0, AVX2),
	A("vpbroadcast", M38, P66, 0x58, 0x59, S0, L01, I0, 0, AVX2),
	A("vpbroadcast", M38, P66, 0x78, 0x79, S0, L01, I0, 0, AVX2),
	Z("vbroadcastss", M38, P66, 0x18, 0x18, S0, L012, I0, 0, 4),
	Z("vbroadcastsd", M38, P66, 0x19, 0x19, S01, L12, I0, 0, 8),
	Z("vbroadcastx4", M38, P66, 0x1a, 0x1a, S01, L12, I0, 0, 16),
	Z("vbroadcastx8", M38, P66, 0x1b, 0x1b, S01, L2, I0, 0, 32),
	Z("vpbroadcastd", M38, P66, 0x58, 0x58, S0, L012, I0, 0, 4),
	Z("vpbroadcastq", M38, P66, 0x59, 0x59, S01, L012, I0, 0, 8),
	Z("vpbroadcastb", M38, P66, 0x78, 0x78, S0, L012, I0, 0, 1),
	Z("vpbroadcastw", M38, P66, 0x79, 0x79, S0, L012, I0, 0, 2),
	PMOV("pmovsxbw", 0x20, 'h'), PMOV("pmovsxbd", 0x21, 'q'), PMOV("pmovsxbq", 0x22, 'e'),
	PMOV("pmovsxwd", 0x23, 'h'), PMOV("pmovsxwq", 0x24, 'q'), PMOV("pmovsxdq", 0x25, 'h'),
	PMOV("pmovzxbw", 0x30, 'h'), PMOV("pmovzxbd", 0x31, 'q'), PMOV("pmovzxbq", 0x32, 'e'),
	PMOV("pmovzxwd", 0x33, 'h'), PMOV("pmovzxwq", 0x34, 'q'), PMOV("pmovzxdq", 0x35, 'h'),
	SSE41("pmuldq, pcmpeqq", 0x28, 0x29, F_VVVV), SSE41("movntdqa", 0x2a, 0x2a, 0),
	Z("vmovntdqa", M38, P66, 0x2a, 0x2a, S0, L012, I0, 0, 'v'),
	SSE41("packusdw", 0x2b, 0x2b, F_VVVV), SSE41("pmin, pmax, pmulld", 0x38, 0x40, F_VVVV),
	Z("vpminsd", M38, P66, 0x39, 0x39, S01, L012, I0, F_VVVV, 'v'),
	S("pcmpgtq", M38, P66, 0x37, 0x37, S0, I0, 0, SSE42),
	A("vpcmpgtq", M38, P66, 0x37, 0x37, S0, L01, I0, F_VVVV, AVX2),
	S("phminposuw", M38, P66, 0x41, 0x41, S0, I0, 0, SSE41),
	A("vphminposuw", M38, P66, 0x41, 0x41, S0, L0, I0, 0, AVX),
	A("vpsrlv", M38, P66, 0x45, 0x45, S01, L01, I0, F_VVVV, AVX2),
	A("vpsrav", M38, P66, 0x46, 0x46, S0, L01, I0, F_VVVV, AVX2),
	A("vpsllv", M38, P66, 0x47, 0x47, S01, L01, I0, F_VVVV, AVX2),
	Z("vpsrlv", M38, P66, 0x45, 0x47, S01, L012, I0, F_VVVV, 'v'),
	FMA("vfmaddsub132", 0x96), FMA("vfmsubadd132", 0x97), FMA("vfmadd132", 0x98),
	FMA1("vfmadd132", 0x99), FMA("vfmsub132", 0x9a), FMA1("vfmsub132", 0x9b),
	FMA("vfnmadd132", 0x9c), FMA1("vfnmadd132", 0x9d), FMA("vfnmsub132", 0x9e),
	FMA1("vfnmsub132", 0x9f),
	FMA("vfmaddsub213", 0xa6), FMA("vfmsubadd213", 0xa7), FMA("vfmadd213", 0xa8),
	FMA1("vfmadd213", 0xa9), FMA("vfmsub213", 0xaa), FMA1("vfmsub213", 0xab),
	FMA("vfnmadd213", 0xac), FMA1("vfnmadd213", 0xad), FMA("vfnmsub213", 0xae),
	FMA1("vfnmsub213", 0xaf),
	FMA("vfmaddsub231", 0xb6), FMA("vfmsubadd231", 0xb7), FMA("vfmadd231", 0xb8),
	FMA1("vfmadd231", 0xb9), FMA("vfmsub231", 0xba), FMA1("vfmsub231", 0xbb),
	FMA("vfnmadd231", 0xbc), FMA1("vfnmadd231", 0xbd), FMA("vfnmsub231", 0xbe),
	FMA1("vfnmsub231", 0xbf),
	S("sha", M38, NP, 0xc8, 0xcd, S0, I0, 0, SHA),
	S("sha1rnds4", M3A, NP, 0xcc, 0xcc, S0, IB, 0, SHA),
	S("gf2p8mulb", M38, P66, 0xcf, 0xcf, S0, I0, 0, GFNI),
	S("gf2p8affine", M3A, P66, 0xce, 0xcf, S0, IB, 0, GFNI),
	A("vgf2p8mulb", M38, P66, 0xcf, 0xcf, S0, L01, I0, F_VVVV, GFNI),
	A("vgf2p8affine", M3A, P66, 0xce, 0xcf, S1, L01, IB, F_VVVV, GFNI),
	S("aesimc", M38, P66, 0xdb, 0xdb, S0, I0, 0, AES),
	A("vaesimc", M38, P66, 0xdb, 0xdb, S0, L0, I0, 0, AES),
	S("aes", M38, P66, 0xdc, 0xdf, S0, I0, 0, AES),
	A("vaes", M38, P66, 0xdc, 0xdf, S0, L01, I0, F_VVVV, VAES),
	Z("vaes", M38, P66, 0xdc, 0xdf, S0, L012, I0, F_VVVV, 'v'),
	S("aeskeygenassist", M3A, P66, 0xdf, 0xdf, S0, IB, 0, AES),
	A("vaeskeygenassist", M3A, P66, 0xdf, 0xdf, S0, L0, IB, 0, AES),

	A("vperm", M3A, P66, 0x00, 0x01, S1, L1, IB, 0, AVX2),
	A("vpblendd", M3A, P66, 0x02, 0x02, S0, L01, IB, F_VVVV, AVX2),
	A("vpermil", M3A, P66, 0x04, 0x05, S0, L01, IB, 0, AVX),
	A("vperm2f128", M3A, P66, 0x06, 0x06, S0, L1, IB, F_VVVV, AVX),
	A("vperm2i128", M3A, P66, 0x46, 0x46, S0, L1, IB, F_VVVV, AVX2),
	S("roundp", M3A, P66, 0x08, 0x09, S0, IB, 0, SSE41),
	A("vroundp", M3A, P66, 0x08, 0x09, S0, L01, IB, 0, AVX),
	S("rounds", M3A, P66, 0x0a, 0x0b, S0, IB, 0, SSE41),
	A("vrounds", M3A, P66, 0x0a, 0x0b, S0, L0, IB, F_VVVV, AVX),
	Z("vrndscaless", M3A, P66, 0x0a, 0x0a, S0, L0, IB, F_VVVV, 4),
	S("blend", M3A, P66, 0x0c, 0x0e, S0, IB, 0, SSE41),
	A("vblend", M3A, P66, 0x0c, 0x0e, S0, L01, IB, F_VVVV, AVX2),
	S("palignr", M3A, NP, 0x0f, 0x0f, S0, IB, 0, SSSE3),
	S("palignr", M3A, P66, 0x0f, 0x0f, S0, IB, 0, SSSE3),
	A("vpalignr", M3A, P66, 0x0f, 0x0f, S0, L01, IB, F_VVVV, AVX2),
	Z("vpalignr", M3A, P66, 0x0f, 0x0f, S0, L012, IB, F_VVVV, 'v'),
	S("pextr", M3A, P66, 0x14, 0x17, S0, IB, 0, SSE41),
	S("pextrq", M3A, P66, 0x16, 0x16, S1, IB, 0, SSE41),
	A("vpextr", M3A, P66, 0x14, 0x17, S0, L0, IB, 0, AVX),
	A("vpextrq", M3A, P66, 0x16, 0x16, S1, L0, IB, 0, AVX),
	Z("vpextrb", M3A, P66, 0x14, 0x14, S0, L0, IB, 0, 1),
	Z("vpextrd", M3A, P66, 0x16, 0x16, S01, L0, IB, 0, 'x'),
	A("vinsertf128", M3A, P66, 0x18, 0x18, S0, L1, IB, F_VVVV, AVX),
	A("vextractf128", M3A, P66, 0x19, 0x19, S0, L1, IB, 0, AVX),
	A("vinserti128", M3A, P66, 0x38, 0x38, S0, L1, IB, F_VVVV, AVX2),
	A("vextracti128", M3A, P66, 0x39, 0x39, S0, L1, IB, 0, AVX2),
	Z("vinsertx4", M3A, P66, 0x18, 0x18, S01, L12, IB, F_VVVV, 16),
	Z("vextractx4", M3A, P66, 0x19, 0x19, S01, L12, IB, 0, 16),
	Z("vinsertx8", M3A, P66, 0x1a, 0x1a, S01, L2, IB, F_VVVV, 32),
	Z("vextractx8", M3A, P66, 0x1b, 0x1b, S01, L2, IB, 0, 32),
	Z("vinserti32x8", M3A, P66, 0x3a, 0x3a, S01, L2, IB, F_VVVV, 32),
	Z("vextracti32x8", M3A, P66, 0x3b, 0x3b, S01, L2, IB, 0, 32),
	S("pinsrb, insertps", M3A, P66, 0x20, 0x21, S0, IB, 0, SSE41),
	S("pinsrd", M3A, P66, 0x22, 0x22, S01, IB, 0, SSE41),
	A("vpinsrb, vinsertps", M3A, P66, 0x20, 0x21, S0, L0, IB, F_VVVV, AVX),
	A("vpinsrd", M3A, P66, 0x22, 0x22, S01, L0, IB, F_VVVV, AVX),
	S("dpp, mpsadbw", M3A, P66, 0x40, 0x42, S0, IB, 0, SSE41),
	A("vdpps", M3A, P66, 0x40, 0x40, S0, L01, IB, F_VVVV, AVX),
	A("vdppd", M3A, P66, 0x41, 0x41, S0, L0, IB, F_VVVV, AVX),
	A("vmpsadbw", M3A, P66, 0x42, 0x42, S0, L01, IB, F_VVVV, AVX2),
	S("pclmulqdq", M3A, P66, 0x44, 0x44, S0, IB, 0, PCLMUL),
	A("vpclmulqdq", M3A, P66, 0x44, 0x44, S0, L01, IB, F_VVVV, VPCLMUL),
	A("vblendv", M3A, P66, 0x4a, 0x4c, S0, L01, IB, F_VVVV, AVX2),
	S("pcmpstr", M3A, P66, 0x60, 0x63, S0, IB, 0, SSE42),
	A("vpcmpstr", M3A, P66, 0x60, 0x63, S0, L0, IB, 0, AVX),

	/* All of 8 bytes */
	GRP("pop", M1, 0x8f, 0, S01, I0, F_MOVE | F_POP, 0),
	GRP("push", M1, 0xff, 6, S01, I0, F_MOVE | F_PUSH, 0),
	GRP("call", M1, 0xff, 2, S01, I0, F_MOVE | F_PUSH | F_JUMP, 0),
	GRP("jmp", M1, 0xff, 4, S01, I0, F_MOVE | F_JUMP, 0),
};

enum gen_mode {
	MODE_BASE, MODE_BASE_D8, MODE_BASE_D32,
	MODE_INDEX, MODE_INDEX_D8, MODE_INDEX_D32,
	MODE_NO_BASE, MODE_ABS, MODE_RIP, MODE_SP,
	NR_MODES,
	/* Of strings: none, rep and repne, each of them up and down */
	MODE_DOWN = BIT(0), MODE_REP = BIT(1), MODE_REPNE = BIT(2),
	NR_STRING_MODES = 6
};

static const u8 gen_reg_offset[16] = {
	offsetof(struct pt_regs, ax), offsetof(struct pt_regs, cx),
	offsetof(struct pt_regs, dx), offsetof(struct pt_regs, bx),
	offsetof(struct pt_regs, sp), offsetof(struct pt_regs, bp),
	offsetof(struct pt_regs, si), offsetof(struct pt_regs, di),
	offsetof(struct pt_regs, r8), offsetof(struct pt_regs, r9),
	offsetof(struct pt_regs, r10), offsetof(struct pt_regs, r11),
	offsetof(struct pt_regs, r12), offsetof(struct pt_regs, r13),
	offsetof(struct pt_regs, r14), offsetof(struct pt_regs, r15),
};

#define SP	4
#define NONE	16

u64 gen_random(u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed * 0x2545f4914f6cdd1dULL;
}

static unsigned int below(u64 *seed, unsigned int n)
{
	return (gen_random(seed) >> 33) % n;
}

static void gen_set(struct gen_case *c, unsigned int reg, unsigned long value)
{
	*(unsigned long *)((u8 *)&c->regs + gen_reg_offset[reg]) = value;
}

static unsigned long gen_get(const struct gen_case *c, unsigned int reg)
{
	return *(const unsigned long *)((const u8 *)&c->regs + gen_reg_offset[reg]);
}

static unsigned int gen_nr_sizes(const struct gen_form *f)
{
	return f->size == SV ? 3 : f->size == S01 ? 2 : 1;
}

static unsigned int gen_nr_lengths(const struct gen_form *f)
{
	return f->len == L012 ? 3 : f->len == L01 || f->len == L12 ? 2 : 1;
}

static unsigned int gen_nr_modes(const struct gen_form *f)
{
	if (f->flags & (F_SI | F_DI))
		return NR_STRING_MODES;
	return f->flags & F_MOFFS ? 2 : NR_MODES;
}

unsigned int gen_forms(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(gen_list); i++)
		n += gen_list[i].last - gen_list[i].first + 1;
	return n;
}

/* One of the opcodes of the list, counted from its first. */
static const struct gen_form *gen_find(unsigned int n, u8 *opcode)
{
	unsigned int i, nr;

	for (i = 0; i < ARRAY_SIZE(gen_list); i++) {
		nr = gen_list[i].last - gen_list[i].first + 1;
		if (n < nr) {
			*opcode = gen_list[i].first + n;
			return &gen_list[i];
		}
		n -= nr;
	}
	return NULL;
}

/**
 * gen_next - go on to the next case
 * @g: state; for the first case the position is all zero
 *
 * Return: false if there is none.
 */
bool gen_next(struct gen *g)
{
	const struct gen_form *f;
	u8 opcode;

	gen_random(&g->seed);
	f = gen_find(g->form, &opcode);
	if (!f)
		return false;
	if (++g->round <= g->rounds)
		return true;
	g->round = 1;
	/* No address of 32 bits is one of the kernel's data. */
	if (++g->mode == MODE_ABS && g->kernel)
		g->mode++;
	if (g->mode < gen_nr_modes(f))
		return true;
	g->mode = 0;
	if (++g->length < gen_nr_lengths(f))
		return true;
	g->length = 0;
	if (++g->size < gen_nr_sizes(f))
		return true;
	g->size = 0;
	g->form++;
	return gen_find(g->form, &opcode);
}

struct gen_enc_state {
	u64		seed;
	unsigned int	w;
	unsigned int	opnd;	/* bytes of an operand in general registers */
	unsigned int	l;
	bool		addr32;
	unsigned int	reg;
	unsigned int	vvvv;
	unsigned int	base;
	unsigned int	index;
	unsigned int	scale;
	int		mod;
	bool		sib;
	s32		disp;
	unsigned int	disp_len;
	unsigned int	n;
};

static void gen_sizes(struct gen_enc_state *s, const struct gen *g,
		      const struct gen_form *f)
{
	static const u8 l[][3] = {
		[L0] = { 0 }, [L1] = { 1 }, [L01] = { 0, 1 },
		[L012] = { 0, 1, 2 }, [L12] = { 1, 2 }, [L2] = { 2 },
	};
	unsigned int vector;

	switch (f->size) {
	case SB:
		s->opnd = 1;
		break;
	case SV:
		s->opnd = 2 << g->size;
		s->w = g->size == 2;
		break;
	case S01:
		s->w = g->size;
		s->opnd = 4 << s->w;
		break;
	case S1:
		s->w = 1;
		s->opnd = 8;
		break;
	default:
		s->opnd = 4;
	}
	s->l = l[f->len][g->length];
	vector = 16 << s->l;
	switch (f->n) {
	case 'v':
		s->n = vector;
		break;
	case 'h':
		s->n = vector / 2;
		break;
	case 'q':
		s->n = vector / 4;
		break;
	case 'e':
		s->n = vector / 8;
		break;
	case 'x':
		s->n = s->w ? 8 : 4;
		break;
	case 'd':
		s->n = s->l ? vector : 8;
		break;
	default:
		s->n = f->n;
	}
	if (f->enc != EVEX)
		s->n = 1;
}

/* Which registers, and what they have to hold for the operand to be at target. */
static void gen_address(struct gen_enc_state *s, const struct gen *g,
			const struct gen_form *f, struct gen_case *c,
			unsigned long target)
{
	unsigned long rest;

	s->base = NONE;
	s->index = NONE;
	switch (g->mode) {
	case MODE_BASE_D8:
	case MODE_INDEX_D8:
	case MODE_SP:
		s->mod = 1;
		s->disp_len = 1;
		s->disp = (s8)gen_random(&s->seed);
		break;
	case MODE_BASE_D32:
	case MODE_INDEX_D32:
		s->mod = 2;
		s->disp_len = 4;
		s->disp = (s32)gen_random(&s->seed) >> 1;
		break;
	case MODE_NO_BASE:
		s->disp_len = 4;
		s->disp = (s32)gen_random(&s->seed) >> 1;
		break;
	case MODE_ABS:
	case MODE_RIP:
		s->disp_len = 4;
		s->disp = target;	/* less the address behind it: later */
		s->sib = g->mode == MODE_ABS;
		return;
	}
	/* What it pops has to be there, too. */
	if ((f->flags & F_POP) && g->mode == MODE_SP)
		s->disp &= 0x7f;
	rest = target - (long)s->disp * (s->disp_len == 1 ? s->n : 1);

	if (g->mode == MODE_SP) {
		s->base = SP;
		/* It has been moved when the address is worked out. */
		if (f->flags & F_POP)
			rest -= sizeof(u64);
		if (g->kernel) {
			s->sib = true;
			s->index = below(&s->seed, SP);
			gen_set(c, s->index, rest - g->sp);
			return;
		}
	} else if (g->mode != MODE_NO_BASE) {
		do {
			s->base = below(&s->seed, 16);
		} while (s->base == SP);
	}
	if (g->mode == MODE_INDEX || g->mode == MODE_INDEX_D8 ||
	    g->mode == MODE_INDEX_D32 || g->mode == MODE_NO_BASE) {
		s->sib = true;
		s->scale = below(&s->seed, 4);
		do {
			s->index = below(&s->seed, 16);
		} while (s->index == SP || s->index == s->base);
	}
	if (s->base != NONE && (s->base & 7) == SP)
		s->sib = true;
	/* Without displacement these mean something else. */
	if (s->base != NONE && (s->base & 7) == 5 && s->mod == 0) {
		s->mod = 1;
		s->disp_len = 1;
	}

	if (g->mode == MODE_NO_BASE) {
		unsigned long low = rest & (BIT(s->scale) - 1);

		/* What the shift moves out does not matter. */
		s->disp += low;
		rest -= low;
		rest >>= s->scale;
		if (s->scale)
			rest |= gen_random(&s->seed) << (64 - s->scale);
		if (s->addr32)
			rest = (u32)rest | gen_random(&s->seed) << 32;
		gen_set(c, s->index, rest);
		return;
	}
	if (s->index != NONE)
		rest -= gen_get(c, s->index) << s->scale;
	if (s->addr32 && !((f->flags & F_POP) && s->base == SP))
		rest = (u32)rest | gen_random(&s->seed) << 32;
	gen_set(c, s->base, rest);
}

static bool gen_inside(const struct gen *g, unsigned long addr, unsigned int len)
{
	return addr >= g->data && addr + len <= g->data + GEN_DATA_SIZE;
}

/* What the operand's neighbours in registers have to be. */
static void gen_operands(struct gen_enc_state *s, const struct gen *g,
			 const struct gen_form *f, struct gen_case *c, const u8 *data)
{
	unsigned long bits = 8 * s->opnd, mask, offset;
	const u8 *mem = data + (c->addr - g->data);

	if (f->flags & F_BITS) {
		mask = s->opnd == 8 ? ~0UL : BIT(bits) - 1;
		offset = below(&s->seed, 16000) - 8000UL;
		gen_set(c, s->reg, (gen_get(c, s->reg) & ~mask) | (offset & mask));
		c->addr += ((long)offset >> (s->opnd == 2 ? 4 : s->opnd == 4 ? 5 : 6)) *
			   s->opnd;
	}
	if ((f->flags & F_CMPXCHG) && s->base != 0 && s->index != 0 &&
	    below(&s->seed, 2) && gen_inside(g, c->addr, s->opnd)) {
		mask = gen_get(c, 0);
		memcpy(&mask, mem, s->opnd);
		gen_set(c, 0, mask);
	}
	if ((f->flags & F_CMPXCHG2) && s->base != 0 && s->base != 2 &&
	    s->index != 0 && s->index != 2 && below(&s->seed, 2) &&
	    gen_inside(g, c->addr, 2 * s->opnd)) {
		unsigned long ax = gen_get(c, 0), dx = gen_get(c, 2);

		memcpy(&ax, mem, s->opnd);
		memcpy(&dx, mem + s->opnd, s->opnd);
		gen_set(c, 0, ax);
		gen_set(c, 2, dx);
	}
	if (f->flags & F_DIRECT) {
		c->dst = g->data + GEN_DATA_SIZE / 2 - 0x400;
		gen_set(c, s->reg, s->addr32 ?
			c->dst | gen_random(&s->seed) << 32 : c->dst);
	}
}

static void gen_string(struct gen_enc_state *s, const struct gen *g,
		       const struct gen_form *f, struct gen_case *c)
{
	unsigned long garbage = s->addr32 ? gen_random(&s->seed) << 32 : 0;

	c->string = true;
	c->dst = g->data + GEN_DATA_SIZE / 2;
	/* At times across pages */
	c->dst -= below(&s->seed, 4) ? 0x100 + below(&s->seed, 0x100) : below(&s->seed, 16);
	if (f->flags & F_SI)
		c->regs.si = c->addr | garbage;
	if ((f->flags & (F_SI | F_DI)) == F_DI)
		c->regs.di = c->addr | garbage;
	else if (f->flags & F_DI)
		c->regs.di = c->dst | garbage;
	if (g->mode & (MODE_REP | MODE_REPNE))
		c->regs.cx = (1 + below(&s->seed, 7)) | garbage;
	if (g->mode & MODE_DOWN)
		c->regs.flags |= X86_EFLAGS_DF;
}

static void gen_put(struct gen_case *c, u64 value, unsigned int len)
{
	while (len--) {
		c->text[c->len++] = value;
		value >>= 8;
	}
}

static void gen_put_prefixes(struct gen_enc_state *s, const struct gen *g,
			     const struct gen_form *f, struct gen_case *c)
{
	static const u8 segment[] = { 0x26, 0x2e, 0x36, 0x3e };
	static const u8 mandatory[] = { 0, 0x66, 0xf3, 0xf2 };
	bool locked = (f->flags & F_LOCK) && below(&s->seed, 4) == 0;
	bool string = f->flags & (F_SI | F_DI);
	bool plain = f->enc == LEG && f->map == M1 &&
		     !(f->flags & (F_PUSH | F_POP | F_JUMP));

	/* At times what changes nothing. */
	if (plain && (f->size == SB || s->w) && below(&s->seed, 8) == 0)
		gen_put(c, 0x66, 1);
	if (plain && !string && !(f->flags & F_LOCK) && below(&s->seed, 8) == 0)
		gen_put(c, 0xf2 + below(&s->seed, 2), 1);
	if (below(&s->seed, 8) == 0)
		gen_put(c, segment[below(&s->seed, 4)], 1);
	if (s->addr32)
		gen_put(c, 0x67, 1);
	if (f->enc != LEG)
		return;
	if (locked)
		gen_put(c, 0xf0, 1);
	if (f->size == SV && s->opnd == 2)
		gen_put(c, 0x66, 1);
	if (f->pfx)
		gen_put(c, mandatory[f->pfx], 1);
	if (string && g->mode & (MODE_REP | MODE_REPNE))
		gen_put(c, g->mode & MODE_REP ? 0xf3 : 0xf2, 1);
}

static void gen_put_opcode(struct gen_enc_state *s, const struct gen_form *f,
			   struct gen_case *c, u8 opcode)
{
	unsigned int r = s->reg >> 3 & 1;
	unsigned int b = s->base != NONE && s->base >= 8;
	unsigned int x = s->index != NONE && s->index >= 8;
	u8 rex = s->w << 3 | r << 2 | x << 1 | b;

	switch (f->enc) {
	case LEG:
		/* At times it is there for nothing, and makes spl of ah. */
		if (rex || below(&s->seed, 4) == 0)
			gen_put(c, 0x40 | rex, 1);
		else if ((f->flags & F_GPR) && f->size == SB && s->reg == SP)
			c->sp = false;
		if (f->map != M1)
			gen_put(c, 0x0f, 1);
		if (f->map == M38)
			gen_put(c, 0x38, 1);
		if (f->map == M3A)
			gen_put(c, 0x3a, 1);
		break;
	case VEX:
		if (f->map == M0F && !s->w && !x && !b && below(&s->seed, 2)) {
			gen_put(c, 0xc5, 1);
			gen_put(c, !r << 7 | (~s->vvvv & 15) << 3 | s->l << 2 |
				   f->pfx, 1);
			break;
		}
		gen_put(c, 0xc4, 1);
		gen_put(c, !r << 7 | !x << 6 | !b << 5 | f->map, 1);
		gen_put(c, s->w << 7 | (~s->vvvv & 15) << 3 | s->l << 2 | f->pfx, 1);
		break;
	case EVEX:
		gen_put(c, 0x62, 1);
		gen_put(c, !r << 7 | !x << 6 | !b << 5 | 0x10 | f->map, 1);
		gen_put(c, s->w << 7 | (~s->vvvv & 15) << 3 | 4 | f->pfx, 1);
		gen_put(c, s->l << 5 | 8, 1);
		break;
	}
	gen_put(c, opcode, 1);
}

static void gen_put_modrm(struct gen_enc_state *s, const struct gen *g,
			  struct gen_case *c, unsigned int imm_len)
{
	unsigned int rm = s->sib ? 4 : s->base == NONE ? 5 : s->base & 7;

	gen_put(c, s->mod << 6 | (s->reg & 7) << 3 | rm, 1);
	if (s->sib)
		gen_put(c, s->scale << 6 |
			   (s->index == NONE ? 4 : s->index & 7) << 3 |
			   (s->base == NONE ? 5 : s->base & 7), 1);
	if (g->mode == MODE_RIP)
		s->disp -= g->text + c->len + s->disp_len + imm_len;
	gen_put(c, s->disp, s->disp_len);
}

/**
 * gen_make - make the case at which the enumeration is
 * @g:      state
 * @target: where its memory operand is to be, before a bit test moves it
 * @data:   what is at @g->data
 * @c:      result
 */
void gen_make(const struct gen *g, unsigned long target, const u8 *data,
	      struct gen_case *c)
{
	struct gen_enc_state s = { .seed = g->seed };
	unsigned int i, imm_len;
	const struct gen_form *f;
	u8 opcode = 0;

	memset(c, 0, sizeof(*c));
	f = gen_find(g->form, &opcode);
	c->name = f->name;
	c->undef = f->undef;
	c->feature = f->feature;
	c->bits = f->flags & F_BITS;
	c->move = f->flags & F_MOVE;
	c->stack = f->flags & F_POP ? 8 : f->flags & F_PUSH ? -8 : 0;
	c->jump = f->flags & F_JUMP;
	c->stepped = f->flags & (F_PUSH | F_JUMP);
	c->addr = target;
	c->regs.ip = g->text;
	c->regs.flags = (gen_random(&s.seed) & (CF | PF | AF | ZF | SF | OF)) |
			X86_EFLAGS_FIXED;
	for (i = 0; i < 16; i++)
		gen_set(c, i, gen_random(&s.seed));
	/* There are processors on which no interrupt returns to one that is none. */
	c->regs.sp = g->kernel ? g->sp : c->regs.sp >> 17;

	gen_sizes(&s, g, f);
	s.addr32 = below(&s.seed, 5) == 0 && !g->kernel;
	imm_len = f->imm == I0 ? 0 : f->imm == IB ? 1 : min(s.opnd, 4U);

	if (f->flags & (F_SI | F_DI)) {
		gen_string(&s, g, f, c);
	} else if (!(f->flags & F_MOFFS)) {
		if ((f->flags & F_POP) && !g->kernel)
			c->regs.sp = g->data + 0x100;
		gen_address(&s, g, f, c, target);
		do {
			s.reg = below(&s.seed, 16);
		} while ((f->flags & (F_BITS | F_DIRECT)) &&
			 (s.reg == s.base || s.reg == s.index || s.reg == SP));
		if (f->ext >= 0)
			s.reg = f->ext;
		if (f->flags & F_MASK)
			s.reg &= 7;
		if (f->flags & F_VVVV)
			s.vvvv = below(&s.seed, 16);
		c->sp = ((f->flags & F_GPR) && s.reg == SP) ||
			((f->flags & F_VGPR) == F_VGPR && s.vvvv == SP);
		gen_operands(&s, g, f, c, data);
	}

	gen_put_prefixes(&s, g, f, c);
	gen_put_opcode(&s, f, c, opcode);
	if (f->flags & F_MOFFS)
		gen_put(c, target, s.addr32 ? 4 : 8);
	else if (!c->string)
		gen_put_modrm(&s, g, c, imm_len);
	gen_put(c, gen_random(&s.seed), imm_len);
}
