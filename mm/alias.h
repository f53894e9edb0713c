/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The second mapping of a trapped range.
 */
#ifndef _PV_SHADOW_ALIAS_H
#define _PV_SHADOW_ALIAS_H

struct pv_shadow_range;
struct pvs_diff;

int pvs_alias_map(struct pv_shadow_range *range, unsigned long addr,
		  unsigned long end);
void pvs_alias_unmap(struct pv_shadow_range *range, unsigned long addr,
		     unsigned long end);
unsigned long pvs_alias_of(const struct pv_shadow_range *range,
			   unsigned long addr, bool write);
bool pvs_alias_maps(const struct pv_shadow_range *range, unsigned long addr, u64 leaf);
unsigned int pvs_alias_verify(struct pvs_diff *diff, unsigned int max);

#endif /* _PV_SHADOW_ALIAS_H */
