// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/pv_shadow: counters, and the files of others.
 */
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "../arch/x86/engine.h"
#include "../pvops/root.h"
#include "stats.h"
#include "trap.h"
#include "user.h"
#include "verify.h"

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
	[PVS_FILLED]	= "filled",
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
	seq_printf(m, "user_table_pages %u\n", pvs_user_pages());
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

DEFINE_SHOW_ATTRIBUTE(pvs_verify);

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

	if (count >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, from, count))
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
	debugfs_create_file("verify", 0400, dir, NULL, &pvs_verify_fops);
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
