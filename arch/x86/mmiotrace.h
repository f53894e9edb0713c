/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The boot parameter, and the tracer, which knows ftrace's buffer and the text.
 */
#ifndef _PV_SHADOW_MMIOTRACE_H
#define _PV_SHADOW_MMIOTRACE_H

#include <linux/mmiotrace.h>
#include <linux/types.h>

struct pv_shadow_access;
struct pvs_map;

/* The boot parameter's. */
bool pvs_mmiotrace_from_boot(void);
void pvs_mmiotrace_boot(void);

/* The tracer's. */
void pvs_tracer_boot(void);
void pvs_tracer_early_param(void);
void pvs_tracer_access(const struct pvs_map *map,
		       const struct pv_shadow_access *access);
void pvs_tracer_map(const struct mmiotrace_map *map);
void pvs_tracer_mark(const char *fmt, ...) __printf(1, 2);

#endif /* _PV_SHADOW_MMIOTRACE_H */
