/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run an instruction's code with the registers of the interrupted context.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>

#include <asm/asm.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>
#include <asm/ptrace-abi.h>
#include <asm/unwind_hints.h>

#define ARITH_FLAGS (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
		     X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

	.text

/*
 * unsigned long pvs_exec(const void *code, struct pt_regs *regs, unsigned long base,
 *			  unsigned long addr)
 *
 * It jumps where objtool cannot follow, to code that comes back to a label: no
 * function in objtool's sense.
 */
SYM_CODE_START(pvs_exec)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15

	/* For the way back, when no register is ours. */
	pushq	(%rsi, %rdx)
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	movq	%rcx, (%rsi, %rdx)

	/* TF, IF and DF are ours, not the context's. */
	pushfq
	movl	EFLAGS(%rsi), %eax
	andl	$ARITH_FLAGS, %eax
	andq	$~ARITH_FLAGS, (%rsp)
	orq	%rax, (%rsp)
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

	/*
	 * No register is free for a retpoline. The fence lets nothing be executed
	 * for long that a trained predictor would rather jump to.
	 */
	lfence
	ANNOTATE_RETPOLINE_SAFE
	jmp	*(%rsp)

SYM_INNER_LABEL(pvs_exec_return, SYM_L_GLOBAL)
	/* The return address and the ten words below it. */
	UNWIND_HINT type=UNWIND_HINT_TYPE_CALL sp_reg=ORC_REG_SP sp_offset=88
	ANNOTATE_NOENDBR
	pushfq
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
	popq	%rcx
	movq	%rcx, RAX(%rax)

	popq	%rcx
	xorq	EFLAGS(%rax), %rcx
	andl	$ARITH_FLAGS, %ecx
	xorq	%rcx, EFLAGS(%rax)

	/* 0 by now if it made an exception: pvs_exec_fixup(). */
	popq	%rsi
	addq	$8, %rsp
	popq	%rdx
	popq	%rcx
	movq	%rcx, (%rax, %rdx)
	movq	%rsi, %rax

	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_CODE_END(pvs_exec)
_ASM_NOKPROBE(pvs_exec)
_ASM_NOKPROBE(pvs_exec_return)
