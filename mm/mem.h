/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that page faults touch: it must never be trapped itself.
 */
#ifndef _PV_SHADOW_MEM_H
#define _PV_SHADOW_MEM_H

#include <linux/gfp_types.h>
#include <linux/types.h>

/* What the names of the caches begin with that it comes from. */
#define PVS_MEM_NAME	"pv_shadow"

int pvs_mem_init(void);
void *pvs_zalloc(size_t size, gfp_t gfp);
void *pvs_vzalloc(size_t size, gfp_t gfp);

#endif /* _PV_SHADOW_MEM_H */
