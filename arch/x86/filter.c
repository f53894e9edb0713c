// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter: dev=, phys= and driver= say what is trapped, comm=, pid= and tgid= for whom, and
 * dir= what of it is recorded.
 */
#define pr_fmt(fmt) "pv_shadow_mmiotrace: " fmt

#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/pv_shadow.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "filter.h"

static int pvs_add_target(struct pvs_filter *filter, enum pvs_target_kind kind,
			  const char *value)
{
	struct pvs_target *target = &filter->target[filter->nr_targets];

	if (filter->nr_targets == PVS_FILTER_MAX)
		return -ENOSPC;
	if (kind == PVS_TARGET_DRIVER) {
		memset(target, 0, sizeof(*target));
		target->kind = kind;
		if (!*value || strchr(value, '=') || strscpy(target->driver, value) < 0)
			return -EINVAL;
	} else if (pvs_target_parse(target, value) || target->kind != kind) {
		return -EINVAL;
	}
	filter->nr_targets++;
	return 0;
}

static int pvs_add_dir(struct pvs_filter *filter, const char *value)
{
	if (!strcmp(value, "read"))
		filter->read = true;
	else if (!strcmp(value, "write"))
		filter->write = true;
	else
		return -EINVAL;
	return 0;
}

static int pvs_add_id(pid_t *ids, unsigned int *nr, const char *value)
{
	unsigned int id;

	if (*nr == PVS_FILTER_MAX)
		return -ENOSPC;
	if (kstrtouint(value, 10, &id) || id > PID_MAX_LIMIT)
		return -EINVAL;
	ids[(*nr)++] = id;
	return 0;
}

static int pvs_add_comm(struct pvs_filter *filter, const char *value)
{
	if (filter->nr_comms == PVS_FILTER_MAX)
		return -ENOSPC;
	if (!*value || strscpy(filter->comm[filter->nr_comms], value) < 0)
		return -EINVAL;
	filter->nr_comms++;
	return 0;
}

/**
 * pvs_filter_add - add a condition
 * @filter: to this
 * @term:   KIND=VALUE
 *
 * Says why if it cannot. Allocates nothing: the boot parameter comes early.
 *
 * Return: 0 or -EINVAL, -ENOSPC if there are too many.
 */
int pvs_filter_add(struct pvs_filter *filter, const char *term)
{
	const char *want;
	int ret;

	if (str_has_prefix(term, "dev=")) {
		want = "DOMAIN:BUS:DEVICE.FUNCTION[/BAR], for example dev=0000:00:03.0/0";
		ret = pvs_add_target(filter, PVS_TARGET_DEV, term + 4);
	} else if (str_has_prefix(term, "phys=")) {
		want = "FIRST-LAST or FIRST+LENGTH, for example phys=0xfe000000+0x20000";
		ret = pvs_add_target(filter, PVS_TARGET_PHYS, term + 5);
	} else if (str_has_prefix(term, "driver=")) {
		want = "a driver's name of up to 31 characters, for example driver=e1000";
		ret = pvs_add_target(filter, PVS_TARGET_DRIVER, term + 7);
	} else if (str_has_prefix(term, "dir=")) {
		want = "dir=read or dir=write";
		ret = pvs_add_dir(filter, term + 4);
	} else if (str_has_prefix(term, "comm=")) {
		want = "a thread's name of up to 15 characters";
		ret = pvs_add_comm(filter, term + 5);
	} else if (str_has_prefix(term, "pid=")) {
		want = "a thread's number";
		ret = pvs_add_id(filter->pid, &filter->nr_pids, term + 4);
	} else if (str_has_prefix(term, "tgid=")) {
		want = "a process's number";
		ret = pvs_add_id(filter->tgid, &filter->nr_tgids, term + 5);
	} else {
		want = "dev=, phys=, driver=, dir=, comm=, pid= or tgid=";
		ret = -EINVAL;
	}

	if (ret == -ENOSPC)
		pr_err("filter: '%s' is one too many, there can be %d of a kind\n",
		       term, PVS_FILTER_MAX);
	else if (ret)
		pr_err("filter: '%s' not understood, write %s\n", term, want);
	return ret;
}

/**
 * pvs_filter_parse - read a filter
 * @filter: where to put it
 * @line:   conditions with commas or ends of lines between them; destroyed
 *
 * Return: 0, or an error, and it was said why.
 */
int pvs_filter_parse(struct pvs_filter *filter, char *line)
{
	char *term;
	int ret;

	memset(filter, 0, sizeof(*filter));
	while ((term = strsep(&line, ",\n"))) {
		term = strim(term);
		if (!*term)
			continue;
		ret = pvs_filter_add(filter, term);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * pvs_filter_show - print a filter as it can be written
 * @filter: it
 * @m:	    where to
 */
void pvs_filter_show(const struct pvs_filter *filter, struct seq_file *m)
{
	static const char * const kinds[] = { "dev", "phys", "driver" };
	const char *comma = "";
	char text[PVS_TARGET_LEN];
	unsigned int i;

	for (i = 0; i < filter->nr_targets; i++) {
		pvs_target_print(&filter->target[i], text);
		seq_printf(m, "%s%s=%s", comma, kinds[filter->target[i].kind], text);
		comma = ",";
	}
	if (filter->read) {
		seq_printf(m, "%sdir=read", comma);
		comma = ",";
	}
	if (filter->write) {
		seq_printf(m, "%sdir=write", comma);
		comma = ",";
	}
	for (i = 0; i < filter->nr_comms; i++) {
		seq_printf(m, "%scomm=%s", comma, filter->comm[i]);
		comma = ",";
	}
	for (i = 0; i < filter->nr_pids; i++) {
		seq_printf(m, "%spid=%d", comma, filter->pid[i]);
		comma = ",";
	}
	for (i = 0; i < filter->nr_tgids; i++) {
		seq_printf(m, "%stgid=%d", comma, filter->tgid[i]);
		comma = ",";
	}
	if (*comma)
		seq_putc(m, '\n');
}

/**
 * pvs_filter_has - does a filter choose places of a kind
 * @filter: it
 * @kind:   kind
 */
bool pvs_filter_has(const struct pvs_filter *filter, enum pvs_target_kind kind)
{
	unsigned int i;

	for (i = 0; i < filter->nr_targets; i++)
		if (filter->target[i].kind == kind)
			return true;
	return false;
}

/**
 * pvs_filter_writes_only - does it let pass no reads
 * @filter: it
 */
bool pvs_filter_writes_only(const struct pvs_filter *filter)
{
	return filter->write && !filter->read;
}

static bool pvs_id_passes(const pid_t *ids, unsigned int nr, pid_t id)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (ids[i] == id)
			return true;
	return !nr;
}

/**
 * pvs_filter_task - does a filter let pass what a thread does
 * @filter: it
 * @task:   the thread
 *
 * Any context.
 */
bool pvs_filter_task(const struct pvs_filter *filter, const struct task_struct *task)
{
	unsigned int i;

	if (!pvs_id_passes(filter->pid, filter->nr_pids, task->pid) ||
	    !pvs_id_passes(filter->tgid, filter->nr_tgids, task->tgid))
		return false;

	if (filter->nr_comms) {
		for (i = 0; i < filter->nr_comms; i++)
			if (!strncmp(filter->comm[i], task->comm, TASK_COMM_LEN))
				break;
		if (i == filter->nr_comms)
			return false;
	}

	return true;
}

/* Where pvs_filter_passes() has found that there are conditions. */
bool __pvs_filter_passes(const struct pvs_filter *filter,
			 const struct pv_shadow_access *access)
{
	if (filter->read != filter->write && access->dir != PV_SHADOW_UNKNOWN &&
	    filter->read != (access->dir == PV_SHADOW_READ))
		return false;

	return pvs_filter_task(filter, current);
}
