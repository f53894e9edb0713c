// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second opinion: what pvs_decode() says of an instruction's length and of its
 * memory operand's width and direction is what Zydis says.
 *
 * Usage: second [instructions [seed]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include <Zydis/Zydis.h>

#include "decode.h"
#include "gen.h"

#define MAX_BAD	20

static ZydisDecoder decoder;
static unsigned long bad, agreed, undefined, unknown;
static unsigned long by_encoding[ZYDIS_INSTRUCTION_ENCODING_MAX_VALUE + 1];

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
	static const u8 prefixes[] = { 0x66, 0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x2e, 0x3e, 0x26, 0x36 };
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
	if (bad)
		printf("# %lu differences\n", bad);
	printf("%s - length, width and direction are what Zydis says\n",
	       bad ? "not ok" : "ok");
	return bad != 0;
}
