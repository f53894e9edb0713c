// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mmiotrace tracer when it traces on all CPUs: the text that existing parsers
 * know (Documentation/trace/mmiotrace.rst), with the real PC and PID, and with the
 * CPU and a sequence number behind them.
 *
 * The sequence number counts the events of one CPU. Where it skips, that many are
 * missing: never stored for want of room, or overwritten before they were read.
 */
#include <linux/init.h>
#include <linux/pci.h>
#include <linux/percpu.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/slab.h>
#include <linux/time.h>

#include "trace.h"
#include "trace_output.h"

#include "../../mm/stats.h"
#include "maps.h"
#include "mmiotrace.h"

/* A stock entry with more behind it, so that its readers understand it, too. */
struct pvs_rw_entry {
	struct trace_mmiotrace_rw	stock;
	u64				seq	: 62;
	u64				missed	: 1;
	u64				user	: 1;
	u32				tgid[];	/* one, of user mode */
};

/**
 * struct pvs_seen - what was seen of a CPU's events
 * @seq:    the last one, 0 if none
 * @before: the one before that
 *
 * Both, for an event whose text found no room in the reader's buffer is printed
 * again, and what stands in front of it is.
 */
struct pvs_seen {
	u64	seq;
	u64	before;
};

/**
 * struct pvs_reader - what a reader of the trace has seen
 * @dev:  next PCI device to be listed
 * @pipe: it takes the events out of the buffer
 * @seen: by CPU
 */
struct pvs_reader {
	struct pci_dev	*dev;
	bool		pipe;
	struct pvs_seen	seen[];
};

/* How often an event may have to look for another place in the buffer. */
#define PVS_TRIES	4

static struct trace_array *pvs_trace_array;

static DEFINE_PER_CPU(u64, pvs_seq);
/* What was taken out of the buffer. */
static DEFINE_PER_CPU(struct pvs_seen, pvs_taken);

/*
 * A line: @width bytes from @offset on. What cannot be stored is counted, and has used
 * up its sequence number.
 */
static void pvs_tracer_rw(const struct pvs_map *map,
			  const struct pv_shadow_access *access,
			  unsigned int offset, unsigned int width, u64 value)
{
	static const u8 opcode[] = {
		[PV_SHADOW_READ]	= MMIO_READ,
		[PV_SHADOW_WRITE]	= MMIO_WRITE,
		[PV_SHADOW_UNKNOWN]	= MMIO_UNKNOWN_OP,
	};
	struct trace_array *tr = READ_ONCE(pvs_trace_array);
	struct ring_buffer_event *event;
	struct pvs_rw_entry *entry;
	struct trace_buffer *buffer;
	unsigned int ctx, tries;
	u64 seq;

	if (!tr) {
		pvs_count(PVS_LOST);
		return;
	}
	if (!tracer_tracing_is_on(tr)) {
		pvs_count(PVS_PAUSED);
		return;
	}

	buffer = tr->array_buffer.buffer;
	ctx = tracing_gen_ctx_flags(0);
	for (tries = 1;; tries++) {
		seq = this_cpu_read(pvs_seq);
		event = trace_buffer_lock_reserve(buffer, TRACE_MMIO_RW,
						  struct_size(entry, tgid, access->user), ctx);
		if (!event) {
			this_cpu_inc(pvs_seq);
			pvs_count(PVS_LOST);
			return;
		}
		if (this_cpu_cmpxchg(pvs_seq, seq, seq + 1) == seq)
			break;
		/*
		 * An NMI recorded events of its own. They have lower numbers but
		 * may stand behind ours: get behind them. If that happens each time
		 * it is the handler of a probe on what reserves the room, and comes
		 * before that is done.
		 */
		if (tries == PVS_TRIES) {
			seq = this_cpu_inc_return(pvs_seq) - 1;
			break;
		}
		__trace_event_discard_commit(buffer, event);
	}

	entry = ring_buffer_event_data(event);
	entry->stock.rw = (struct mmiotrace_rw) {
		.phys = map->phys + (access->addr - map->range.start) + offset,
		.value = value,
		.pc = access->ip,
		.map_id = map->id,
		.opcode = opcode[access->dir],
		.width = width,
	};
	entry->seq = seq + 1;
	entry->missed = access->engine == PV_SHADOW_MISSED;
	entry->user = access->user;
	if (access->user)
		entry->tgid[0] = current->tgid;
	trace_buffer_unlock_commit(tr, buffer, event, ctx);
	pvs_count(PVS_RECORDED);
}

/* The text knows values of 8 bytes: several lines, each an event. */
static noinline void pvs_tracer_lines(const struct pvs_map *map,
				      const struct pv_shadow_access *access)
{
	unsigned int done, width;
	u64 value;

	for (done = 0; done < access->width; done += width) {
		width = min(access->width - done, sizeof(value));
		value = 0;
		memcpy(&value, access->data + done, width);
		if (done)
			pvs_count(PVS_EVENTS);
		pvs_tracer_rw(map, access, done, width, value);
	}
}

/**
 * pvs_tracer_access - record an access
 * @map:    to what
 * @access: it
 *
 * Any context, preemption off.
 */
void pvs_tracer_access(const struct pvs_map *map,
		       const struct pv_shadow_access *access)
{
	if (likely(!access->data))
		pvs_tracer_rw(map, access, 0, access->width, access->value);
	else
		pvs_tracer_lines(map, access);
}

/**
 * pvs_tracer_map - record that memory was mapped or unmapped
 * @map: what
 */
void pvs_tracer_map(const struct mmiotrace_map *map)
{
	struct trace_array *tr = READ_ONCE(pvs_trace_array);
	struct trace_mmiotrace_map *entry;
	struct ring_buffer_event *event;
	struct trace_buffer *buffer;
	unsigned int ctx;

	if (!tr)
		return;

	buffer = tr->array_buffer.buffer;
	ctx = tracing_gen_ctx();
	event = trace_buffer_lock_reserve(buffer, TRACE_MMIO_MAP,
					  sizeof(*entry), ctx);
	if (!event)
		return;

	entry = ring_buffer_event_data(event);
	entry->map = *map;
	trace_buffer_unlock_commit(tr, buffer, event, ctx);
}

/**
 * pv_shadow_mmiotrace_vprintk - put a line into the trace
 * @fmt:  printf format, with its newline
 * @args: its arguments
 *
 * Any context, preemption off or the buffer's own protection of it.
 *
 * Return: length of the line, 0 if nothing is traced or there is no room.
 */
int pv_shadow_mmiotrace_vprintk(const char *fmt, va_list args)
{
	struct trace_array *tr = READ_ONCE(pvs_trace_array);
	struct ring_buffer_event *event;
	struct print_entry *entry;
	struct trace_buffer *buffer;
	unsigned int ctx;
	char line[160];
	int len;

	if (!tr)
		return 0;

	len = vscnprintf(line, sizeof(line), fmt, args);
	/* Cut off, it is a line nevertheless. */
	if (len == sizeof(line) - 1)
		line[len - 1] = '\n';
	buffer = tr->array_buffer.buffer;
	ctx = tracing_gen_ctx();
	event = trace_buffer_lock_reserve(buffer, TRACE_PRINT,
					  sizeof(*entry) + len + 1, ctx);
	if (!event)
		return 0;

	entry = ring_buffer_event_data(event);
	entry->ip = _THIS_IP_;
	memcpy(entry->buf, line, len + 1);
	trace_buffer_unlock_commit(tr, buffer, event, ctx);

	return len;
}

/**
 * pvs_tracer_mark - put a line into the trace
 * @fmt: printf format, with its newline
 */
void pvs_tracer_mark(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	pv_shadow_mmiotrace_vprintk(fmt, args);
	va_end(args);
}

static void pvs_tracer_clear(struct trace_array *tr)
{
	struct array_buffer *buffer = &tr->array_buffer;
	int cpu;

	tracing_reset_online_cpus(buffer);
	for_each_possible_cpu(cpu) {
		per_cpu(pvs_seq, cpu) = 0;
		per_cpu(pvs_taken, cpu) = (struct pvs_seen){ };
		if (!cpu_online(cpu))
			ring_buffer_reset_cpu(buffer->buffer, cpu);
	}
}

static int pvs_tracer_init(struct trace_array *tr)
{
	int ret;

	pvs_tracer_clear(tr);
	WRITE_ONCE(pvs_trace_array, tr);
	ret = pvs_maps_tracer_on();
	if (ret)
		WRITE_ONCE(pvs_trace_array, NULL);
	return ret;
}

static void pvs_tracer_reset(struct trace_array *tr)
{
	pvs_maps_tracer_off();
	WRITE_ONCE(pvs_trace_array, NULL);
}

static void pvs_tracer_open(struct trace_iterator *iter)
{
	/* Who dumps the buffer may do so anywhere, interrupts off, and closes nothing. */
	iter->private = NULL;
	if (irqs_disabled())
		return;
	iter->private = kzalloc(struct_size_t(struct pvs_reader, seen, nr_cpu_ids),
				GFP_KERNEL);
}

static void pvs_tracer_pipe_open(struct trace_iterator *iter)
{
	struct pvs_reader *reader;

	trace_seq_puts(&iter->seq, "VERSION 20070824\n");

	pvs_tracer_open(iter);
	reader = iter->private;
	if (reader) {
		reader->pipe = true;
		reader->dev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, NULL);
	}
}

static void pvs_tracer_close(struct trace_iterator *iter)
{
	struct pvs_reader *reader = iter->private;

	if (reader)
		pci_dev_put(reader->dev);
	kfree(reader);
	iter->private = NULL;
}

/* One line for each PCI device, as lspci and the register databases number it. */
static void pvs_print_pcidev(struct trace_seq *s, struct pci_dev *dev)
{
	const struct pci_driver *driver = pci_dev_driver(dev);
	const struct resource *res = dev->resource;
	int i;

	trace_seq_printf(s, "PCIDEV %02x%02x %04x%04x %x", dev->bus->number,
			 dev->devfn, dev->vendor, dev->device, dev->irq);
	for (i = 0; i <= PCI_ROM_RESOURCE; i++)
		trace_seq_printf(s, " %llx", (u64)res[i].start |
				 (res[i].flags & PCI_REGION_FLAG_MASK));
	for (i = 0; i <= PCI_ROM_RESOURCE; i++)
		trace_seq_printf(s, " %llx", res[i].start < res[i].end ?
				 (u64)resource_size(&res[i]) : 0);
	trace_seq_printf(s, " %s\n", driver ? driver->name : "");
}

/* The lines ahead of the events, when read from trace_pipe. */
static ssize_t pvs_tracer_read(struct trace_iterator *iter, struct file *filp,
			       char __user *ubuf, size_t cnt, loff_t *ppos)
{
	struct pvs_reader *reader = iter->private;
	ssize_t ret;

	if (!reader || !reader->dev)
		return 0;

	pvs_print_pcidev(&iter->seq, reader->dev);
	/* Drops the reference to the one and takes one to the next. */
	reader->dev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, reader->dev);

	ret = trace_seq_to_user(&iter->seq, ubuf, cnt);
	return ret == -EBUSY ? 0 : ret;
}

static void pvs_print_time(struct trace_iterator *iter)
{
	u64 usecs = div_u64(iter->ts, NSEC_PER_USEC);
	u32 rest;
	u64 secs = div_u64_rem(usecs, USEC_PER_SEC, &rest);

	trace_seq_printf(&iter->seq, "%llu.%06u", secs, rest);
}

static u64 pvs_seen_before(const struct pvs_seen *seen, u64 seq)
{
	return seen->seq == seq ? seen->before : seen->seq;
}

static void pvs_see(struct pvs_seen *seen, u64 seq)
{
	seen->before = pvs_seen_before(seen, seq);
	seen->seq = seq;
}

/*
 * How many entries the buffer has no more, or never had for want of room: in front of others
 * only where somebody has made room since.
 */
static u64 pvs_nr_lost(struct trace_buffer *buffer, int cpu)
{
	u64 lost = ring_buffer_overrun_cpu(buffer, cpu);

	if (ring_buffer_read_events_cpu(buffer, cpu))
		lost += ring_buffer_dropped_events_cpu(buffer, cpu) +
			ring_buffer_commit_overrun_cpu(buffer, cpu);
	return lost;
}

/* Say how many events are missing just before this one of the same CPU. */
static void pvs_print_gap(struct trace_iterator *iter, u64 seq)
{
	struct pvs_seen *taken = per_cpu_ptr(&pvs_taken, iter->cpu);
	struct pvs_reader *reader = iter->private;
	u64 last, lost, missing;

	if (!reader)
		return;

	last = pvs_seen_before(&reader->seen[iter->cpu], seq);
	if (!last || seq < last) {
		/*
		 * The first one that this reader sees, perhaps once more. Before it another
		 * one may have taken some out, or the user emptied the buffer: neither is
		 * a loss.
		 */
		lost = pvs_nr_lost(iter->array_buffer->buffer, iter->cpu);
		missing = seq - 1 - min(pvs_seen_before(taken, seq), seq - 1);
		last = seq - 1 - min(missing, lost);
	}

	pvs_see(&reader->seen[iter->cpu], seq);
	if (reader->pipe)
		pvs_see(taken, seq);
	if (seq <= last + 1)
		return;

	trace_seq_puts(&iter->seq, "MARK ");
	pvs_print_time(iter);
	trace_seq_printf(&iter->seq, " lost %llu events on cpu %d\n",
			 seq - last - 1, iter->cpu);
}

static void pvs_print_rw(struct trace_iterator *iter)
{
	const struct pvs_rw_entry *entry = (void *)iter->ent;
	const struct mmiotrace_rw *rw = &entry->stock.rw;
	struct trace_seq *s = &iter->seq;

	pvs_print_gap(iter, entry->seq);

	if (rw->opcode == MMIO_UNKNOWN_OP)
		trace_seq_puts(s, "UNKNOWN ");
	else
		trace_seq_printf(s, "%c %d ", rw->opcode == MMIO_READ ? 'R' : 'W',
				 rw->width);
	pvs_print_time(iter);
	trace_seq_printf(s, " %d 0x%llx ", rw->map_id, (u64)rw->phys);
	if (rw->opcode == MMIO_UNKNOWN_OP)
		trace_seq_printf(s, "%02lx,%02lx,%02lx",
				 (rw->value >> 16) & 0xff,
				 (rw->value >> 8) & 0xff, rw->value & 0xff);
	else
		trace_seq_printf(s, "0x%lx", rw->value);
	trace_seq_printf(s, " 0x%lx %d cpu=%d seq=%llu%s", rw->pc,
			 entry->stock.ent.pid, iter->cpu, (u64)entry->seq,
			 entry->missed ? " missed" : "");
	if (entry->user)
		trace_seq_printf(s, " tgid=%u", entry->tgid[0]);
	trace_seq_putc(s, '\n');
}

static void pvs_print_map(struct trace_iterator *iter)
{
	const struct trace_mmiotrace_map *entry = (void *)iter->ent;
	const struct mmiotrace_map *map = &entry->map;
	struct trace_seq *s = &iter->seq;
	bool mapped = map->opcode == MMIO_PROBE;

	trace_seq_puts(s, mapped ? "MAP " : "UNMAP ");
	pvs_print_time(iter);
	trace_seq_printf(s, " %d ", map->map_id);
	if (mapped)
		trace_seq_printf(s, "0x%llx 0x%lx 0x%lx ", (u64)map->phys,
				 map->virt, map->len);
	trace_seq_printf(s, "0x0 %d\n", entry->ent.pid);
}

static void pvs_print_mark(struct trace_iterator *iter)
{
	const struct print_entry *entry = (void *)iter->ent;

	trace_seq_puts(&iter->seq, "MARK ");
	pvs_print_time(iter);
	/* Whoever wrote it wrote the newline. */
	trace_seq_printf(&iter->seq, " %s", entry->buf);
}

static enum print_line_t pvs_tracer_print_line(struct trace_iterator *iter)
{
	switch (iter->ent->type) {
	case TRACE_MMIO_RW:
		pvs_print_rw(iter);
		break;
	case TRACE_MMIO_MAP:
		pvs_print_map(iter);
		break;
	case TRACE_PRINT:
		pvs_print_mark(iter);
		break;
	default:
		/* Not in the grammar. */
		break;
	}

	return trace_handle_return(&iter->seq);
}

static struct tracer pvs_tracer = {
	.name		= "mmiotrace",
	.init		= pvs_tracer_init,
	.reset		= pvs_tracer_reset,
	.open		= pvs_tracer_open,
	.pipe_open	= pvs_tracer_pipe_open,
	.close		= pvs_tracer_close,
	.pipe_close	= pvs_tracer_close,
	.read		= pvs_tracer_read,
	.print_line	= pvs_tracer_print_line,
};

/**
 * pvs_tracer_early_param - there will be events long before tracefs
 *
 * The buffers start with a page a CPU otherwise, and grow when first used.
 */
void __init pvs_tracer_early_param(void)
{
	trace_set_ring_buffer_expanded(NULL);
}

/**
 * pvs_tracer_boot - make the tracer known and the current one
 *
 * As soon as there is something to trace: to become the current tracer empties
 * the buffer.
 */
void __init pvs_tracer_boot(void)
{
	if (register_tracer(&pvs_tracer) ||
	    tracing_set_tracer(top_trace_array(), pvs_tracer.name))
		pr_err("pv_shadow_mmiotrace: not tracing from boot on\n");
}

static int __init pvs_tracer_register(void)
{
	if (!pv_shadow_mmiotrace())
		return 0;
	if (pvs_mmiotrace_from_boot()) {
		pvs_mmiotrace_boot();
		return 0;
	}

	return register_tracer(&pvs_tracer);
}
device_initcall(pvs_tracer_register);
