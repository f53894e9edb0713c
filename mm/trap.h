/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trapped pages: which they are, and how the CPU that faulted on one reveals it
 * to itself.
 */
#ifndef _PV_SHADOW_TRAP_H
#define _PV_SHADOW_TRAP_H

#include <linux/types.h>

#include "user.h"

struct pv_shadow_range;

struct pv_shadow_range *pvs_trapped(unsigned long addr);
bool pvs_still_traps(const struct pv_shadow_range *range, unsigned long addr);
enum pvs_verdict pvs_verdict(unsigned long addr, unsigned long error_code);
struct pv_shadow_range *pvs_faulted(unsigned long addr, unsigned long error_code);
bool pvs_permits(unsigned long addr, unsigned long error_code);
bool pvs_reveal(unsigned long addr, bool write);
void pvs_hide(unsigned long addr);
bool pvs_fix_root(unsigned long addr);
bool pvs_fix_copy(unsigned long addr, unsigned long error_code);
unsigned long pvs_nr_traps(void);

#endif /* _PV_SHADOW_TRAP_H */
