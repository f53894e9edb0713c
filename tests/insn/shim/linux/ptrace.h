/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers, by the kernel's names; their order is the ABI's. */
#ifndef _PV_SHADOW_SHIM_PTRACE_H
#define _PV_SHADOW_SHIM_PTRACE_H

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

#endif
