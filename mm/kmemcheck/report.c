// SPDX-License-Identifier: GPL-2.0-only
/*
 * Telling of what was found.
 *
 * It is found where nothing can be printed: in the midst of an instruction, in an NMI
 * perhaps. So it is noted there, without a lock, and printed by a worker.
 */
#define pr_fmt(fmt) "kmemcheck: " fmt

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "slab.h"

#include "kmemcheck.h"

/* As many wait to be printed, at most. */
#define KMEMCHECK_QUEUE		64
/* Bytes around what was read that are shown, a power of two. */
#define KMEMCHECK_SHOWN		32
#define KMEMCHECK_STACK		24
/* So many places are told of, of which one is looked for in so many slots at most. */
#define KMEMCHECK_TOLD_BITS	12
#define KMEMCHECK_TOLD_TRIES	32

/**
 * struct kmemcheck_note - something that was found
 * @number: how many were before
 * @ready:  it is complete
 * @use:    what was done
 * @state:  what the first byte was
 * @addr:   first byte that was not initialized
 * @size:   how many were used from there on
 * @has_regs: @regs hold something
 * @regs:   registers
 * @cpu:    on which CPU
 * @pid:    by which task
 * @comm:   ...
 * @first:  the first byte that is shown
 * @shown:  how many
 * @data:   they
 * @states: what is known of them
 * @cache:  name of the object's cache, or "kmalloc"
 * @start:  the object
 * @length: its size
 * @object: who had it
 * @stack:  who used it
 * @nr_stack: how much of that there is
 */
struct kmemcheck_note {
	unsigned int		number;
	bool			ready;
	enum kmemcheck_use	use;
	enum kmemcheck_state	state;
	unsigned long		addr;
	unsigned long		size;
	bool			has_regs;
	struct pt_regs		regs;
	unsigned int		cpu;
	pid_t			pid;
	char			comm[TASK_COMM_LEN];
	unsigned long		first;
	unsigned int		shown;
	u8			data[KMEMCHECK_SHOWN];
	u8			states[KMEMCHECK_SHOWN];
	char			cache[32];
	unsigned long		start;
	unsigned int		length;
	struct kmemcheck_object	object;
	unsigned long		stack[KMEMCHECK_STACK];
	unsigned int		nr_stack;
};

struct kmemcheck_stats kmemcheck_stats;

static struct kmemcheck_note kmemcheck_notes[KMEMCHECK_QUEUE];
static DECLARE_BITMAP(kmemcheck_taken, KMEMCHECK_QUEUE);
static u64 kmemcheck_told[1 << KMEMCHECK_TOLD_BITS];
static atomic_t kmemcheck_number;

static const char *const kmemcheck_states[] = {
	[KMEMCHECK_UNALLOCATED]		= "unallocated",
	[KMEMCHECK_UNINITIALIZED]	= "uninitialized",
	[KMEMCHECK_INITIALIZED]		= "initialized",
	[KMEMCHECK_FREED]		= "freed",
	[KMEMCHECK_KEPT]		= "freed",
};

/* The headline; grep for "WARNING: kmemcheck". */
static void kmemcheck_print_what(const struct kmemcheck_note *note)
{
	const char *state = kmemcheck_states[note->state];
	void *addr = (void *)note->addr;

	switch (note->use) {
	case KMEMCHECK_READ:
		pr_warn("WARNING: kmemcheck: Caught %lu-bit read from %s memory (%px)\n",
			8 * note->size, state, addr);
		break;
	case KMEMCHECK_TO_USER:
		pr_warn("WARNING: kmemcheck: Caught %lu bytes from %s memory (%px) copied to the user\n",
			note->size, state, addr);
		break;
	case KMEMCHECK_TO_DEVICE:
		pr_warn("WARNING: kmemcheck: Caught %lu bytes from %s memory (%px) given to a device\n",
			note->size, state, addr);
		break;
	case KMEMCHECK_CHECKED:
		pr_warn("WARNING: kmemcheck: Caught use of %lu bytes from %s memory (%px)\n",
			note->size, state, addr);
		break;
	}
}

/* The bytes, what is known of each, and which it is. */
static void kmemcheck_print_bytes(const struct kmemcheck_note *note)
{
	static const char letters[] = "auiff";
	char line[2 * KMEMCHECK_SHOWN + 1];
	unsigned int i;

	if (!note->shown)
		return;
	for (i = 0; i < note->shown; i++)
		sprintf(line + 2 * i, "%02x", note->data[i]);
	pr_warn("%s\n", line);
	for (i = 0; i < note->shown; i++)
		sprintf(line + 2 * i, " %c", letters[note->states[i]]);
	pr_warn("%s\n", line);
	pr_warn("%*s^\n", (int)(2 * (note->addr - note->first)) + 1, "");
}

static void kmemcheck_print_track(const char *what, const struct kmemcheck_track *track)
{
	if (!track->stack)
		return;
	pr_warn("%s by task %d on CPU %u:\n", what, track->pid, track->cpu);
	stack_depot_print(track->stack);
}

static void kmemcheck_print(const struct kmemcheck_note *note)
{
	kmemcheck_print_what(note);
	kmemcheck_print_bytes(note);
	pr_warn("CPU: %u PID: %d Comm: %s\n", note->cpu, note->pid, note->comm);
	if (note->has_regs)
		__show_regs((struct pt_regs *)&note->regs, SHOW_REGS_SHORT, KERN_WARNING);
	pr_warn("Call trace:\n");
	stack_trace_print(note->stack, note->nr_stack, 1);
	if (note->start)
		pr_warn("%lu bytes inside of an object of %u bytes at %px, %s\n",
			note->addr - note->start, note->length, (void *)note->start,
			note->cache);
	kmemcheck_print_track("Allocated", &note->object.alloc);
	kmemcheck_print_track("Freed", &note->object.free);
	pr_warn("---\n");
}

/* The oldest that is ready, or NULL. */
static struct kmemcheck_note *kmemcheck_oldest(void)
{
	struct kmemcheck_note *note, *oldest = NULL;
	unsigned int i;

	for (i = 0; i < KMEMCHECK_QUEUE; i++) {
		note = &kmemcheck_notes[i];
		/* Complete when seen; pairs with the release below. */
		if (smp_load_acquire(&note->ready) &&
		    (!oldest || (int)(note->number - oldest->number) < 0))
			oldest = note;
	}
	return oldest;
}

static void kmemcheck_print_all(struct work_struct *unused)
{
	struct kmemcheck_note *note;

	while ((note = kmemcheck_oldest())) {
		kmemcheck_print(note);
		WRITE_ONCE(note->ready, false);
		smp_mb__before_atomic(); /* not ready, then free */
		clear_bit(note - kmemcheck_notes, kmemcheck_taken);
		kmemcheck_reported();
	}
}

static DECLARE_WORK(kmemcheck_print_work, kmemcheck_print_all);

static void kmemcheck_wake(struct irq_work *unused)
{
	schedule_work(&kmemcheck_print_work);
}

static DEFINE_IRQ_WORK(kmemcheck_print_irq_work, kmemcheck_wake);

static struct kmemcheck_note *kmemcheck_take(void)
{
	unsigned int i;

	for (i = 0; i < KMEMCHECK_QUEUE; i++)
		if (!test_and_set_bit(i, kmemcheck_taken))
			return &kmemcheck_notes[i];
	return NULL;
}
NOKPROBE_SYMBOL(kmemcheck_take);

/* What is told of once: the same place, and an object that comes from the same. */
static u64 kmemcheck_key(enum kmemcheck_use use, unsigned long ip,
			 const struct kmemcheck_object *object)
{
	u64 key = hash_64(ip, 64) ^ ((u64)use << 32 | (object ? object->alloc.stack : 0));

	return hash_64(key, 64) | 1;
}
NOKPROBE_SYMBOL(kmemcheck_key);

/* Where it is noted that it was told of, or can be; NULL if there is no room. */
static u64 *kmemcheck_told_slot(u64 key)
{
	unsigned int i = hash_64(key, KMEMCHECK_TOLD_BITS), n;
	u64 *slot;

	for (n = 0; n < KMEMCHECK_TOLD_TRIES; n++) {
		slot = &kmemcheck_told[(i + n) % ARRAY_SIZE(kmemcheck_told)];
		if (!READ_ONCE(*slot) || READ_ONCE(*slot) == key)
			return slot;
	}
	return NULL;
}
NOKPROBE_SYMBOL(kmemcheck_told_slot);

/* Nobody takes a slot back, so that two who note the same meet. Return: was it new? */
static bool kmemcheck_tell_once(u64 key)
{
	u64 *slot, old;

	while ((slot = kmemcheck_told_slot(key))) {
		old = cmpxchg(slot, 0, key);
		if (!old)
			return true;
		if (old == key)
			break;
	}
	return false;
}
NOKPROBE_SYMBOL(kmemcheck_tell_once);

static void kmemcheck_note_object(struct kmemcheck_note *note, struct kmemcheck_area *area,
				  const struct kmemcheck_object *object)
{
	unsigned long page = note->addr & PAGE_MASK;

	note->first = max(page, note->addr - KMEMCHECK_SHOWN / 4);
	note->shown = min(page + PAGE_SIZE - note->first, KMEMCHECK_SHOWN);
	kmemcheck_window(note->first, note->shown, note->data, note->states);
	note->length = area->object_size;
	strscpy(note->cache, area->cache ? area->cache->name : "kmalloc");
	if (object)
		note->object = *object;
}
NOKPROBE_SYMBOL(kmemcheck_note_object);

/**
 * kmemcheck_report - tell of a use of what is not initialized
 * @use:   what was done
 * @state: what the first byte is
 * @addr:  it
 * @size:  how many from there on
 * @regs:  registers of the instruction, or NULL for a call
 * @ip:	   the instruction, or where the call came from
 *
 * Any context. What was told of before is only counted.
 */
void kmemcheck_report(enum kmemcheck_use use, enum kmemcheck_state state, unsigned long addr,
		      unsigned long size, const struct pt_regs *regs, unsigned long ip)
{
	struct kmemcheck_area *area = kmemcheck_area_of(addr);
	struct kmemcheck_object *object;
	struct kmemcheck_note *note;
	unsigned long start = 0;
	u64 key, *slot;

	if (!area || !READ_ONCE(kmemcheck_enabled))
		return;
	object = kmemcheck_object_of(area, addr, &start);
	key = kmemcheck_key(use, ip, object);
	slot = kmemcheck_told_slot(key);
	if (!slot || READ_ONCE(*slot) == key) {
		atomic_long_inc(&kmemcheck_stats.repeated);
		return;
	}
	/* Without room it is not told of, and can be the next time. */
	note = kmemcheck_take();
	if (!note) {
		atomic_long_inc(&kmemcheck_stats.dropped);
		return;
	}
	if (!kmemcheck_tell_once(key)) {
		clear_bit(note - kmemcheck_notes, kmemcheck_taken);
		atomic_long_inc(&kmemcheck_stats.repeated);
		return;
	}

	note->use = use;
	note->state = state;
	note->addr = addr;
	note->size = size;
	note->cpu = raw_smp_processor_id();
	note->pid = task_pid_nr(current);
	strscpy(note->comm, current->comm);
	note->start = start;
	note->object = (struct kmemcheck_object){};
	kmemcheck_note_object(note, area, object);
	note->has_regs = regs;
	if (regs) {
		note->regs = *regs;
		note->regs.ip = ip;
		note->nr_stack = stack_trace_save_regs(&note->regs, note->stack,
						       KMEMCHECK_STACK, 0);
	} else {
		note->nr_stack = stack_trace_save(note->stack, KMEMCHECK_STACK, 2);
	}
	note->number = atomic_inc_return(&kmemcheck_number);
	/* Complete when seen; pairs with the acquire above. */
	smp_store_release(&note->ready, true);
	atomic_long_inc(&kmemcheck_stats.reported);
	irq_work_queue(&kmemcheck_print_irq_work);
}
