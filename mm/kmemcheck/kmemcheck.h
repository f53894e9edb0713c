/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmemcheck: memory of the slab allocator, and what is known of each byte of it.
 */
#ifndef _PV_SHADOW_KMEMCHECK_H
#define _PV_SHADOW_KMEMCHECK_H

#include <linux/llist.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_kmemcheck.h>
#include <linux/stackdepot.h>
#include <linux/types.h>

struct kmem_cache;

/* The thunks of the hooks: they change no register but rax. */
extern typeof(__pv_kmemcheck_seen) __raw_callee_save___pv_kmemcheck_seen;
extern typeof(__pv_kmemcheck_slab_alloc) __raw_callee_save___pv_kmemcheck_slab_alloc;
extern typeof(__pv_kmemcheck_slab_free) __raw_callee_save___pv_kmemcheck_slab_free;
extern typeof(__pv_kmemcheck_new_slab) __raw_callee_save___pv_kmemcheck_new_slab;
extern typeof(__pv_kmemcheck_free_page) __raw_callee_save___pv_kmemcheck_free_page;
extern typeof(__pv_kmemcheck_get_pages) __raw_callee_save___pv_kmemcheck_get_pages;
extern typeof(__pv_kmemcheck_mark) __raw_callee_save___pv_kmemcheck_mark;
extern typeof(__pv_kmemcheck_copy_to_user) __raw_callee_save___pv_kmemcheck_copy_to_user;

/* What is known of a byte. */
enum kmemcheck_state {
	KMEMCHECK_UNALLOCATED,
	KMEMCHECK_UNINITIALIZED,
	KMEMCHECK_INITIALIZED,
	KMEMCHECK_FREED,
	KMEMCHECK_KEPT,		/* freed, and initialized by a constructor for who is next */
};

/**
 * struct kmemcheck_track - who allocated an object, or freed it
 * @stack: from where
 * @pid:   the task
 * @cpu:   on which CPU
 */
struct kmemcheck_track {
	depot_stack_handle_t	stack;
	pid_t			pid;
	u32			cpu;
};

/**
 * struct kmemcheck_object - an object of a slab
 * @alloc: who allocated it last
 * @free:  who freed it last; @stack is 0 if nobody did since
 */
struct kmemcheck_object {
	struct kmemcheck_track	alloc;
	struct kmemcheck_track	free;
};

/**
 * struct kmemcheck_area - pages that are watched together: a slab, or a large object
 * @rcu:     to be freed when no fault looks at it any more
 * @pending: in the list of those that a worker is to hide
 * @cache:   whose slab it is, or NULL
 * @start:   address of the first page, in the direct map
 * @pages:   how many
 * @size:    from one object to the next
 * @object_size: of one object
 * @objects: how many
 * @hidden:  the pages are hidden (kmemcheck_lock)
 * @queued:  somebody is going to hide it (kmemcheck_lock)
 * @dead:    the pages were freed (kmemcheck_lock)
 * @watched: all CPUs have seen that they are hidden. Until then everything counts as
 *	     initialized, for what a CPU writes may not be seen
 * @state:   of each byte
 * @object:  of each object
 */
struct kmemcheck_area {
	struct rcu_head		rcu;
	struct llist_node	pending;
	struct kmem_cache	*cache;
	unsigned long		start;
	unsigned int		pages;
	unsigned int		size;
	unsigned int		object_size;
	unsigned int		objects;
	bool			hidden;
	bool			queued;
	bool			dead;
	bool			watched;
	u8			*state;
	struct kmemcheck_object	object[];
};

/* area.c: which pages are watched */
int kmemcheck_areas_init(void);
struct kmemcheck_area *kmemcheck_area_of(unsigned long addr);
struct kmemcheck_object *kmemcheck_object_of(struct kmemcheck_area *area,
					     unsigned long addr, unsigned long *start);
void kmemcheck_watch(struct kmem_cache *cache, unsigned long start, unsigned int pages,
		     unsigned int size, unsigned int object_size, gfp_t flags);
void kmemcheck_unwatch(struct kmemcheck_area *area);
void kmemcheck_unwatch_all(void);
unsigned long kmemcheck_pages(void);
unsigned long kmemcheck_memory(void);

/* state.c: the state of bytes */
void kmemcheck_nobodys(struct kmemcheck_area *area);
void kmemcheck_allocated(struct kmemcheck_area *area, unsigned long start, bool cleared);
void kmemcheck_freed(struct kmemcheck_area *area, unsigned long start);
void kmemcheck_initialized(unsigned long addr, unsigned long size);
void kmemcheck_uninitialized(unsigned long addr, unsigned long size);
void kmemcheck_copy(unsigned long to, unsigned long from, unsigned long size);
unsigned long kmemcheck_rest(unsigned long addr);
bool kmemcheck_all_bad(unsigned long addr, unsigned int size, enum kmemcheck_state *state);
bool kmemcheck_find(unsigned long addr, unsigned long size, bool freed_only,
		    unsigned long *where, enum kmemcheck_state *state);
void kmemcheck_window(unsigned long addr, unsigned int size, u8 *data, u8 *state);

/* access.c: instructions */
extern struct pv_shadow_range kmemcheck_range;

/* flow.c: what becomes of what was read */
enum kmemcheck_flow {
	KMEMCHECK_USED,		/* it is looked at, or one cannot tell */
	KMEMCHECK_UNUSED,	/* nobody looks at it, or it is put back with some bits set */
	KMEMCHECK_COPIED,	/* it is stored elsewhere */
};

/**
 * struct kmemcheck_store - a store that is still to come
 * @known: what it writes can be told
 * @ip:	   the instruction
 * @addr:  what it writes
 */
struct kmemcheck_store {
	bool		known;
	unsigned long	ip;
	unsigned long	addr;
};

enum kmemcheck_flow kmemcheck_follow(unsigned long ip, const struct pt_regs *regs,
				     struct kmemcheck_store *store);
bool kmemcheck_sets_bits(unsigned long ip);

/* report.c */
enum kmemcheck_use {
	KMEMCHECK_READ,
	KMEMCHECK_TO_USER,
	KMEMCHECK_TO_DEVICE,
	KMEMCHECK_CHECKED,
};

/**
 * struct kmemcheck_stats - what happened, beside what pv_shadow counts
 * @reported:	told of
 * @repeated:	the same as was told of already: the same place, of an object from the same
 * @dropped:	not told of for want of room
 * @followed:	loads of what is not initialized, of which the text that follows says that
 *		nobody looks at it
 * @untracked:	pages that could not be watched, for want of memory or since the limit is
 *		reached
 * @hidden:	areas that were hidden while they were allocated: all CPUs were asked
 * @late:	areas that were hidden some time after they were allocated
 */
struct kmemcheck_stats {
	atomic_long_t	reported;
	atomic_long_t	repeated;
	atomic_long_t	dropped;
	atomic_long_t	followed;
	atomic_long_t	untracked;
	atomic_long_t	hidden;
	atomic_long_t	late;
};

extern struct kmemcheck_stats kmemcheck_stats;

void kmemcheck_report(enum kmemcheck_use use, enum kmemcheck_state state, unsigned long addr,
		      unsigned long size, const struct pt_regs *regs, unsigned long ip);

/* control.c */
extern int kmemcheck_enabled;
bool kmemcheck_wants(const struct kmem_cache *cache);
bool kmemcheck_wants_pages(const char *name);
void kmemcheck_reported(void);

#endif /* _PV_SHADOW_KMEMCHECK_H */
