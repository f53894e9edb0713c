/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses being completed, for those who look from outside.
 */
#ifndef _PV_SHADOW_FAULT_H
#define _PV_SHADOW_FAULT_H

#include <linux/types.h>

bool pvs_steps_idle(void);
void pvs_steps_reset(void);
void pvs_steps_leave(void);

#endif /* _PV_SHADOW_FAULT_H */
