/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run an instruction with all registers of its own, and with none of ours left.
 */
#include <linux/linkage.h>
#include <asm/ptrace-abi.h>

	.bss
	.balign 8
native_regs:	.quad 0
native_after:	.quad 0
native_mask:	.quad 0
native_code:	.quad 0
native_sp:	.quad 0
native_their_sp: .quad 0

	.data
native_mxcsr:	.long 0x1f80

	.text

.macro PUSH_OURS
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
.endm

.macro POP_OURS
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
.endm

/* \mask in memory or a register that is none of these */
.macro LOAD_VECTORS from mask
	movq	\mask, %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	xrstor64 (\from)
.endm

.macro SAVE_VECTORS to mask
	movq	\mask, %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	xsave64	(\to)
	fninit
	ldmxcsr	native_mxcsr(%rip)
.endm

/*
 * void insn_native(const void *code, struct pt_regs *regs, const void *before,
 *		    void *after, u64 mask)
 *
 * The code comes back to insn_native_return, and so does the handler of a signal
 * that it raises.
 */
SYM_CODE_START(insn_native)
	PUSH_OURS
	movq	%rdi, native_code(%rip)
	movq	%rsi, native_regs(%rip)
	movq	%rcx, native_after(%rip)
	movq	%r8, native_mask(%rip)
	movq	%rdx, %rcx
	LOAD_VECTORS %rcx, %r8
	pushq	EFLAGS(%rsi)
	popfq
	movq	%rsp, native_sp(%rip)
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
	movq	RSP(%rsi), %rsp
	movq	RSI(%rsi), %rsi
	jmp	*native_code(%rip)

SYM_INNER_LABEL(insn_native_return, SYM_L_GLOBAL)
	movq	%rsp, native_their_sp(%rip)
	movq	native_sp(%rip), %rsp
	pushfq
	cld
	pushq	%rax
	movq	native_regs(%rip), %rax
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
	movq	native_their_sp(%rip), %rcx
	movq	%rcx, RSP(%rax)
	movq	native_after(%rip), %rcx
	SAVE_VECTORS %rcx, native_mask(%rip)
	POP_OURS
	ret
SYM_CODE_END(insn_native)

/*
 * void insn_exec(const void *code, struct pt_regs *regs, unsigned long base,
 *		  unsigned long addr, void *vectors, u64 mask)
 *
 * pvs_exec() with vector registers that are taken from memory and put back.
 */
SYM_CODE_START(insn_exec)
	pushq	%r8
	pushq	%r9
	subq	$8, %rsp
	movq	%rdx, %r10
	LOAD_VECTORS %r8, %r9
	movq	%r10, %rdx
	call	pvs_exec
	addq	$8, %rsp
	popq	%r9
	popq	%rcx
	SAVE_VECTORS %rcx, %r9
	ret
SYM_CODE_END(insn_exec)

/*
 * void insn_call(const void *function, unsigned long a, unsigned long b,
 *		  unsigned long c, void *vectors, u64 mask)
 *
 * function(a, b, c) in the same way.
 */
SYM_CODE_START(insn_call)
	pushq	%r8
	pushq	%r9
	subq	$8, %rsp
	movq	%rdx, %r10
	LOAD_VECTORS %r8, %r9
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%r10, %rsi
	movq	%rcx, %rdx
	call	*%rax
	addq	$8, %rsp
	popq	%r9
	popq	%rcx
	SAVE_VECTORS %rcx, %r9
	ret
SYM_CODE_END(insn_call)
