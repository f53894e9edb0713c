// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables that CPUs really run on, with a page of the direct map trapped and one
 * of vmalloc space: what happens beside them, from CPA, from NMIs, and to the roots.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/nmi.h>
#include <linux/pgtable.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/seq_file.h>
#include <linux/set_memory.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/apic.h>
#include <asm/tlbflush.h>

#include "../../arch/x86/fault.h"
#include "../../mm/alias.h"
#include "../../mm/stats.h"
#include "../../mm/table.h"
#include "../../mm/verify.h"
#include "../../pvops/cpu.h"
#include "../../pvops/root.h"
#include "trapped.h"

#define BLOCK_ORDER	9
/* The trapped page of the block. */
#define MIDDLE		256
#define AREA_PAGES	4

/**
 * struct live_ctx - the suite's
 * @range:   the trapped page of the direct map
 * @block:   what it is in the middle of
 * @area:    four pages of addresses, the first one trapped
 * @near:    its range
 * @pte:     the reference's entries for @area
 * @page:    what they map
 * @started: the backend was, by us
 * @trapped: @range is
 * @near_trapped: @near is
 * @events:  told
 * @look:    verify is to look while one is told
 * @step:    what it found of PVS_DIFF_STEP
 */
struct live_ctx {
	struct pv_shadow_range	range;
	unsigned long		block;
	struct vm_struct	*area;
	struct pv_shadow_range	near;
	pte_t			*pte[AREA_PAGES];
	struct page		*page;
	bool			started;
	bool			trapped;
	bool			near_trapped;
	atomic_long_t		events;
	bool			look;
	unsigned int		step;
};

static struct live_ctx *ctx;

static unsigned int live_count(const struct pvs_diff *diff, unsigned int nr,
			       enum pvs_diff_kind kind)
{
	unsigned int found = 0;

	while (nr--)
		found += diff[nr].kind == kind;
	return found;
}

/* How many differences of a kind this CPU has. Interrupts off. */
static unsigned int live_found(enum pvs_diff_kind kind)
{
	struct pvs_diff diff[8];

	return live_count(diff, pvs_verify_own(diff, ARRAY_SIZE(diff)), kind);
}

static void live_accessed(struct pv_shadow_range *range,
			  const struct pv_shadow_access *access)
{
	/* verify wants to know what became of each event. */
	pvs_count(PVS_RECORDED);
	atomic_long_inc(&ctx->events);
	if (READ_ONCE(ctx->look))
		ctx->step = live_found(PVS_DIFF_STEP);
}

static const struct pv_shadow_client live_client = {
	.name = "kunit live",
	.accessed = live_accessed,
};

static int live_map(pte_t *pte, unsigned long addr, void *data)
{
	unsigned int i = (addr - (unsigned long)ctx->area->addr) >> PAGE_SHIFT;

	ctx->pte[i] = pte;
	set_pte_at(&init_mm, addr, pte, mk_pte(ctx->page, PAGE_KERNEL));
	return 0;
}

static void live_tear_down(void)
{
	if (!ctx)
		return;
	if (ctx->trapped)
		pv_shadow_untrap(&ctx->range, ctx->range.start, ctx->range.end);
	if (ctx->near_trapped)
		pv_shadow_untrap(&ctx->near, ctx->near.start, ctx->near.end);
	trapped_stop(&ctx->started);
	if (ctx->area)
		free_vm_area(ctx->area);
	if (ctx->page)
		__free_page(ctx->page);
	free_pages(ctx->block, BLOCK_ORDER);
	kfree(ctx);
	ctx = NULL;
}

static int live_set_up(void)
{
	int ret;

	ctx->block = __get_free_pages(GFP_KERNEL, BLOCK_ORDER);
	ctx->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	ctx->area = get_vm_area(AREA_PAGES * PAGE_SIZE, VM_IOREMAP);
	if (!ctx->block || !ctx->page || !ctx->area)
		return -ENOMEM;
	ret = apply_to_page_range(&init_mm, (unsigned long)ctx->area->addr,
				  AREA_PAGES * PAGE_SIZE, live_map, NULL);
	if (ret)
		return ret;

	ret = trapped_start(&ctx->started);
	if (ret)
		return ret;

	ctx->range.client = &live_client;
	ctx->range.start = ctx->block + MIDDLE * PAGE_SIZE;
	ctx->range.end = ctx->range.start + PAGE_SIZE;
	ret = pv_shadow_trap(&ctx->range, ctx->range.start, ctx->range.end);
	if (ret)
		return ret;
	ctx->trapped = true;

	ctx->near.client = &live_client;
	ctx->near.start = (unsigned long)ctx->area->addr;
	ctx->near.end = ctx->near.start + PAGE_SIZE;
	ret = pv_shadow_trap(&ctx->near, ctx->near.start, ctx->near.end);
	if (ret)
		return ret;
	ctx->near_trapped = true;
	return 0;
}

/* Without the backend there is nothing to test; each case says so. */
static int live_suite_init(struct kunit_suite *suite)
{
	int ret;

	if (!pv_shadow_installed())
		return 0;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	ret = live_set_up();
	if (ret)
		live_tear_down();
	return ret;
}

static void live_suite_exit(struct kunit_suite *suite)
{
	live_tear_down();
}

static int live_init(struct kunit *test)
{
	if (!ctx)
		kunit_skip(test, "boot with pv_shadow_mmiotrace");
	return 0;
}

static void live_verify(void *found)
{
	struct pvs_diff diff[8];

	rcu_read_lock();
	*(unsigned int *)found +=
		pvs_tree_verify(&pvs_tree, smp_processor_id(), true, diff,
				ARRAY_SIZE(diff)) +
		pvs_verify_own(diff, ARRAY_SIZE(diff));
	rcu_read_unlock();
}

static void live_expect_verified(struct kunit *test)
{
	unsigned int found = 0;
	int cpu;

	for_each_online_cpu(cpu)
		smp_call_function_single(cpu, live_verify, &found, true);
	KUNIT_EXPECT_EQ(test, 0, found);
}

/**
 * struct live_access - a page accessed by a CPU
 * @addr:  where
 * @read:  what reading it said: 0 or an error
 * @write: what writing it said
 */
struct live_access {
	unsigned long	addr;
	long		read;
	long		write;
};

static void live_access(void *arg)
{
	struct live_access *access = arg;
	u64 value = 0;

	access->read = copy_from_kernel_nofault(&value, (void *)access->addr,
						sizeof(value));
	access->write = copy_to_kernel_nofault((void *)access->addr, &value,
					       sizeof(value));
}

/*
 * Each CPU may read and write the page, or not; it is told of as often as it is done if
 * it is trapped; and no copy had to be put right for that.
 */
static void live_expect(struct kunit *test, unsigned long addr, bool read,
			bool write, const char *when)
{
	unsigned long resyncs = pvs_stat_sum(PVS_RESYNCS);
	bool trapped = addr == ctx->range.start;
	struct live_access access = { .addr = addr };
	long events;
	int cpu;

	for_each_online_cpu(cpu) {
		events = atomic_long_read(&ctx->events);
		smp_call_function_single(cpu, live_access, &access, true);
		KUNIT_EXPECT_EQ_MSG(test, access.read, read ? 0 : -EFAULT,
				    "%s: CPU %d reads", when, cpu);
		KUNIT_EXPECT_EQ_MSG(test, access.write, write ? 0 : -EFAULT,
				    "%s: CPU %d writes", when, cpu);
		KUNIT_EXPECT_EQ_MSG(test, atomic_long_read(&ctx->events) - events,
				    trapped ? read + write : 0, "%s: CPU %d", when, cpu);
	}
	KUNIT_EXPECT_EQ_MSG(test, pvs_stat_sum(PVS_RESYNCS), resyncs, "%s", when);
	live_expect_verified(test);
}

static void live_protect(struct kunit *test, unsigned long addr)
{
	live_expect(test, addr, true, true, "at first");
	KUNIT_EXPECT_EQ(test, 0, set_memory_np(addr, 1));
	live_expect(test, addr, false, false, "not present");
	KUNIT_EXPECT_EQ(test, 0, set_memory_p(addr, 1));
	live_expect(test, addr, true, true, "present");
	KUNIT_EXPECT_EQ(test, 0, set_memory_ro(addr, 1));
	live_expect(test, addr, true, false, "read-only");
	KUNIT_EXPECT_EQ(test, 0, set_memory_rw(addr, 1));
	live_expect(test, addr, true, true, "writable");
}

/* The leaf of the trapped page goes and comes back as a whole. */
static void live_test_leaf(struct kunit *test)
{
	unsigned long addr = ctx->range.start;
	unsigned int before = 0, after = 0;

	lookup_address(addr, &before);
	KUNIT_EXPECT_EQ(test, 0, set_memory_np(ctx->block, 1 << BLOCK_ORDER));
	live_expect(test, addr, false, false, "not present");
	live_expect(test, addr + PAGE_SIZE, false, false, "not present, beside");
	KUNIT_EXPECT_EQ(test, 0, set_memory_p(ctx->block, 1 << BLOCK_ORDER));
	live_expect(test, addr, true, true, "present");
	live_expect(test, addr + PAGE_SIZE, true, true, "present, beside");
	KUNIT_EXPECT_EQ(test, 0, set_memory_ro(ctx->block, 1 << BLOCK_ORDER));
	live_expect(test, addr, true, false, "read-only");
	live_expect(test, addr + PAGE_SIZE, true, false, "read-only, beside");
	KUNIT_EXPECT_EQ(test, 0, set_memory_rw(ctx->block, 1 << BLOCK_ORDER));
	live_expect(test, addr, true, true, "writable");
	live_expect(test, addr + PAGE_SIZE, true, true, "writable, beside");
	lookup_address(addr, &after);
	if (before == PG_LEVEL_2M)
		KUNIT_EXPECT_EQ(test, before, after);
}

/* CPA splits the leaf of the trapped page, and changes what is beside it and itself. */
static void live_test_cpa(struct kunit *test)
{
	unsigned int before = 0, after = 0;

	lookup_address(ctx->range.start, &before);
	live_protect(test, ctx->range.start + PAGE_SIZE);
	lookup_address(ctx->range.start, &after);
	KUNIT_EXPECT_EQ(test, PG_LEVEL_4K, after);
	kunit_info(test, "the leaf was of level %u\n", before);
	live_protect(test, ctx->range.start - PAGE_SIZE);
	live_protect(test, ctx->range.start);
}

/* Secret memory and DEBUG_PAGEALLOC flush nothing themselves, or not everywhere. */
static void live_test_direct_map(struct kunit *test)
{
	unsigned long addr = ctx->range.start + 2 * PAGE_SIZE;
	struct page *page = virt_to_page((void *)addr);

	live_expect(test, addr, true, true, "at first");
	KUNIT_EXPECT_EQ(test, 0, set_direct_map_invalid_noflush(page));
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
	live_expect(test, addr, false, false, "invalid");
	KUNIT_EXPECT_EQ(test, 0, set_direct_map_default_noflush(page));
	live_expect(test, addr, true, true, "default");
}

/**
 * struct live_nmi - NMIs that write entries
 * @cpu:    theirs
 * @due:    one was sent
 * @stop:   the thread is to end
 * @done:   it did
 * @turns:  entries that it wrote
 * @nmis:   handled
 * @locked: while the table was being changed
 */
struct live_nmi {
	int			cpu;
	bool			due;
	bool			stop;
	struct completion	done;
	unsigned long		turns;
	unsigned long		nmis;
	unsigned long		locked;
};

static struct live_nmi live_nmi;

static unsigned long live_addr(unsigned int page)
{
	return (unsigned long)ctx->area->addr + page * PAGE_SIZE;
}

/* Another entry than there was, in turn. */
static void live_flip(unsigned int page, unsigned long turn)
{
	set_pte_at(&init_mm, live_addr(page), ctx->pte[page],
		   turn & 1 ? mk_pte(ctx->page, PAGE_KERNEL_RO) :
			      mk_pte(ctx->page, PAGE_KERNEL));
}

static int live_nmi_handler(unsigned int cmd, struct pt_regs *regs)
{
	struct live_nmi *nmi = &live_nmi;

	if (smp_processor_id() != nmi->cpu || !READ_ONCE(nmi->due))
		return NMI_DONE;

	if (raw_spin_is_locked(&pvs_table_find(&pvs_tree, live_addr(1))->lock))
		nmi->locked++;
	live_flip(2, ++nmi->nmis);
	WRITE_ONCE(nmi->due, false);
	return NMI_HANDLED;
}

static int live_nmi_thread(void *unused)
{
	while (!READ_ONCE(live_nmi.stop)) {
		live_flip(1, live_nmi.turns);
		WRITE_ONCE(live_nmi.turns, live_nmi.turns + 1);
		cond_resched();
	}
	complete(&live_nmi.done);
	return 0;
}

/* Entries of a CPU's copy, as the reference has them? */
static unsigned int live_differ(unsigned int page)
{
	struct pvs_table *t = pvs_table_find(&pvs_tree, live_addr(page));
	unsigned int n, index = pvs_index(live_addr(page), 1), found = 0;

	for (n = 0; n < pvs_tree.nr_copies; n++)
		found += !pvs_same(READ_ONCE(t->copy[n][index]), pvs_ref_entry(t, index));
	return found;
}

#define LIVE_NMIS	2000

/*
 * An entry written in an NMI that interrupted the writer of another one in the same
 * table is in all copies when that one has done its own.
 */
static void live_test_nmi(struct kunit *test)
{
	struct live_nmi *nmi = &live_nmi;
	unsigned long turns, wrong = 0;
	struct task_struct *task;
	unsigned int i;

	memset(nmi, 0, sizeof(*nmi));
	init_completion(&nmi->done);
	nmi->cpu = cpumask_last(cpu_online_mask);
	if (!nmi->cpu)
		kunit_skip(test, "needs a second CPU");
	KUNIT_ASSERT_EQ(test, 0, register_nmi_handler(NMI_LOCAL, live_nmi_handler, 0,
						      "pvs_live"));
	task = kthread_create(live_nmi_thread, NULL, "pvs_live_nmi");
	if (IS_ERR(task))
		goto unregister;
	kthread_bind(task, nmi->cpu);
	wake_up_process(task);

	for (i = 0; i < LIVE_NMIS; i++) {
		WRITE_ONCE(nmi->due, true);
		apic->send_IPI_mask(cpumask_of(nmi->cpu), NMI_VECTOR);
		while (READ_ONCE(nmi->due))
			cond_resched();
		/* What it interrupted, if anything, and the next one. */
		turns = READ_ONCE(nmi->turns);
		while (READ_ONCE(nmi->turns) - turns < 2)
			cond_resched();
		wrong += live_differ(2);
	}
	WRITE_ONCE(nmi->stop, true);
	wait_for_completion(&nmi->done);
	wrong += live_differ(1);

	KUNIT_EXPECT_EQ(test, 0, wrong);
	KUNIT_EXPECT_EQ(test, LIVE_NMIS, nmi->nmis);
	/* Else it has shown nothing. */
	KUNIT_EXPECT_GT(test, nmi->locked, LIVE_NMIS / 100);
	kunit_info(test, "%lu of %lu NMIs while the table was locked, %lu turns\n",
		   nmi->locked, nmi->nmis, nmi->turns);
	live_expect_verified(test);
unregister:
	unregister_nmi_handler(NMI_LOCAL, "pvs_live");
	KUNIT_EXPECT_FALSE(test, IS_ERR(task));
}

/**
 * struct live_root - an address space that a CPU is on, interrupts off
 * @pgd:  Linux's, a pair of pages
 * @root: what the CPU has in CR3 then
 * @strange: verify says that it is not what Linux loaded
 * @leads: ... that an entry of the pgd leads to a copy
 * @on:   it is on it
 * @off:  it is to leave it
 * @left: it did
 */
struct live_root {
	u64	*pgd;
	u64	*root;
	u64	entry;
	unsigned int strange;
	unsigned int leads;
	bool	kept;
	bool	anew;
	bool	on;
	bool	off;
	bool	left;
};

static void live_tell(bool *flag)
{
	/* after all that was done; pairs with the one below */
	smp_store_release(flag, true);
}

static void live_wait_for(bool *flag)
{
	/* pairs with the one above */
	while (!smp_load_acquire(flag))
		cpu_relax();
}

#define LIVE_USER	100

/* The root's entry and, with page-table isolation, its twin are the pgd's. */
static unsigned int live_root_differs(const struct live_root *r, unsigned int index)
{
	unsigned int found = READ_ONCE(r->root[index]) != r->pgd[index];

	if (boot_cpu_has(X86_FEATURE_PTI)) {
		index += PVS_ENTRIES;
		found += READ_ONCE(r->root[index]) != r->pgd[index];
	}
	return found;
}

/*
 * Off its pgd a CPU has a root for it all the same, which is kept in step and found when it
 * comes back; unless the pgd was forgotten, when what was its memory may be another one.
 */
static void live_come_back(struct live_root *r, unsigned long cr3)
{
	unsigned long there = (cr3 & ~CR3_ADDR_MASK) | __sme_pa(r->pgd);

	set_pgd((pgd_t *)&r->pgd[LIVE_USER], native_make_pgd(r->entry));
	write_cr3(there);
	r->kept = __va(__native_read_cr3() & CR3_ADDR_MASK) == r->root &&
		  r->root[LIVE_USER] && !live_root_differs(r, LIVE_USER);
	write_cr3(cr3);

	pvs_root_forget(r->pgd);
	WRITE_ONCE(r->pgd[LIVE_USER], 0);
	WRITE_ONCE(r->pgd[PVS_ENTRIES + LIVE_USER], 0);
	write_cr3(there);
	r->root = __va(__native_read_cr3() & CR3_ADDR_MASK);
	r->anew = !r->root[LIVE_USER] && !live_root_differs(r, LIVE_USER);
	write_cr3(cr3);
}

static void live_on_root(void *arg)
{
	unsigned long cr3 = __read_cr3();
	struct live_root *r = arg;
	u64 *entry, was;

	write_cr3((cr3 & ~CR3_ADDR_MASK) | __sme_pa(r->pgd));
	r->root = __va(__native_read_cr3() & CR3_ADDR_MASK);
	r->strange = live_found(PVS_DIFF_MM);
	/* Linux's entry for the trapped page is a copy's. */
	entry = &r->pgd[pvs_index(ctx->range.start, pvs_tree.root->level)];
	was = *entry;
	WRITE_ONCE(*entry, r->root[entry - r->pgd]);
	r->leads = live_found(PVS_DIFF_REF);
	WRITE_ONCE(*entry, was);
	live_tell(&r->on);
	live_wait_for(&r->off);
	write_cr3(cr3);
	live_come_back(r, cr3);
	live_tell(&r->left);
}

/**
 * struct live_look - what was found; nothing may be printed while a CPU is stopped
 * @fresh:    differences just after the address space was loaded
 * @own:      the entry that leads to the trapped page is the CPU's own
 * @behind:   differences after a change that nobody was told of
 * @refresh:  ... after pvs_root_refresh()
 * @set:      ... after set_pgd()
 * @nx:       what set_pgd() made of an entry of the user's: in the kernel's page
 *	      not to be executed, in the user's it is
 * @cleared:  differences after it was cleared
 * @still:    @own, afterwards
 */
struct live_look {
	unsigned int	fresh;
	bool		own;
	unsigned int	behind;
	unsigned int	refresh;
	unsigned int	set;
	bool		nx;
	unsigned int	cleared;
	bool		still;
};

static bool live_root_own(const struct live_root *r, int cpu)
{
	unsigned int i = pvs_index(ctx->range.start, pvs_tree.root->level);

	return r->root[i] != r->pgd[i] &&
	       r->root[i] == pvs_root_entry(&pvs_tree, i, cpu, r->pgd[i]);
}

static void live_look_at_root(struct live_root *r, struct live_look *look, int cpu)
{
	unsigned int i = LIVE_USER;
	u64 entry = r->entry;

	look->fresh = live_root_differs(r, i);
	look->own = live_root_own(r, cpu);

	/* As memcpy() does it, and in both pages. */
	WRITE_ONCE(r->pgd[i], entry);
	WRITE_ONCE(r->pgd[PVS_ENTRIES + i], entry);
	look->behind = live_root_differs(r, i);
	pv_shadow_pgd_changed(r->pgd);
	look->refresh = live_root_differs(r, i);

	i++;
	set_pgd((pgd_t *)&r->pgd[i], native_make_pgd(entry));
	look->set = live_root_differs(r, i) + !r->root[i];
	look->nx = boot_cpu_has(X86_FEATURE_PTI) && (r->root[i] & _PAGE_NX) &&
		   r->root[PVS_ENTRIES + i] == entry;
	set_pgd((pgd_t *)&r->pgd[i], native_make_pgd(0));
	look->cleared = live_root_differs(r, i) + !!r->root[i];
	look->still = live_root_own(r, cpu);
}

/* What is done to the pgd of an address space that another CPU is on. */
static void live_test_root(struct kunit *test)
{
	int cpu = cpumask_last(cpu_online_mask);
	bool pti = boot_cpu_has(X86_FEATURE_PTI);
	struct live_look look = {};
	struct live_root r = {};
	u64 *table;

	if (!cpu)
		kunit_skip(test, "needs a second CPU");
	table = (u64 *)get_zeroed_page(GFP_KERNEL);
	r.pgd = (u64 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);
	if (!table || !r.pgd)
		goto free;
	r.entry = __pa(table) | _KERNPG_TABLE | _PAGE_USER;
	memcpy(&r.pgd[PVS_ENTRIES / 2], (u64 *)init_mm.pgd + PVS_ENTRIES / 2, PAGE_SIZE / 2);

	/* So that nobody who waits for that CPU keeps us from letting it go */
	set_cpus_allowed_ptr(current, cpumask_of(0));
	preempt_disable();
	if (!smp_call_function_single(cpu, live_on_root, &r, false)) {
		live_wait_for(&r.on);
		live_look_at_root(&r, &look, cpu);
		live_tell(&r.off);
		live_wait_for(&r.left);
	}
	preempt_enable();
	set_cpus_allowed_ptr(current, cpu_possible_mask);

	KUNIT_EXPECT_TRUE(test, r.left);
	KUNIT_EXPECT_EQ(test, 1, r.strange);
	KUNIT_EXPECT_EQ(test, 1, r.leads);
	KUNIT_EXPECT_EQ(test, 0, look.fresh);
	KUNIT_EXPECT_TRUE(test, look.own);
	KUNIT_EXPECT_EQ(test, pti ? 2 : 1, look.behind);
	KUNIT_EXPECT_EQ(test, 0, look.refresh);
	KUNIT_EXPECT_EQ(test, 0, look.set);
	KUNIT_EXPECT_EQ(test, pti, look.nx);
	KUNIT_EXPECT_EQ(test, 0, look.cleared);
	KUNIT_EXPECT_TRUE(test, look.still);
	KUNIT_EXPECT_TRUE(test, r.kept);
	KUNIT_EXPECT_TRUE(test, r.anew);
	pvs_root_forget(r.pgd);
	kunit_info(test, "%u levels, %u pages\n", pvs_tree.root->level, pti ? 2 : 1);
	live_expect_verified(test);
free:
	KUNIT_EXPECT_TRUE(test, table && r.pgd);
	free_page((unsigned long)table);
	free_pages((unsigned long)r.pgd, 1);
}

/**
 * struct live_broken - something that verify has to find on a CPU
 * @chosen: what is to be said of the CPU's tasks
 * @cpu:    it
 * @found:  differences of the right kind
 */
struct live_broken {
	bool		chosen;
	int		cpu;
	unsigned int	found;
};

static struct live_broken live_broken;

static void live_break_cr3(void *unused)
{
	unsigned long cr3 = __native_read_cr3();

	native_write_cr3(__read_cr3());
	live_broken.found = live_found(PVS_DIFF_CR3);
	native_write_cr3(cr3);
	native_flush_tlb_global();
}

/* An entry that maps nothing, in the half of it that nobody looks at now. */
static void live_break_root(void *unused)
{
	u64 *root = __va(__native_read_cr3() & CR3_ADDR_MASK);
	u64 was = root[LIVE_USER];

	WRITE_ONCE(root[LIVE_USER], PAGE_SIZE);
	live_broken.found = live_found(PVS_DIFF_ROOT);
	WRITE_ONCE(root[LIVE_USER], was);
}

/* Who changes the pgd would not come to this CPU's root. */
static void live_break_pgd(void *unused)
{
	atomic_t *count = pvs_pgd_count(read_cr3_pa());
	int was = atomic_xchg(count, 0);

	/* Another pgd may be counted there as well. */
	live_broken.found = live_found(PVS_DIFF_PGD) > 0;
	atomic_add(was, count);
}

static void live_break_count(void *unused)
{
	this_cpu_dec(pvs_stats[PVS_RECORDED]);
	live_broken.found = live_found(PVS_DIFF_COUNT);
	this_cpu_inc(pvs_stats[PVS_RECORDED]);
}

static bool live_chosen(const struct task_struct *task)
{
	return smp_processor_id() != live_broken.cpu || READ_ONCE(live_broken.chosen);
}

static void live_break_task(void *unused)
{
	WRITE_ONCE(live_broken.chosen, false);
	live_broken.found = live_found(PVS_DIFF_TASK);
	WRITE_ONCE(live_broken.chosen, true);
}

static void live_break_alive(void *unused)
{
	struct pvs_diff diff;

	this_cpu_write(pvs_alive, false);
	live_broken.found = pvs_root_verify_dead(live_broken.cpu, &diff) &&
			    diff.kind == PVS_DIFF_DEAD;
	this_cpu_write(pvs_alive, true);
	live_broken.found -= pvs_root_verify_dead(live_broken.cpu, &diff);
}

static void live_break_step(void *unused)
{
	WRITE_ONCE(ctx->look, true);
	READ_ONCE(*(u32 *)ctx->near.start);
	WRITE_ONCE(ctx->look, false);
	live_broken.found = READ_ONCE(ctx->step) - live_found(PVS_DIFF_STEP);
}

/* What verify asks when nothing is traced */
static void live_break_off(void *unused)
{
	struct pvs_diff diff;

	live_broken.found = pvs_root_verify_off(&diff) && diff.kind == PVS_DIFF_CR3;
}

static const struct {
	const char	*name;
	smp_call_func_t	func;
} live_breaks[] = {
	{ "on Linux's own tables", live_break_cr3 },
	{ "a root's entry", live_break_root },
	{ "a root that nobody knows of", live_break_pgd },
	{ "an event that nobody recorded", live_break_count },
	{ "on its roots for a task that is not wanted", live_break_task },
	{ "dead, and on its roots", live_break_alive },
	{ "an access under way", live_break_step },
	{ "on its roots for nothing", live_break_off },
};

/* What is wrong with a CPU is found there, and only while it is wrong. */
static void live_test_broken(struct kunit *test)
{
	unsigned int i;

	live_broken.chosen = true;
	live_broken.cpu = cpumask_last(cpu_online_mask);
	pv_shadow_choose_tasks(live_chosen);
	for (i = 0; i < ARRAY_SIZE(live_breaks); i++) {
		live_broken.found = 0;
		smp_call_function_single(live_broken.cpu, live_breaks[i].func, NULL, true);
		KUNIT_EXPECT_EQ_MSG(test, 1, live_broken.found, "%s", live_breaks[i].name);
		live_expect_verified(test);
	}
	pv_shadow_choose_tasks(NULL);
	live_expect_verified(test);
}

/* Differences of a kind in the second mappings. */
static unsigned int live_alias_found(enum pvs_diff_kind kind)
{
	struct pvs_diff diff[8];

	return live_count(diff, pvs_alias_verify(diff, ARRAY_SIZE(diff)), kind);
}

/* What the file says: anything at all of @what, or that all is right */
static void live_expect_says(struct kunit *test, const char *what)
{
	struct seq_file m = { .size = PAGE_SIZE };

	m.buf = kunit_kzalloc(test, m.size + 1, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, m.buf);
	if (!m.buf)
		return;
	KUNIT_EXPECT_EQ(test, 0, pvs_verify_show(&m, NULL));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(m.buf, what), "%s: %s", what, m.buf);
	KUNIT_EXPECT_EQ_MSG(test, !strcmp(m.buf, "ok\n"), !strcmp(what, "ok"), "%s", m.buf);
	kunit_kfree(test, m.buf);
}

/* The fault handler's own mapping leads elsewhere, or Linux's does. */
static void live_test_alias(struct kunit *test)
{
	pte_t *pte, was = *ctx->pte[0];
	unsigned long addr, flags;
	unsigned int level;
	struct page *other;

	KUNIT_EXPECT_EQ(test, 0, live_alias_found(PVS_DIFF_ALIAS));
	KUNIT_EXPECT_EQ(test, 0, live_alias_found(PVS_DIFF_PAGE));
	local_irq_save(flags);
	addr = pvs_alias_of(&ctx->near, ctx->near.start, true);
	local_irq_restore(flags);
	pte = lookup_address(addr, &level);
	KUNIT_ASSERT_NOT_NULL(test, pte);
	other = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);

	set_pte(pte, mk_pte(other, PAGE_KERNEL));
	KUNIT_EXPECT_EQ(test, 1, live_alias_found(PVS_DIFF_ALIAS));
	live_expect_says(test, "the fault handler's mapping at 0x");
	/* The same page as another type of memory */
	set_pte(pte, native_make_pte(pte_val(was) | _PAGE_PCD));
	KUNIT_EXPECT_EQ(test, 1, live_alias_found(PVS_DIFF_ALIAS));
	set_pte(pte, was);
	KUNIT_EXPECT_EQ(test, 0, live_alias_found(PVS_DIFF_ALIAS));

	set_pte(ctx->pte[0], mk_pte(other, PAGE_KERNEL));
	KUNIT_EXPECT_EQ(test, 1, live_alias_found(PVS_DIFF_PAGE));
	live_expect_says(test, "Linux's own entry for 0x");
	set_pte(ctx->pte[0], was);
	KUNIT_EXPECT_EQ(test, 0, live_alias_found(PVS_DIFF_PAGE));

	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
	flush_tlb_kernel_range(ctx->near.start, ctx->near.end);
	__free_page(other);
	live_expect_verified(test);
	live_expect_says(test, "ok");
}

/* A page trapped by itself */
static bool live_trap_one(struct kunit *test, struct pv_shadow_range *range,
			  unsigned long addr)
{
	range->client = &live_client;
	range->start = addr & PAGE_MASK;
	range->end = range->start + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, 0, pv_shadow_trap(range, range->start, range->end));
	return range->alias;
}

static void live_untrap(struct pv_shadow_range *range)
{
	pv_shadow_untrap(range, range->start, range->end);
}

/* What the fault handler needs of a range is trapped itself. */
static void live_test_own(struct kunit *test)
{
	struct pv_shadow_range *range = (void *)(ctx->block + 400 * PAGE_SIZE);
	struct pv_shadow_range *other;
	unsigned long alias, flags;

	other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	memset(range, 0, sizeof(*range));
	if (!live_trap_one(test, range, ctx->block + 402 * PAGE_SIZE))
		return;
	local_irq_save(flags);
	alias = pvs_alias_of(range, range->start, true);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, 0, live_alias_found(PVS_DIFF_OWN));

	if (live_trap_one(test, other, (unsigned long)range)) {
		KUNIT_EXPECT_EQ(test, 1, live_alias_found(PVS_DIFF_OWN));
		live_untrap(other);
	}
	if (live_trap_one(test, other, alias)) {
		KUNIT_EXPECT_EQ(test, 1, live_alias_found(PVS_DIFF_OWN));
		live_untrap(other);
	}
	KUNIT_EXPECT_EQ(test, 0, live_alias_found(PVS_DIFF_OWN));
	live_untrap(range);
	live_expect_verified(test);
}

/**
 * struct live_behind - a CPU's copy that is behind the reference
 * @entry:   what it has
 * @value:   what an access to the page read
 * @resyncs: faults that put it right
 */
struct live_behind {
	u64		entry;
	u32		value;
	unsigned long	resyncs;
};

static u64 *live_copy(unsigned int page)
{
	struct pvs_table *t = pvs_table_find(&pvs_tree, live_addr(page));

	return &t->copy[smp_processor_id()][pvs_index(live_addr(page), 1)];
}

static void live_get_behind(void *arg)
{
	struct live_behind *b = arg;

	b->resyncs = pvs_stat_sum(PVS_RESYNCS);
	WRITE_ONCE(*live_copy(3), b->entry);
	asm volatile("invlpg (%0)" : : "r" (live_addr(3)) : "memory");
	b->value = READ_ONCE(*(u32 *)live_addr(3));
	WRITE_ONCE(*(u32 *)live_addr(3), b->value);
	b->entry = READ_ONCE(*live_copy(3));
	b->resyncs = pvs_stat_sum(PVS_RESYNCS) - b->resyncs;
}

static void live_set_trapped(void *entry)
{
	WRITE_ONCE(*live_copy(0), *(u64 *)entry);
	asm volatile("invlpg (%0)" : : "r" (live_addr(0)) : "memory");
}

/* A fault on a page that is not trapped puts the CPU's own copy right. */
static void live_test_behind(struct kunit *test)
{
	u64 right = pte_val(*ctx->pte[3]) & ~PVS_VOLATILE;
	u64 entries[] = { 0, right & ~_PAGE_RW };
	int cpu = cpumask_last(cpu_online_mask);
	struct live_behind b;
	unsigned int i;

	*(u32 *)page_address(ctx->page) = 0x5eed;
	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		b.entry = entries[i];
		smp_call_function_single(cpu, live_get_behind, &b, true);
		KUNIT_EXPECT_EQ(test, 0x5eed, b.value);
		KUNIT_EXPECT_EQ(test, right, b.entry & ~PVS_VOLATILE);
		KUNIT_EXPECT_EQ(test, 1, b.resyncs);
	}
	/* What no flush and no fault puts right: a trapped page that a CPU sees. */
	right = pte_val(*ctx->pte[0]);
	smp_call_function_single(cpu, live_set_trapped, &right, true);
	live_expect_says(test, "copy level 1 addr 0x");
	right = 0;
	smp_call_function_single(cpu, live_set_trapped, &right, true);
	live_expect_says(test, "ok");
}

static void live_read(void *arg)
{
	struct live_access *access = arg;

	access->read = READ_ONCE(*(u32 *)access->addr);
}

/*
 * A leaf takes the place of a table that became empty, and that is freed: in the
 * reference, of which only one address of all that it mapped is flushed, and in the
 * copies of the table above.
 */
static void live_test_leaf_over_table(struct kunit *test)
{
	struct vm_struct *area;
	phys_addr_t block = __pa(ctx->block);
	struct pv_shadow_range *range;
	struct live_access access;
	unsigned long addr, resyncs, events;
	unsigned int level = 0;
	int cpu;

	range = kunit_kzalloc(test, sizeof(*range), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, range);
	area = get_vm_area(3 * PMD_SIZE, VM_IOREMAP);
	KUNIT_ASSERT_NOT_NULL(test, area);
	addr = ALIGN((unsigned long)area->addr, PMD_SIZE);

	/* A table each, the second one to be copied, and with it the one above. */
	KUNIT_EXPECT_EQ(test, 0, vmap_page_range(addr, addr + 2 * PAGE_SIZE, block,
						 PAGE_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, vmap_page_range(addr + PMD_SIZE, addr + PMD_SIZE + PAGE_SIZE,
						 block, PAGE_KERNEL));
	if (!live_trap_one(test, range, addr + PMD_SIZE))
		goto unmap;
	vunmap_range(addr, addr + 2 * PAGE_SIZE);
	live_expect_verified(test);
	KUNIT_EXPECT_NOT_NULL(test, lookup_address(addr, &level));
	KUNIT_EXPECT_EQ(test, PG_LEVEL_4K, level);

	*(u32 *)(ctx->block + 0x1ff000) = 0x1eaf;
	resyncs = pvs_stat_sum(PVS_RESYNCS);
	KUNIT_EXPECT_EQ(test, 0, vmap_page_range(addr, addr + PMD_SIZE, block, PAGE_KERNEL));
	KUNIT_EXPECT_NOT_NULL(test, lookup_address(addr, &level));
	KUNIT_EXPECT_EQ(test, PG_LEVEL_2M, level);
	access.addr = addr + 0x1ff000;
	for_each_online_cpu(cpu) {
		access.read = 0;
		smp_call_function_single(cpu, live_read, &access, true);
		KUNIT_EXPECT_EQ_MSG(test, 0x1eaf, access.read, "CPU %d", cpu);
	}
	KUNIT_EXPECT_EQ(test, resyncs, pvs_stat_sum(PVS_RESYNCS));
	live_expect_verified(test);

	events = atomic_long_read(&ctx->events);
	access.addr = addr + PMD_SIZE;
	smp_call_function_single(cpumask_last(cpu_online_mask), live_read, &access, true);
	KUNIT_EXPECT_EQ(test, 1, atomic_long_read(&ctx->events) - events);
	live_untrap(range);
unmap:
	vunmap_range(addr, addr + PMD_SIZE + PAGE_SIZE);
	free_vm_area(area);
	live_expect_verified(test);
}

static struct kunit_case live_test_cases[] = {
	KUNIT_CASE(live_test_leaf),
	KUNIT_CASE(live_test_cpa),
	KUNIT_CASE(live_test_direct_map),
	KUNIT_CASE_SLOW(live_test_nmi),
	KUNIT_CASE(live_test_root),
	KUNIT_CASE(live_test_broken),
	KUNIT_CASE(live_test_alias),
	KUNIT_CASE(live_test_own),
	KUNIT_CASE_SLOW(live_test_behind),
	KUNIT_CASE(live_test_leaf_over_table),
	{}
};

static struct kunit_suite live_test_suite = {
	.name = "pv_shadow_live",
	.suite_init = live_suite_init,
	.suite_exit = live_suite_exit,
	.init = live_init,
	.test_cases = live_test_cases,
};
kunit_test_suite(live_test_suite);
