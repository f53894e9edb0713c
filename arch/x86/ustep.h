/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions of user mode that have to be single-stepped.
 */
#ifndef _PV_SHADOW_USTEP_H
#define _PV_SHADOW_USTEP_H

#include <linux/types.h>

struct pt_regs;
struct pv_shadow_range;
struct pvs_step;

bool pvs_user_continues(const struct pt_regs *regs);
void pvs_user_begin(const struct pvs_step *step);
bool pvs_user_add(unsigned long addr, struct pv_shadow_range *range);
void pvs_user_aborted(bool ran);
void pvs_user_settle(void);
void pvs_user_hide(void);
void pvs_user_reveal(void);
bool pvs_user_idle(void);

/* Called by way of their thunks alone: pv_shadow_rare_call(). */
void __pv_shadow_user_exit(void);
void __pv_shadow_user_entry(void);

#endif /* _PV_SHADOW_USTEP_H */
