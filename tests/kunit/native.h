/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run an instruction where it is, with registers of its own.
 */
#ifndef _PV_SHADOW_TEST_NATIVE_H
#define _PV_SHADOW_TEST_NATIVE_H

#include <linux/types.h>

struct pt_regs;

void pvs_test_run(const void *code, struct pt_regs *regs);

/* Where the code goes on; no function. */
extern const u8 pvs_test_return[];

#endif /* _PV_SHADOW_TEST_NATIVE_H */
