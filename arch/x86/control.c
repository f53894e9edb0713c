// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/pv_shadow/{attach,detach,filter,follow}: choose what is traced.
 *
 * A write is read to its end before anything happens, and happens as a whole or not
 * at all.
 */
#define pr_fmt(fmt) "pv_shadow_mmiotrace: " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/printk.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "filter.h"
#include "maps.h"

/* What somebody wrote, with a 0 at its end; to be freed. */
static char *pvs_written(const char __user *from, size_t size)
{
	if (size >= PAGE_SIZE) {
		pr_err("more than %lu bytes at once, nothing done; write less\n",
		       PAGE_SIZE - 1);
		return ERR_PTR(-E2BIG);
	}
	return memdup_user_nul(from, size);
}

static int pvs_parse_line(const char *file, const char *line, bool must_exist,
			  struct list_head *list)
{
	struct pvs_attached *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a) {
		pr_err("%s: out of memory, nothing done; free some and try again\n",
		       file);
		return -ENOMEM;
	}
	list_add_tail(&a->list, list);
	if (pvs_target_parse(&a->target, line)) {
		pr_err("%s: '%s' not understood, nothing done; write for example 0000:00:03.0, 0000:00:03.0/0, 0xfe000000-0xfe01ffff or 0xfe000000+0x20000\n",
		       file, line);
		return -EINVAL;
	}
	if (must_exist && !pvs_target_exists(&a->target)) {
		pr_err("%s: no PCI device %s, nothing done; /sys/bus/pci/devices has those there are\n",
		       file, line);
		return -ENODEV;
	}
	return 0;
}

/* Lines to a list; "all" alone is told by @all. */
static int pvs_parse_lines(const char *file, char *text, bool must_exist,
			   struct list_head *list, bool *all)
{
	char *line;
	int ret;

	while ((line = strsep(&text, "\n"))) {
		line = strim(line);
		if (!*line)
			continue;
		if (all && !strcmp(line, "all")) {
			*all = true;
			continue;
		}
		ret = pvs_parse_line(file, line, must_exist, list);
		if (ret)
			return ret;
	}
	if (list_empty(list) && !(all && *all)) {
		pr_err("%s: nothing was written; write a device or a range of addresses\n",
		       file);
		return -EINVAL;
	}
	return 0;
}

static ssize_t pvs_attach_write(struct file *file, const char __user *from,
				size_t size, loff_t *pos)
{
	char *text = pvs_written(from, size);
	LIST_HEAD(list);
	int ret;

	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = pvs_parse_lines("attach", text, true, &list, NULL);
	if (!ret)
		ret = pvs_maps_attach(&list);
	pvs_attached_free(&list);
	kfree(text);
	return ret ?: size;
}

static int pvs_attach_show(struct seq_file *m, void *unused)
{
	pvs_maps_show(m);
	return 0;
}

DEFINE_SHOW_STORE_ATTRIBUTE(pvs_attach);

static ssize_t pvs_detach_write(struct file *file, const char __user *from,
				size_t size, loff_t *pos)
{
	char *text = pvs_written(from, size);
	bool all = false;
	LIST_HEAD(list);
	int ret;

	if (IS_ERR(text))
		return PTR_ERR(text);
	/* The device may be gone for good. */
	ret = pvs_parse_lines("detach", text, false, &list, &all);
	if (!ret && all)
		pvs_maps_detach_all();
	else if (!ret)
		ret = pvs_maps_detach(&list);
	pvs_attached_free(&list);
	kfree(text);
	return ret ?: size;
}

static const struct file_operations pvs_detach_fops = {
	.owner		= THIS_MODULE,
	.open		= simple_open,
	.write		= pvs_detach_write,
	.llseek		= noop_llseek,
};

static ssize_t pvs_filter_file_write(struct file *file, const char __user *from,
				     size_t size, loff_t *pos)
{
	char *text = pvs_written(from, size);
	struct pvs_filter *filter;
	int ret;

	if (IS_ERR(text))
		return PTR_ERR(text);
	filter = kmalloc(sizeof(*filter), GFP_KERNEL);
	ret = -ENOMEM;
	if (!filter)
		pr_err("filter: out of memory, the old one stays\n");
	else
		ret = pvs_filter_parse(filter, strim(text));
	if (!ret)
		ret = pvs_maps_set_filter(filter);
	if (ret)
		kfree(filter);
	kfree(text);
	return ret ?: size;
}

static int pvs_filter_file_show(struct seq_file *m, void *unused)
{
	pvs_maps_show_filter(m);
	return 0;
}
DEFINE_SHOW_STORE_ATTRIBUTE(pvs_filter_file);

static int pvs_follow_get(void *data, u64 *follow)
{
	*follow = pvs_maps_follow();
	return 0;
}

static int pvs_follow_set(void *data, u64 follow)
{
	return pvs_maps_set_follow(follow);
}

DEFINE_DEBUGFS_ATTRIBUTE(pvs_follow_fops, pvs_follow_get, pvs_follow_set, "%llu\n");

static int __init pvs_control_init(void)
{
	struct dentry *dir;

	if (!pv_shadow_mmiotrace())
		return 0;

	dir = debugfs_lookup("pv_shadow", NULL);
	if (IS_ERR_OR_NULL(dir))
		return 0;
	debugfs_create_file("attach", 0600, dir, NULL, &pvs_attach_fops);
	debugfs_create_file("detach", 0200, dir, NULL, &pvs_detach_fops);
	debugfs_create_file("filter", 0600, dir, NULL, &pvs_filter_file_fops);
	debugfs_create_file("follow", 0600, dir, NULL, &pvs_follow_fops);
	dput(dir);
	return 0;
}
/* After the one that makes the directory. */
late_initcall_sync(pvs_control_init);
