// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace events of the group pv_shadow, and who is given an access.
 *
 * They are called where the fault handler or the debug trap completed an access:
 * after the entry code made RCU watch, with interrupts off, and in the debug trap as
 * in an NMI. Tracepoints, ftrace's buffer, perf and BPF are made for that.
 */
#include <linux/init.h>
#include <linux/percpu.h>
#include <linux/pv_shadow.h>
#include <linux/rcupdate.h>
#include <linux/ring_buffer.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "trace.h"

#include "../../mm/stats.h"
#include "events.h"
#include "maps.h"
#include "mmiotrace.h"

#define CREATE_TRACE_POINTS
#include <trace/events/pv_shadow.h>

/* Accesses, whether anybody wanted to know of them or not. */
static DEFINE_PER_CPU(u64, pvs_event_seq);
/* Events refused by ftrace's buffer of which no mmio_lost told yet. */
static DEFINE_PER_CPU(unsigned long, pvs_event_lost);
/* Events being recorded: those of handlers come on top of the interrupted one's. */
static DEFINE_PER_CPU(unsigned int, pvs_event_depth);

static struct trace_array *pvs_top_array;

/* How many events of any kind the buffer has refused on this CPU. */
static unsigned long pvs_refused(void)
{
	struct trace_array *tr = READ_ONCE(pvs_top_array);
	struct trace_buffer *buffer;
	int cpu = smp_processor_id();

	if (!tr)
		return 0;
	buffer = tr->array_buffer.buffer;
	return ring_buffer_dropped_events_cpu(buffer, cpu) +
	       ring_buffer_commit_overrun_cpu(buffer, cpu);
}

/*
 * Tell what was lost. A single exchange takes the number, so that of an NMI's
 * handler and of us only one has it, without a lock.
 */
static void pvs_event_tell_lost(void)
{
	unsigned long count, refused;
	bool stored = false;

	if (likely(!this_cpu_read(pvs_event_lost)) || !trace_mmio_lost_enabled())
		return;

	count = this_cpu_xchg(pvs_event_lost, 0);
	refused = pvs_refused();
	trace_mmio_lost(count, &stored);
	if (!stored || pvs_refused() != refused)
		this_cpu_add(pvs_event_lost, count);
}

static bool pvs_event_enabled(enum pv_shadow_dir dir)
{
	switch (dir) {
	case PV_SHADOW_READ:
		return trace_mmio_read_enabled();
	case PV_SHADOW_WRITE:
		return trace_mmio_write_enabled();
	default:
		return trace_mmio_unknown_enabled();
	}
}

static void pvs_event_emit(struct pv_shadow_event *event)
{
	switch (event->access->dir) {
	case PV_SHADOW_READ:
		trace_mmio_read(event);
		break;
	case PV_SHADOW_WRITE:
		trace_mmio_write(event);
		break;
	default:
		trace_mmio_unknown(event);
		break;
	}
}

/* Return: which counter it belongs to. */
static noinline enum pvs_stat pvs_event_record(const struct pvs_map *map,
					       const struct pv_shadow_access *access,
					       u64 seq)
{
	struct pv_shadow_event event;
	enum pvs_stat stat = PVS_PAUSED;
	unsigned long refused;

	/*
	 * The entry code sees to RCU; but nobody may be called if it did not, and
	 * nobody is on a CPU that comes up or goes down.
	 */
	if (unlikely(!rcu_is_watching() || !cpu_online(raw_smp_processor_id()))) {
		this_cpu_inc(pvs_event_lost);
		return PVS_LOST;
	}

	event = (struct pv_shadow_event) {
		.access = access,
		.device = map->place.device,
		.bar = map->place.bar,
		.map_id = map->id,
		.phys = map->phys + (access->addr - map->range.start),
		.seq = seq,
	};
	event.offset = event.phys - map->place.start;
	this_cpu_inc(pvs_event_depth);
	pvs_event_tell_lost();
	refused = pvs_refused();
	pvs_event_emit(&event);
	/*
	 * Refused for want of room; or, without a count, because it came while the
	 * buffer was being written to, say for its clock is the traced device.
	 */
	if (unlikely(pvs_refused() != refused ||
		     (!event.stored && this_cpu_read(pvs_event_depth) > 1))) {
		this_cpu_inc(pvs_event_lost);
		stat = PVS_LOST;
	} else if (event.stored) {
		stat = PVS_RECORDED;
	}
	this_cpu_dec(pvs_event_depth);

	return stat;
}

/**
 * pvs_event_access - record an access
 * @map:       to what
 * @access:    it
 * @to_tracer: the tracer is on
 *
 * Any context, interrupts off.
 */
void pvs_event_access(const struct pvs_map *map,
		      const struct pv_shadow_access *access, bool to_tracer)
{
	u64 seq = this_cpu_inc_return(pvs_event_seq);
	enum pvs_stat stat = PVS_PAUSED;

	if (pvs_event_enabled(access->dir))
		stat = pvs_event_record(map, access, seq);

	/* What the tracer makes of it counts, if it is on. */
	if (to_tracer)
		pvs_tracer_access(map, access);
	else
		this_cpu_inc(pvs_stats[stat]);
}

/**
 * pvs_event_map - record that a mapping is traced, or is no more
 * @map:    which
 * @mapped: it is
 */
void pvs_event_map(const struct pvs_map *map, bool mapped)
{
	struct pv_shadow_event event = {
		.device = map->place.device,
		.bar = map->place.bar,
		.map_id = map->id,
		.phys = map->phys,
		.offset = map->phys - map->place.start,
		.virt = map->range.start,
		.len = map->range.end - map->range.start,
	};

	if (mapped)
		trace_mmio_map(&event);
	else
		trace_mmio_unmap(&event);
}

static int __init pvs_events_init(void)
{
	WRITE_ONCE(pvs_top_array, top_trace_array());
	return 0;
}
core_initcall(pvs_events_init);
