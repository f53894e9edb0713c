/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path copies of user tables: those of an address space that has trapped pages.
 */
#ifndef _PV_SHADOW_USER_H
#define _PV_SHADOW_USER_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "table.h"

struct mm_struct;

/**
 * struct pvs_user - an address space with trapped user pages
 * @list: in the list of all
 * @hash: by @pgd
 * @mm:	  it
 * @id:	  number that no other one has
 * @pgd:  physical address of its pgd
 * @seq:  counts what made entries of copies invalid
 * @tree: the path copies
 * @traps: number of trapped pages (pvs_tree.lock)
 * @first: start of the first 2M that had any (pvs_tree.lock)
 * @last:  last address of the last one
 * @leaves: there was an entry of a copy above these that led to no table
 */
struct pvs_user {
	struct list_head	list;
	struct hlist_node	hash;
	struct mm_struct	*mm;
	unsigned long		id;
	u64			pgd;
	atomic_long_t		seq;
	struct pvs_tree		tree;
	unsigned long		traps;
	unsigned long		first;
	unsigned long		last;
	bool			leaves;
};

extern atomic_t pvs_nr_users;

/* Most of the time there are none, and nobody has to look. */
static inline bool pvs_users_exist(void)
{
	return atomic_read(&pvs_nr_users);
}

struct pvs_user *pvs_user_get(struct mm_struct *mm);
void pvs_user_put(struct pvs_user *user);
void pvs_user_span(struct pvs_user *user, unsigned long start, unsigned long end);
struct pvs_user *pvs_user_find(u64 pgd);
unsigned int pvs_user_pages(void);

enum pvs_place {
	PVS_BESIDE,	/* tables of Linux's own, to which the copies lead */
	PVS_UNMAPPED,	/* nothing: in Linux's tables there is nothing either */
	PVS_COPIED,	/* a copy, or nothing yet */
};

/* What Linux's tables say of an access. */
enum pvs_verdict {
	PVS_ABSENT,	/* nothing is mapped */
	PVS_DENIED,
	PVS_DENIED_BY_KEY,	/* a protection key at least */
	PVS_PERMITTED,
};

enum pvs_place pvs_user_place(const struct pvs_user *user, unsigned long addr);
u64 pvs_user_leaf(const struct pvs_user *user, unsigned long addr);
u64 pvs_user_leaf_for(const struct pvs_user *user, unsigned long addr, unsigned long error_code);
enum pvs_verdict pvs_user_verdict(const struct pvs_user *user, unsigned long addr,
				  unsigned long error_code);
bool pvs_user_fill(struct pvs_user *user, unsigned long addr,
		   unsigned long error_code);
unsigned int pvs_users_verify(struct pvs_diff *diff, unsigned int max);

#endif /* _PV_SHADOW_USER_H */
