// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long an access takes: all CPUs that are asked for make it over and over, and
 * the time from the first one's start to the last one's end is told per access.
 *
 * The memory accessed is that of QEMU's ivshmem-plain, which is RAM in a BAR: what a
 * device model would take is not in the time, nor the lock that all of them share.
 */
#define pr_fmt(fmt) "bench: " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

static char *what = "mov";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "mov (default): a load; test: another that is not moved; alu: an add to memory; fault: a page fault that ends in the exception table");

static unsigned int cpus = 1;
module_param(cpus, uint, 0444);
MODULE_PARM_DESC(cpus, "how many (default 1)");

static unsigned int count = 10000;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "accesses on each (default 10000)");

static unsigned int rounds = 7;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "measurements (default 7); one more comes first and is not told");

static void __iomem *bar;
static resource_size_t bar_len;

static atomic_t ready, left;
static DECLARE_COMPLETION(all_done);
static ktime_t started, ended;

static void do_mov(void __iomem *p)
{
	readl(p);
}

static void do_test(void __iomem *p)
{
	asm volatile("testl %1, %0" : : "m" (*(volatile u32 __force *)p), "r" (1));
}

/* A read and a write, and two events */
static void do_alu(void __iomem *p)
{
	asm volatile("addl %1, %0" : "+m" (*(volatile u32 __force *)p) : "r" (1));
}

/* Behind an ioremap() there is a page that is never mapped. */
static void do_fault(void __iomem *p)
{
	u32 value;

	get_kernel_nofault(value, (u32 __force *)(bar + bar_len));
}

static const struct {
	const char *name;
	void (*func)(void __iomem *p);
} kinds[] = {
	{ "mov", do_mov },
	{ "test", do_test },
	{ "alu", do_alu },
	{ "fault", do_fault },
};

static int bench_thread(void *data)
{
	/* A page each: CPUs are not to share a cache line. */
	void __iomem *p = bar + smp_processor_id() * PAGE_SIZE;
	void (*func)(void __iomem *p) = data;
	unsigned int i;

	if (atomic_dec_and_test(&ready))
		started = ktime_get();
	while (atomic_read(&ready))
		cpu_relax();

	for (i = 0; i < count; i++)
		func(p);

	if (atomic_dec_and_test(&left)) {
		ended = ktime_get();
		complete(&all_done);
	}
	return 0;
}

static void bench_round(void (*func)(void __iomem *p))
{
	struct task_struct *task;
	unsigned int cpu;

	atomic_set(&ready, cpus);
	atomic_set(&left, cpus);
	reinit_completion(&all_done);
	for (cpu = 0; cpu < cpus; cpu++) {
		task = kthread_create_on_cpu(bench_thread, func, cpu, "bench/%u");
		/* Those that run already wait for this one. */
		if (IS_ERR(task))
			panic("bench: no memory for threads");
		wake_up_process(task);
	}
	wait_for_completion(&all_done);
}

static int bench_run(void)
{
	void (*func)(void __iomem *p) = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(what, kinds[i].name))
			func = kinds[i].func;
	if (!func || !cpus || cpus > num_online_cpus() || !count) {
		pr_err("bad what= (mov, alu, fault), cpus= or count=\n");
		return -EINVAL;
	}

	for (i = 0; i <= rounds; i++) {
		bench_round(func);
		if (i)
			pr_info("%s cpus %u picoseconds per access %llu\n", what,
				cpus, div_u64(ktime_to_ns(ktime_sub(ended, started)) * 1000,
					      count));
	}
	return 0;
}

static int __init bench_init(void)
{
	struct pci_dev *dev = pci_get_device(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1110, NULL);
	int ret = -ENOMEM;

	if (!dev) {
		pr_err("no ivshmem device: boot with -device ivshmem-plain\n");
		return -ENODEV;
	}
	bar_len = pci_resource_len(dev, 2);
	bar = ioremap(pci_resource_start(dev, 2), bar_len);
	if (bar) {
		ret = bench_run();
		iounmap(bar);
	}
	pci_dev_put(dev);
	return ret;
}

static void __exit bench_exit(void) { }

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("How long an access takes");
MODULE_LICENSE("GPL");
