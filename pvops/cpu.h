/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs that come and go: to reach each one that executes kernel code, which is
 * more than those that Linux calls online.
 */
#ifndef _PV_SHADOW_CPU_H
#define _PV_SHADOW_CPU_H

#include <linux/percpu.h>
#include <linux/smp.h>

#if IS_ENABLED(CONFIG_KUNIT)
DECLARE_PER_CPU(bool, pvs_alive);
#endif

void pvs_on_each_live_cpu(smp_call_func_t func);
void pvs_flush_live_cpus(void);
void pvs_wait_accesses(void);
bool pvs_cpu_alive(int cpu);

#endif /* _PV_SHADOW_CPU_H */
