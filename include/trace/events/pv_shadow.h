/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events of traced I/O memory. Whether something is traced is up to the
 * tracer mmiotrace and to debugfs (pv_shadow/attach); these only tell of it.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pv_shadow

#if !defined(_TRACE_PV_SHADOW_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_PV_SHADOW_H

#include <linux/pv_shadow.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#ifndef _TRACE_PV_SHADOW_TYPES
#define _TRACE_PV_SHADOW_TYPES

/* Longest value that is shown. */
#define PV_SHADOW_MAX_DATA	64

/**
 * struct pv_shadow_event - what the trace events are made of
 * @access:  the access
 * @device:  address of the PCI device, "" if it is of none
 * @phys:    physical address, of the access or of the mapping
 * @offset:  in the BAR; in the mapping if it is of no device
 * @seq:     number of the access among those of its CPU
 * @virt:    the mapping's virtual address
 * @len:     the mapping's length
 * @map_id:  the mapping's number
 * @bar:     number of the BAR, -1 if it is of none
 * @stored:  set if somebody has stored it
 */
struct pv_shadow_event {
	const struct pv_shadow_access	*access;
	const char			*device;
	u64				phys;
	u64				offset;
	u64				seq;
	unsigned long			virt;
	unsigned long			len;
	int				map_id;
	int				bar;
	bool				stored;
};

/* Values of up to 8 bytes are in the field value, and nowhere else. */
static inline unsigned int
pv_shadow_data_len(const struct pv_shadow_access *access)
{
	if (access->width <= sizeof(u64) || !access->data)
		return 0;
	return min_t(unsigned int, access->width, PV_SHADOW_MAX_DATA);
}
#endif /* _TRACE_PV_SHADOW_TYPES */

/* Types that programs know, too: bpftrace compiles these fields. */
DECLARE_EVENT_CLASS(pv_shadow_access,

	TP_PROTO(struct pv_shadow_event *event),

	TP_ARGS(event),

	TP_STRUCT__entry(
		__field(__u64,	seq)
		__field(__u64,	phys)
		__field(__u64,	offset)
		__field(__u64,	value)
		__field(__u64,	duration)
		__field(unsigned long,	virt)
		__field(unsigned long,	ip)
		__field(int,		map_id)
		__field(int,		bar)
		__array(char,		device,	16)
		__array(char,		comm,	TASK_COMM_LEN)
		__field(int,		tgid)
		__field(__u8,		width)
		__field(__u8,		engine)
		__field(__u8,		user)
		__dynamic_array(__u8,	data, pv_shadow_data_len(event->access))
	),

	TP_fast_assign(
		__entry->seq = event->seq;
		__entry->phys = event->phys;
		__entry->offset = event->offset;
		__entry->value = event->access->value;
		__entry->duration = event->access->duration;
		__entry->virt = event->access->addr;
		__entry->ip = event->access->ip;
		__entry->map_id = event->map_id;
		__entry->bar = event->bar;
		strscpy_pad(__entry->device, event->device, 16);
		memcpy(__entry->comm, current->comm, TASK_COMM_LEN);
		__entry->width = event->access->width;
		__entry->engine = event->access->engine;
		__entry->user = event->access->user;
		__entry->tgid = current->tgid;
		if (__get_dynamic_array_len(data))
			memcpy(__get_dynamic_array(data), event->access->data,
			       __get_dynamic_array_len(data));
		event->stored = true;
	),

	TP_printk("device=%s bar=%d offset=0x%llx width=%u value=0x%llx phys=0x%llx map_id=%d ip=%pS comm=%s engine=%s duration=%llu seq=%llu user=%u tgid=%d data=%s",
		  __entry->device, __entry->bar, __entry->offset,
		  __entry->width, __entry->value, __entry->phys,
		  __entry->map_id, (void *)__entry->ip, __entry->comm,
		  __print_symbolic(__entry->engine,
				   { 0, "step" },
				   { 1, "emulate" },
				   { 2, "xol" },
				   { 3, "missed" }),
		  __entry->duration, __entry->seq, __entry->user, __entry->tgid,
		  __print_hex(__get_dynamic_array(data),
			      __get_dynamic_array_len(data)))
);

DEFINE_EVENT_FN(pv_shadow_access, mmio_read,
	TP_PROTO(struct pv_shadow_event *event),
	TP_ARGS(event),
	pv_shadow_timed_get, pv_shadow_timed_put
);

DEFINE_EVENT_FN(pv_shadow_access, mmio_write,
	TP_PROTO(struct pv_shadow_event *event),
	TP_ARGS(event),
	pv_shadow_timed_get, pv_shadow_timed_put
);

/* Neither direction nor width are known; the value is the instruction's bytes. */
DEFINE_EVENT_FN(pv_shadow_access, mmio_unknown,
	TP_PROTO(struct pv_shadow_event *event),
	TP_ARGS(event),
	pv_shadow_timed_get, pv_shadow_timed_put
);

DECLARE_EVENT_CLASS(pv_shadow_map,

	TP_PROTO(struct pv_shadow_event *event),

	TP_ARGS(event),

	TP_STRUCT__entry(
		__field(__u64,	phys)
		__field(__u64,	offset)
		__field(unsigned long,	virt)
		__field(unsigned long,	len)
		__field(int,		map_id)
		__field(int,		bar)
		__array(char,		device,	16)
		__array(char,		comm,	TASK_COMM_LEN)
	),

	TP_fast_assign(
		__entry->phys = event->phys;
		__entry->offset = event->offset;
		__entry->virt = event->virt;
		__entry->len = event->len;
		__entry->map_id = event->map_id;
		__entry->bar = event->bar;
		strscpy_pad(__entry->device, event->device, 16);
		memcpy(__entry->comm, current->comm, TASK_COMM_LEN);
	),

	TP_printk("device=%s bar=%d offset=0x%llx phys=0x%llx virt=0x%lx len=0x%lx map_id=%d comm=%s",
		  __entry->device, __entry->bar, __entry->offset,
		  __entry->phys, __entry->virt, __entry->len,
		  __entry->map_id, __entry->comm)
);

DEFINE_EVENT(pv_shadow_map, mmio_map,
	TP_PROTO(struct pv_shadow_event *event),
	TP_ARGS(event)
);

DEFINE_EVENT(pv_shadow_map, mmio_unmap,
	TP_PROTO(struct pv_shadow_event *event),
	TP_ARGS(event)
);

/* Before the first event that could be stored again on the same CPU. */
TRACE_EVENT(mmio_lost,

	TP_PROTO(unsigned long count, bool *stored),

	TP_ARGS(count, stored),

	TP_STRUCT__entry(
		__field(unsigned long,	count)
	),

	TP_fast_assign(
		__entry->count = count;
		*stored = true;
	),

	TP_printk("count=%lu", __entry->count)
);

#endif /* _TRACE_PV_SHADOW_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
