/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters, per CPU: everything that happens, and everything that can go wrong.
 */
#ifndef _PV_SHADOW_STATS_H
#define _PV_SHADOW_STATS_H

#include <linux/percpu.h>

enum pvs_stat {
	/* accesses to trapped pages, as reported to clients */
	PVS_EVENTS,
	/* instructions completed by the fault handler itself */
	PVS_EMULATED,
	/* ... run out of line */
	PVS_XOL,
	/* ... single-stepped */
	PVS_STEPPED,
	/* instructions that were not found decoded */
	PVS_DECODED,
	/* begun while another one was under way on the same CPU */
	PVS_NESTED,
	/* accesses let through without being able to tell what they did */
	PVS_MISSED,
	/* events of instructions that the decoder does not know */
	PVS_UNKNOWN,
	/* instructions that did not complete, for a fault of their own */
	PVS_ABORTED,
	/* faults because a copy was behind the reference */
	PVS_RESYNCS,
	/* ... or did not hold an entry of user addresses yet */
	PVS_FILLED,
	/* events that a client stored, had no room for, or was told not to store */
	PVS_RECORDED,
	PVS_LOST,
	PVS_PAUSED,
	/* kept from being stored by the user's filter */
	PVS_FILTERED,
	/* instructions done by two engines, and those that they did differently */
	PVS_COMPARED,
	PVS_DIFFER,
	PVS_NR_STATS
};

DECLARE_PER_CPU(unsigned long [PVS_NR_STATS], pvs_stats);

unsigned long pvs_stat_sum(enum pvs_stat stat);

/* Any context: a single instruction, so that an NMI does no harm. */
#define pvs_count(stat)	this_cpu_inc(pvs_stats[stat])

#endif /* _PV_SHADOW_STATS_H */
