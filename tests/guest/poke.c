// SPDX-License-Identifier: GPL-2.0-only
/*
 * A static key is flipped while all CPUs run through its places: does each see the text
 * that was written before all were told of it? Runs until it is unloaded, and says then
 * how often one did not. Nothing of the tracer's is in it, but what CONFIG_PV_SHADOW_TCG
 * does: without that an int3 is run that is no more in memory, within a minute.
 */
#define pr_fmt(fmt) "poke: " fmt

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/jump_label.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>

static DEFINE_STATIC_KEY_FALSE(poke_key);

static struct task_struct **tasks, *flipper;
/* Odd while it is flipped; bit 1 is what it is. */
static unsigned int seq;
static atomic_long_t looks, stale;
static unsigned long flips;

#define PLACE(n)					\
	static noinline unsigned int place##n(void)	\
	{						\
		if (static_branch_unlikely(&poke_key))	\
			return 1;			\
		return 0;				\
	}
PLACE(0)
PLACE(1)
PLACE(2)
PLACE(3)
PLACE(4)
PLACE(5)
PLACE(6)
PLACE(7)

static unsigned int (*const places[])(void) = {
	place0, place1, place2, place3, place4, place5, place6, place7
};

static int look(void *arg)
{
	unsigned int i, was, is;
	long n = 0, bad = 0;

	while (!kthread_should_stop()) {
		for (i = 0; i < ARRAY_SIZE(places); i++) {
			was = READ_ONCE(seq);
			smp_mb(); /* what it is, then its text */
			is = places[i]();
			smp_mb(); /* and whether it still is that */
			if ((was & 1) || was != READ_ONCE(seq))
				continue;
			n++;
			if (is != (was >> 1 & 1)) {
				bad++;
				pr_err_ratelimited("stale: place %u, cpu %d, flip %u\n", i, smp_processor_id(), was >> 1);
			}
		}
		cond_resched();
	}
	atomic_long_add(n, &looks);
	atomic_long_add(bad, &stale);
	return 0;
}

static int flip(void *arg)
{
	while (!kthread_should_stop()) {
		WRITE_ONCE(seq, seq + 1);
		smp_mb(); /* said, then changed */
		if (flips % 2)
			static_branch_disable(&poke_key);
		else
			static_branch_enable(&poke_key);
		flips++;
		smp_mb(); /* changed, then said */
		WRITE_ONCE(seq, seq + 1);
		cond_resched();
	}
	return 0;
}

static int __init poke_init(void)
{
	int cpu;

	tasks = kcalloc(nr_cpu_ids, sizeof(*tasks), GFP_KERNEL);
	if (!tasks)
		return -ENOMEM;
	for_each_online_cpu(cpu) {
		struct task_struct *t = kthread_create(look, NULL, "poke/%d", cpu);

		if (IS_ERR(t))
			continue;
		kthread_bind(t, cpu);
		tasks[cpu] = t;
		wake_up_process(t);
	}
	flipper = kthread_run(flip, NULL, "poke");
	return 0;
}

static void __exit poke_exit(void)
{
	int cpu;

	if (!IS_ERR(flipper))
		kthread_stop(flipper);
	for_each_possible_cpu(cpu)
		if (tasks[cpu])
			kthread_stop(tasks[cpu]);
	kfree(tasks);
	pr_info("%lu flips, %ld looks, %ld stale\n", flips, atomic_long_read(&looks),
		atomic_long_read(&stale));
}

module_init(poke_init);
module_exit(poke_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Text changed under the CPUs that run it");
