// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer's target: any text with any registers. Built with SEEDS it is instead
 * a program that writes the generator's cases as files: seeds DIRECTORY
 *
 * An input is one byte for the length of the text, 15 bytes of text, and registers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ptrace.h>
#include <linux/types.h>
#include <asm/insn.h>

#include "decode.h"
#include "describe.h"
#include "exec.h"
#include "gen.h"

#define MAX_TEXT	15
#define HEAD		(1 + MAX_TEXT)

#ifdef SEEDS

int main(int argc, char **argv)
{
	struct gen g = { .seed = 5, .rounds = 1, .text = GEN_TEXT, .data = GEN_DATA };
	static u8 data[GEN_DATA_SIZE];
	u8 out[HEAD + sizeof(struct pt_regs)];
	unsigned int n = 0, form = -1;
	struct gen_case c;
	char name[4096];
	FILE *f;

	if (argc != 2)
		return 2;
	while (gen_next(&g)) {
		/* A few of each opcode are enough to start from. */
		if (g.form == form && g.mode % 4)
			continue;
		form = g.form;
		gen_make(&g, GEN_DATA_MID, data, &c);
		out[0] = c.len;
		memcpy(out + 1, c.text, MAX_TEXT);
		memcpy(out + HEAD, &c.regs, sizeof(c.regs));
		snprintf(name, sizeof(name), "%s/%u", argv[1], n++);
		f = fopen(name, "w");
		if (!f || fwrite(out, sizeof(out), 1, f) != 1 || fclose(f)) {
			perror(name);
			return 2;
		}
	}
	return 0;
}

#else

#define CHECK(what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: not so: %s\n",		\
				__FILE__, __LINE__, #what);		\
			abort();					\
		}							\
	} while (0)

static bool is_reg(u8 offset, unsigned int size)
{
	return offset == PVS_NO_REG || offset + size <= sizeof(struct pt_regs);
}

static void check_insn(const struct pvs_insn *insn, unsigned int len)
{
	CHECK(insn->len && insn->len <= len && insn->len <= MAX_TEXT);
	CHECK(insn->width && insn->width <= 64);
	CHECK(!(insn->width & (insn->width - 1)));
	CHECK(insn->addr_size == 4 || insn->addr_size == 8);
	CHECK(insn->reads || insn->writes);
	CHECK(is_reg(insn->base, 8) && is_reg(insn->index, 8));
	CHECK(is_reg(insn->dst, 8) && is_reg(insn->bits, 8));
	CHECK(insn->scale < 4 && insn->reg_size <= 8);
	switch (insn->type) {
	case PVS_INSN_LOAD:
		CHECK(insn->reads && !insn->writes && insn->width <= 8);
		if (insn->stepped) {
			CHECK(insn->reg == PVS_NO_REG ||
			      insn->reg == offsetof(struct pt_regs, ip));
			break;
		}
		CHECK(insn->reg != PVS_NO_REG && insn->reg_size >= insn->width);
		CHECK(is_reg(insn->reg, insn->reg_size));
		break;
	case PVS_INSN_STORE:
		CHECK(!insn->reads && insn->writes && insn->width <= 8);
		CHECK(is_reg(insn->reg, insn->width));
		break;
	case PVS_INSN_MOVS:
		CHECK(insn->reads && insn->writes && insn->dst != PVS_NO_REG);
		CHECK(insn->direct || (insn->string && insn->width <= 8));
		break;
	default:
		CHECK(insn->code_len && insn->code_len <= insn->len);
		CHECK(insn->exec_base != PVS_NO_REG);
		CHECK(!insn->locked || (insn->reads && insn->writes));
	}
	if (insn->type != PVS_INSN_EXEC)
		CHECK(!insn->code_len && !insn->locked);
}

/* Is the code the same instruction on nothing but its base register? */
static void check_code(const struct pvs_insn *insn, const u8 *text)
{
	u8 *code = malloc(insn->code_len);
	struct insn was, is;
	struct pvs_insn again;
	unsigned int i;

	memcpy(code, insn->code, insn->code_len);
	pvs_decode(&again, code, insn->code_len, 0x1234);
	CHECK(again.type == PVS_INSN_EXEC);
	CHECK(again.len == insn->code_len);
	CHECK(again.base == insn->exec_base && again.index == PVS_NO_REG);
	CHECK(!again.disp && again.addr_size == 8);
	CHECK(again.width == insn->width && again.aligned == insn->aligned);
	CHECK(again.reads == insn->reads && again.writes == insn->writes);
	CHECK(again.locked == insn->locked && again.bits == insn->bits);
	CHECK(again.reg == insn->reg && again.reg != insn->exec_base);
	CHECK(again.bits != insn->exec_base);
	CHECK(again.exec_base == insn->exec_base);
	CHECK(again.code_len == insn->code_len);
	CHECK(!memcmp(again.code, insn->code, insn->code_len));

	CHECK(!insn_decode(&was, text, insn->len, INSN_MODE_64));
	CHECK(!insn_decode(&is, code, insn->code_len, INSN_MODE_64));
	CHECK(was.opcode.nbytes == is.opcode.nbytes);
	CHECK(!memcmp(was.opcode.bytes, is.opcode.bytes, was.opcode.nbytes));
	CHECK(was.opnd_bytes == is.opnd_bytes);
	CHECK(X86_MODRM_REG(was.modrm.value) == X86_MODRM_REG(is.modrm.value));
	CHECK(X86_MODRM_MOD(is.modrm.value) == 0 && !is.sib.nbytes);
	CHECK(!is.displacement.nbytes);
	CHECK(was.immediate.nbytes == is.immediate.nbytes);
	CHECK(was.immediate.value == is.immediate.value);
	CHECK(was.rex_prefix.nbytes == is.rex_prefix.nbytes);
	CHECK(((was.rex_prefix.value ^ is.rex_prefix.value) & ~3) == 0);
	CHECK((is.rex_prefix.value & 3) == 0);
	CHECK(was.vex_prefix.nbytes == is.vex_prefix.nbytes);
	for (i = 0; i < was.vex_prefix.nbytes; i++) {
		u8 mask = i == 1 && was.vex_prefix.nbytes > 2 ? 0x9f : 0xff;

		CHECK(((was.vex_prefix.bytes[i] ^ is.vex_prefix.bytes[i]) & mask) == 0);
		CHECK((is.vex_prefix.bytes[i] | mask) == 0xff);
	}
	free(code);
}

static void check_described(const u8 *text, unsigned int len, const struct pt_regs *regs)
{
	struct pvs_described d;
	unsigned int i;

	memset(&d, 0xaa, sizeof(d));
	pvs_describe_any(&d, text, len, regs);
	CHECK(d.nr <= PVS_DESCRIBED && (!d.more || d.nr));
	for (i = 0; i < d.nr; i++) {
		CHECK(d.operand[i].size <= 512);
		CHECK(d.operand[i].reads || d.operand[i].writes);
		CHECK(d.operand[i].size || !d.operand[i].reads);
		CHECK(pvs_described_at(&d, d.operand[i].reads ? d.operand[i].read :
					   d.operand[i].write));
	}
}

static void check_emit(const struct pvs_insn *insn, unsigned long at)
{
	unsigned int len = 4 + insn->code_len + 5, n;
	u8 *where = malloc(len);

	n = pvs_exec_emit(where, at, insn);
	CHECK(n == len || n == 0);
	if (n) {
		s32 rel;

		CHECK(!memcmp(where + 4, insn->code, insn->code_len));
		CHECK(where[len - 5] == 0xe9);
		memcpy(&rel, where + len - 4, sizeof(rel));
		CHECK(at + len + rel == (unsigned long)pvs_exec_return);
	}
	CHECK(pvs_exec_emit(where, (unsigned long)pvs_exec_return, insn) == len);
	free(where);
}

int LLVMFuzzerTestOneInput(const u8 *in, size_t size)
{
	struct pvs_operands ops, ops_again;
	struct pvs_insn insn, again;
	struct pt_regs regs, after;
	u64 old[2], new[2];
	unsigned int len;
	u8 *text;

	if (size < HEAD)
		return 0;
	len = in[0] % (MAX_TEXT + 1);
	text = malloc(len);
	memcpy(text, in + 1, len);
	memset(&regs, 0x5a, sizeof(regs));
	size -= HEAD;
	memcpy(&regs, in + HEAD, size < sizeof(regs) ? size : sizeof(regs));

	memset(&insn, 0xaa, sizeof(insn));
	memset(&again, 0x55, sizeof(again));
	pvs_decode(&insn, text, len, regs.ip);
	pvs_decode(&again, text, len, regs.ip);
	CHECK(!memcmp(&insn, &again, sizeof(insn)));
	check_described(text, len, &regs);
	if (insn.type == PVS_INSN_UNKNOWN)
		goto out;

	check_insn(&insn, len);
	pvs_decode(&again, text, insn.len, regs.ip);
	/* The first three bytes, even those of the next instruction. */
	again.bytes = insn.bytes;
	CHECK(!memcmp(&insn, &again, sizeof(insn)));

	pvs_resolve(&insn, &regs, &ops);
	pvs_resolve(&insn, &regs, &ops_again);
	CHECK(!memcmp(&ops, &ops_again, sizeof(ops)));
	CHECK(insn.addr_size == 8 || (ops.addr | ops.dst) <= 0xffffffff);
	CHECK(insn.width >= 8 || !(ops.value >> 8 * insn.width));
	CHECK(!ops.offset || insn.bits != PVS_NO_REG);

	if (insn.type == PVS_INSN_EXEC) {
		check_code(&insn, text);
		check_emit(&insn, regs.ip);
		pvs_locked_values(&insn, &regs, &regs, old, new);
	}
	if (insn.stepped)
		goto out;
	after = regs;
	pvs_complete(&insn, &after, regs.orig_ax);
	CHECK(after.ip == regs.ip + insn.len || (insn.rep && after.ip == regs.ip));
	if (insn.type == PVS_INSN_LOAD)
		pvs_loaded_value(&insn, &after);
out:
	free(text);
	return 0;
}

#endif
