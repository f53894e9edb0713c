/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter: which of what could be traced is.
 */
#ifndef _PV_SHADOW_FILTER_H
#define _PV_SHADOW_FILTER_H

#include <linux/sched.h>
#include <linux/types.h>

#include "target.h"

struct pv_shadow_access;
struct seq_file;

/* Conditions of one kind. */
#define PVS_FILTER_MAX	16

/**
 * struct pvs_filter - conditions; those of a kind are alternatives, and each kind
 *		       of which there are any must hold
 * @nr_targets: number of places
 * @nr_pids:	number of thread IDs
 * @nr_tgids:	number of process IDs
 * @nr_comms:	number of names of threads
 * @read:	reads
 * @write:	writes
 * @target:	places, of all kinds
 * @pid:	thread IDs
 * @tgid:	process IDs
 * @comm:	names of threads
 */
struct pvs_filter {
	unsigned int		nr_targets;
	unsigned int		nr_pids;
	unsigned int		nr_tgids;
	unsigned int		nr_comms;
	bool			read;
	bool			write;
	struct pvs_target	target[PVS_FILTER_MAX];
	pid_t			pid[PVS_FILTER_MAX];
	pid_t			tgid[PVS_FILTER_MAX];
	char			comm[PVS_FILTER_MAX][TASK_COMM_LEN];
};

int pvs_filter_add(struct pvs_filter *filter, const char *term);
int pvs_filter_parse(struct pvs_filter *filter, char *line);
void pvs_filter_show(const struct pvs_filter *filter, struct seq_file *m);
bool pvs_filter_has(const struct pvs_filter *filter, enum pvs_target_kind kind);
bool pvs_filter_writes_only(const struct pvs_filter *filter);
bool pvs_filter_task(const struct pvs_filter *filter, const struct task_struct *task);
bool __pvs_filter_passes(const struct pvs_filter *filter,
			 const struct pv_shadow_access *access);

/**
 * pvs_filter_has_tasks - does a filter choose threads
 * @filter: it
 */
static inline bool pvs_filter_has_tasks(const struct pvs_filter *filter)
{
	return filter->nr_pids || filter->nr_tgids || filter->nr_comms;
}

/**
 * pvs_filter_passes - is an event to be recorded
 * @filter: the conditions
 * @access: the event, of the current thread
 *
 * Any context. One of unknown direction passes: it may be either.
 */
static inline bool pvs_filter_passes(const struct pvs_filter *filter,
				     const struct pv_shadow_access *access)
{
	return (filter->read == filter->write && !pvs_filter_has_tasks(filter)) ||
	       __pvs_filter_passes(filter, access);
}

#endif /* _PV_SHADOW_FILTER_H */
