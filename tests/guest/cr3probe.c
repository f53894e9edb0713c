// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in CR3 during a system call: reading /sys/kernel/debug/cr3probe tells the
 * hardware's value, Linux's, and whether the former is one of this CPU's roots.
 */
#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/processor.h>
#include <linux/module.h>
#include <linux/pv_shadow.h>
#include <linux/sched.h>
#include <linux/seq_file.h>


static struct dentry *file;

static int probe_show(struct seq_file *m, void *unused)
{
	unsigned long hardware, logical, pgd;
	int cpu = get_cpu();

	asm volatile("mov %%cr3, %0" : "=r" (hardware));
	logical = __read_cr3() & CR3_ADDR_MASK;
	pgd = virt_to_phys(current->mm->pgd);
	hardware &= CR3_ADDR_MASK;

	seq_printf(m, "cpu %d hardware 0x%lx logical 0x%lx pgd 0x%lx own %d foreign %d\n",
		   cpu, hardware, logical, pgd,
		   pv_shadow_is_root(cpu, hardware),
		   pv_shadow_is_root(!cpu, hardware));
	put_cpu();

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(probe);

static int __init cr3probe_init(void)
{
	file = debugfs_create_file("cr3probe", 0400, NULL, NULL, &probe_fops);
	return PTR_ERR_OR_ZERO(file);
}

static void __exit cr3probe_exit(void)
{
	debugfs_remove(file);
}

module_init(cr3probe_init);
module_exit(cr3probe_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("CR3 as seen by a system call");
