// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmalloc(), vmap() and their undoing on all CPUs, in the 2M range of a mapping of
 * QEMU's edu that is read all the while; what is in the memory is checked. Runs
 * until it is unloaded. phys= is another register to read, where there is no edu.
 */
#define pr_fmt(fmt) "vmchurn: " fmt

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pgtable.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define NR_AREAS	16
#define MAX_PAGES	8

static unsigned long phys;
module_param(phys, ulong, 0444);
MODULE_PARM_DESC(phys, "physical address of a register to read (default: edu's first)");

static void __iomem *bar;
static struct pci_dev *pdev;
static struct task_struct **tasks;
static atomic_long_t areas, near, reads, wrong;

static void fill(u64 *p, unsigned int pages, u64 value)
{
	unsigned int i;

	for (i = 0; i < pages * PAGE_SIZE / sizeof(*p); i += 61)
		p[i] = value + i;
}

static void check(const u64 *p, unsigned int pages, u64 value)
{
	unsigned int i;

	for (i = 0; i < pages * PAGE_SIZE / sizeof(*p); i += 61)
		if (p[i] != value + i)
			atomic_long_inc(&wrong);
}

static void count(const void *p)
{
	unsigned long start = (unsigned long __force)bar & PMD_MASK;

	atomic_long_inc(&areas);
	if (((unsigned long)p & PMD_MASK) == start)
		atomic_long_inc(&near);
}

/* The same pages at a second address. */
static void check_vmap(void *p, unsigned int pages, u64 value)
{
	struct page *page[MAX_PAGES];
	unsigned int i;
	void *second;

	for (i = 0; i < pages; i++)
		page[i] = vmalloc_to_page(p + i * PAGE_SIZE);
	second = vmap(page, pages, VM_MAP, PAGE_KERNEL);
	if (!second)
		return;
	count(second);
	check(second, pages, value);
	vunmap(second);
}

static int churn(void *arg)
{
	unsigned long index = (unsigned long)arg;
	unsigned int pages[NR_AREAS] = {};
	u64 value[NR_AREAS];
	void *area[NR_AREAS] = {};
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, index + 1);
	while (!kthread_should_stop()) {
		i = prandom_u32_state(&rnd) % NR_AREAS;
		if (area[i]) {
			check(area[i], pages[i], value[i]);
			if (i % 2)
				check_vmap(area[i], pages[i], value[i]);
			vfree(area[i]);
			area[i] = NULL;
		} else {
			pages[i] = 1 + prandom_u32_state(&rnd) % MAX_PAGES;
			area[i] = vmalloc(pages[i] * PAGE_SIZE);
			if (!area[i])
				continue;
			count(area[i]);
			value[i] = (u64)prandom_u32_state(&rnd) << 32 | index << 16;
			fill(area[i], pages[i], value[i]);
		}
		if (prandom_u32_state(&rnd) % 16 == 0) {
			readl(bar);
			atomic_long_inc(&reads);
		}
		/* There are others, and a guest's CPUs may be more than the host's. */
		if (prandom_u32_state(&rnd) % 32 == 0)
			usleep_range(500, 1000);
	}
	for (i = 0; i < NR_AREAS; i++)
		vfree(area[i]);
	return 0;
}

static int __init vmchurn_init(void)
{
	int cpu, ret = -ENOMEM;

	if (!phys) {
		pdev = pci_get_device(0x1234, 0x11e8, NULL);
		if (!pdev) {
			pr_err("no edu device; give QEMU -device edu\n");
			return -ENODEV;
		}
		if (pci_enable_device(pdev))
			goto put;
	}
	/* Small, so that there is room beside it. */
	bar = ioremap(pdev ? pci_resource_start(pdev, 0) : phys, sizeof(u32));
	if (!bar)
		goto disable;
	tasks = kcalloc(nr_cpu_ids, sizeof(*tasks), GFP_KERNEL);
	if (!tasks)
		goto unmap;

	for_each_online_cpu(cpu) {
		struct task_struct *t;

		t = kthread_run(churn, (void *)(long)cpu, "vmchurn/%d", cpu);
		if (!IS_ERR(t))
			tasks[cpu] = t;
	}
	return 0;

unmap:
	iounmap(bar);
disable:
	if (pdev)
		pci_disable_device(pdev);
put:
	pci_dev_put(pdev);
	return ret;
}

static void __exit vmchurn_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (tasks[cpu])
			kthread_stop(tasks[cpu]);
	kfree(tasks);
	iounmap(bar);
	if (pdev)
		pci_disable_device(pdev);
	pci_dev_put(pdev);
	pr_info("%ld reads, %ld areas, %ld of them near, %ld wrong values\n",
		atomic_long_read(&reads), atomic_long_read(&areas),
		atomic_long_read(&near), atomic_long_read(&wrong));
	/* Whoever started us, and looks at what or not */
	WARN(atomic_long_read(&wrong), "memory is not what was written\n");
}

module_init(vmchurn_init);
module_exit(vmchurn_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Churn of vmalloc space beside a device's mapping");
