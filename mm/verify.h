/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is behind /sys/kernel/debug/pv_shadow/verify.
 */
#ifndef _PV_SHADOW_VERIFY_H
#define _PV_SHADOW_VERIFY_H

struct pvs_diff;
struct seq_file;

unsigned int pvs_verify_own(struct pvs_diff *diff, unsigned int max);
int pvs_verify_show(struct seq_file *m, void *unused);

#endif /* _PV_SHADOW_VERIFY_H */
