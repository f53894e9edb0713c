// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware breakpoints on traced data: they are hit by what hits them on data that is
 * not traced, at the same instructions, whichever engine is chosen.
 *
 * Not on QEMU's TCG, which takes two debug traps for one instruction that is stepped and
 * watched, also with nothing traced.
 */
#include <kunit/test.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/cpuid.h>

#include "../../arch/x86/engine.h"
#include "../../mm/stats.h"
#include "trapped.h"

#define WATCHED		0x40
#define WORDS		4

enum { TRACED, PLAIN, NR_PAGES };

/**
 * struct watch_ctx - the suite's
 * @pages:   the traced page, and the one behind it, which is not
 * @hits:    of the breakpoint in each page
 * @trail:   of the instructions that hit it, in order
 */
struct watch_ctx {
	struct trapped		pages;
	unsigned int		hits[NR_PAGES];
	unsigned long		trail[NR_PAGES];
};

static struct watch_ctx *ctx;

static void watch_accessed(struct pv_shadow_range *range,
			   const struct pv_shadow_access *access)
{
	pvs_count(PVS_RECORDED);
}

static const struct pv_shadow_client watch_client = {
	.name = "kunit watch",
	.accessed = watch_accessed,
};

static bool watch_on_tcg(void)
{
	u32 eax, sig[3];

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return false;
	cpuid(0x40000000, &eax, &sig[0], &sig[1], &sig[2]);
	return !memcmp(sig, "TCGTCGTCGTCG", sizeof(sig));
}

static void watch_suite_exit(struct kunit_suite *suite)
{
	if (!ctx)
		return;
	trapped_tear_down(&ctx->pages);
	kfree(ctx);
	ctx = NULL;
}

static int watch_suite_init(struct kunit_suite *suite)
{
	int ret;

	if (!pv_shadow_installed() || watch_on_tcg())
		return 0;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	ret = trapped_set_up(&ctx->pages, &watch_client, 1, 1);
	if (ret)
		watch_suite_exit(suite);
	return ret;
}

static void watch_hit(struct perf_event *bp, struct perf_sample_data *data,
		      struct pt_regs *regs)
{
	unsigned long addr = counter_arch_bp(bp)->address;
	unsigned int page = addr < ctx->pages.pages + PAGE_SIZE ? TRACED : PLAIN;

	ctx->hits[page]++;
	ctx->trail[page] = ctx->trail[page] * 31 + regs->ip;
}

/* All kinds of instructions: emulated, run elsewhere, stepped; some do not touch it. */
static noinline void watch_access(void *arg)
{
	u32 *data = (u32 *)((unsigned long)arg + WATCHED);
	u32 words[WORDS] = {}, value = 0;
	void *to = words, *from = data;
	unsigned long n = WORDS;

	asm volatile("movl $0x1234, (%[data])\n\t"
		     "movl (%[data]), %[value]\n\t"
		     "movl 4(%[data]), %[value]\n\t"
		     "movb %b[value], 3(%[data])\n\t"
		     "addl $0x11, (%[data])\n\t"
		     "lock xaddl %[value], (%[data])\n\t"
		     "cmpl (%[data]), %[value]\n\t"
		     "movl %[value], -4(%[data])\n\t"
		     "movq %%rsp, -4(%[data])\n\t"
		     : [value] "+q" (value) : [data] "r" (data) : "memory", "cc");
	asm volatile("movsl" : "+D" (to), "+S" (from) : : "memory");
	to = words;
	from = data - 1;
	asm volatile("rep movsl" : "+D" (to), "+S" (from), "+c" (n) : : "memory");
}

static void watch_engine(struct kunit *test, const char *engine, u32 type)
{
	struct perf_event * __percpu *bp[NR_PAGES];
	unsigned long missed = pvs_stat_sum(PVS_MISSED);
	unsigned int page;
	void *where;
	int cpu;

	KUNIT_ASSERT_EQ(test, 0, pvs_engine_set(engine));
	for (page = 0; page < NR_PAGES; page++) {
		struct perf_event_attr attr;

		ctx->hits[page] = 0;
		ctx->trail[page] = 0;
		hw_breakpoint_init(&attr);
		attr.bp_addr = ctx->pages.pages + page * PAGE_SIZE + WATCHED;
		attr.bp_len = HW_BREAKPOINT_LEN_4;
		attr.bp_type = type;
		bp[page] = register_wide_hw_breakpoint(&attr, watch_hit, NULL);
		KUNIT_EXPECT_FALSE(test, IS_ERR_PCPU(bp[page]));
	}
	for_each_online_cpu(cpu) {
		for (page = 0; page < NR_PAGES; page++) {
			where = (void *)(ctx->pages.pages + page * PAGE_SIZE);
			smp_call_function_single(cpu, watch_access, where, true);
		}
	}
	for (page = 0; page < NR_PAGES; page++)
		if (!IS_ERR_PCPU(bp[page]))
			unregister_wide_hw_breakpoint(bp[page]);

	kunit_info(test, "%s: %u hits, %u where it is not traced\n", engine,
		   ctx->hits[TRACED], ctx->hits[PLAIN]);
	KUNIT_EXPECT_NE_MSG(test, 0, ctx->hits[PLAIN], "%s", engine);
	KUNIT_EXPECT_EQ_MSG(test, ctx->hits[PLAIN], ctx->hits[TRACED], "%s", engine);
	KUNIT_EXPECT_EQ_MSG(test, ctx->trail[PLAIN], ctx->trail[TRACED], "%s", engine);
	KUNIT_EXPECT_EQ_MSG(test, missed, pvs_stat_sum(PVS_MISSED), "%s", engine);
}

static const char * const watch_engines[] = { "auto", "emulate", "xol", "step" };

static void watch_test_write(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(watch_engines); i++)
		watch_engine(test, watch_engines[i], HW_BREAKPOINT_W);
}

static void watch_test_read_write(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(watch_engines); i++)
		watch_engine(test, watch_engines[i], HW_BREAKPOINT_RW);
}

static int watch_init(struct kunit *test)
{
	if (!ctx)
		kunit_skip(test, "boot with pv_shadow_mmiotrace, and not on QEMU's TCG");
	return 0;
}

static void watch_exit(struct kunit *test)
{
	pvs_engine_set("auto");
}

static struct kunit_case watch_cases[] = {
	KUNIT_CASE(watch_test_write),
	KUNIT_CASE(watch_test_read_write),
	{}
};

static struct kunit_suite watch_suite = {
	.name = "pvs_watch",
	.suite_init = watch_suite_init,
	.suite_exit = watch_suite_exit,
	.init = watch_init,
	.exit = watch_exit,
	.test_cases = watch_cases,
};
kunit_test_suite(watch_suite);
