// SPDX-License-Identifier: GPL-2.0-only
/*
 * Roots and CR3.
 *
 * Linux deals in logical CR3 values: the physical address of an mm's pgd, the
 * PCID and LAM bits. The hardware gets the same with the address of one of this
 * CPU's roots. A root holds what the pgd holds, but for the entries on the path to a
 * trapped page, which point to this CPU's own tables.
 *
 * A root stands for a pgd until another pgd needs it, and is kept in step with it
 * all the while: a CPU that comes back to an address space loads what is there. So
 * it has a few of them, whether or not it has PCIDs; which root it is does not matter
 * to the PCID, for all that can be cached of one is in the other as well.
 */
#include <kunit/visibility.h>
#include <linux/cpufeature.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/pgtable.h>
#include <linux/processor.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/slab.h>

#include <asm/realmode.h>
#include <asm/tlbflush.h>

#include "../arch/x86/fault.h"
#include "../mm/direct.h"
#include "../mm/stats.h"
#include "../mm/user.h"
#include "cpu.h"
#include "root.h"
#include "task.h"

/* Of a CPU: as many as there are address spaces that Linux comes back to without a flush. */
#define PVS_NR_ROOTS	TLB_NR_DYN_ASIDS

/**
 * struct pvs_root - one root
 * @lock:  guards @page's entries and the change of @pgd; interrupts off
 * @pgd:   physical address of the pgd that it stands for, 0 if none
 * @user:  the copies of user tables of that address space, or NULL
 * @page:  the table, followed by the one for user mode if PTI is on
 * @pa:	   its physical address
 */
struct pvs_root {
	raw_spinlock_t	lock;
	u64		pgd;
	struct pvs_user	*user;
	u64		*page;
	u64		pa;
};

/**
 * struct pvs_cpu - what a CPU has in CR3
 * @root:  its roots
 * @last:  the one that was loaded last
 * @used:  when each was loaded last, counted in loads
 * @loads: how often one was loaded
 * @on:    this CPU runs on its roots; changed by the CPU itself, interrupts off
 *
 * Other CPUs look at @root when a pgd changes that roots stand for. What each load of CR3
 * writes is in cache lines apart from that.
 */
struct pvs_cpu {
	struct pvs_root	root[PVS_NR_ROOTS];
	struct pvs_root	*last ____cacheline_aligned;
	unsigned int	used[PVS_NR_ROOTS];
	unsigned int	loads;
	bool		on;
};

static DEFINE_PER_CPU_ALIGNED(struct pvs_cpu, pvs_cpus);

/* How many roots, of all CPUs, stand for a pgd, by the end of its address. */
#define PVS_PGD_COUNTS	512
static atomic_t pvs_pgd_counts[PVS_PGD_COUNTS];

/* With PTI a pgd has two pages. */
VISIBLE_IF_KUNIT atomic_t *pvs_pgd_count(u64 pgd)
{
	return &pvs_pgd_counts[(pgd >> (PAGE_SHIFT + 1)) % PVS_PGD_COUNTS];
}

struct pvs_tree pvs_tree = {
	.lock = __MUTEX_INITIALIZER(pvs_tree.lock),
};

/*
 * With PTI the entry code switches to the user's table by setting bit 12 of CR3:
 * a root is then a pair of pages, as an mm's pgd is.
 */
static unsigned int pvs_root_order(void)
{
	return boot_cpu_has(X86_FEATURE_PTI) ? 1 : 0;
}

/* Have a root stand for another pgd, or for none if that is 0. Lock held. */
static void pvs_root_assign(struct pvs_root *root, u64 pgd)
{
	u64 was = root->pgd;

	WRITE_ONCE(root->pgd, pgd);
	if (pgd)
		atomic_inc(pvs_pgd_count(pgd));
	/* It stands for the other no more: who finds that uncounted need not come here. */
	smp_mb__before_atomic();
	if (was)
		atomic_dec(pvs_pgd_count(was));
}

/**
 * pvs_root_pages - memory in roots, in pages
 */
unsigned int pvs_root_pages(void)
{
	if (!per_cpu(pvs_cpus, 0).root[0].page)
		return 0;

	return (num_possible_cpus() * PVS_NR_ROOTS) << pvs_root_order();
}

/**
 * pvs_roots_free - free all roots
 *
 * No CPU may be running on one.
 */
void pvs_roots_free(void)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < PVS_NR_ROOTS; i++) {
			struct pvs_root *root = &per_cpu(pvs_cpus, cpu).root[i];

			WARN_ON_ONCE(root->pgd);
			free_pages((unsigned long)root->page, pvs_root_order());
			root->page = NULL;
			root->pa = 0;
		}
	}
}

/**
 * pvs_roots_alloc - make the roots of all possible CPUs
 *
 * Return: 0, or -ENOMEM and there are none.
 */
int pvs_roots_alloc(void)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		/* One that stands for nothing, for an NMI that faults before any is loaded. */
		per_cpu(pvs_cpus, cpu).last = per_cpu(pvs_cpus, cpu).root;
		for (i = 0; i < PVS_NR_ROOTS; i++) {
			struct pvs_root *root = &per_cpu(pvs_cpus, cpu).root[i];

			raw_spin_lock_init(&root->lock);
			root->page = (u64 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
							     pvs_root_order());
			if (!root->page) {
				pvs_roots_free();
				return -ENOMEM;
			}
			root->pa = __pa(root->page);
		}
	}

	return 0;
}

static u64 pvs_root_ref(const struct pvs_root *root, unsigned int index)
{
	const u64 *pgd = __va(root->pgd);

	return READ_ONCE(pgd[index]);
}
NOKPROBE_SYMBOL(pvs_root_ref);

/*
 * What an entry of the root, or of the table for user mode behind it, has to be where
 * the pgd has @ref. The latter has next to nothing of the kernel half.
 */
static u64 pvs_root_want(const struct pvs_root *root, unsigned int index, int cpu)
{
	u64 ref = pvs_root_ref(root, index);
	unsigned int slot = index % PVS_ENTRIES;
	struct pvs_user *user;

	if (slot < PTRS_PER_PGD / 2) {
		user = READ_ONCE(root->user);
		return user ? pvs_root_entry(&user->tree, slot, cpu, ref) : ref;
	}
	if (index >= PVS_ENTRIES)
		return ref;
	if (unlikely(pvs_direct_source(index) != index))
		return pvs_root_ref(root, pvs_direct_source(index));
	return pvs_root_entry(&pvs_tree, index, cpu, ref);
}

static bool pvs_root_stale(const struct pvs_root *root, unsigned int index, u64 want)
{
	return !pvs_same(READ_ONCE(root->page[index]), want);
}
NOKPROBE_SYMBOL(pvs_root_stale);

/* Return: was it something else? Lock held. */
static bool pvs_root_write(struct pvs_root *root, unsigned int index, u64 want)
{
	if (!pvs_root_stale(root, index, want))
		return false;
	WRITE_ONCE(root->page[index], want);
	return true;
}

/* Make one entry, and its twin for user mode, what it has to be. Lock held. */
static bool pvs_root_set(struct pvs_root *root, unsigned int index, int cpu)
{
	bool changed = pvs_root_write(root, index, pvs_root_want(root, index, cpu));

	index += PVS_ENTRIES;
	if (pvs_root_order())
		changed |= pvs_root_write(root, index, pvs_root_want(root, index, cpu));
	return changed;
}

/*
 * Make those entries that lead to our tables what they have to be. Lock held. Who links a
 * table meanwhile comes to this root afterwards.
 */
static void pvs_root_set_linked(struct pvs_root *root, const struct pvs_tree *tree, int cpu)
{
	unsigned long bits;
	unsigned int w, i;

	for (w = 0; w < BITS_TO_LONGS(PVS_ENTRIES); w++) {
		bits = READ_ONCE(tree->linked[w]);
		for_each_set_bit(i, &bits, BITS_PER_LONG)
			pvs_root_set(root, w * BITS_PER_LONG + i, cpu);
	}
}

/* Eight entries at a time: all are copied whenever a root is to stand for another pgd. */
static void pvs_root_copy(u64 *page, const u64 *pgd, unsigned int nr)
{
	const u64 *end = pgd + nr;

	for (; pgd < end; page += 8, pgd += 8) {
		page[0] = READ_ONCE(pgd[0]);
		page[1] = READ_ONCE(pgd[1]);
		page[2] = READ_ONCE(pgd[2]);
		page[3] = READ_ONCE(pgd[3]);
		page[4] = READ_ONCE(pgd[4]);
		page[5] = READ_ONCE(pgd[5]);
		page[6] = READ_ONCE(pgd[6]);
		page[7] = READ_ONCE(pgd[7]);
	}
}

/*
 * Have a root stand for another pgd. Not one that is in CR3: for a while it maps what is to
 * be hidden.
 */
static void pvs_root_fill(struct pvs_root *root, u64 pgd, int cpu)
{
	unsigned int i;

	raw_spin_lock(&root->lock);
	pvs_root_assign(root, pgd);
	/*
	 * Say whose root it is before the first entry is read: whoever changes an
	 * entry of the pgd does so before asking (pvs_each_root()), and so does who
	 * makes copies, of the kernel's tables (pvs_root_changed()) or of the user's
	 * (pvs_root_user_changed()).
	 */
	smp_mb();
	WRITE_ONCE(root->user, pvs_user_find(pgd));
	pvs_root_copy(root->page, __va(pgd), PVS_ENTRIES << pvs_root_order());
	if (root->user)
		pvs_root_set_linked(root, &root->user->tree, cpu);
	pvs_root_set_linked(root, &pvs_tree, cpu);
	if (READ_ONCE(pvs_direct_shift))
		for (i = 0; i < PVS_DIRECT_ENTRIES; i++)
			pvs_root_set(root, PVS_DIRECT_FIRST + i, cpu);
	raw_spin_unlock(&root->lock);
}

/* The root at an address, or NULL. */
static struct pvs_root *pvs_root_at(struct pvs_cpu *c, unsigned long cr3)
{
	u64 pa = cr3 & CR3_ADDR_MASK;
	unsigned int i;

	for (i = 0; i < PVS_NR_ROOTS; i++)
		if (c->root[i].pa == pa)
			return &c->root[i];
	return NULL;
}
NOKPROBE_SYMBOL(pvs_root_at);

/* The root that this CPU has in CR3, or NULL. */
static struct pvs_root *pvs_root_loaded(struct pvs_cpu *c)
{
	return pvs_root_at(c, __native_read_cr3());
}
NOKPROBE_SYMBOL(pvs_root_loaded);

/*
 * The root that is to stand for another pgd: one that stands for none, or has not been used
 * for longest. Not the one in CR3: the processor may look at it at any time, and would take
 * what is another address space's for this one's.
 */
static unsigned int pvs_root_oldest(struct pvs_cpu *c)
{
	struct pvs_root *loaded = pvs_root_loaded(c);
	unsigned int i, oldest = PVS_NR_ROOTS;

	BUILD_BUG_ON(PVS_NR_ROOTS < 2);
	for (i = 0; i < PVS_NR_ROOTS; i++) {
		if (&c->root[i] == loaded)
			continue;
		if (!c->root[i].pgd)
			return i;
		if (oldest == PVS_NR_ROOTS || (int)(c->used[i] - c->used[oldest]) < 0)
			oldest = i;
	}
	return oldest;
}

/* What has a PCID that is none of Linux's ASIDs is nobody's address space ... */
static bool pvs_pcid_is_foreign(unsigned long cr3)
{
	return (cr3 & X86_CR3_PCID_MASK) > TLB_NR_DYN_ASIDS;
}

/* ... nor are the low tables that take a CPU out of long mode. */
static bool pvs_is_foreign(unsigned long cr3)
{
	return pvs_pcid_is_foreign(cr3) ||
	       (real_mode_header && (cr3 & CR3_ADDR_MASK) == real_mode_header->trampoline_pgd);
}

static void pvs_load_root(struct pvs_cpu *c, unsigned int i, unsigned long cr3)
{
	struct pvs_root *root = &c->root[i];

	c->used[i] = ++c->loads;
	c->last = root;
	native_write_cr3((cr3 & ~CR3_ADDR_MASK) | __sme_set(root->pa));
}

/*
 * The TLB is none the worse for it that there was no root: what Linux changed meanwhile it
 * flushes, and what we did has been flushed by all CPUs. Flushed once more it does not rest
 * on that.
 */
static noinline void pvs_load_other(struct pvs_cpu *c, unsigned long cr3)
{
	unsigned int i;

	if (pvs_is_foreign(cr3)) {
		native_write_cr3(cr3);
		return;
	}
	i = pvs_root_oldest(c);
	pvs_root_fill(&c->root[i], cr3 & CR3_ADDR_MASK, smp_processor_id());
	pvs_load_root(c, i, cr3 & ~CR3_NOFLUSH);
}

/*
 * A root that stands for the pgd has been kept in step by pvs_root_mirror() since it does.
 * Interrupts off.
 */
static void pvs_load(struct pvs_cpu *c, unsigned long cr3)
{
	unsigned int i;

	for (i = 0; i < PVS_NR_ROOTS; i++) {
		if (c->root[i].pgd != (cr3 & CR3_ADDR_MASK))
			continue;
		if (unlikely(pvs_pcid_is_foreign(cr3)))
			break;
		pvs_load_root(c, i, cr3);
		return;
	}
	pvs_load_other(c, cr3);
}

/**
 * pvs_write_cr3 - load an address space; the write_cr3 operation
 * @cr3: Linux's logical value
 */
void pvs_write_cr3(unsigned long cr3)
{
	struct pvs_cpu *c;
	unsigned long flags;

	if (!static_branch_unlikely(&pv_shadow_key)) {
		native_write_cr3(cr3);
		return;
	}

	local_irq_save(flags);
	c = this_cpu_ptr(&pvs_cpus);
	if (c->on)
		pvs_load(c, cr3);
	else
		native_write_cr3(cr3);
	local_irq_restore(flags);
}

/* Linux's value for what the hardware says. */
static unsigned long pvs_logical_cr3(struct pvs_cpu *c, unsigned long cr3)
{
	struct pvs_root *root = pvs_root_at(c, cr3);

	if (!root)
		return cr3;

	return (cr3 & ~CR3_ADDR_MASK) | __sme_set(root->pgd);
}

/**
 * pvs_read_cr3 - the logical value of CR3; the read_cr3 operation
 *
 * Every reader compares it with an mm's pgd or walks from it.
 */
unsigned long pvs_read_cr3(void)
{
	unsigned long cr3, flags;

	if (!static_branch_unlikely(&pv_shadow_key))
		return __native_read_cr3();

	local_irq_save(flags);
	cr3 = pvs_logical_cr3(this_cpu_ptr(&pvs_cpus), __native_read_cr3());
	local_irq_restore(flags);

	return cr3;
}

/**
 * __pv_shadow_hardware_cr3 - what this CPU has in CR3
 * @cr3: Linux's logical value of the same
 *
 * Preemption off. It stays right until the next write_cr3() on this CPU, or until
 * the CPU adopts or leaves its roots, which takes an interrupt or a task switch.
 */
unsigned long __pv_shadow_hardware_cr3(unsigned long cr3)
{
	return pvs_cpu_on() ? __native_read_cr3() : cr3;
}

/* Does it for a pgd, or for whatever if that is 0? */
static __always_inline bool pvs_root_stands_for(const struct pvs_root *root, u64 pgd)
{
	u64 have = READ_ONCE(root->pgd);

	return pgd ? have == pgd : have != 0;
}

/*
 * Call a function, with the lock held, for each root that stands for a pgd, or for
 * whatever if that is 0.
 */
static void pvs_each_root(u64 pgd, void (*fn)(struct pvs_root *root, int cpu,
					      unsigned int index), unsigned int index)
{
	struct pvs_root *root;
	unsigned long flags;
	unsigned int i;
	int cpu;

	/* Changed first, asked afterwards: pairs with pvs_root_fill(). */
	smp_mb();
	/* Most entries are written for an address space that no CPU has a root of. */
	if (pgd && !atomic_read(pvs_pgd_count(pgd)))
		return;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < PVS_NR_ROOTS; i++) {
			root = &per_cpu(pvs_cpus, cpu).root[i];
			if (likely(!pvs_root_stands_for(root, pgd)))
				continue;
			raw_spin_lock_irqsave(&root->lock, flags);
			if (pvs_root_stands_for(root, pgd))
				fn(root, cpu, index);
			raw_spin_unlock_irqrestore(&root->lock, flags);
		}
	}
}

static void pvs_root_do_set(struct pvs_root *root, int cpu, unsigned int index)
{
	unsigned int other = pvs_direct_target(index % PVS_ENTRIES);

	pvs_root_set(root, index, cpu);
	if (other != index)
		pvs_root_set(root, other, cpu);
}

static void pvs_root_do_set_all(struct pvs_root *root, int cpu, unsigned int unused)
{
	unsigned int i;

	for (i = 0; i < PVS_ENTRIES; i++)
		pvs_root_set(root, i, cpu);
}

static void pvs_root_do_forget(struct pvs_root *root, int cpu, unsigned int unused)
{
	pvs_root_assign(root, 0);
	WRITE_ONCE(root->user, NULL);
}

static void pvs_root_do_find_user(struct pvs_root *root, int cpu, unsigned int unused)
{
	WRITE_ONCE(root->user, pvs_user_find(root->pgd));
}

static void pvs_root_do_set_user(struct pvs_root *root, int cpu, unsigned int index)
{
	pvs_root_do_find_user(root, cpu, index);
	pvs_root_set(root, index, cpu);
}

/**
 * pvs_root_mirror - an entry of a table changed that may be a pgd
 * @entry: the entry
 *
 * All roots that stand for the pgd hold it when this returns.
 */
void pvs_root_mirror(const void *entry)
{
	u64 pa, pgd;

	if (!pvs_entry_pa(entry, &pa))
		return;
	pgd = pa & PAGE_MASK;
	if (pvs_root_order())
		pgd &= ~(u64)PAGE_SIZE; /* the half for user mode */
	pvs_each_root(pgd, pvs_root_do_set, offset_in_page(pa) / sizeof(u64));
}

/**
 * pvs_root_refresh - any of a pgd's entries may have changed
 * @pgd: it
 *
 * All roots that stand for it hold what it holds when this returns.
 */
void pvs_root_refresh(const void *pgd)
{
	pvs_each_root(__pa(pgd), pvs_root_do_set_all, 0);
}

/**
 * pvs_roots_refresh - something changed that roots hold beside what pgds hold
 *
 * All roots have it when this returns. Nothing is flushed.
 */
void pvs_roots_refresh(void)
{
	pvs_each_root(0, pvs_root_do_set_all, 0);
}

/* An entry got or lost a table of our own: put it into every root there is. */
static void pvs_root_changed(struct pvs_tree *tree, unsigned int index)
{
	pvs_each_root(0, pvs_root_do_set, index);
}

/**
 * pvs_root_user_changed - an entry got or lost a table of user addresses
 * @tree:  the tree of a struct pvs_user, which is known to pvs_user_find()
 * @index: entry
 *
 * All roots that stand for its pgd have it when this returns.
 */
void pvs_root_user_changed(struct pvs_tree *tree, unsigned int index)
{
	pvs_each_root(container_of(tree, struct pvs_user, tree)->pgd,
		      pvs_root_do_set_user, index);
}

/**
 * pvs_root_user_forget - an address space that had copies of user tables has none now
 *
 * pvs_user_find() does not know it any more. No root does when this returns.
 */
void pvs_root_user_forget(void)
{
	/*
	 * All roots, though few can know of it: who is filling one may be looking for
	 * its own user and meet ours, and RCU does not wait for a CPU that starts or dies.
	 */
	pvs_each_root(0, pvs_root_do_find_user, 0);
}

/**
 * pvs_root_forget - a pgd is about to be freed
 * @pgd: it
 *
 * No CPU has it loaded any more. Nobody is to read it from now on.
 */
void pvs_root_forget(const void *pgd)
{
	pvs_each_root(__pa(pgd), pvs_root_do_forget, 0);
}

/**
 * pvs_root_user - the copies of user tables that this CPU runs on
 *
 * Interrupts off.
 *
 * Return: they, or NULL if the address space has none.
 */
struct pvs_user *pvs_root_user(void)
{
	struct pvs_root *root;

	if (!pvs_users_exist())
		return NULL;
	root = pvs_root_loaded(this_cpu_ptr(&pvs_cpus));
	return root ? READ_ONCE(root->user) : NULL;
}
NOKPROBE_SYMBOL(pvs_root_user);

/**
 * pvs_root_in_step - does this CPU find for an address what the process's pgd has
 * @addr: a user address
 *
 * Interrupts off. Only of address spaces that have no copies of user tables; a short question.
 */
bool pvs_root_in_step(unsigned long addr)
{
	struct pvs_root *root = this_cpu_read(pvs_cpus.last);
	unsigned int index = pgd_index(addr);

	if (!this_cpu_read(pvs_cpus.on))
		return true;
	/* What this CPU runs on nobody frees. */
	return READ_ONCE(root->pgd) && !pvs_root_stale(root, index, pvs_root_ref(root, index));
}
NOKPROBE_SYMBOL(pvs_root_in_step);

/**
 * pvs_root_sync_own - bring one entry of the root in CR3 up to date
 * @addr: an address that it maps
 *
 * For the page-fault path: interrupts off, waits for no lock.
 *
 * Return: true if it was not.
 */
bool pvs_root_sync_own(unsigned long addr)
{
	struct pvs_root *root = pvs_root_loaded(this_cpu_ptr(&pvs_cpus));
	unsigned int index = pvs_index(addr, pvs_tree.root->level);
	unsigned int twin = index + PVS_ENTRIES;
	int cpu = smp_processor_id();
	bool changed = false;

	if (!root || !READ_ONCE(root->pgd))
		return false;
	/* What this CPU runs on nobody frees: a look without the lock is good enough. */
	if (!pvs_root_stale(root, index, pvs_root_want(root, index, cpu)) &&
	    !(pvs_root_order() && pvs_root_stale(root, twin, pvs_root_want(root, twin, cpu))))
		return false;
	if (!raw_spin_trylock(&root->lock))
		return false;
	if (root->pgd)
		changed = pvs_root_set(root, index, cpu);
	raw_spin_unlock(&root->lock);

	return changed;
}

static unsigned int pvs_root_differs(struct pvs_root *root,
				     struct pvs_diff *diff, unsigned int max)
{
	unsigned int level = pvs_tree.root->level;
	int cpu = smp_processor_id();
	unsigned int i, found = 0;
	struct pvs_table *child;
	bool leads;
	u64 want;

	raw_spin_lock(&root->lock);
	if (root->pgd && found < max && !atomic_read(pvs_pgd_count(root->pgd))) {
		diff[found++] = (struct pvs_diff){
			.kind = PVS_DIFF_PGD,
			.copy = cpu,
			.have = root->pgd,
		};
	}
	for (i = 0; i < PVS_ENTRIES << pvs_root_order() && found < max; i++) {
		if (!root->pgd)
			break;
		want = pvs_root_want(root, i, cpu);
		child = READ_ONCE(pvs_tree.root->slot[i % PVS_ENTRIES]);
		leads = child && pvs_is_copy(child, pvs_root_ref(root, i));
		if (!pvs_root_stale(root, i, want) && !leads)
			continue;
		diff[found++] = (struct pvs_diff){
			.kind = leads ? PVS_DIFF_REF : PVS_DIFF_ROOT,
			.copy = cpu,
			.level = level,
			.addr = (long)((unsigned long)i << pvs_shift(level) <<
				       (64 - pvs_shift(level + 1))) >>
				(64 - pvs_shift(level + 1)),
			.have = root->page[i],
			.want = want,
		};
	}
	raw_spin_unlock(&root->lock);

	return found;
}

/* What this CPU touches when it takes a page fault, beside tables. */
static bool pvs_root_own_trapped(struct pvs_cpu *c, struct pvs_diff *diff)
{
	const struct {
		const void *start;
		size_t size;
	} own[] = {
		{ c, sizeof(*c) },
		{ this_cpu_ptr(pvs_stats), sizeof(pvs_stats) },
		{ current, sizeof(*current) },
		{ current->active_mm, sizeof(struct mm_struct) },
	};
	size_t size = PAGE_SIZE << pvs_root_order();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(own); i++)
		if (pvs_is_trapped(&pvs_tree, own[i].start, own[i].size, diff))
			return true;
	for (i = 0; i < PVS_NR_ROOTS; i++)
		if (pvs_is_trapped(&pvs_tree, c->root[i].page, size, diff))
			return true;

	return false;
}

/* The pgd that Linux says this CPU runs on. */
static u64 pvs_linux_pgd(void)
{
	return __pa(this_cpu_read(cpu_tlbstate.loaded_mm)->pgd);
}

/**
 * pvs_root_verify - compare this CPU's roots with Linux's pgds
 * @diff: where to put what differs
 * @max:  how many fit, at least 3
 *
 * All of them, since Linux may come back to an address space without a flush.
 * Interrupts off.
 *
 * Return: number of differences found.
 */
unsigned int pvs_root_verify(struct pvs_diff *diff, unsigned int max)
{
	struct pvs_cpu *c = this_cpu_ptr(&pvs_cpus);
	struct pvs_root *root = pvs_root_loaded(c);
	unsigned int i, found = 0;

	if (!c->on && !pvs_task_wanted(current))
		return pvs_root_verify_off(diff);

	*diff = (struct pvs_diff){ .copy = smp_processor_id() };

	if (c->on && !pvs_task_wanted(current)) {
		diff->kind = PVS_DIFF_TASK;
		diff->have = task_pid_nr(current);
		return 1;
	}

	if (!c->on || !root || !root->pgd ||
	    pvs_tree.root->ref != __pa(init_mm.pgd)) {
		diff->kind = PVS_DIFF_CR3;
		diff->have = __native_read_cr3();
		return 1;
	}

	if (root->pgd != pvs_linux_pgd()) {
		diff[found++] = (struct pvs_diff){
			.kind = PVS_DIFF_MM,
			.have = root->pgd,
			.want = pvs_linux_pgd(),
		};
	}
	if (pvs_root_own_trapped(c, &diff[found]))
		found++;
	for (i = 0; i < PVS_NR_ROOTS; i++)
		found += pvs_root_differs(&c->root[i], diff + found, max - found);

	return found;
}

/**
 * pvs_root_verify_off - does this CPU run on Linux's own tables
 * @diff: told if not
 *
 * Interrupts off.
 *
 * Return: number of differences found.
 */
unsigned int pvs_root_verify_off(struct pvs_diff *diff)
{
	u64 cr3 = __native_read_cr3();
	unsigned int i;

	*diff = (struct pvs_diff){
		.kind = pvs_cpu_on() ? PVS_DIFF_CR3 : PVS_DIFF_MM,
		.copy = smp_processor_id(),
		.have = cr3 & CR3_ADDR_MASK,
		.want = pvs_linux_pgd(),
	};

	if (pvs_cpu_on() || diff->have != diff->want)
		return 1;

	/* Nobody keeps them in step. */
	diff->kind = PVS_DIFF_ROOT;
	diff->want = 0;
	for (i = 0; i < PVS_NR_ROOTS; i++) {
		diff->have = READ_ONCE(this_cpu_ptr(&pvs_cpus)->root[i].pgd);
		if (diff->have)
			return 1;
	}
	return 0;
}

/**
 * pvs_root_verify_dead - is nothing in use of a CPU that does not run
 * @cpu:  CPU, not online
 * @diff: told if there is
 *
 * Return: number of differences found.
 */
unsigned int pvs_root_verify_dead(int cpu, struct pvs_diff *diff)
{
	struct pvs_cpu *c = per_cpu_ptr(&pvs_cpus, cpu);
	unsigned int i;

	*diff = (struct pvs_diff){ .kind = PVS_DIFF_DEAD, .copy = cpu };

	/* It comes up, or goes down, and looks after itself. */
	if (pvs_cpu_alive(cpu))
		return 0;
	smp_rmb(); /* pairs with the one in pv_shadow_cpu_dead() */

	for (i = 0; i < PVS_NR_ROOTS && !diff->have; i++)
		diff->have = READ_ONCE(c->root[i].pgd);

	return READ_ONCE(c->on) || diff->have;
}

/**
 * pv_shadow_is_root - is this one of a CPU's roots
 * @cpu: CPU
 * @pa:  physical address, as in CR3
 */
bool pv_shadow_is_root(int cpu, unsigned long pa)
{
	unsigned int i;

	for (i = 0; i < PVS_NR_ROOTS; i++) {
		u64 *page = per_cpu(pvs_cpus, cpu).root[i].page;

		if (page && __pa(page) == pa)
			return true;
	}

	return false;
}
EXPORT_SYMBOL_GPL(pv_shadow_is_root);

/**
 * pvs_cpu_on - does this CPU run on its roots
 */
bool pvs_cpu_on(void)
{
	return this_cpu_read(pvs_cpus.on);
}

/**
 * pvs_cpu_adopt - have this CPU run on its roots
 *
 * Interrupts off. Flushes all its TLBs: while it ran on the reference it may have
 * cached translations of any page, global ones among them.
 */
void pvs_cpu_adopt(void)
{
	struct pvs_cpu *c = this_cpu_ptr(&pvs_cpus);

	if (c->on)
		return;

	pvs_steps_reset();
	c->on = true;
	pvs_load(c, __native_read_cr3());
	native_flush_tlb_global();
}

/* Linux's own tables, for a CPU that is on its roots. Takes no lock. */
static void pvs_load_own(struct pvs_cpu *c)
{
	native_write_cr3(pvs_logical_cr3(c, __native_read_cr3()));
	native_flush_tlb_global();
	/* Not before: an NMI may still have met a trap. */
	c->on = false;
}

/**
 * pvs_cpu_leave - have this CPU run on Linux's own tables again
 *
 * Interrupts off. Flushes all its TLBs; nothing on this CPU refers to the roots
 * or to any copy afterwards.
 */
void pvs_cpu_leave(void)
{
	struct pvs_cpu *c = this_cpu_ptr(&pvs_cpus);
	unsigned int i;

	if (!c->on)
		return;

	pvs_steps_leave();
	pvs_load_own(c);

	for (i = 0; i < PVS_NR_ROOTS; i++) {
		raw_spin_lock(&c->root[i].lock);
		pvs_root_do_forget(&c->root[i], smp_processor_id(), 0);
		raw_spin_unlock(&c->root[i].lock);
	}
}

/**
 * pv_shadow_kexec - this CPU goes to another kernel
 *
 * Interrupts off, all others stopped wherever they were: takes no lock. Linux's own tables,
 * in which nothing is hidden, from now on.
 */
void pv_shadow_kexec(void)
{
	struct pvs_cpu *c = this_cpu_ptr(&pvs_cpus);

	if (c->on)
		pvs_load_own(c);
}

/**
 * pvs_roots_init - set up the tree that belongs to the roots
 *
 * Return: 0 or -ENOMEM.
 */
int pvs_roots_init(void)
{
	pvs_tree.root_changed = pvs_root_changed;

	return pvs_tree_init(&pvs_tree, (u64 *)init_mm.pgd,
			     pgtable_l5_enabled() ? 5 : 4, nr_cpu_ids);
}
