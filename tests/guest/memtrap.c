// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the direct map, trapped: the tables that map memory have copies then, and
 * whatever CPA, DEBUG_PAGEALLOC, KFENCE, secret memory and memory hotplug do to them
 * happens beside a trap. To be loaded while tracing.
 *
 * Of each block of 2M the page in the middle is trapped. It is written and read back
 * by all CPUs, and each access has to be told of once. The pages around it are made
 * uncached and cached again, which splits large leaves, under the trap; all others
 * are given back, so that the neighbours are what they are on any machine.
 *
 * With toggled=1 every other page is untrapped and trapped again all the while. Who
 * faults on one that is just untrapped has his copy looked at: that is a resync.
 *
 * KFENCE's guard pages are trapped as well: nobody has access to them, but the pages
 * between come and go.
 */
#define pr_fmt(fmt) "memtrap: " fmt

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/kfence.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/prandom.h>
#include <linux/pv_shadow.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../../mm/stats.h"

#define MAX_BLOCKS	16
#define BLOCK_ORDER	9
#define BLOCK_PAGES	(1 << BLOCK_ORDER)
#define MIDDLE		(BLOCK_PAGES / 2)
/* Pages before and behind the middle one that are kept. */
#define NEAR		8
#define MAX_GUARDS	2

static uint blocks = 4;
module_param(blocks, uint, 0444);
MODULE_PARM_DESC(blocks, "blocks of 2M to begin with (default 4)");

static uint movable;
module_param(movable, uint, 0444);
MODULE_PARM_DESC(movable, "so many of them from movable memory (default 0)");

static bool writes_only;
module_param(writes_only, bool, 0444);
MODULE_PARM_DESC(writes_only, "trap writes only");

static bool toggled;
module_param(toggled, bool, 0444);
MODULE_PARM_DESC(toggled, "untrap every other page now and then");

/**
 * struct block - 2M of memory
 * @range:    the trapped page
 * @start:    first address
 * @level:    of the leaf that maps it, before anything is done
 * @toggled:  the page is untrapped now and then
 * @accesses: made to the page, of those that are to be told of
 * @events:   told, of these
 * @emulated: of these
 * @others:   told, of other accesses: cache lines flushed
 */
struct block {
	struct pv_shadow_range	range;
	unsigned long		start;
	unsigned int		level;
	bool			toggled;
	atomic_long_t		accesses;
	atomic_long_t		events;
	atomic_long_t		emulated;
	atomic_long_t		others;
};

/* One CPU's; its number is that of its word in each page. */
struct worker {
	unsigned int		nr;
	struct task_struct	*task;
	u64			value;
};

static struct block block[MAX_BLOCKS];
static unsigned int nr_blocks;
static struct pv_shadow_range guard[MAX_GUARDS];
static unsigned int nr_guards;
static struct worker *worker;
static unsigned int nr_workers;
static struct task_struct *changer, *toggler;
static atomic_long_t wrong, changes, toggles, guarded;

/* One instruction each, whatever else the compiler might add to a read or write. */
static u64 peek(const u64 *p)
{
	u64 value;

	asm volatile("movq %1, %0" : "=r" (value) : "m" (*p));
	return value;
}

static void poke(u64 *p, u64 value)
{
	asm volatile("movq %1, %0" : "=m" (*p) : "r" (value));
}

static void block_accessed(struct pv_shadow_range *range,
			   const struct pv_shadow_access *access)
{
	struct block *b = container_of(range, struct block, range);
	unsigned long nr = offset_in_page(access->addr) / sizeof(u64);

	/* verify wants to know what became of each event. */
	pvs_count(PVS_RECORDED);
	if (access->width != sizeof(u64)) {
		atomic_long_inc(&b->others);
		return;
	}
	atomic_long_inc(&b->events);
	if (access->engine == PV_SHADOW_EMULATE)
		atomic_long_inc(&b->emulated);
	if (nr >= nr_workers || access->value != READ_ONCE(worker[nr].value))
		atomic_long_inc(&wrong);
}

static const struct pv_shadow_client block_client = {
	.name = "memtrap",
	.accessed = block_accessed,
};

/* Never allowed, so never an access. */
static void guard_accessed(struct pv_shadow_range *range,
			   const struct pv_shadow_access *access)
{
	pvs_count(PVS_RECORDED);
	atomic_long_inc(&wrong);
}

static const struct pv_shadow_client guard_client = {
	.name = "memtrap guard",
	.accessed = guard_accessed,
};

static unsigned int leaf_level(unsigned long addr)
{
	unsigned int level;

	return lookup_address(addr, &level) ? level : 0;
}

/* One write and one read of the page, by the worker whose word it is. */
static void access_page(struct block *b, struct worker *w, unsigned long addr)
{
	bool trapped = addr == b->range.start;
	u64 *p = (u64 *)addr + w->nr;

	/* So that the client knows it when it is told, on this CPU */
	WRITE_ONCE(w->value, w->value + 1);
	poke(p, w->value);
	if (peek(p) != w->value)
		atomic_long_inc(&wrong);
	if (trapped)
		atomic_long_add(writes_only ? 1 : 2, &b->accesses);
}

static int work(void *arg)
{
	struct worker *w = arg;
	struct rnd_state rnd;
	struct block *b;
	unsigned int i;
	long near;
	u64 value;

	prandom_seed_state(&rnd, w->nr + 1);
	while (!kthread_should_stop()) {
		b = &block[prandom_u32_state(&rnd) % nr_blocks];
		access_page(b, w, b->range.start);
		near = (long)(prandom_u32_state(&rnd) % (2 * NEAR + 1)) - NEAR;
		access_page(b, w, b->range.start + near * (long)PAGE_SIZE);

		for (i = 0; i < nr_guards; i++) {
			/* Present to nobody, trapped or not */
			if (!copy_from_kernel_nofault(&value, (void *)guard[i].start,
						      sizeof(value)))
				atomic_long_inc(&wrong);
			atomic_long_inc(&guarded);
		}
		usleep_range(200, 1000);
	}
	return 0;
}

/* Some of the pages that are ours, perhaps the trapped one among them. */
static int change(void *unused)
{
	struct rnd_state rnd;
	unsigned int nr, first;
	unsigned long start;
	struct block *b;
	int ret;

	prandom_seed_state(&rnd, 1);
	while (!kthread_should_stop()) {
		b = &block[prandom_u32_state(&rnd) % nr_blocks];
		first = prandom_u32_state(&rnd) % (2 * NEAR + 1);
		nr = 1 + prandom_u32_state(&rnd) % (2 * NEAR + 1 - first);
		start = b->start + (MIDDLE - NEAR + first) * PAGE_SIZE;
		ret = prandom_u32_state(&rnd) & 1 ? set_memory_uc(start, nr) :
						    set_memory_wc(start, nr);
		if (!ret) {
			usleep_range(500, 3000);
			ret = set_memory_wb(start, nr);
		}
		if (ret)
			atomic_long_inc(&wrong);
		atomic_long_inc(&changes);
		usleep_range(500, 3000);
	}
	return 0;
}

static int toggle(void *unused)
{
	unsigned int i;

	while (!kthread_should_stop()) {
		for (i = 0; i < nr_blocks; i++) {
			struct pv_shadow_range *range = &block[i].range;

			if (!block[i].toggled)
				continue;
			pv_shadow_untrap(range, range->start, range->end);
			usleep_range(500, 3000);
			while (pv_shadow_trap(range, range->start, range->end)) {
				/* No memory; the others' work goes on. */
				if (kthread_should_stop()) {
					block[i].range.client = NULL;
					return 0;
				}
				msleep(20);
			}
			atomic_long_inc(&toggles);
			usleep_range(2000, 8000);
		}
	}
	return 0;
}

/*
 * Before anybody else: the leaf changes as a whole, then it is split, and the second
 * mapping serves whenever the page is mapped as it was.
 */
static void change_leaf(struct block *b)
{
	unsigned long near = b->range.start + PAGE_SIZE;
	long emulated;

	if (leaf_level(b->range.start) != b->level)
		atomic_long_inc(&wrong);
	if (set_memory_uc(b->start, BLOCK_PAGES))
		atomic_long_inc(&wrong);
	access_page(b, worker, b->range.start);
	if (set_memory_wb(b->start, BLOCK_PAGES))
		atomic_long_inc(&wrong);
	access_page(b, worker, b->range.start);

	if (set_memory_uc(near, 1))
		atomic_long_inc(&wrong);
	if (leaf_level(b->range.start) != PG_LEVEL_4K)
		atomic_long_inc(&wrong);
	emulated = atomic_long_read(&b->emulated);
	access_page(b, worker, b->range.start);
	if (atomic_long_read(&b->emulated) - emulated != (writes_only ? 1 : 2))
		atomic_long_inc(&wrong);
	if (set_memory_wb(near, 1))
		atomic_long_inc(&wrong);
}

static bool is_near(unsigned int i)
{
	return i >= MIDDLE - NEAR && i <= MIDDLE + NEAR;
}

/* Give back those near the middle, or all others. */
static void put_pages(struct block *b, bool near)
{
	unsigned int i;

	for (i = 0; i < BLOCK_PAGES; i++)
		if (is_near(i) == near)
			free_page(b->start + i * PAGE_SIZE);
}

static int get_block(struct block *b)
{
	gfp_t gfp = nr_blocks < movable ? GFP_HIGHUSER_MOVABLE : GFP_KERNEL;
	struct page *page;
	int ret;

	page = alloc_pages(gfp | __GFP_NOWARN | __GFP_RETRY_MAYFAIL, BLOCK_ORDER);
	if (!page)
		return -ENOMEM;
	split_page(page, BLOCK_ORDER);
	b->start = (unsigned long)page_address(page);
	b->level = leaf_level(b->start);
	b->range.client = &block_client;
	b->range.start = b->start + MIDDLE * PAGE_SIZE;
	b->range.end = b->range.start + PAGE_SIZE;
	b->range.memory = true;
	b->range.writes_only = writes_only;
	b->toggled = toggled && (nr_blocks & 1);

	ret = pv_shadow_trap(&b->range, b->range.start, b->range.end);
	if (ret) {
		put_pages(b, true);
		put_pages(b, false);
		return ret;
	}
	change_leaf(b);
	put_pages(b, false);
	return 0;
}

static void put_block(struct block *b)
{
	if (b->range.client)
		pv_shadow_untrap(&b->range, b->range.start, b->range.end);
	put_pages(b, true);
}

/* The pool may begin anywhere in a table of PTEs, and end in the next. */
static void trap_guards(void)
{
#ifdef CONFIG_KFENCE
	static const unsigned long offset[MAX_GUARDS] = { 0, KFENCE_POOL_SIZE - PAGE_SIZE };
	struct pv_shadow_range *g;
	unsigned int i;

	for (i = 0; __kfence_pool && i < MAX_GUARDS; i++) {
		g = &guard[nr_guards];
		g->client = &guard_client;
		g->start = (unsigned long)__kfence_pool + offset[i];
		g->end = g->start + PAGE_SIZE;
		g->memory = true;
		if (!pv_shadow_trap(g, g->start, g->end))
			nr_guards++;
	}
#endif
}

static struct task_struct *new_thread(int (*func)(void *), void *arg, int cpu,
				      const char *name)
{
	struct task_struct *task = kthread_create(func, arg, name, cpu);

	if (IS_ERR(task))
		return NULL;
	if (cpu >= 0)
		kthread_bind(task, cpu);
	wake_up_process(task);
	return task;
}

static void stop_thread(struct task_struct *task)
{
	if (task)
		kthread_stop(task);
}

static void report(void)
{
	unsigned int levels[PG_LEVEL_NUM] = {}, i;
	long accesses = 0, events = 0, emulated = 0, others = 0;
	struct block *b;

	for (i = 0; i < nr_blocks; i++) {
		b = &block[i];
		levels[b->level]++;
		others += atomic_long_read(&b->others);
		emulated += atomic_long_read(&b->emulated);
		/* What was made while it was not trapped was not told. */
		if (b->toggled && atomic_long_read(&b->events) <= atomic_long_read(&b->accesses))
			continue;
		accesses += atomic_long_read(&b->accesses);
		events += atomic_long_read(&b->events);
	}
	if (accesses != events)
		atomic_long_inc(&wrong);

	pr_info("%u blocks from 0x%llx (%u 4K, %u 2M, %u 1G), %ld of %ld accesses told, %ld emulated, %ld lines flushed, %ld changes, %ld toggles, %ld times on guards, %ld wrong\n",
		nr_blocks, (u64)__pa(block[0].start), levels[PG_LEVEL_4K],
		levels[PG_LEVEL_2M], levels[PG_LEVEL_1G], events, accesses, emulated,
		others, atomic_long_read(&changes), atomic_long_read(&toggles),
		atomic_long_read(&guarded), atomic_long_read(&wrong));
}

static void stop(void)
{
	unsigned int i;

	stop_thread(toggler);
	stop_thread(changer);
	for (i = 0; i < nr_workers; i++)
		stop_thread(worker[i].task);
	for (i = 0; i < nr_guards; i++)
		pv_shadow_untrap(&guard[i], guard[i].start, guard[i].end);
	for (i = 0; i < nr_blocks; i++)
		put_block(&block[i]);
	kfree(worker);
}

static int __init memtrap_init(void)
{
	int cpu, ret = 0;

	worker = kcalloc(nr_cpu_ids, sizeof(*worker), GFP_KERNEL);
	if (!worker)
		return -ENOMEM;
	/* They all count as ours from now on. */
	nr_workers = num_online_cpus();
	for (cpu = 0; cpu < nr_workers; cpu++) {
		worker[cpu].nr = cpu;
		worker[cpu].value = (u64)(cpu + 1) << 32;
	}

	while (!ret && nr_blocks < min(blocks, MAX_BLOCKS)) {
		ret = get_block(&block[nr_blocks]);
		nr_blocks += !ret;
	}
	if (!nr_blocks) {
		nr_workers = 0;
		stop();
		return ret ?: -EINVAL;
	}
	trap_guards();

	for (cpu = 0; cpu < nr_workers; cpu++)
		worker[cpu].task = new_thread(work, &worker[cpu], cpu, "memtrap/%d");
	changer = new_thread(change, NULL, -1, "memtrap_change");
	if (toggled)
		toggler = new_thread(toggle, NULL, -1, "memtrap_toggle");
	pr_info("from 0x%llx\n", (u64)__pa(block[0].start));
	return 0;
}

static void __exit memtrap_exit(void)
{
	stop();
	report();
}

module_init(memtrap_init);
module_exit(memtrap_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Traps in the direct map");
