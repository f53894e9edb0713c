/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend: whether it is installed, and whether CPUs run on it now.
 */
#ifndef _PV_SHADOW_BACKEND_H
#define _PV_SHADOW_BACKEND_H

#include <linux/init.h>
#include <linux/types.h>

bool pvs_active(void);
bool pvs_hold(void);
void pvs_release(void);
int pvs_block(void);
void pvs_unblock(void);
bool __init pvs_install(void);

#endif /* _PV_SHADOW_BACKEND_H */
