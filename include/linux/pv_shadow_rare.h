/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that stand where everybody comes by, and hardly one has a reason to make: what keeps
 * the registers is the callee's thunk (PV_CALLEE_SAVE_REGS_THUNK()). Where an ordinary call
 * stands, behind whatever static key, the compiler saves registers for it, for all who do not
 * call as well.
 */
#ifndef _LINUX_PV_SHADOW_RARE_H
#define _LINUX_PV_SHADOW_RARE_H

#include <asm/asm.h>

/*
 * Arguments are the operands of an asm statement: "D", "S", "d" and "c" as the ABI has it.
 * Returns rax.
 */
#define pv_shadow_rare_call(func, ...)						\
({										\
	unsigned long __rare_ret;						\
										\
	asm volatile("call __raw_callee_save_" #func				\
		     : "=a" (__rare_ret), ASM_CALL_CONSTRAINT			\
		     : __VA_ARGS__						\
		     : "memory", "cc");						\
	__rare_ret;								\
})

#endif /* _LINUX_PV_SHADOW_RARE_H */
