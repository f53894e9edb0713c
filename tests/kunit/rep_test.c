// SPDX-License-Identifier: GPL-2.0-only
/*
 * String instructions that repeat: an event for each element, in order, and interrupts
 * between two of them, from which the instruction goes on where it was.
 */
#include <kunit/test.h>
#include <linux/hrtimer.h>
#include <linux/preempt.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/irq_regs.h>

#include "../../arch/x86/engine.h"
#include "../../mm/stats.h"
#include "trapped.h"

#define ELEMENTS	PAGE_SIZE
/* In ns: many times while one runs; longer where nothing is done from one to the next. */
#define TICK		100000

enum rep_kind { REP_MOVS_FROM, REP_MOVS_TO, REP_STOS, REP_LODS, NR_REP_KINDS };

static const char * const rep_names[NR_REP_KINDS] = {
	[REP_MOVS_FROM]	= "movs from the page",
	[REP_MOVS_TO]	= "movs to the page",
	[REP_STOS]	= "stos",
	[REP_LODS]	= "lods",
};

/**
 * struct rep_ctx - the suite's
 * @page:    the trapped page
 * @buffer:  memory that is not
 * @kind:    what is run
 * @timer:   interrupts it
 * @tick:    its period in ns
 * @ip:	     its address
 * @between: interrupts that came between two of its elements
 * @events:  told
 * @seen:    ... when the timer came last
 * @wrong:   not the next element's, or with another value
 */
struct rep_ctx {
	struct trapped		page;
	u8			buffer[ELEMENTS];
	enum rep_kind		kind;
	struct hrtimer		timer;
	u64			tick;
	unsigned long		ip;
	unsigned long		between;
	unsigned long		events;
	unsigned long		seen;
	unsigned long		wrong;
};

static struct rep_ctx *ctx;

static u8 rep_value(unsigned long n)
{
	return ctx->kind == REP_STOS ? 0x5a : n * 7 + (n >> 8) + 1;
}

static void rep_accessed(struct pv_shadow_range *range,
			 const struct pv_shadow_access *access)
{
	unsigned long n = ctx->events++;

	pvs_count(PVS_RECORDED);
	if (access->addr != range->start + n || access->width != 1 ||
	    access->value != rep_value(n) ||
	    access->dir != (ctx->kind == REP_MOVS_FROM || ctx->kind == REP_LODS ?
			    PV_SHADOW_READ : PV_SHADOW_WRITE))
		ctx->wrong++;
}

static const struct pv_shadow_client rep_client = {
	.name = "kunit rep",
	.accessed = rep_accessed,
};

static enum hrtimer_restart rep_tick(struct hrtimer *timer)
{
	struct pt_regs *regs = get_irq_regs();

	if (regs && regs->ip == ctx->ip && regs->cx && regs->cx < ELEMENTS)
		ctx->between++;
	if (ctx->events == ctx->seen)
		ctx->tick *= 2;
	ctx->seen = ctx->events;
	hrtimer_forward_now(timer, ns_to_ktime(ctx->tick));
	return HRTIMER_RESTART;
}

/* @a: lods's element, stos's */
#define REP(insn, to, from, a)							\
({										\
	unsigned long _c = ELEMENTS;						\
	void *_d = (to);							\
	const void *_s = (from);						\
										\
	asm volatile("leaq 1f(%%rip), %%r8\n\t"					\
		     "movq %%r8, %[ip]\n\t"					\
		     "1: rep " insn						\
		     : "+D" (_d), "+S" (_s), "+c" (_c), "+a" (a), [ip] "=m" (ctx->ip) \
		     : : "r8", "memory");					\
	_c;									\
})

/* Return: elements that are left. */
static noinline unsigned long rep_run(u8 *last)
{
	void *page = (void *)ctx->page.pages;
	unsigned long a = 0x5a, left = 0;

	switch (ctx->kind) {
	case REP_MOVS_FROM:
		left = REP("movsb", ctx->buffer, page, a);
		break;
	case REP_MOVS_TO:
		left = REP("movsb", page, ctx->buffer, a);
		break;
	case REP_STOS:
		left = REP("stosb", page, page, a);
		break;
	case REP_LODS:
		left = REP("lodsb", page, page, a);
		break;
	case NR_REP_KINDS:
		break;
	}
	*last = a;
	return left;
}

static void rep_fill(u8 *to)
{
	unsigned long n;

	for (n = 0; n < ELEMENTS; n++)
		to[n] = rep_value(n);
}

static unsigned long rep_differ(const u8 *from)
{
	unsigned long n, found = 0;

	for (n = 0; n < ELEMENTS; n++)
		found += READ_ONCE(from[n]) != rep_value(n);
	return found;
}

static void rep_one(struct kunit *test, enum rep_kind kind, const char *engine)
{
	u8 *page = (u8 *)ctx->page.pages, last;
	unsigned long left, events;

	ctx->kind = kind;
	memset(ctx->buffer, 0, ELEMENTS);
	if (kind == REP_MOVS_TO)
		rep_fill(ctx->buffer);
	else if (kind != REP_STOS)
		rep_fill(page);
	ctx->between = 0;
	ctx->events = 0;
	ctx->seen = 0;
	ctx->wrong = 0;
	ctx->tick = TICK;

	migrate_disable();
	hrtimer_start(&ctx->timer, ns_to_ktime(TICK), HRTIMER_MODE_REL_PINNED_HARD);
	left = rep_run(&last);
	migrate_enable();
	hrtimer_cancel(&ctx->timer);

	/* To look at the page makes more. */
	events = ctx->events;
	KUNIT_EXPECT_EQ_MSG(test, 0, ctx->wrong, "%s, %s", rep_names[kind], engine);
	KUNIT_EXPECT_EQ_MSG(test, 0, left, "%s, %s", rep_names[kind], engine);
	KUNIT_EXPECT_EQ_MSG(test, ELEMENTS, events, "%s, %s", rep_names[kind], engine);
	KUNIT_EXPECT_GT_MSG(test, ctx->between, 0, "%s, %s", rep_names[kind], engine);
	if (kind == REP_LODS)
		KUNIT_EXPECT_EQ_MSG(test, rep_value(ELEMENTS - 1), last, "%s", engine);
	else
		KUNIT_EXPECT_EQ_MSG(test, 0, rep_differ(kind == REP_MOVS_FROM ? ctx->buffer : page),
				    "%s, %s", rep_names[kind], engine);
	kunit_info(test, "%s, %s: %lu interrupts between elements\n", rep_names[kind],
		   engine, ctx->between);
}

static void test_rep(struct kunit *test)
{
	static const char * const engines[] = { "auto", "step" };
	unsigned int i;
	enum rep_kind kind;

	for (i = 0; i < ARRAY_SIZE(engines); i++) {
		KUNIT_EXPECT_EQ(test, 0, pvs_engine_set(engines[i]));
		for (kind = 0; kind < NR_REP_KINDS; kind++)
			rep_one(test, kind, engines[i]);
	}
}

static void rep_suite_exit(struct kunit_suite *suite)
{
	if (!ctx)
		return;
	trapped_tear_down(&ctx->page);
	kfree(ctx);
	ctx = NULL;
}

/* Without the backend there is nothing to test; each case says so. */
static int rep_suite_init(struct kunit_suite *suite)
{
	int ret;

	if (!pv_shadow_installed())
		return 0;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	hrtimer_init(&ctx->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	ctx->timer.function = rep_tick;
	ret = trapped_set_up(&ctx->page, &rep_client, 0, 1);
	if (ret)
		rep_suite_exit(suite);
	return ret;
}

static int rep_init(struct kunit *test)
{
	if (!ctx)
		kunit_skip(test, "boot with pv_shadow_mmiotrace");
	return 0;
}

static void rep_exit(struct kunit *test)
{
	pvs_engine_set("auto");
}

static struct kunit_case rep_test_cases[] = {
	KUNIT_CASE_SLOW(test_rep),
	{}
};

static struct kunit_suite rep_test_suite = {
	.name = "pv_shadow_rep",
	.suite_init = rep_suite_init,
	.suite_exit = rep_suite_exit,
	.init = rep_init,
	.exit = rep_exit,
	.test_cases = rep_test_cases,
};
kunit_test_suite(rep_test_suite);
