/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run an instruction where it is, with registers of its own.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>

#include <asm/asm.h>
#include <asm/nospec-branch.h>
#include <asm/ptrace-abi.h>
#include <asm/unwind_hints.h>

	.text

/*
 * void pvs_test_run(const void *code, struct pt_regs *regs)
 *
 * The code comes back to pvs_test_return. It has all registers of @regs but the
 * stack pointer, which it must not change and which is put there afterwards.
 */
SYM_CODE_START(pvs_test_run)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rsi
	pushq	%rdi

	pushq	EFLAGS(%rsi)
	popfq
	movq	R15(%rsi), %r15
	movq	R14(%rsi), %r14
	movq	R13(%rsi), %r13
	movq	R12(%rsi), %r12
	movq	RBP(%rsi), %rbp
	movq	RBX(%rsi), %rbx
	movq	R11(%rsi), %r11
	movq	R10(%rsi), %r10
	movq	R9(%rsi), %r9
	movq	R8(%rsi), %r8
	movq	RAX(%rsi), %rax
	movq	RCX(%rsi), %rcx
	movq	RDX(%rsi), %rdx
	movq	RDI(%rsi), %rdi
	movq	RSI(%rsi), %rsi
	ANNOTATE_RETPOLINE_SAFE
	jmp	*(%rsp)

SYM_INNER_LABEL(pvs_test_return, SYM_L_GLOBAL)
	/* The return address and the eight words below it. */
	UNWIND_HINT type=UNWIND_HINT_TYPE_CALL sp_reg=ORC_REG_SP sp_offset=72
	ENDBR
	/* The trap of a step that ended in a fault comes behind this. */
	nop
	pushfq
	cld
	pushq	%rax
	movq	24(%rsp), %rax
	movq	%r15, R15(%rax)
	movq	%r14, R14(%rax)
	movq	%r13, R13(%rax)
	movq	%r12, R12(%rax)
	movq	%rbp, RBP(%rax)
	movq	%rbx, RBX(%rax)
	movq	%r11, R11(%rax)
	movq	%r10, R10(%rax)
	movq	%r9, R9(%rax)
	movq	%r8, R8(%rax)
	movq	%rcx, RCX(%rax)
	movq	%rdx, RDX(%rax)
	movq	%rsi, RSI(%rax)
	movq	%rdi, RDI(%rax)
	popq	RAX(%rax)
	popq	EFLAGS(%rax)
	movq	%rsp, RSP(%rax)
	addq	$16, %rsp

	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_CODE_END(pvs_test_run)
_ASM_NOKPROBE(pvs_test_run)
_ASM_NOKPROBE(pvs_test_return)
