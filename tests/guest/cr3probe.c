// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in CR3 during a system call: reading /sys/kernel/debug/cr3probe tells the
 * hardware's value, Linux's, whether the former is one of this CPU's roots or of
 * another's, and what accesses to CR3 were made into when the alternatives were
 * applied: the native instruction, or a call of the operation.
 */
#include <linux/cpufeature.h>
#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/processor.h>
#include <linux/module.h>
#include <linux/pv_shadow.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include <asm/paravirt.h>

static struct dentry *file;

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

static int probe_show(struct seq_file *m, void *unused)
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
