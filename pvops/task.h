/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which tasks run on a CPU's roots.
 */
#ifndef _PV_SHADOW_TASK_H
#define _PV_SHADOW_TASK_H

#include <linux/types.h>

struct task_struct;

void pvs_want_all_tasks(void);
bool pvs_task_wanted(const struct task_struct *task);
void pvs_cpu_follow(void *unused);

#endif /* _PV_SHADOW_TASK_H */
