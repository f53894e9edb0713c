// SPDX-License-Identifier: GPL-2.0-only
/*
 * Path copies on table pages of the test's own: no CPU ever walks them.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/slab.h>

#include <asm/trap_pf.h>

#include "../../mm/table.h"

#define TEST_COPIES	3
#define TEST_PAGES	32

#define TEST_TABLE	(_KERNPG_TABLE)
#define TEST_PAGE	(__PAGE_KERNEL)
#define TEST_LEAF	(__PAGE_KERNEL | _PAGE_PSE)

/* Anywhere in the kernel half; not in the first entry of any level. */
#define TEST_ADDR	0xffffc90055a67000UL

struct test_ctx {
	struct pvs_tree	tree;
	u64		*root;
	unsigned int	level;
	unsigned int	nr_pages;
	u64		*page[TEST_PAGES];
	int		root_changes;
};

static u64 *test_page(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	u64 *page = (u64 *)get_zeroed_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_LT(test, ctx->nr_pages, TEST_PAGES);
	ctx->page[ctx->nr_pages++] = page;
	return page;
}

static void test_root_changed(struct pvs_tree *tree, unsigned int index)
{
	container_of(tree, struct test_ctx, tree)->root_changes++;
}

static void test_start(struct kunit *test, unsigned int level)
{
	struct test_ctx *ctx = test->priv;

	ctx->level = level;
	ctx->root = test_page(test);
	ctx->tree.root_changed = test_root_changed;
	mutex_init(&ctx->tree.lock);
	KUNIT_ASSERT_EQ(test, 0, pvs_tree_init(&ctx->tree, ctx->root, level,
					       TEST_COPIES));
}

static int test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct test_ctx), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static void test_exit(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	unsigned int i;

	if (!ctx)
		return;
	pvs_tree_exit(&ctx->tree);
	for (i = 0; i < ctx->nr_pages; i++)
		free_page((unsigned long)ctx->page[i]);
}

/* The reference's entry for an address, making the tables above it. */
static u64 *test_entry(struct kunit *test, unsigned long addr,
		       unsigned int level)
{
	struct test_ctx *ctx = test->priv;
	u64 *table = ctx->root;
	unsigned int l;

	for (l = ctx->level; l > level; l--) {
		u64 *entry = &table[pvs_index(addr, l)];

		if (!*entry)
			*entry = __pa(test_page(test)) | TEST_TABLE;
		KUNIT_ASSERT_FALSE(test, l <= 3 && (*entry & _PAGE_PSE));
		table = __va(*entry & PTE_PFN_MASK);
	}

	return &table[pvs_index(addr, level)];
}

static struct pvs_table *test_create(struct kunit *test, unsigned long addr)
{
	struct test_ctx *ctx = test->priv;
	struct pvs_table *t;

	mutex_lock(&ctx->tree.lock);
	t = pvs_table_create(&ctx->tree, addr);
	mutex_unlock(&ctx->tree.lock);
	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_ASSERT_EQ(test, 1, t->level);
	return t;
}

static void test_trap_by(struct kunit *test, struct pvs_table *t,
			 unsigned long addr, void *slot)
{
	struct test_ctx *ctx = test->priv;

	mutex_lock(&ctx->tree.lock);
	if (slot)
		pvs_table_set_trap(t, pvs_index(addr, 1), slot);
	else
		pvs_table_clear_trap(t, pvs_index(addr, 1));
	mutex_unlock(&ctx->tree.lock);
}

static void test_trap(struct kunit *test, struct pvs_table *t,
		      unsigned long addr, bool set)
{
	test_trap_by(test, t, addr, set ? test->priv : NULL);
}

/* What a walk through one CPU's copies finds for an address, 0 if nothing. */
static u64 test_walk(struct kunit *test, unsigned long addr, unsigned int copy)
{
	struct test_ctx *ctx = test->priv;
	unsigned int level = ctx->level;
	u64 entry;

	entry = pvs_root_entry(&ctx->tree, pvs_index(addr, level), copy,
			       ctx->root[pvs_index(addr, level)]);
	while ((entry & _PAGE_PRESENT) && --level) {
		u64 *table = __va(entry & PTE_PFN_MASK);

		entry = table[pvs_index(addr, level)];
		if (level <= 3 && level > 1 && (entry & _PAGE_PSE))
			break;
	}

	return entry & _PAGE_PRESENT ? entry : 0;
}

/* The table of PTEs that a walk through one CPU's copies gets to. */
static u64 test_link(struct kunit *test, unsigned long addr, unsigned int copy)
{
	struct test_ctx *ctx = test->priv;
	unsigned int level = ctx->level;
	u64 entry;

	entry = pvs_root_entry(&ctx->tree, pvs_index(addr, level), copy,
			       ctx->root[pvs_index(addr, level)]);
	while (--level > 1) {
		u64 *table = __va(entry & PTE_PFN_MASK);

		entry = table[pvs_index(addr, level)];
	}

	return entry & PTE_PFN_MASK;
}

static void test_expect(struct kunit *test, unsigned long addr, u64 want)
{
	unsigned int n;

	for (n = 0; n < TEST_COPIES; n++)
		KUNIT_EXPECT_EQ_MSG(test, test_walk(test, addr, n), want,
				    "copy %u addr %lx", n, addr);
}

static unsigned int test_diffs(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct pvs_diff diff[4];
	unsigned int n, found = 0;
	unsigned long flags;

	rcu_read_lock();
	local_irq_save(flags);
	for (n = 0; n < TEST_COPIES; n++)
		found += pvs_tree_verify(&ctx->tree, n, false, diff, ARRAY_SIZE(diff));
	local_irq_restore(flags);
	rcu_read_unlock();

	return found;
}

static void test_set(struct kunit *test, u64 *entry, u64 value, bool known)
{
	struct test_ctx *ctx = test->priv;

	WRITE_ONCE(*entry, value);
	KUNIT_EXPECT_EQ(test, known, pvs_mirror(&ctx->tree, entry));
}

static void __test_path(struct kunit *test, unsigned int level)
{
	u64 *pte, *other;
	struct test_ctx *ctx = test->priv;
	struct pvs_table *t;

	test_start(test, level);
	pte = test_entry(test, TEST_ADDR, 1);
	*pte = 0x1234000 | TEST_PAGE;
	/* In another 2M, 1G and 512G: stays shared. */
	other = test_entry(test, TEST_ADDR + (1UL << 40), 1);
	*other = 0x5678000 | TEST_PAGE;

	t = test_create(test, TEST_ADDR);
	KUNIT_EXPECT_EQ(test, level - 1, atomic_read(&ctx->tree.nr_tables));
	KUNIT_EXPECT_EQ(test, 1, ctx->root_changes);
	KUNIT_EXPECT_PTR_EQ(test, t, pvs_table_find(&ctx->tree, TEST_ADDR));
	KUNIT_EXPECT_NULL(test, pvs_table_find(&ctx->tree,
					       TEST_ADDR + PMD_SIZE));
	KUNIT_EXPECT_PTR_NE(test, t->copy[0], t->copy[1]);
	KUNIT_EXPECT_PTR_EQ(test, t, test_create(test, TEST_ADDR + PAGE_SIZE));

	test_expect(test, TEST_ADDR, *pte);
	test_expect(test, TEST_ADDR + (1UL << 40), *other);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
}

static void test_path_4(struct kunit *test)
{
	__test_path(test, 4);
}

static void test_path_5(struct kunit *test)
{
	__test_path(test, 5);
}

static void test_hide(struct kunit *test)
{
	struct pvs_table *t;
	u64 *pte;

	test_start(test, 4);
	pte = test_entry(test, TEST_ADDR, 1);
	*pte = 0x1234000 | TEST_PAGE;
	pte[1] = 0x1235000 | TEST_PAGE;
	t = test_create(test, TEST_ADDR);

	test_trap(test, t, TEST_ADDR, true);
	test_expect(test, TEST_ADDR, 0);
	test_expect(test, TEST_ADDR + PAGE_SIZE, pte[1]);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));

	/* A change under a trap does not show the page ... */
	test_set(test, pte, 0x9999000 | TEST_PAGE, true);
	test_expect(test, TEST_ADDR, 0);
	/* ... and is there afterwards. */
	test_trap(test, t, TEST_ADDR, false);
	test_expect(test, TEST_ADDR, 0x9999000 | TEST_PAGE);

	/* One CPU's reveal that was never undone is found. */
	test_trap(test, t, TEST_ADDR, true);
	t->copy[1][pvs_index(TEST_ADDR, 1)] = *pte;
	KUNIT_EXPECT_EQ(test, 1, test_diffs(test));
	t->copy[1][pvs_index(TEST_ADDR, 1)] = 0;
	test_trap(test, t, TEST_ADDR, false);
}

/* A dirty one that is read-only would be a shadow stack's. */
static u64 test_ro(u64 entry)
{
	return entry & ~(_PAGE_RW | _PAGE_DIRTY);
}

/* Only writes trapped: there for reading, and kept up to date. */
static void test_writes_only(struct kunit *test)
{
	void *slot = test->priv + PVS_WRITES_ONLY;
	struct pvs_table *t;
	u64 *pte;

	test_start(test, 4);
	pte = test_entry(test, TEST_ADDR, 1);
	*pte = 0x1234000 | TEST_PAGE;
	t = test_create(test, TEST_ADDR);

	test_trap_by(test, t, TEST_ADDR, slot);
	test_expect(test, TEST_ADDR, test_ro(0x1234000 | TEST_PAGE));
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
	test_set(test, pte, 0x9999000 | TEST_PAGE | _PAGE_DIRTY, true);
	test_expect(test, TEST_ADDR, test_ro(0x9999000 | TEST_PAGE));
	test_set(test, pte, 0, true);
	test_expect(test, TEST_ADDR, 0);
	test_set(test, pte, 0x1234000 | TEST_PAGE, true);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));

	/* One CPU's that may be written to is found, and put right by a fault. */
	t->copy[1][pvs_index(TEST_ADDR, 1)] = *pte;
	KUNIT_EXPECT_EQ(test, 1, test_diffs(test));
	pvs_table_sync_own(t->tree, TEST_ADDR, 1);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));

	/* The other way, and back, and not at all */
	test_trap(test, t, TEST_ADDR, true);
	test_expect(test, TEST_ADDR, 0);
	test_trap_by(test, t, TEST_ADDR, slot);
	test_expect(test, TEST_ADDR, test_ro(*pte));
	KUNIT_EXPECT_EQ(test, 1, t->used);
	test_trap(test, t, TEST_ADDR, false);
	test_expect(test, TEST_ADDR, *pte);
	KUNIT_EXPECT_EQ(test, 0, t->used);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
}

static void test_mirror(struct kunit *test)
{
	unsigned long local = 0;
	struct test_ctx *ctx = test->priv;
	u64 *pte, *pmd, *pud, *shared;

	test_start(test, 4);
	pte = test_entry(test, TEST_ADDR, 1);
	pmd = test_entry(test, TEST_ADDR + PMD_SIZE, 2);
	pud = test_entry(test, TEST_ADDR + PUD_SIZE, 3);
	shared = test_entry(test, TEST_ADDR + 2 * PMD_SIZE, 1);
	test_create(test, TEST_ADDR);

	/* The level is the table's; nobody says which it is. */
	test_set(test, pte, 0x1000 | TEST_PAGE, true);
	test_set(test, pmd, 0x200000 | TEST_LEAF, true);
	test_set(test, pud, 0x40000000 | TEST_LEAF, true);
	test_set(test, shared, 0x3000 | TEST_PAGE, false);
	test_expect(test, TEST_ADDR, 0x1000 | TEST_PAGE);
	test_expect(test, TEST_ADDR + PMD_SIZE, 0x200000 | TEST_LEAF);
	test_expect(test, TEST_ADDR + PUD_SIZE, 0x40000000 | TEST_LEAF);
	test_expect(test, TEST_ADDR + 2 * PMD_SIZE, 0x3000 | TEST_PAGE);

	test_set(test, pte, 0, true);
	test_expect(test, TEST_ADDR, 0);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));

	/* Not in a table at all: a vmalloc'ed stack, a module, user memory. */
	if (IS_ENABLED(CONFIG_VMAP_STACK))
		KUNIT_EXPECT_FALSE(test, pvs_mirror(&ctx->tree, &local));
	KUNIT_EXPECT_FALSE(test, pvs_mirror(&ctx->tree, (void *)0x1000));
}

/* A table in the kernel's image is known by both of its addresses while it has copies. */
static void test_image(struct kunit *test)
{
	static u64 table[PVS_ENTRIES] __aligned(PAGE_SIZE);
	atomic_t *image = pvs_copied_count(table);
	atomic_t *direct = pvs_copied_count(__va(__pa_symbol(table)));
	struct test_ctx *ctx = test->priv;
	int image_was = atomic_read(image), direct_was = atomic_read(direct);
	int by = image == direct ? 2 : 1;

	test_start(test, 4);
	*test_entry(test, TEST_ADDR, 2) = __pa_symbol(table) | TEST_TABLE;
	test_create(test, TEST_ADDR);
	KUNIT_EXPECT_EQ(test, by, atomic_read(image) - image_was);
	KUNIT_EXPECT_EQ(test, by, atomic_read(direct) - direct_was);
	KUNIT_EXPECT_TRUE(test, pvs_store(&ctx->tree, &table[pvs_index(TEST_ADDR, 1)],
					  0x1234000 | TEST_PAGE));
	KUNIT_EXPECT_EQ(test, 0x1234000 | TEST_PAGE, test_walk(test, TEST_ADDR, TEST_COPIES - 1));
	pvs_tree_exit(&ctx->tree);
	KUNIT_EXPECT_EQ(test, image_was, atomic_read(image));
	KUNIT_EXPECT_EQ(test, direct_was, atomic_read(direct));
}

static void test_volatile_bits(struct kunit *test)
{
	struct pvs_table *t;
	u64 *pte;

	test_start(test, 4);
	pte = test_entry(test, TEST_ADDR, 1);
	*pte = (0x1000 | TEST_PAGE) & ~(u64)PVS_VOLATILE;
	t = test_create(test, TEST_ADDR);

	/* As the hardware would; no difference, and not taken back. */
	t->copy[0][pvs_index(TEST_ADDR, 1)] |= _PAGE_ACCESSED;
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
	test_set(test, pte, *pte, true);
	KUNIT_EXPECT_TRUE(test, test_walk(test, TEST_ADDR, 0) & _PAGE_ACCESSED);

	t->copy[0][pvs_index(TEST_ADDR, 1)] ^= _PAGE_RW;
	KUNIT_EXPECT_EQ(test, 1, test_diffs(test));
	test_set(test, pte, *pte, true);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
}

static void test_split_2m(struct kunit *test)
{
	unsigned long start = TEST_ADDR & PMD_MASK;
	u64 want = TEST_PAGE | _PAGE_PWT;
	struct pvs_table *t;
	unsigned int i;
	u64 *pmd;

	test_start(test, 4);
	pmd = test_entry(test, TEST_ADDR, 2);
	*pmd = 0xa0200000 | TEST_LEAF | _PAGE_PAT_LARGE | _PAGE_PWT;
	t = test_create(test, TEST_ADDR);

	want |= _PAGE_PAT;
	for (i = 0; i < PVS_ENTRIES; i++)
		test_expect(test, start + i * PAGE_SIZE,
			    (0xa0200000 + i * PAGE_SIZE) | want);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));

	test_trap(test, t, TEST_ADDR, true);
	test_expect(test, TEST_ADDR, 0);
	test_trap(test, t, TEST_ADDR, false);
	KUNIT_EXPECT_EQ(test, 0xa0200000 | TEST_LEAF | _PAGE_PAT_LARGE | _PAGE_PWT,
			*pmd);
}

static void test_split_1g(struct kunit *test)
{
	u64 *pud;

	test_start(test, 5);
	pud = test_entry(test, TEST_ADDR, 3);
	*pud = 0x140000000 | TEST_LEAF | _PAGE_PAT_LARGE | _PAGE_NX;
	test_create(test, TEST_ADDR);

	test_expect(test, TEST_ADDR,
		    (0x140000000 + (TEST_ADDR & ~PUD_MASK)) | TEST_PAGE |
		    _PAGE_PAT | _PAGE_NX);
	/* Beside the path it is split only as far as needed. */
	test_expect(test, TEST_ADDR + PMD_SIZE,
		    (0x140000000 + ((TEST_ADDR + PMD_SIZE) & ~PUD_MASK & PMD_MASK)) |
		    TEST_LEAF | _PAGE_PAT_LARGE | _PAGE_NX);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
}

/* What CPA does to a huge leaf, and huge vmap to a table. */
static void test_resource(struct kunit *test)
{
	u64 *pmd, *table, *next;
	unsigned int i, index = pvs_index(TEST_ADDR, 1);
	struct pvs_table *t;

	test_start(test, 4);
	pmd = test_entry(test, TEST_ADDR, 2);
	*pmd = 0x200000 | TEST_LEAF;
	t = test_create(test, TEST_ADDR);
	KUNIT_EXPECT_EQ(test, 0, t->ref);

	/* Filled before it is linked. */
	table = test_page(test);
	for (i = 0; i < PVS_ENTRIES; i++)
		table[i] = (0x200000 + i * PAGE_SIZE) | TEST_PAGE;
	test_set(test, &table[index], table[index], false);
	test_set(test, pmd, __pa(table) | TEST_TABLE, true);
	KUNIT_EXPECT_EQ(test, __pa(table), t->ref);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
	test_set(test, &table[index], 0x7000 | TEST_PAGE, true);
	test_expect(test, TEST_ADDR, 0x7000 | TEST_PAGE);

	/* Another table in its place: the first one is nobody's any more. */
	next = test_page(test);
	next[index] = 0x8000 | TEST_PAGE;
	test_set(test, pmd, __pa(next) | TEST_TABLE, true);
	test_expect(test, TEST_ADDR, 0x8000 | TEST_PAGE);
	test_expect(test, TEST_ADDR + PAGE_SIZE, 0);
	test_set(test, &table[index], 0x9000 | TEST_PAGE, false);
	test_expect(test, TEST_ADDR, 0x8000 | TEST_PAGE);

	/* And nothing, by way of the table above, and a leaf again. */
	test_set(test, test_entry(test, TEST_ADDR, 3), 0, true);
	test_expect(test, TEST_ADDR, 0);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
	test_set(test, test_entry(test, TEST_ADDR, 3), 0x80000000 | TEST_LEAF, true);
	test_expect(test, TEST_ADDR,
		    (0x80000000 + (TEST_ADDR & ~PUD_MASK)) | TEST_PAGE);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
}

/* Tables above the path change their permissions. */
static void test_table_flags(struct kunit *test)
{
	u64 *pmd;
	unsigned int n;

	test_start(test, 4);
	test_entry(test, TEST_ADDR, 1);
	pmd = test_entry(test, TEST_ADDR, 2);
	test_create(test, TEST_ADDR);
	test_set(test, pmd, *pmd & ~_PAGE_RW, true);

	for (n = 0; n < TEST_COPIES; n++) {
		struct test_ctx *ctx = test->priv;
		struct pvs_table *t = pvs_table_find(&ctx->tree, TEST_ADDR);

		KUNIT_EXPECT_FALSE(test, t->parent->copy[n][pvs_index(TEST_ADDR, 2)] &
				   _PAGE_RW);
	}
}

static void test_sync(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	u64 *pte;

	test_start(test, 4);
	pte = test_entry(test, TEST_ADDR, 1);
	pte[0] = 0x1000 | TEST_PAGE;
	pte[1] = 0x2000 | TEST_PAGE;
	test_create(test, TEST_ADDR);

	/* As vunmap() does. */
	pte[0] = 0;
	pte[1] = 0;
	KUNIT_EXPECT_EQ(test, 2 * TEST_COPIES, test_diffs(test));
	pvs_tree_sync(&ctx->tree, TEST_ADDR, TEST_ADDR + PAGE_SIZE);
	test_expect(test, TEST_ADDR, 0);
	KUNIT_EXPECT_EQ(test, TEST_COPIES, test_diffs(test));
	pvs_tree_sync(&ctx->tree, 0, -1UL);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));

	/* Elsewhere, and in the user half: nothing happens. */
	pte[0] = 0x1000 | TEST_PAGE;
	pvs_tree_sync(&ctx->tree, TEST_ADDR + PMD_SIZE, TEST_ADDR + 2 * PMD_SIZE);
	pvs_tree_sync(&ctx->tree, 0, 0x7ffffffff000);
	KUNIT_EXPECT_EQ(test, TEST_COPIES, test_diffs(test));
	pvs_table_sync_own(&ctx->tree, TEST_ADDR, 1);
	KUNIT_EXPECT_EQ(test, TEST_COPIES - 1, test_diffs(test));
	KUNIT_EXPECT_EQ(test, pte[0], test_walk(test, TEST_ADDR, 1));
	pvs_tree_sync(&ctx->tree, 0, -1UL);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
}

static void test_prune(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	unsigned long near = TEST_ADDR + PMD_SIZE;
	struct pvs_table *t, *u;
	LIST_HEAD(dead);
	u64 *pte, *other;

	test_start(test, 4);
	pte = test_entry(test, TEST_ADDR, 1);
	*pte = 0x1000 | TEST_PAGE;
	t = test_create(test, TEST_ADDR);
	test_trap(test, t, TEST_ADDR, true);
	u = test_create(test, near);
	test_trap(test, u, near, true);
	KUNIT_EXPECT_EQ(test, 4, atomic_read(&ctx->tree.nr_tables));

	other = test_entry(test, near + PAGE_SIZE, 1);
	test_trap(test, u, near, false);
	mutex_lock(&ctx->tree.lock);
	pvs_tree_unlink(&ctx->tree, &dead);
	/* A CPU that has cached the way to the copy still sees what is new. */
	KUNIT_EXPECT_TRUE(test, pvs_store(&ctx->tree, other, 0x3000 | TEST_PAGE));
	KUNIT_EXPECT_EQ(test, *other, u->copy[1][pvs_index(near + PAGE_SIZE, 1)]);
	/* Nobody else gets there any more. */
	KUNIT_EXPECT_EQ(test, test_link(test, near, 1),
			*test_entry(test, near, 2) & PTE_PFN_MASK);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
	pvs_tables_remove(&ctx->tree, &dead);
	mutex_unlock(&ctx->tree.lock);
	pvs_tables_free(&dead);
	KUNIT_EXPECT_EQ(test, 3, atomic_read(&ctx->tree.nr_tables));
	KUNIT_EXPECT_NULL(test, pvs_table_find(&ctx->tree, near));
	KUNIT_EXPECT_PTR_EQ(test, t, pvs_table_find(&ctx->tree, TEST_ADDR));
	test_expect(test, TEST_ADDR, 0);

	test_trap(test, t, TEST_ADDR, false);
	mutex_lock(&ctx->tree.lock);
	pvs_tree_unlink(&ctx->tree, &dead);
	pvs_tables_remove(&ctx->tree, &dead);
	mutex_unlock(&ctx->tree.lock);
	pvs_tables_free(&dead);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&ctx->tree.nr_tables));
	KUNIT_EXPECT_EQ(test, 2, ctx->root_changes);
	/* The reference's own tables are walked again. */
	test_expect(test, TEST_ADDR, *pte);
	test_set(test, pte, 0x2000 | TEST_PAGE, false);
	test_expect(test, TEST_ADDR, *pte);
}

struct test_race {
	struct test_ctx		*ctx;
	struct completion	done;
	bool			stop;
	u64			*entry;
	u64			*copy;
	unsigned long		looks;
	unsigned long		wrong;
};

/* Another CPU that finds an entry in the reference may rely on its own copy. */
static int test_observer(void *arg)
{
	struct test_race *race = arg;
	u64 ref, copy;

	while (!READ_ONCE(race->stop)) {
		ref = READ_ONCE(*race->entry);
		smp_rmb(); /* copies are written first */
		copy = READ_ONCE(*race->copy);
		race->wrong += copy < ref;
		race->looks++;
		cond_resched();
	}
	complete(&race->done);
	return 0;
}

static void test_store(struct kunit *test)
{
	struct test_race race = { .ctx = test->priv };
	u64 *pte, *pmd, *fresh, table;
	struct task_struct *task;
	struct pvs_table *t;
	unsigned int i;

	test_start(test, 4);
	pte = test_entry(test, TEST_ADDR, 1);
	pmd = test_entry(test, TEST_ADDR, 2);
	KUNIT_EXPECT_FALSE(test, pvs_store(&race.ctx->tree, pte, 0x1000));
	KUNIT_EXPECT_EQ(test, 0, *pte);

	t = test_create(test, TEST_ADDR);
	KUNIT_EXPECT_TRUE(test, pvs_store(&race.ctx->tree, pte, 0x1000 | TEST_PAGE));
	KUNIT_EXPECT_EQ(test, 0x1000 | TEST_PAGE, *pte);
	test_expect(test, TEST_ADDR, *pte);

	/* Another table, filled before it is linked. */
	fresh = test_page(test);
	fresh[pvs_index(TEST_ADDR, 1)] = 0x2000 | TEST_PAGE;
	table = __pa(fresh) | TEST_TABLE;
	KUNIT_EXPECT_TRUE(test, pvs_store(&race.ctx->tree, pmd, table));
	KUNIT_EXPECT_EQ(test, table, *pmd);
	test_expect(test, TEST_ADDR, 0x2000 | TEST_PAGE);
	KUNIT_EXPECT_FALSE(test, pvs_store(&race.ctx->tree, pte, 0));
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));

	pte = &fresh[pvs_index(TEST_ADDR, 1)];
	race.entry = pte;
	race.copy = &t->copy[TEST_COPIES - 1][pvs_index(TEST_ADDR, 1)];
	init_completion(&race.done);
	task = kthread_run(test_observer, &race, "pvs_test_observer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	while (!READ_ONCE(race.looks))
		cond_resched();
	/* Only ever upwards from what is there: a lower copy is then an older one. */
	for (i = 3; i < 2000000 && (i < 200000 || READ_ONCE(race.looks) < 100000); i++)
		pvs_store(&race.ctx->tree, pte, ((u64)i << PAGE_SHIFT) | TEST_PAGE);
	WRITE_ONCE(race.stop, true);
	wait_for_completion(&race.done);
	KUNIT_EXPECT_GT(test, race.looks, 0);
	KUNIT_EXPECT_EQ(test, 0, race.wrong);
}

/* Written in an NMI that finds the lock taken. */
static bool test_store_in_nmi(struct pvs_tree *tree, u64 *entry, u64 value, bool *known)
{
	bool stored;

	__preempt_count_add(NMI_OFFSET);
	stored = pvs_store(tree, entry, value);
	if (!stored) {
		WRITE_ONCE(*entry, value);
		*known = pvs_mirror(tree, entry);
	}
	__preempt_count_sub(NMI_OFFSET);
	return stored;
}

/*
 * Whoever changes the table meanwhile puts right what an NMI could not; if nobody does
 * the NMI writes as anybody else.
 */
static void test_stale(struct kunit *test)
{
	bool stored, stale, known = false;
	struct test_ctx *ctx = test->priv;
	struct pvs_table *t;
	unsigned long flags;
	unsigned int n;
	u64 *pte;

	test_start(test, 4);
	pte = test_entry(test, TEST_ADDR, 1);
	pte[0] = 0x1000 | TEST_PAGE;
	pte[1] = 0x2000 | TEST_PAGE;
	t = test_create(test, TEST_ADDR);

	local_irq_save(flags);
	stored = test_store_in_nmi(&ctx->tree, pte, 0x3000 | TEST_PAGE, &known);
	local_irq_restore(flags);
	KUNIT_EXPECT_TRUE(test, stored);
	KUNIT_EXPECT_FALSE(test, t->stale);
	test_expect(test, TEST_ADDR, 0x3000 | TEST_PAGE);

	local_irq_save(flags);
	raw_spin_lock_nested(&t->lock, t->level);
	stored = test_store_in_nmi(&ctx->tree, pte, 0x4000 | TEST_PAGE, &known);
	stale = t->stale;
	raw_spin_unlock(&t->lock);
	local_irq_restore(flags);
	KUNIT_EXPECT_FALSE(test, stored);
	KUNIT_EXPECT_TRUE(test, known);
	KUNIT_EXPECT_TRUE(test, stale);
	KUNIT_EXPECT_EQ(test, 0x4000 | TEST_PAGE, *pte);
	for (n = 0; n < TEST_COPIES; n++)
		KUNIT_EXPECT_EQ(test, 0x3000 | TEST_PAGE,
				t->copy[n][pvs_index(TEST_ADDR, 1)]);

	/* The end of what the holder does, here another entry's change */
	KUNIT_EXPECT_TRUE(test, pvs_store(&ctx->tree, &pte[1], 0x5000 | TEST_PAGE));
	KUNIT_EXPECT_FALSE(test, t->stale);
	test_expect(test, TEST_ADDR, 0x4000 | TEST_PAGE);
	test_expect(test, TEST_ADDR + PAGE_SIZE, 0x5000 | TEST_PAGE);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
}

static void test_permits(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	u64 *pte, *pmd;

	test_start(test, 4);
	pte = test_entry(test, TEST_ADDR, 1);
	KUNIT_EXPECT_FALSE(test, pvs_ref_permits(&ctx->tree, TEST_ADDR, 0));
	*pte = 0x1000 | TEST_PAGE | _PAGE_NX;
	KUNIT_EXPECT_TRUE(test, pvs_ref_permits(&ctx->tree, TEST_ADDR, 0));
	KUNIT_EXPECT_TRUE(test, pvs_ref_permits(&ctx->tree, TEST_ADDR,
						X86_PF_WRITE));
	KUNIT_EXPECT_FALSE(test, pvs_ref_permits(&ctx->tree, TEST_ADDR,
						 X86_PF_INSTR));
	KUNIT_EXPECT_FALSE(test, pvs_ref_permits(&ctx->tree, TEST_ADDR,
						 X86_PF_USER));
	pmd = test_entry(test, TEST_ADDR, 2);
	*pmd &= ~_PAGE_RW;
	KUNIT_EXPECT_FALSE(test, pvs_ref_permits(&ctx->tree, TEST_ADDR,
						 X86_PF_WRITE));
	*test_entry(test, TEST_ADDR + PUD_SIZE, 3) = 0x40000000 | TEST_LEAF;
	KUNIT_EXPECT_TRUE(test, pvs_ref_permits(&ctx->tree,
						TEST_ADDR + PUD_SIZE, 0));
}

static int test_syncer(void *arg)
{
	struct test_race *race = arg;

	while (!READ_ONCE(race->stop)) {
		pvs_tree_sync(&race->ctx->tree, 0, -1UL);
		cond_resched();
	}
	complete(&race->done);
	return 0;
}

/*
 * A flush of everything on another CPU meanwhile never takes a mirrored entry
 * back to what it was before.
 */
static void test_race(struct kunit *test)
{
	struct test_race race = { .ctx = test->priv };
	unsigned int i, n, index, wrong = 0;
	struct task_struct *task;
	struct pvs_table *t;
	u64 *pte, value;

	test_start(test, 4);
	pte = test_entry(test, TEST_ADDR & PMD_MASK, 1);
	t = test_create(test, TEST_ADDR);
	init_completion(&race.done);
	task = kthread_run(test_syncer, &race, "pvs_test_syncer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	for (i = 0; i < 50000; i++) {
		index = i % PVS_ENTRIES;
		value = i & 0x200 ? ((u64)i << PAGE_SHIFT) | TEST_PAGE : 0;
		WRITE_ONCE(pte[index], value);
		pvs_mirror(&race.ctx->tree, &pte[index]);
		for (n = 0; n < TEST_COPIES; n++)
			wrong += READ_ONCE(t->copy[n][index]) != value;
	}

	WRITE_ONCE(race.stop, true);
	wait_for_completion(&race.done);
	KUNIT_EXPECT_EQ(test, 0, wrong);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
}

/* What faults on another CPU read meanwhile, without the lock. */
static int test_prober(void *arg)
{
	unsigned int index = pvs_index(TEST_ADDR, 1);
	struct test_race *race = arg;
	struct pvs_table *t = pvs_table_find(&race->ctx->tree, TEST_ADDR);
	u64 want = t->copy[0][index];
	unsigned long flags;

	while (!READ_ONCE(race->stop)) {
		local_irq_save(flags);
		race->wrong += pvs_ref_entry(t, index) != want;
		pvs_table_sync_own(&race->ctx->tree, TEST_ADDR, 1);
		race->wrong += READ_ONCE(t->copy[1][index]) != want;
		race->looks++;
		local_irq_restore(flags);
		cond_resched();
	}
	complete(&race->done);
	return 0;
}

/*
 * A leaf is split, and the table collapsed, over and over: whoever asks what is mapped
 * there gets the same answer at any time.
 */
static void test_split_race(struct kunit *test)
{
	struct test_race race = { .ctx = test->priv };
	unsigned int i, wrong = 0;
	u64 *pmd, *table, leaf, link;
	struct task_struct *task;
	struct pvs_table *t;

	test_start(test, 4);
	pmd = test_entry(test, TEST_ADDR, 2);
	leaf = 0x200000 | TEST_LEAF;
	*pmd = leaf;
	t = test_create(test, TEST_ADDR);
	/* Trapped beside what is looked at */
	test_trap(test, t, TEST_ADDR + PAGE_SIZE, true);

	table = test_page(test);
	for (i = 0; i < PVS_ENTRIES; i++)
		table[i] = (0x200000 + i * PAGE_SIZE) | TEST_PAGE;
	link = __pa(table) | TEST_TABLE;

	init_completion(&race.done);
	task = kthread_run(test_prober, &race, "pvs_test_prober");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	while (!READ_ONCE(race.looks))
		cond_resched();
	for (i = 0; i < 200000 && (i < 20000 || READ_ONCE(race.looks) < 100000); i++) {
		pvs_store(&race.ctx->tree, pmd, i & 1 ? leaf : link);
		wrong += t->ref != (i & 1 ? 0 : __pa(table));
		cond_resched();
	}
	WRITE_ONCE(race.stop, true);
	wait_for_completion(&race.done);
	KUNIT_EXPECT_EQ(test, 0, wrong);
	KUNIT_EXPECT_EQ(test, 0, race.wrong);
	KUNIT_EXPECT_EQ(test, 0, test_diffs(test));
	test_expect(test, TEST_ADDR + PAGE_SIZE, 0);
	test_trap(test, t, TEST_ADDR + PAGE_SIZE, false);
}

static struct kunit_case table_test_cases[] = {
	KUNIT_CASE(test_path_4),
	KUNIT_CASE(test_path_5),
	KUNIT_CASE(test_hide),
	KUNIT_CASE(test_writes_only),
	KUNIT_CASE(test_mirror),
	KUNIT_CASE(test_image),
	KUNIT_CASE(test_volatile_bits),
	KUNIT_CASE(test_split_2m),
	KUNIT_CASE(test_split_1g),
	KUNIT_CASE(test_resource),
	KUNIT_CASE(test_table_flags),
	KUNIT_CASE(test_sync),
	KUNIT_CASE(test_store),
	KUNIT_CASE(test_stale),
	KUNIT_CASE(test_prune),
	KUNIT_CASE(test_permits),
	KUNIT_CASE(test_race),
	KUNIT_CASE_SLOW(test_split_race),
	{}
};

static struct kunit_suite table_test_suite = {
	.name = "pv_shadow_table",
	.init = test_init,
	.exit = test_exit,
	.test_cases = table_test_cases,
};
kunit_test_suite(table_test_suite);
