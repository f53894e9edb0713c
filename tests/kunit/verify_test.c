// SPDX-License-Identifier: GPL-2.0-only
/*
 * What verify has to find: each case breaks one thing on purpose, on tables of the
 * test's own that no CPU ever walks.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "../../mm/table.h"

#define TEST_COPIES	2
#define TEST_LEVELS	4
#define TEST_PAGE	(__PAGE_KERNEL)
#define TEST_TABLE	(_KERNPG_TABLE)

/* Anywhere in the kernel half. */
#define TEST_ADDR	0xffffc90055a67000UL

/**
 * struct test_ctx - a tree with one path, to a page that is there
 * @tree:  it
 * @ref:   the reference's tables by level
 * @other: one more table for the reference
 * @t:	   the copied table of PTEs
 */
struct test_ctx {
	struct pvs_tree		tree;
	u64			*ref[TEST_LEVELS + 1];
	u64			*other;
	struct pvs_table	*t;
};

static struct pvs_table *test_create(struct test_ctx *ctx, unsigned long addr)
{
	struct pvs_table *t;

	mutex_lock(&ctx->tree.lock);
	t = pvs_table_create(&ctx->tree, addr);
	mutex_unlock(&ctx->tree.lock);
	return t;
}

static void test_trap(struct test_ctx *ctx, const void *addr, bool set)
{
	unsigned int index = pvs_index((unsigned long)addr, 1);
	struct pvs_table *t = test_create(ctx, (unsigned long)addr);

	mutex_lock(&ctx->tree.lock);
	if (set)
		pvs_table_set_trap(t, index, ctx);
	else
		pvs_table_clear_trap(t, index);
	mutex_unlock(&ctx->tree.lock);
}

static u64 *test_entry(struct test_ctx *ctx, unsigned int level)
{
	return &ctx->ref[level][pvs_index(TEST_ADDR, level)];
}

static int test_init(struct kunit *test)
{
	struct test_ctx *ctx;
	unsigned int level;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	test->priv = ctx;

	ctx->other = (u64 *)get_zeroed_page(GFP_KERNEL);
	for (level = 1; level <= TEST_LEVELS; level++) {
		ctx->ref[level] = (u64 *)get_zeroed_page(GFP_KERNEL);
		if (!ctx->other || !ctx->ref[level])
			return -ENOMEM;
		if (level > 1)
			*test_entry(ctx, level) = __pa(ctx->ref[level - 1]) | TEST_TABLE;
	}
	*test_entry(ctx, 1) = 0x1234000 | TEST_PAGE;

	if (pvs_tree_init(&ctx->tree, ctx->ref[TEST_LEVELS], TEST_LEVELS, TEST_COPIES))
		return -ENOMEM;
	ctx->t = test_create(ctx, TEST_ADDR);
	return ctx->t ? 0 : -ENOMEM;
}

static void test_exit(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	unsigned int level;

	if (!ctx)
		return;
	pvs_tree_exit(&ctx->tree);
	for (level = 1; level <= TEST_LEVELS; level++)
		free_page((unsigned long)ctx->ref[level]);
	free_page((unsigned long)ctx->other);
}

/* How many differences of a kind there are in all copies, the second time as well. */
static unsigned int test_found(struct test_ctx *ctx, enum pvs_diff_kind kind,
			       bool lazy)
{
	unsigned int n, i, nr, found = 0;
	struct pvs_diff diff[8];
	unsigned long flags;

	rcu_read_lock();
	local_irq_save(flags);
	for (n = 0; n < TEST_COPIES; n++) {
		nr = pvs_tree_verify(&ctx->tree, n, lazy, diff, ARRAY_SIZE(diff));
		for (i = 0; i < nr; i++) {
			if (diff[i].kind != kind)
				continue;
			/* The second look may find something else there. */
			if (pvs_verify_again(&ctx->tree, lazy, &diff[i]))
				found += diff[i].kind == kind;
		}
	}
	local_irq_restore(flags);
	rcu_read_unlock();

	return found;
}

static void test_clean(struct kunit *test)
{
	enum pvs_diff_kind kind;

	for (kind = 0; kind <= PVS_DIFF_PAGE; kind++)
		KUNIT_EXPECT_EQ(test, 0, test_found(test->priv, kind, false));
}

/* A copy that is behind; what may be behind until a flush is let pass until then. */
static void test_diff_entry(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	u64 was = *test_entry(ctx, 1);

	*test_entry(ctx, 1) = 0x5678000 | TEST_PAGE;
	KUNIT_EXPECT_EQ(test, TEST_COPIES, test_found(ctx, PVS_DIFF_ENTRY, true));
	*test_entry(ctx, 1) = 0;
	KUNIT_EXPECT_EQ(test, 0, test_found(ctx, PVS_DIFF_ENTRY, true));
	KUNIT_EXPECT_EQ(test, TEST_COPIES, test_found(ctx, PVS_DIFF_ENTRY, false));
	*test_entry(ctx, 1) = was;
	test_clean(test);

	/* A page that one CPU can see though it is trapped */
	test_trap(ctx, (void *)TEST_ADDR, true);
	test_clean(test);
	ctx->t->copy[1][pvs_index(TEST_ADDR, 1)] = was;
	KUNIT_EXPECT_EQ(test, 1, test_found(ctx, PVS_DIFF_ENTRY, true));
	test_trap(ctx, (void *)TEST_ADDR, false);
	test_clean(test);
}

/* A copy of a table that the reference has no more, or that its writers do not know of */
static void test_diff_source(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	atomic_t *count = pvs_copied_count(ctx->ref[1]);
	int was = atomic_xchg(count, 0);

	KUNIT_EXPECT_EQ(test, TEST_COPIES, test_found(ctx, PVS_DIFF_SOURCE, true));
	atomic_add(was, count);
	test_clean(test);

	*test_entry(ctx, 2) = __pa(ctx->other) | TEST_TABLE;
	KUNIT_EXPECT_EQ(test, TEST_COPIES, test_found(ctx, PVS_DIFF_SOURCE, true));
	*test_entry(ctx, 2) = __pa(ctx->ref[1]) | TEST_TABLE;
	test_clean(test);
}

/* What is written into the reference was meant for a copy: it follows itself then. */
static void test_diff_ref(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	unsigned int level;
	struct pvs_table *t;
	u64 was;

	for (level = 2, t = ctx->t; level <= TEST_LEVELS; level++, t = t->parent) {
		was = *test_entry(ctx, level);
		*test_entry(ctx, level) = __pa(t->copy[0]) | TEST_TABLE;
		KUNIT_EXPECT_EQ(test, TEST_COPIES, test_found(ctx, PVS_DIFF_REF, true));
		pvs_mirror(&ctx->tree, test_entry(ctx, level));
		KUNIT_EXPECT_GE(test, test_found(ctx, PVS_DIFF_REF, true), TEST_COPIES);
		*test_entry(ctx, level) = was;
		pvs_mirror(&ctx->tree, test_entry(ctx, level));
		test_clean(test);
	}
}

static void test_diff_user(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, test_create(ctx, 0x7f0012345000UL));
	KUNIT_EXPECT_EQ(test, (TEST_LEVELS - 1) * TEST_COPIES,
			test_found(ctx, PVS_DIFF_USER, true));
}

/* Each thing that a fault looks at on its way to a trapped page */
static void test_diff_own(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct pvs_table *t;

	for (t = ctx->t; t->parent; t = t->parent) {
		test_trap(ctx, t->slot, true);
		KUNIT_EXPECT_EQ(test, TEST_COPIES, test_found(ctx, PVS_DIFF_OWN, true));
		test_trap(ctx, t->slot, false);
		test_trap(ctx, t->copy[1], true);
		/* Each CPU is asked about its own. */
		KUNIT_EXPECT_EQ(test, 1, test_found(ctx, PVS_DIFF_OWN, true));
		test_trap(ctx, t->copy[1], false);
		test_trap(ctx, t, true);
		KUNIT_EXPECT_GE(test, test_found(ctx, PVS_DIFF_OWN, true), TEST_COPIES);
		test_trap(ctx, t, false);
		KUNIT_EXPECT_EQ(test, 0, test_found(ctx, PVS_DIFF_OWN, false));
	}
}

static struct kunit_case verify_test_cases[] = {
	KUNIT_CASE(test_clean),
	KUNIT_CASE(test_diff_entry),
	KUNIT_CASE(test_diff_source),
	KUNIT_CASE(test_diff_ref),
	KUNIT_CASE(test_diff_user),
	KUNIT_CASE(test_diff_own),
	{}
};

static struct kunit_suite verify_test_suite = {
	.name = "pv_shadow_verify",
	.init = test_init,
	.exit = test_exit,
	.test_cases = verify_test_cases,
};
kunit_test_suite(verify_test_suite);
