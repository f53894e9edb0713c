// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second opinion: what pvs_decode() says of an instruction's length and of its
 * memory operand's width and direction is what Zydis says; and so is what
 * pvs_describe_any() says of the others, with the operands' addresses.
 *
 * Usage: second [instructions [seed]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ptrace.h>
#include <linux/types.h>

#include <asm/msr.h>

#include <Zydis/Zydis.h>

#include "decode.h"
#include "describe.h"
#include "gen.h"

#define MAX_BAD	20

static ZydisDecoder decoder;
static unsigned long bad, agreed, undefined, unknown;
static unsigned long by_encoding[ZYDIS_INSTRUCTION_ENCODING_MAX_VALUE + 1];

static unsigned long described, not_described;
static u64 registers_seed = 7;

static void fail(const char *what, const u8 *text, const struct pvs_insn *insn,
		 const ZydisDecodedInstruction *z)
{
	unsigned int i;

	if (++bad > MAX_BAD)
		return;
	printf("# %s:", what);
	for (i = 0; i < 15; i++)
		printf(i == insn->len ? " | %02x" : " %02x", text[i]);
	printf(" (%s; type %d, %u bytes, width %u%s%s)\n",
	       z ? ZydisMnemonicGetString(z->mnemonic) : "undefined", insn->type,
	       insn->len, insn->width, insn->reads ? " reads" : "",
	       insn->writes ? " writes" : "");
}

static bool is_memory(const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       op->mem.type == ZYDIS_MEMOP_TYPE_MEM;
}

/* The stack itself */
static bool is_stack(const ZydisDecodedOperand *op)
{
	return is_memory(op) && op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	       op->mem.base == ZYDIS_REGISTER_RSP;
}

static void set_registers(struct pt_regs *regs, ZydisRegisterContext *context)
{
	unsigned long *const where[16] = {
		&regs->ax, &regs->cx, &regs->dx, &regs->bx, &regs->sp, &regs->bp, &regs->si,
		&regs->di, &regs->r8, &regs->r9, &regs->r10, &regs->r11, &regs->r12, &regs->r13,
		&regs->r14, &regs->r15,
	};
	unsigned int i;

	memset(regs, 0, sizeof(*regs));
	memset(context, 0, sizeof(*context));
	for (i = 0; i < 16; i++) {
		*where[i] = gen_random(&registers_seed);
		context->values[ZYDIS_REGISTER_RAX + i] = *where[i];
		context->values[ZYDIS_REGISTER_EAX + i] = (u32)*where[i];
	}
	regs->ip = GEN_TEXT;
}

/* Their elements are those that a vector says. */
static bool is_masked(const ZydisDecodedInstruction *z)
{
	return z->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX &&
	       z->opcode_map == ZYDIS_OPCODE_MAP_0F38 &&
	       ((z->opcode >= 0x2c && z->opcode <= 0x2f) || z->opcode == 0x8c ||
		z->opcode == 0x8e);
}

/* A bit test's register moves its operand. */
static bool is_moved(const ZydisDecodedInstruction *z)
{
	return z->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	       z->opcode_map == ZYDIS_OPCODE_MAP_0F &&
	       (z->opcode == 0xa3 || z->opcode == 0xab || z->opcode == 0xb3 || z->opcode == 0xbb);
}

/* It is not the same on all processors, or Zydis has not the manuals' opinion. */
static bool is_disputed(const ZydisDecodedInstruction *z)
{
	/* r13d is no base without a displacement. */
	if (z->address_width == 32 && z->raw.modrm.mod == 0 && z->raw.sib.base == 5)
		return true;
	switch (z->mnemonic) {
	case ZYDIS_MNEMONIC_JMP:
	case ZYDIS_MNEMONIC_CALL:
		return z->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE;
	case ZYDIS_MNEMONIC_MOVSXD:	/* of 16 bits */
	case ZYDIS_MNEMONIC_MOVDIR64B:	/* the destination's segment */
	case ZYDIS_MNEMONIC_XLAT:	/* the index */
	case ZYDIS_MNEMONIC_VGATHERDPS:	/* vectors say what it is */
	case ZYDIS_MNEMONIC_VGATHERDPD:
	case ZYDIS_MNEMONIC_VGATHERQPS:
	case ZYDIS_MNEMONIC_VGATHERQPD:
	case ZYDIS_MNEMONIC_VPGATHERDD:
	case ZYDIS_MNEMONIC_VPGATHERDQ:
	case ZYDIS_MNEMONIC_VPGATHERQD:
	case ZYDIS_MNEMONIC_VPGATHERQQ:
		return true;
	default:
		return false;
	}
}

static bool same(const struct pv_shadow_operands *o, const ZydisDecodedOperand *op,
		 const ZydisDecodedInstruction *z, const ZydisRegisterContext *context)
{
	bool reads = op->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
	bool writes = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	unsigned long at = reads ? o->read : o->write;
	u64 addr;

	if (o->copies ? reads == writes : o->reads != reads || o->writes != writes)
		return false;
	ZydisCalcAbsoluteAddressEx(z, op, GEN_TEXT, context, &addr);
	if (z->address_width == 32)
		addr = (u32)addr;
	if (op->mem.segment == ZYDIS_REGISTER_FS)
		addr += __rdmsr(MSR_FS_BASE);
	else if (op->mem.segment == ZYDIS_REGISTER_GS)
		addr += __rdmsr(MSR_GS_BASE);
	if (is_masked(z))
		return at - addr < op->size / 8 && op->size / 8 - (at - addr) >= o->size;
	return (is_moved(z) || at == addr) && o->size == op->size / 8;
}

/* Each operand here is one there. */
static void check_described(const u8 *text, const struct pvs_insn *insn,
			    const ZydisDecodedInstruction *z, const ZydisDecodedOperand *ops)
{
	unsigned int i, j, nr = 0, found;
	ZydisRegisterContext context;
	struct pvs_described d;
	struct pt_regs regs;

	set_registers(&regs, &context);
	pvs_describe_any(&d, text, 15, &regs);
	for (i = 0; i < z->operand_count; i++)
		nr += is_memory(&ops[i]) && !is_stack(&ops[i]);
	if (!d.nr) {
		not_described += nr != 0;
		return;
	}
	described++;
	/* The xsave family: what it says is less. */
	if (d.more || !d.operand[0].size || is_disputed(z))
		return;
	for (i = 0; i < d.nr; i++) {
		for (j = 0, found = 0; j < z->operand_count; j++)
			found += is_memory(&ops[j]) && !is_stack(&ops[j]) &&
				 same(&d.operand[i], &ops[j], z, &context);
		if (found != 1 + d.operand[i].copies) {
			fail("an operand", text, insn, z);
			return;
		}
	}
	if (nr != d.nr + d.operand[0].copies && !is_masked(z))
		fail("number of described operands", text, insn, z);
}

static void check(const u8 *text)
{
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	bool reads = false, writes = false;
	unsigned int i, nr = 0, width = 0;
	ZydisDecodedInstruction z;
	struct pvs_insn insn;

	pvs_decode(&insn, text, 15, GEN_TEXT);
	if (insn.type == PVS_INSN_UNKNOWN) {
		unknown++;
		if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, text, 15, &z, ops)))
			check_described(text, &insn, &z, ops);
		return;
	}
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, text, 15, &z, ops))) {
		/* The processor refuses it before it looks at memory. */
		undefined++;
		return;
	}
	for (i = 0; i < z.operand_count; i++) {
		if (!is_memory(&ops[i]))
			continue;
		/* The stack itself */
		if ((insn.pop || insn.stepped) &&
		    ops[i].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
			continue;
		nr++;
		width = ops[i].size / 8;
		reads |= !!(ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ);
		writes |= !!(ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE);
	}
	if (insn.len != z.length)
		fail("length", text, &insn, &z);
	else if (nr != (insn.type == PVS_INSN_MOVS ? 2 : 1))
		fail("number of operands", text, &insn, &z);
	else if (insn.width != width)
		fail("width", text, &insn, &z);
	else if (insn.reads != reads || insn.writes != writes)
		fail("direction", text, &insn, &z);
	agreed++;
	by_encoding[z.encoding]++;
}

static unsigned int below(u64 *seed, unsigned int n)
{
	return (gen_random(seed) >> 33) % n;
}

/* Any instruction with an operand in memory, or something that looks like one. */
static void make(u64 *seed, u8 *text)
{
	static const u8 prefixes[] = { 0x66, 0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x2e, 0x3e, 0x26, 0x36,
				       0x64, 0x65 };
	u8 *p = text;
	unsigned int i;

	for (i = 0; i < 15; i++)
		text[i] = gen_random(seed) >> 24;
	while (below(seed, 3) == 0 && p < text + 3)
		*p++ = prefixes[below(seed, sizeof(prefixes))];
	switch (below(seed, 8)) {
	case 0 ... 3:
		if (below(seed, 2))
			*p++ = 0x40 | below(seed, 16);
		i = below(seed, 4);
		if (i)
			*p++ = 0x0f;
		if (i > 1)
			*p++ = i == 2 ? 0x38 : 0x3a;
		break;
	case 4:
		*p++ = 0xc5;
		p++;
		break;
	case 5:
		*p++ = 0xc4;
		*p = (*p & 0xe0) | (1 + below(seed, 3));
		p += 2;
		break;
	default:
		*p++ = 0x62;
		*p = (*p & 0xf0) | (1 + below(seed, 3));
		p[1] |= 4;
		p[2] &= 0x68;
		p += 3;
	}
	p++;
	if (*p >= 0xc0)
		*p -= 0x40 * (1 + below(seed, 3));
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 42;
	struct gen g = { .seed = 99, .rounds = 1, .text = GEN_TEXT, .data = GEN_DATA };
	static u8 data[GEN_DATA_SIZE];
	struct gen_case c;
	u8 text[16];

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	while (gen_next(&g)) {
		gen_make(&g, GEN_DATA_MID, data, &c);
		check(c.text);
	}
	if (undefined)
		printf("# %lu of the enumerated ones are undefined\n", undefined);
	bad += undefined;
	while (n--) {
		make(&seed, text);
		check(text);
	}
	printf("# %lu instructions: legacy %lu, VEX %lu, EVEX %lu; beside them %lu unknown here, %lu undefined there\n",
	       agreed, by_encoding[ZYDIS_INSTRUCTION_ENCODING_LEGACY],
	       by_encoding[ZYDIS_INSTRUCTION_ENCODING_VEX],
	       by_encoding[ZYDIS_INSTRUCTION_ENCODING_EVEX], unknown, undefined);
	printf("# of those unknown %lu are described, %lu with operands in memory are not\n",
	       described, not_described);
	if (bad)
		printf("# %lu differences\n", bad);
	printf("%s - length, width and direction are what Zydis says\n",
	       bad ? "not ok" : "ok");
	return bad != 0;
}
