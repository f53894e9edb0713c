/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions with one operand in memory, with registers that lead there.
 *
 * The lists are made from the architecture manuals' opcode maps and know nothing of
 * the decoder that they test. Needs nothing but the kernel's basic headers: it is
 * part of programs and of the kernel's own tests.
 */
#ifndef _PV_SHADOW_TEST_GEN_H
#define _PV_SHADOW_TEST_GEN_H

#include <linux/ptrace.h>
#include <linux/types.h>

/*
 * Where a program runs the instruction and has its operand: both below 2 GiB. The
 * kernel chooses its own.
 */
#define GEN_TEXT	0x21000000UL
#define GEN_DATA	0x20000000UL
#define GEN_DATA_SIZE	0x4000UL
#define GEN_DATA_MID	(GEN_DATA + GEN_DATA_SIZE / 2)

enum gen_feature {
	GEN_BASE,
	GEN_SSE3, GEN_SSSE3, GEN_SSE41, GEN_SSE42, GEN_CX16, GEN_MOVBE, GEN_POPCNT,
	GEN_LZCNT, GEN_BMI1, GEN_BMI2, GEN_ADX, GEN_AES, GEN_PCLMUL, GEN_SHA,
	GEN_GFNI, GEN_AVX, GEN_AVX2, GEN_F16C, GEN_FMA, GEN_VAES, GEN_VPCLMUL,
	GEN_AVX512, GEN_MOVDIRI, GEN_MOVDIR64B,
	GEN_NR_FEATURES
};

/**
 * struct gen - the state of an enumeration
 * @seed: of the random numbers, not 0
 * @text: address of the instruction
 * @data: address of the GEN_DATA_SIZE bytes that its operand is in
 * @kernel: there are no addresses of 32 bits, and the stack pointer is not to be chosen
 * @sp:   the stack pointer, if @kernel
 * @form: where it is
 * @size: ...
 * @length: ...
 * @mode: ...
 * @round: ...
 * @rounds: random choices for each of these
 */
struct gen {
	u64		seed;
	unsigned long	text;
	unsigned long	data;
	bool		kernel;
	unsigned long	sp;
	unsigned int	form;
	unsigned int	size;
	unsigned int	length;
	unsigned int	mode;
	unsigned int	round;
	unsigned int	rounds;
};

/**
 * struct gen_case - an instruction and its registers
 * @name:    of its form
 * @text:    it
 * @len:     bytes of it
 * @regs:    registers, ip among them
 * @addr:    where its memory operand is; of movs: the source
 * @dst:     of movs and movdir64b: the destination
 * @undef:   flags that it leaves undefined
 * @feature: what the processor needs to know it
 * @string:  a string instruction
 * @bits:    a bit test whose register moves the operand
 * @sp:      the stack pointer is an operand
 * @move:    completed without being executed
 * @stack:   what it adds to the stack pointer
 * @jump:    goes on where its memory operand says
 * @stepped: but by the processor alone
 */
struct gen_case {
	const char	*name;
	u8		text[16];
	unsigned int	len;
	struct pt_regs	regs;
	unsigned long	addr;
	unsigned long	dst;
	unsigned long	undef;
	enum gen_feature feature;
	bool		string;
	bool		bits;
	bool		sp;
	bool		move;
	s8		stack;
	bool		jump;
	bool		stepped;
};

bool gen_next(struct gen *g);
void gen_make(const struct gen *g, unsigned long target, const u8 *data,
	      struct gen_case *c);
unsigned int gen_forms(void);
u64 gen_random(u64 *seed);

#endif /* _PV_SHADOW_TEST_GEN_H */
