// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/pv_shadow: counters, and the comparison of all copies with
 * the reference.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/pv_shadow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string_choices.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "../arch/x86/engine.h"
#include "../arch/x86/fault.h"
#include "../pvops/backend.h"
#include "../pvops/root.h"
#include "stats.h"
#include "trap.h"

DEFINE_PER_CPU(unsigned long [PVS_NR_STATS], pvs_stats);
EXPORT_PER_CPU_SYMBOL_GPL(pvs_stats);

static const char * const pvs_stat_names[PVS_NR_STATS] = {
	[PVS_EVENTS]	= "events",
	[PVS_EMULATED]	= "emulated",
	[PVS_XOL]	= "xol",
	[PVS_STEPPED]	= "stepped",
	[PVS_DECODED]	= "decoded",
	[PVS_NESTED]	= "nested",
	[PVS_MISSED]	= "missed",
	[PVS_UNKNOWN]	= "unknown",
	[PVS_ABORTED]	= "aborted",
	[PVS_RESYNCS]	= "resyncs",
	[PVS_RECORDED]	= "recorded",
	[PVS_LOST]	= "lost",
	[PVS_PAUSED]	= "paused",
	[PVS_FILTERED]	= "filtered",
	[PVS_COMPARED]	= "compared",
	[PVS_DIFFER]	= "differ",
};

/**
 * pvs_stat_sum - a counter of all CPUs
 * @stat: which
 *
 * Any context.
 */
unsigned long pvs_stat_sum(enum pvs_stat stat)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(pvs_stats, cpu)[stat]);
	return sum;
}

static int stats_show(struct seq_file *m, void *unused)
{
	unsigned int i;

	for (i = 0; i < PVS_NR_STATS; i++)
		seq_printf(m, "%s %lu\n", pvs_stat_names[i], pvs_stat_sum(i));
	seq_printf(m, "traps %lu\n", pvs_nr_traps());
	seq_printf(m, "table_pages %u\n",
		   atomic_read(&pvs_tree.nr_tables) * nr_cpu_ids);
	seq_printf(m, "root_pages %u\n", pvs_root_pages());

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int cpu_stats_show(struct seq_file *m, void *unused)
{
	int cpu = (unsigned long)m->private;
	unsigned int i;

	for (i = 0; i < PVS_NR_STATS; i++)
		seq_printf(m, "%s %lu\n", pvs_stat_names[i],
			   READ_ONCE(per_cpu(pvs_stats, cpu)[i]));

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cpu_stats);

/* Enough to see what is wrong. */
#define PVS_MAX_DIFFS	64

/**
 * struct pvs_verify - one CPU's differences
 * @cpu:   whose
 * @lazy:  let pass what was unmapped natively and not flushed yet
 * @again: look only at what was found before
 * @nr:    how many
 * @diff:  they
 */
struct pvs_verify {
	int		cpu;
	bool		lazy;
	bool		again;
	unsigned int	nr;
	struct pvs_diff	diff[PVS_MAX_DIFFS];
};

/* On the CPU itself, so that it is completing no access; or it is not running. */
static void pvs_verify_copies(void *info)
{
	struct pvs_verify *v = info;
	unsigned int i, nr = 0;

	rcu_read_lock();
	if (v->again) {
		for (i = 0; i < v->nr; i++) {
			if (pvs_verify_again(&pvs_tree, v->lazy, &v->diff[i]))
				v->diff[nr++] = v->diff[i];
		}
		v->nr = nr;
	} else {
		v->nr = pvs_tree_verify(&pvs_tree, v->cpu, v->lazy, v->diff,
					PVS_MAX_DIFFS);
	}
	rcu_read_unlock();
}

/* What there is of a CPU beside copies. On the CPU itself. */
static void pvs_verify_state(void *info)
{
	unsigned long *stats = this_cpu_ptr(pvs_stats);
	struct pvs_verify *v = info;
	struct pvs_diff diff = { .copy = v->cpu };

	v->nr = pvs_root_verify(v->diff, PVS_MAX_DIFFS - 3);

	if (!pvs_steps_idle()) {
		diff.kind = PVS_DIFF_STEP;
		v->diff[v->nr++] = diff;
	}

	diff.have = READ_ONCE(stats[PVS_EVENTS]);
	diff.want = READ_ONCE(stats[PVS_RECORDED]) + READ_ONCE(stats[PVS_LOST]) +
		    READ_ONCE(stats[PVS_PAUSED]) + READ_ONCE(stats[PVS_FILTERED]);
	if (diff.have != diff.want) {
		diff.kind = PVS_DIFF_COUNT;
		v->diff[v->nr++] = diff;
	}

	/* What could not be shown is an event of its own, that says where. */
	diff.have = READ_ONCE(stats[PVS_MISSED]);
	diff.want = READ_ONCE(stats[PVS_UNKNOWN]);
	if (diff.have > diff.want) {
		diff.kind = PVS_DIFF_TOLD;
		v->diff[v->nr++] = diff;
	}
}

/* When nothing is traced. On the CPU itself. */
static void pvs_verify_off(void *info)
{
	struct pvs_verify *v = info;

	v->nr = pvs_root_verify_off(v->diff);
}

static void pvs_verify_run(struct pvs_verify *v, smp_call_func_t func)
{
	unsigned long flags;

	/*
	 * A CPU that is not online makes no access; its copies must be right, and it
	 * must have left its roots.
	 */
	if (!smp_call_function_single(v->cpu, func, v, true))
		return;
	if (func == pvs_verify_copies) {
		local_irq_save(flags);
		func(v);
		local_irq_restore(flags);
	} else {
		v->nr = pvs_root_verify_dead(v->cpu, v->diff);
	}
}

static void pvs_verify_show(struct seq_file *m, const struct pvs_verify *v)
{
	unsigned int i;

	for (i = 0; i < v->nr; i++) {
		const struct pvs_diff *d = &v->diff[i];

		switch (d->kind) {
		case PVS_DIFF_ENTRY:
		case PVS_DIFF_ROOT:
			seq_printf(m, "cpu %d %s level %u addr 0x%lx: has 0x%llx, should have 0x%llx\n",
				   v->cpu, d->kind == PVS_DIFF_ROOT ? "root" : "copy",
				   d->level, d->addr, d->have, d->want);
			break;
		case PVS_DIFF_SOURCE:
			seq_printf(m, "cpu %d table level %u addr 0x%lx: copy of 0x%llx, should be of 0x%llx\n",
				   v->cpu, d->level, d->addr, d->have, d->want);
			break;
		case PVS_DIFF_REF:
			seq_printf(m, "cpu %d level %u addr 0x%lx: Linux's own entry 0x%llx leads to a copy\n",
				   v->cpu, d->level, d->addr, d->have);
			break;
		case PVS_DIFF_USER:
			seq_printf(m, "cpu %d table level %u addr 0x%lx: a copy in the user half\n",
				   v->cpu, d->level, d->addr);
			break;
		case PVS_DIFF_OWN:
			seq_printf(m, "cpu %d: 0x%llx is trapped, and page faults touch it\n",
				   v->cpu, d->have);
			break;
		case PVS_DIFF_CR3:
			seq_printf(m, "cpu %d: %s, cr3 0x%llx\n", v->cpu,
				   pvs_active() ? "not on a shadow root" :
						  "on a shadow root for nothing",
				   d->have);
			break;
		case PVS_DIFF_TASK:
			seq_printf(m, "cpu %d: on a shadow root for task %llu, which is not wanted\n",
				   v->cpu, d->have);
			break;
		case PVS_DIFF_MM:
			seq_printf(m, "cpu %d: runs on the tables of 0x%llx, but Linux loaded 0x%llx\n",
				   v->cpu, d->have, d->want);
			break;
		case PVS_DIFF_DEAD:
			seq_printf(m, "cpu %d: dead, and not off its roots: pgd 0x%llx\n",
				   v->cpu, d->have);
			break;
		case PVS_DIFF_STEP:
			seq_printf(m, "cpu %d: an access was begun and not ended\n",
				   v->cpu);
			break;
		case PVS_DIFF_COUNT:
			seq_printf(m, "cpu %d: %llu events, but %llu recorded, lost, paused or filtered\n",
				   v->cpu, d->have, d->want);
			break;
		case PVS_DIFF_TOLD:
			seq_printf(m, "cpu %d: %llu accesses missed, but only %llu shown as unknown\n",
				   v->cpu, d->have, d->want);
			break;
		}
	}
	if (v->nr == PVS_MAX_DIFFS)
		seq_printf(m, "cpu %d: perhaps more\n", v->cpu);
}

/* Looks at a difference, the last one a second after the first. */
#define PVS_LOOKS	10

/*
 * A difference is one that stays: whoever writes an entry may be stopped for long,
 * by a hypervisor say, before the copies are written, and an NMI that changed one
 * may have left them to whoever is changing the table.
 */
static unsigned int pvs_verify_patiently(struct seq_file *m, struct pvs_verify *v,
					 smp_call_func_t func, bool lazy)
{
	unsigned int look;

	v->lazy = lazy;
	v->again = false;
	for (look = 0; look < PVS_LOOKS; look++) {
		if (!lazy)
			vm_unmap_aliases();
		pvs_verify_run(v, func);
		if (!v->nr)
			break;
		v->again = true;
		msleep(1 << look);
	}
	pvs_verify_show(m, v);

	return v->nr;
}

static unsigned int pvs_verify_cpu(struct seq_file *m, struct pvs_verify *v)
{
	unsigned int found;

	/*
	 * First what must be there at any time: a purge of what was unmapped would
	 * also bring that up to date. Then that the purge left nothing too much.
	 */
	found = pvs_verify_patiently(m, v, pvs_verify_copies, true);
	found += pvs_verify_patiently(m, v, pvs_verify_copies, false);
	found += pvs_verify_patiently(m, v, pvs_verify_state, true);

	return found;
}

/* Nothing is traced: no memory, and Linux's own code. */
static unsigned int pvs_verify_left(struct seq_file *m)
{
	unsigned int tables = atomic_read(&pvs_tree.nr_tables) * nr_cpu_ids;
	unsigned int roots = pvs_root_pages();
	bool on = static_key_enabled(&pv_shadow_key.key);

	if (!tables && !roots && !pvs_nr_traps() && !on)
		return 0;

	seq_printf(m, "nothing is traced, but %u tables, %u roots and %lu traps are left; hooks are %s\n",
		   tables, roots, pvs_nr_traps(), str_on_off(on));
	return 1;
}

static int verify_show(struct seq_file *m, void *unused)
{
	struct pvs_verify *v = kzalloc(sizeof(*v), GFP_KERNEL);
	unsigned int found = 0;

	if (!v)
		return -ENOMEM;

	if (pvs_hold()) {
		for_each_possible_cpu(v->cpu)
			found += pvs_verify_cpu(m, v);
	} else {
		found = pvs_verify_left(m);
		for_each_possible_cpu(v->cpu)
			found += pvs_verify_patiently(m, v, pvs_verify_off, true);
	}
	if (!found)
		seq_puts(m, "ok\n");
	pvs_release();
	kfree(v);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(verify);

static int engine_show(struct seq_file *m, void *unused)
{
	pvs_engine_show(m);
	return 0;
}

static ssize_t engine_write(struct file *file, const char __user *from,
			    size_t count, loff_t *ppos)
{
	char name[16] = "";
	int ret;

	if (copy_from_user(name, from, min(count, sizeof(name) - 1)))
		return -EFAULT;
	ret = pvs_engine_set(strim(name));
	return ret ?: count;
}

DEFINE_SHOW_STORE_ATTRIBUTE(engine);

static int __init pvs_debugfs_init(void)
{
	struct dentry *dir, *per_cpu;
	char name[16];
	int cpu;

	if (!pv_shadow_installed())
		return 0;

	dir = debugfs_create_dir("pv_shadow", NULL);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
	debugfs_create_file("verify", 0400, dir, NULL, &verify_fops);
	debugfs_create_file("engine", 0600, dir, NULL, &engine_fops);

	per_cpu = debugfs_create_dir("per_cpu", dir);
	for_each_possible_cpu(cpu) {
		snprintf(name, sizeof(name), "cpu%d", cpu);
		debugfs_create_file(name, 0400, per_cpu,
				    (void *)(unsigned long)cpu, &cpu_stats_fops);
	}

	return 0;
}
late_initcall(pvs_debugfs_init);
