/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters, per CPU: everything that happens, and everything that can go wrong.
 */
#ifndef _PV_SHADOW_STATS_H
#define _PV_SHADOW_STATS_H

#include <linux/percpu.h>

/*
 * name and meaning; in this order in debugfs
 *
 * events	accesses to trapped pages, as reported to clients
 * emulated	accesses completed by this code itself
 * xol		... by running the instruction out of line
 * stepped	... by single-stepping it
 * nested	... while another one was under way on the same CPU
 * missed	accesses known to have escaped
 * unknown	events of an instruction that the decoder does not know
 * aborted	instructions that did not complete, for a fault of their own
 * resyncs	faults because a copy was behind the reference
 * recorded	events that a client stored
 * lost		events that a client had no room for
 * paused	events that came while recording was switched off
 */
#define PVS_STATS(x)	\
	x(events)	\
	x(emulated)	\
	x(xol)		\
	x(stepped)	\
	x(nested)	\
	x(missed)	\
	x(unknown)	\
	x(aborted)	\
	x(resyncs)	\
	x(recorded)	\
	x(lost)		\
	x(paused)

struct pvs_stats {
#define PVS_STAT_FIELD(name) unsigned long name;
	PVS_STATS(PVS_STAT_FIELD)
#undef PVS_STAT_FIELD
};

DECLARE_PER_CPU(struct pvs_stats, pvs_stats);

/* Any context; single instructions, so that an NMI does no harm. */
#define pvs_count(name)		this_cpu_inc(pvs_stats.name)

#endif /* _PV_SHADOW_STATS_H */
