/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Roots: the top-level tables that CPUs have in CR3 while something may be
 * traced, a few for each CPU, one for each address space that it ran last.
 */
#ifndef _PV_SHADOW_ROOT_H
#define _PV_SHADOW_ROOT_H

#include <linux/atomic.h>
#include <linux/smp.h>
#include <linux/types.h>

#include "../mm/table.h"

struct pvs_user;

extern struct pvs_tree pvs_tree;

int pvs_roots_init(void);
int pvs_roots_alloc(void);
void pvs_roots_free(void);
unsigned int pvs_root_pages(void);
atomic_t *pvs_pgd_count(u64 pgd);

unsigned long pvs_read_cr3(void);
void pvs_write_cr3(unsigned long cr3);

void pvs_root_mirror(const void *entry);
void pvs_root_refresh(const void *pgd);
void pvs_root_forget(const void *pgd);
void pvs_roots_refresh(void);
void pvs_root_user_changed(struct pvs_tree *tree, unsigned int index);
void pvs_root_user_forget(void);
struct pvs_user *pvs_root_user(void);
bool pvs_root_in_step(unsigned long addr);
bool pvs_root_sync_own(unsigned long addr);
unsigned int pvs_root_verify(struct pvs_diff *diff, unsigned int max);
unsigned int pvs_root_verify_off(struct pvs_diff *diff);
unsigned int pvs_root_verify_dead(int cpu, struct pvs_diff *diff);

bool pvs_cpu_on(void);
void pvs_cpu_adopt(void);
void pvs_cpu_leave(void);

#endif /* _PV_SHADOW_ROOT_H */
