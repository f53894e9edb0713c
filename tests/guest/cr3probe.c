// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in CR3 during a system call: reading /sys/kernel/debug/cr3probe/own tells the
 * hardware's value, Linux's, whether the former is one of this CPU's roots or of
 * another's, and what accesses to CR3 were made into when the alternatives were
 * applied: the native instruction, or a call of the operation. use_mm there tells
 * the same of a kernel thread that uses the reader's address space, on the next CPU.
 */
#include <linux/completion.h>
#include <linux/cpufeature.h>
#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/processor.h>
#include <linux/module.h>
#include <linux/pv_shadow.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include <asm/paravirt.h>

static struct dentry *dir;

/* Between two labels is __read_cr3() or write_cr3(), as it is now. */
#define ADDRESS_OF(label)						\
({									\
	const u8 *_p;							\
									\
	asm("leaq " #label "(%%rip), %0" : "=r" (_p));			\
	_p;								\
})

static noinline __noclone unsigned long site_read(void)
{
	unsigned long cr3;

	asm volatile("site_read_start:");
	cr3 = __read_cr3();
	asm volatile("site_read_end:");
	return cr3;
}

/* Not called: that would put right what is to be looked at. */
static noinline __noclone __used void site_write(unsigned long cr3)
{
	asm volatile("site_write_start:");
	write_cr3(cr3);
	asm volatile("site_write_end:");
}

static const char *site(const u8 *start, const u8 *end, const char *native,
			const void *op)
{
	const u8 *p;

	for (p = start; p + 3 <= end; p++)
		if (!memcmp(p, native, 3))
			return "native";
	for (p = start; p + 5 <= end; p++)
		if (*p == 0xe8 && p + 5 + (s32)get_unaligned_le32(p + 1) == op)
			return "operation";
	return "neither";
}

static bool foreign_root(int own, unsigned long pa)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (cpu != own && pv_shadow_is_root(cpu, pa))
			return true;
	return false;
}

static void probe_cpu(struct seq_file *m)
{
	unsigned long hardware, logical, pgd;
	int cpu = get_cpu();

	asm volatile("mov %%cr3, %0" : "=r" (hardware));
	logical = site_read() & CR3_ADDR_MASK;
	pgd = virt_to_phys(current->mm->pgd);
	hardware &= CR3_ADDR_MASK;

	seq_printf(m, "cpu %d hardware 0x%lx logical 0x%lx pgd 0x%lx own %d foreign %d ",
		   cpu, hardware, logical, pgd,
		   pv_shadow_is_root(cpu, hardware), foreign_root(cpu, hardware));
	seq_printf(m, "feature %d read %s write %s set_pte %ps\n",
		   boot_cpu_has(X86_FEATURE_PV_SHADOW),
		   site(ADDRESS_OF(site_read_start), ADDRESS_OF(site_read_end),
			"\x0f\x20\xd8", pv_ops.mmu.read_cr3),
		   site(ADDRESS_OF(site_write_start), ADDRESS_OF(site_write_end),
			"\x0f\x22\xdf", pv_ops.mmu.write_cr3),
		   pv_ops.mmu.set_pte);
	put_cpu();
}

static int probe_show(struct seq_file *m, void *unused)
{
	probe_cpu(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(probe);

/**
 * struct borrowed - an address space that a thread is to use
 * @m:	   to tell it to
 * @mm:	   it
 * @there: what is at the start of its stack
 * @wrong: turns in which that was not there
 * @loads: turns for which CR3 had to be loaded
 * @done:  by the thread
 */
struct borrowed {
	struct seq_file		*m;
	struct mm_struct	*mm;
	unsigned long		there;
	unsigned int		wrong;
	unsigned int		loads;
	struct completion	done;
};

#define TURNS	100

static int use_mm(void *data)
{
	struct borrowed *u = data;
	unsigned long there, before;
	int i;

	for (i = 0; i < TURNS; i++) {
		before = __read_cr3() & CR3_ADDR_MASK;
		kthread_use_mm(u->mm);
		u->loads += (__read_cr3() & CR3_ADDR_MASK) != before;
		if (!i)
			probe_cpu(u->m);
		/* As a task of its own it would be there in the end. */
		if (get_user(there, (unsigned long __user *)u->mm->start_stack) ||
		    there != u->there ||
		    put_user(there, (unsigned long __user *)u->mm->start_stack))
			u->wrong++;
		kthread_unuse_mm(u->mm);
		/* Others may have the CPU, and load theirs. */
		schedule_timeout_uninterruptible(1);
	}
	complete(&u->done);
	return 0;
}

static int use_mm_show(struct seq_file *m, void *unused)
{
	int cpu = cpumask_next(raw_smp_processor_id(), cpu_online_mask);
	struct borrowed u = { .m = m, .mm = current->mm };
	struct task_struct *task;

	if (get_user(u.there, (unsigned long __user *)u.mm->start_stack))
		return -EFAULT;
	init_completion(&u.done);
	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	task = kthread_create_on_cpu(use_mm, &u, cpu, "cr3probe/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	wait_for_completion(&u.done);
	seq_printf(m, "turns %d loads %u wrong %u\n", TURNS, u.loads, u.wrong);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(use_mm);

static int __init cr3probe_init(void)
{
	dir = debugfs_create_dir("cr3probe", NULL);
	debugfs_create_file("own", 0400, dir, NULL, &probe_fops);
	debugfs_create_file("use_mm", 0400, dir, NULL, &use_mm_fops);
	return PTR_ERR_OR_ZERO(dir);
}

static void __exit cr3probe_exit(void)
{
	debugfs_remove(dir);
}

module_init(cr3probe_init);
module_exit(cr3probe_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("CR3 as seen by a system call");
