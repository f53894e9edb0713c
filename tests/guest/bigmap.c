// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map a large BAR, say with which page size Linux maps it, and have all CPUs write
 * and read in it, far apart and close together.
 */
#define pr_fmt(fmt) "bigmap: " fmt

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

static unsigned int count = 100;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "turns per CPU (default 100)");

static unsigned long offset;
module_param(offset, ulong, 0444);
MODULE_PARM_DESC(offset, "where in the BAR the mapping begins (default 0)");

static unsigned long len;
module_param(len, ulong, 0444);
MODULE_PARM_DESC(len, "how long it is (default: to the end)");

static u64 __iomem *bar;
static atomic_t wrong, done;

/* Each CPU has words of its own all over: its number is the index in a line of 64. */
static void bigmap_work(struct work_struct *work)
{
	unsigned int cpu = raw_smp_processor_id();
	unsigned long words = len / sizeof(u64), i;

	for (i = 0; i < count; i++) {
		/* Any 4K page of any 2M page, the last ones, too */
		unsigned long n = (i * 0x9e3779b97f4a7c15ull) % (words / 64);
		u64 __iomem *p = bar + n * 64 + cpu % 64;
		u64 value = (u64)(cpu + 1) << 48 | i;

		if (i == count - 1)
			p = bar + words - 64 + cpu % 64;
		writeq(value, p);
		if (readq(p) != value)
			atomic_inc(&wrong);
	}
	atomic_inc(&done);
}

static int bigmap_all_cpus(void)
{
	struct work_struct *works = kcalloc(nr_cpu_ids, sizeof(*works), GFP_KERNEL);
	int cpu;

	if (!works)
		return -ENOMEM;
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		INIT_WORK(&works[cpu], bigmap_work);
		schedule_work_on(cpu, &works[cpu]);
	}
	for_each_online_cpu(cpu)
		flush_work(&works[cpu]);
	cpus_read_unlock();
	kfree(works);

	return 0;
}

/* What the CPU uses is a copy; this is the reference. */
static const char *leaf(void __iomem *addr)
{
	unsigned long a = (unsigned long __force)addr;
	pgd_t *pgd = pgd_offset_pgd(__va(read_cr3_pa()), a);
	p4d_t *p4d = p4d_offset(pgd, a);
	pud_t *pud = pud_offset(p4d, a);

	if (pud_leaf(*pud))
		return "1G";
	if (pmd_leaf(*pmd_offset(pud, a)))
		return "2M";
	return "4K";
}

static int __init bigmap_init(void)
{
	struct pci_dev *pdev = pci_get_device(0x1b36, 0x0010, NULL);
	resource_size_t phys;
	int ret;

	if (!pdev) {
		pr_err("no device: QEMU wants -device nvme,serial=0,cmb_size_mb=1024\n");
		return -ENODEV;
	}
	ret = pci_enable_device_mem(pdev);
	if (ret)
		goto out;
	phys = pci_resource_start(pdev, 2);
	ret = -EINVAL;
	if (offset >= pci_resource_len(pdev, 2))
		goto out;
	if (!len)
		len = pci_resource_len(pdev, 2) - offset;
	ret = -ENOMEM;
	bar = ioremap(phys + offset, len);
	if (!bar)
		goto out;
	pr_info("phys %pa offset 0x%lx len 0x%lx leaf %s\n", &phys, offset, len, leaf(bar));
	ret = bigmap_all_cpus();
	pr_info("leaf %s afterwards, %d CPUs, %d wrong\n", leaf(bar), atomic_read(&done),
		atomic_read(&wrong));
	iounmap(bar);
	if (!ret && atomic_read(&wrong))
		ret = -EIO;
out:
	pci_dev_put(pdev);
	return ret;
}

static void __exit bigmap_exit(void)
{
}

module_init(bigmap_init);
module_exit(bigmap_exit);
MODULE_DESCRIPTION("MMIO in a large mapping");
MODULE_LICENSE("GPL");
