/* SPDX-License-Identifier: GPL-2.0-only */
#ifdef __ASSEMBLER__
#define SYM_CODE_START(name)		.globl name; .balign 16; name:
#define SYM_CODE_END(name)		.size name, . - name
#define SYM_INNER_LABEL(name, linkage)	linkage name; name:
#define SYM_L_GLOBAL			.globl
#define RET				ret
#define _ASM_NOKPROBE(name)
	.section .note.GNU-stack, "", @progbits
#endif
