// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long an access takes, or something else that tracing might make slower: all CPUs
 * that are asked for do it over and over, and the time from the first one's start to the
 * last one's end is told per turn.
 *
 * The memory accessed is that of QEMU's ivshmem-plain, which is RAM in a BAR: what a
 * device model would take is not in the time, nor the lock that all of them share.
 */
#define pr_fmt(fmt) "bench: " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pgtable.h>
#include <linux/sizes.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/msr.h>
#include <asm/tsc.h>

static char *what = "mov";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "mov (default): a load; test: another that is not moved; alu: an add to memory; fault: a page fault that ends in the exception table; pte: an entry far away is set; beside: an entry right behind the mapping; flush: a page is mapped, unmapped and flushed; map: the mapping itself, and its end; hold: nothing; busy: loads until the module goes");

static unsigned int cpus = 1;
module_param(cpus, uint, 0444);
MODULE_PARM_DESC(cpus, "how many (default 1); busy: the number of the one that does it");

static unsigned int count = 10000;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "turns on each (default 10000)");

static unsigned int rounds = 7;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "measurements (default 7); one more comes first and is not told");

static unsigned int pages;
module_param(pages, uint, 0444);
MODULE_PARM_DESC(pages, "map so many, from the second one on, and access all of them; as many tables as possible lead there (default: all, and each CPU accesses one)");

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "map so many, and access them in turn (default 1)");

static unsigned int usecs;
module_param(usecs, uint, 0444);
MODULE_PARM_DESC(usecs, "busy: with pauses of so many microseconds (default: without)");

static bool latency;
module_param(latency, bool, 0444);
MODULE_PARM_DESC(latency, "tell the time of which 50, 99 and 99.9 percent of the accesses stayed below");

static struct {
	phys_addr_t phys;
	resource_size_t len;
	void __iomem *at;
} bars[64];

static atomic_t ready, left;
static DECLARE_COMPLETION(all_done);
static ktime_t started, ended;
static struct task_struct *busy;
/* By CPU, then by turn: how many cycles it took */
static u32 *took;
static pte_t *far, *beside;

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

	get_kernel_nofault(value, (u32 __force *)(bars[0].at + bars[0].len));
}

/* Twice, so that it ends as it was: nobody uses what it maps. */
static void toggle(pte_t *ptep)
{
	pte_t pte = *ptep;

	set_pte(ptep, __pte(pte_val(pte) ^ _PAGE_SOFTW1));
	set_pte(ptep, pte);
}

static void do_pte(void __iomem *p)
{
	toggle(far);
}

static void do_beside(void __iomem *p)
{
	toggle(beside);
}

static void do_flush(void __iomem *p)
{
	struct page *page = virt_to_page(took);
	void *addr = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

	vunmap(addr);
	vm_unmap_aliases();
}

static const struct {
	const char *name;
	void (*func)(void __iomem *p);
} kinds[] = {
	{ "mov", do_mov },
	{ "test", do_test },
	{ "alu", do_alu },
	{ "fault", do_fault },
	{ "pte", do_pte },
	{ "beside", do_beside },
	{ "flush", do_flush },
};

/* Which address is accessed at a turn */
static void __iomem *place(unsigned int i)
{
	unsigned int n = bars[i % devices].len >> PAGE_SHIFT;

	return bars[i % devices].at + (hash_32(i, 32) % n << PAGE_SHIFT);
}

static void bench_turns(void (*func)(void __iomem *p))
{
	/* A page each: CPUs are not to share a cache line. */
	void __iomem *p = bars[0].at + smp_processor_id() * PAGE_SIZE;
	u32 *cycles = took + smp_processor_id() * count;
	unsigned int i;
	u64 begin;

	if (latency) {
		for (i = 0; i < count; i++) {
			begin = rdtsc_ordered();
			func(p);
			cycles[i] = min_t(u64, rdtsc_ordered() - begin, U32_MAX);
		}
	} else if (pages || devices > 1) {
		for (i = 0; i < count; i++)
			func(place(i));
	} else {
		for (i = 0; i < count; i++)
			func(p);
	}
}

static int bench_thread(void *data)
{
	if (atomic_dec_and_test(&ready))
		started = ktime_get();
	while (atomic_read(&ready))
		cpu_relax();

	bench_turns(data);

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

static void tell(const char *name, ktime_t from, ktime_t to, unsigned int turns)
{
	pr_info("%s cpus %u picoseconds per access %llu\n", name, cpus,
		div_u64(ktime_to_ns(ktime_sub(to, from)) * 1000, turns));
}

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static u64 picoseconds(unsigned int permille)
{
	size_t n = (size_t)count * cpus;

	return mul_u64_u32_div(took[(n - 1) * permille / 1000], 1000000000, tsc_khz);
}

static void tell_latency(void)
{
	sort(took, (size_t)count * cpus, sizeof(*took), compare, NULL);
	pr_info("p50 picoseconds %llu\n", picoseconds(500));
	pr_info("p99 picoseconds %llu\n", picoseconds(990));
	pr_info("p99.9 picoseconds %llu\n", picoseconds(999));
}

/* Memory that has a table of PTEs for itself: what is traced is not mapped by it. */
static void *find_far(void)
{
	void *area = vmalloc(2 * SZ_2M);
	unsigned int level;

	if (area)
		far = lookup_address(round_up((unsigned long)area, SZ_2M), &level);
	return area;
}

/* That page again: its entry is in the last of the mapping's tables, but at its end. */
static void find_beside(void)
{
	unsigned int level;

	beside = lookup_address((unsigned long __force)bars[0].at + bars[0].len, &level);
}

static int bench_run(void)
{
	void (*func)(void __iomem *p) = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(what, kinds[i].name))
			func = kinds[i].func;
	if (!func || !cpus || cpus > num_online_cpus() || !count) {
		pr_err("bad what=, cpus= or count=\n");
		return -EINVAL;
	}
	if ((func == do_pte && !far) || (func == do_beside && !beside)) {
		pr_err("no table of PTEs there\n");
		return -ENXIO;
	}

	for (i = 0; i <= rounds; i++) {
		bench_round(func);
		if (!i)
			continue;
		if (latency)
			tell_latency();
		else
			tell(what, started, ended, count);
	}
	return 0;
}

/* With what some of the kinds need */
static int bench_prepared(void)
{
	void *area = find_far();
	int ret = -ENOMEM;

	/* Else it is only a page that is mapped. */
	took = latency ? vmalloc(array3_size(count, cpus, sizeof(*took))) :
			 (u32 *)__get_free_page(GFP_KERNEL);
	find_beside();
	if (area && took)
		ret = bench_run();
	vfree(area);
	if (latency)
		vfree(took);
	else
		free_page((unsigned long)took);
	return ret;
}

static int busy_thread(void *unused)
{
	while (!kthread_should_stop()) {
		readl(bars[0].at);
		if (usecs)
			usleep_range(usecs, usecs);
		else
			cond_resched();
	}
	return 0;
}

static int bench_busy(void)
{
	if (cpus >= nr_cpu_ids || !cpu_online(cpus))
		return -EINVAL;
	busy = kthread_create_on_cpu(busy_thread, NULL, cpus, "busy/%u");
	if (IS_ERR(busy))
		return PTR_ERR(busy);
	wake_up_process(busy);
	return 0;
}

static int find_bars(void)
{
	struct pci_dev *dev = NULL;
	unsigned int n = 0;

	while (n < devices) {
		dev = pci_get_device(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1110, dev);
		if (!dev) {
			pr_err("%u devices: boot with as many -device ivshmem-plain\n", n);
			return -ENODEV;
		}
		bars[n].phys = pci_resource_start(dev, 2);
		bars[n].len = pci_resource_len(dev, 2);
		if (pages) {
			/*
			 * Physical and virtual addresses are not aligned alike, so that Linux
			 * cannot map it with large pages, which have no tables.
			 */
			bars[n].phys += PAGE_SIZE;
			if (bars[n].len <= (resource_size_t)pages << PAGE_SHIFT) {
				pr_err("a BAR of %llu bytes\n", bars[n].len);
				pci_dev_put(dev);
				return -EINVAL;
			}
			bars[n].len = (resource_size_t)pages << PAGE_SHIFT;
		}
		n++;
	}
	pci_dev_put(dev);
	return 0;
}

static void unmap_bars(void)
{
	unsigned int n;

	for (n = 0; n < devices; n++)
		if (bars[n].at)
			iounmap(bars[n].at);
}

static int map_bars(void)
{
	unsigned int n;

	for (n = 0; n < devices; n++) {
		bars[n].at = ioremap(bars[n].phys, bars[n].len);
		if (!bars[n].at) {
			unmap_bars();
			return -ENOMEM;
		}
	}
	return 0;
}

static int bench_map(void)
{
	ktime_t t[3];
	unsigned int i;
	int ret;

	for (i = 0; i <= rounds; i++) {
		t[0] = ktime_get();
		ret = map_bars();
		t[1] = ktime_get();
		if (ret)
			return ret;
		unmap_bars();
		t[2] = ktime_get();
		if (!i)
			continue;
		tell("map", t[0], t[1], 1);
		tell("unmap", t[1], t[2], 1);
	}
	return 0;
}

static int __init bench_init(void)
{
	int ret;

	if (!devices || devices > ARRAY_SIZE(bars))
		return -EINVAL;
	ret = find_bars();
	if (ret)
		return ret;
	if (!strcmp(what, "map"))
		return bench_map();

	ret = map_bars();
	if (ret)
		return ret;
	if (!strcmp(what, "hold"))
		return 0;
	if (!strcmp(what, "busy"))
		ret = bench_busy();
	else
		ret = bench_prepared();
	/* What is there for longer than this keeps its mappings. */
	if (ret || !busy) {
		unmap_bars();
		devices = 0;
	}
	return ret;
}

static void __exit bench_exit(void)
{
	if (busy)
		kthread_stop(busy);
	if (strcmp(what, "map"))
		unmap_bars();
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("How long an access takes");
MODULE_LICENSE("GPL");
