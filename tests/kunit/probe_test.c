// SPDX-License-Identifier: GPL-2.0-only
/*
 * A breakpoint that another CPU puts on an instruction while that is being stepped, at
 * any moment, as kprobes does. What it hits did not run: it is told of once, when it has.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/memory.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/slab.h>

#include <asm/text-patching.h>

#include "../../arch/x86/engine.h"
#include "../../mm/stats.h"
#include "trapped.h"

/* So many steps are to meet one, before so many seconds are over. */
#define MEET		10
#define SECONDS		240

/**
 * struct probe_ctx - the suite's
 * @page:   the trapped page
 * @site:   the instruction
 * @hits:   of the breakpoint
 * @events: told
 * @wrong:  with another value than the page has
 */
struct probe_ctx {
	struct trapped		page;
	u8			*site;
	unsigned long		hits;
	unsigned long		events;
	unsigned long		wrong;
};

static struct probe_ctx *ctx;

static void probe_accessed(struct pv_shadow_range *range,
			   const struct pv_shadow_access *access)
{
	pvs_count(PVS_RECORDED);
	ctx->events++;
	if (access->ip != (unsigned long)ctx->site || access->addr != range->start ||
	    access->width != 4 || access->dir != PV_SHADOW_READ ||
	    access->value != 0x12345678)
		ctx->wrong++;
}
NOKPROBE_SYMBOL(probe_accessed);

static const struct pv_shadow_client probe_client = {
	.name = "kunit probe",
	.accessed = probe_accessed,
};

static noinline __noclone u32 probe_load(const void *p)
{
	u32 value;

	asm volatile("leaq 1f(%%rip), %%rdx\n\t"
		     "movq %%rdx, %[site]\n\t"
		     "1: movl (%[p]), %[value]"
		     : [value] "=a" (value), [site] "=m" (ctx->site)
		     : [p] "D" (p) : "rdx", "memory");
	return value;
}

/* Again, until it is gone. */
static int probe_notify(struct notifier_block *nb, unsigned long why, void *data)
{
	struct pt_regs *regs = ((struct die_args *)data)->regs;

	if (why != DIE_INT3 || regs->ip != (unsigned long)ctx->site + INT3_INSN_SIZE)
		return NOTIFY_DONE;
	regs->ip -= INT3_INSN_SIZE;
	ctx->hits++;
	return NOTIFY_STOP;
}
NOKPROBE_SYMBOL(probe_notify);

static struct notifier_block probe_nb = { .notifier_call = probe_notify };

static int probe_poke(void *unused)
{
	const u8 int3 = INT3_INSN_OPCODE, was = *ctx->site;
	unsigned int n = 0;

	while (!kthread_should_stop()) {
		mutex_lock(&text_mutex);
		text_poke(ctx->site, &int3, 1);
		text_poke(ctx->site, &was, 1);
		mutex_unlock(&text_mutex);
		/* Not always in step with the other one */
		udelay(n++ % 16);
		cond_resched();
	}
	return 0;
}

static struct task_struct *probe_poker(void)
{
	struct task_struct *task;
	unsigned int cpu;

	cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
	task = kthread_create_on_cpu(probe_poke, NULL, cpu, "probe/%u");
	if (!IS_ERR(task))
		wake_up_process(task);
	return task;
}

static void probe_test_step(struct kunit *test)
{
	unsigned long aborted = pvs_stat_sum(PVS_ABORTED), until, loads, met;
	u32 *page = (u32 *)ctx->page.pages;
	struct task_struct *poker;
	unsigned long wrong = 0;

	KUNIT_ASSERT_EQ(test, 0, pvs_engine_set("step"));
	WRITE_ONCE(*page, 0x12345678);
	/* To know where it is */
	probe_load(page);
	ctx->events = 0;
	ctx->wrong = 0;

	migrate_disable();
	poker = probe_poker();
	if (IS_ERR(poker)) {
		migrate_enable();
		KUNIT_FAIL(test, "no thread: %ld", PTR_ERR(poker));
		return;
	}
	until = jiffies + SECONDS * HZ;
	met = 0;
	for (loads = 0; met < MEET && time_before(jiffies, until); loads++) {
		wrong += probe_load(page) != 0x12345678;
		if (loads % 256)
			continue;
		met = pvs_stat_sum(PVS_ABORTED) - aborted;
		cond_resched();
	}
	kthread_stop(poker);
	migrate_enable();

	KUNIT_EXPECT_EQ(test, 0, wrong);
	KUNIT_EXPECT_EQ(test, 0, ctx->wrong);
	KUNIT_EXPECT_EQ(test, loads, ctx->events);
	KUNIT_EXPECT_GE(test, met, MEET);
	kunit_info(test, "%lu loads, %lu hits, %lu of them between fault and step\n", loads,
		   ctx->hits, met);
}

static void probe_suite_exit(struct kunit_suite *suite)
{
	if (!ctx)
		return;
	unregister_die_notifier(&probe_nb);
	trapped_tear_down(&ctx->page);
	kfree(ctx);
	ctx = NULL;
}

/* Without the backend there is nothing to test; each case says so. */
static int probe_suite_init(struct kunit_suite *suite)
{
	int ret;

	if (!pv_shadow_installed())
		return 0;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	ret = register_die_notifier(&probe_nb);
	if (!ret)
		ret = trapped_set_up(&ctx->page, &probe_client, 0, 1);
	if (ret)
		probe_suite_exit(suite);
	return ret;
}

static int probe_init(struct kunit *test)
{
	if (!ctx)
		kunit_skip(test, "boot with pv_shadow_mmiotrace");
	if (num_online_cpus() < 2)
		kunit_skip(test, "another CPU has to do it");
	return 0;
}

static void probe_exit(struct kunit *test)
{
	pvs_engine_set("auto");
}

static struct kunit_case probe_test_cases[] = {
	KUNIT_CASE_SLOW(probe_test_step),
	{}
};

static struct kunit_suite probe_test_suite = {
	.name = "pv_shadow_probe",
	.suite_init = probe_suite_init,
	.suite_exit = probe_suite_exit,
	.init = probe_init,
	.exit = probe_exit,
	.test_cases = probe_test_cases,
};
kunit_test_suite(probe_test_suite);
