/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The second mapping of a trapped range.
 */
#ifndef _PV_SHADOW_ALIAS_H
#define _PV_SHADOW_ALIAS_H

struct pv_shadow_range;

int pvs_alias_create(struct pv_shadow_range *range);
void pvs_alias_destroy(struct pv_shadow_range *range);
unsigned long pvs_alias_of(const struct pv_shadow_range *range,
			   unsigned long addr, unsigned long last, bool write);

#endif /* _PV_SHADOW_ALIAS_H */
