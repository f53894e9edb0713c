// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instruction's code as pvs_exec() wants it.
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/string.h>

#include "exec.h"

/**
 * pvs_exec_emit - make an instruction's code ready to be run
 * @where: where it is written, PVS_EXEC_SIZE bytes
 * @at:    the address where it will run: not always that at which it can be written
 * @insn:  the instruction, of type PVS_INSN_EXEC
 *
 * Return: bytes written; 0 if @at is too far from the kernel's text.
 */
unsigned int pvs_exec_emit(u8 *where, unsigned long at,
			   const struct pvs_insn *insn)
{
	static const u8 endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	unsigned int len = sizeof(endbr64) + insn->code_len + 5;
	unsigned long by = (unsigned long)pvs_exec_return - (at + len);
	s32 rel = by;

	if (rel != (long)by)
		return 0;

	memcpy(where, endbr64, sizeof(endbr64));
	where += sizeof(endbr64);
	memcpy(where, insn->code, insn->code_len);
	where += insn->code_len;
	*where++ = 0xe9;
	memcpy(where, &rel, sizeof(rel));

	return len;
}
NOKPROBE_SYMBOL(pvs_exec_emit);
