/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All mappings of I/O memory that there are, and which pages of them are trapped.
 */
#ifndef _PV_SHADOW_MAPS_H
#define _PV_SHADOW_MAPS_H

#include <linux/list.h>
#include <linux/pv_shadow.h>
#include <linux/types.h>

#include "filter.h"
#include "target.h"

struct seq_file;

/**
 * struct pvs_map - one ioremap(), or one mapping of a process
 * @list:    in the list of all
 * @range:   its addresses
 * @phys:    what @range.start maps
 * @pages:   number of pages
 * @id:	     number in the trace, 0 if it is not in it
 * @place:   the device it is of, when @id is not 0
 * @error:   why it could not be traced, or 0; it has its @id nevertheless
 * @since_tracer: made while the tracer was on
 * @inherited: of a process: its parent made it
 * @trapped: pages that are trapped, or NULL; so are the next two, in the same memory
 * @want:    those that shall be
 * @part:    what is being added or removed
 * @gone:    of a process: those that it has unmapped, or NULL
 */
struct pvs_map {
	struct list_head	list;
	struct pv_shadow_range	range;
	resource_size_t		phys;
	unsigned int		pages;
	int			id;
	struct pvs_place	place;
	int			error;
	bool			since_tracer;
	bool			inherited;
	unsigned long		*trapped;
	unsigned long		*want;
	unsigned long		*part;
	unsigned long		*gone;
};

/**
 * struct pvs_attached - a place that is traced whatever the tracer does
 * @list:   in a list of them
 * @target: the place
 * @fresh:  just added, and it is not sure yet that it works
 */
struct pvs_attached {
	struct list_head	list;
	struct pvs_target	target;
	bool			fresh;
};

/* The boot parameter's, in use until another one is set. */
extern struct pvs_filter pvs_boot_filter;

int pvs_maps_tracer_on(void);
void pvs_maps_tracer_off(void);
int pvs_maps_attach(struct list_head *new);
int pvs_maps_detach(struct list_head *old);
void pvs_maps_detach_all(void);
void pvs_attached_free(struct list_head *list);
int pvs_maps_set_filter(const struct pvs_filter *filter);
void pvs_maps_show(struct seq_file *m);
int pvs_maps_set_follow(bool follow);
bool pvs_maps_follow(void);

/* Of processes (usermaps.c): pvs_maps_lock held. */
void pvs_maps_lock(void);
void pvs_maps_unlock(void);
struct list_head *pvs_maps_list(void);
void pvs_map_add(struct pvs_map *map, const struct pvs_map *of);
bool pvs_map_gone(struct pvs_map *map, unsigned int first, unsigned int end);
void pvs_maps_show_filter(struct seq_file *m);

#endif /* _PV_SHADOW_MAPS_H */
