// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user half: path copies of an address space that has trapped pages.
 *
 * Below its roots such an address space has tables of ours along the paths to those
 * pages, for each CPU, and nowhere else: an entry beside the paths leads to Linux's own
 * table, or maps what Linux's tables map. Linux changes these as it likes, natively, and
 * keeps to one rule, that of the TLB. So do the copies. They hold what a TLB may hold:
 *
 * - An entry is filled in when this CPU faults on it, by doing what the hardware does
 *   when it walks Linux's tables. Accessed and dirty are set there first, atomically and
 *   in an entry that is still the same; and what is not dirty is filled in read-only.
 *   Nothing that is set in a copy is ever needed in Linux's tables.
 *
 * - Before Linux begins a flush, that is before it changes the number by which other
 *   CPUs know that they are behind (tlb_gen), what it flushes is dropped from the copies
 *   of all CPUs. Whoever flushes, or loads the address space, after that fills its TLB
 *   from copies that are right.
 *
 * - Where it clears the accessed bit it does not flush. The copies drop the entry all the
 *   same, for in them it would stay longer than in any TLB.
 *
 * Filling and dropping meet without a lock: a fault takes none. Whoever drops counts
 * first and drops afterwards; whoever fills looks at the count, reads Linux's tables,
 * writes the copy, and looks again. If both looks see the same number, then either
 * nobody dropped, or he counted before what was read, and Linux's tables had changed
 * before that; or he counted behind the second look, and finds the entry.
 *
 * A mmu notifier could not do that. It is told of a flush when the CPUs have flushed
 * already, and might have filled their TLBs from the copies again; it cannot be
 * registered by a fault that maps a device's page; and it is not told of an accessed bit
 * that madvise() or /proc/PID/clear_refs clears.
 */
#include <linux/hashtable.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/pkeys.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/tlbflush.h>
#include <asm/trap_pf.h>

#include "../pvops/root.h"
#include "alias.h"
#include "mem.h"
#include "user.h"

#define PVS_MAX_LEVEL	5

/* All of them: written with pvs_tree.lock and pvs_users_lock, read under RCU. */
static DEFINE_HASHTABLE(pvs_users, 6);
static LIST_HEAD(pvs_user_list);
static DEFINE_RAW_SPINLOCK(pvs_users_lock);
atomic_t pvs_nr_users;

/**
 * struct pvs_walk - what Linux's tables say of an address
 * @entry:   where, by level
 * @val:     the entries
 * @level:   of the last one
 * @present: it is present
 * @leaf:    and no table
 * @all:     flags that all of them have
 * @nx:	     not executable
 */
struct pvs_walk {
	u64		*entry[PVS_MAX_LEVEL + 1];
	u64		val[PVS_MAX_LEVEL + 1];
	unsigned int	level;
	bool		present;
	bool		leaf;
	u64		all;
	bool		nx;
};

/*
 * Down to the entry at level @stop, if there are tables to there. Interrupts off, on a CPU
 * that has the address space loaded: a table is freed after an IPI to all of these.
 */
static void pvs_walk_user(const struct pvs_user *user, unsigned long addr,
			  unsigned int stop, struct pvs_walk *w)
{
	unsigned int top = user->tree.root->level, level, shift = pvs_shift(top);
	u64 *table = __va(user->pgd), val;

	w->present = false;
	w->leaf = false;
	w->all = ~0ULL;
	w->nx = false;
	for (level = top;; level--, shift -= 9) {
		w->entry[level] = &table[(addr >> shift) % PVS_ENTRIES];
		val = READ_ONCE(*w->entry[level]);
		w->val[level] = val;
		w->level = level;
		if (!(val & _PAGE_PRESENT))
			return;
		w->all &= val;
		/* With PTI the kernel's pgd says so of all that is the user's. */
		w->nx |= level != top && (val & _PAGE_NX);
		w->leaf = pvs_is_leaf(val, level);
		if (w->leaf || level == stop)
			break;
		table = __va(val & PTE_PFN_MASK);
	}
	w->present = true;
}
NOKPROBE_SYMBOL(pvs_walk_user);

static u64 pvs_walk_part(const struct pvs_walk *w, unsigned long addr, unsigned int level)
{
	return pvs_leaf_part(w->val[w->level], w->level, addr, level);
}
NOKPROBE_SYMBOL(pvs_walk_part);

/* Do protection keys let it pass? */
static bool pvs_walk_has_key(const struct pvs_walk *w, unsigned long error_code)
{
	return !(w->all & _PAGE_USER) || (error_code & X86_PF_INSTR) ||
	       __pkru_allows_pkey(pte_flags_pkey(w->val[w->level]), error_code & X86_PF_WRITE);
}
NOKPROBE_SYMBOL(pvs_walk_has_key);

static bool pvs_walk_permits(const struct pvs_walk *w, unsigned long error_code)
{
	bool write = error_code & X86_PF_WRITE;

	if (!w->leaf || (error_code & (X86_PF_RSVD | X86_PF_SHSTK)) ||
	    (write && !(w->all & _PAGE_RW)) ||
	    ((error_code & X86_PF_USER) && !(w->all & _PAGE_USER)))
		return false;
	return error_code & X86_PF_INSTR ? !w->nx : pvs_walk_has_key(w, error_code);
}
NOKPROBE_SYMBOL(pvs_walk_permits);

/* What was found, as a PTE, without A and D. */
static u64 pvs_walk_pte(const struct pvs_walk *w, unsigned long addr)
{
	return pvs_walk_part(w, addr, 1) & ~(u64)PVS_VOLATILE;
}
NOKPROBE_SYMBOL(pvs_walk_pte);

/**
 * pvs_user_leaf - what Linux's tables map at a user address
 * @user: address space, loaded on this CPU
 * @addr: address
 *
 * Interrupts off.
 *
 * Return: as a PTE, without A and D; 0 if nothing is mapped.
 */
u64 pvs_user_leaf(const struct pvs_user *user, unsigned long addr)
{
	struct pvs_walk w;

	pvs_walk_user(user, addr, 1, &w);
	return w.leaf ? pvs_walk_pte(&w, addr) : 0;
}
NOKPROBE_SYMBOL(pvs_user_leaf);

/**
 * pvs_user_leaf_for - the same, if an access is permitted
 * @user: address space, loaded on this CPU
 * @addr: address
 * @error_code: what a page fault would say
 *
 * Interrupts off. In one look: another CPU may be changing it.
 *
 * Return: as pvs_user_leaf(); 0 also if it is not permitted.
 */
u64 pvs_user_leaf_for(const struct pvs_user *user, unsigned long addr, unsigned long error_code)
{
	struct pvs_walk w;

	pvs_walk_user(user, addr, 1, &w);
	return pvs_walk_permits(&w, error_code) ? pvs_walk_pte(&w, addr) : 0;
}
NOKPROBE_SYMBOL(pvs_user_leaf_for);

/**
 * pvs_user_verdict - would this access be allowed by Linux's tables
 * @user:	address space, loaded on this CPU
 * @addr:	user address
 * @error_code: what a page fault would say, or said
 *
 * Interrupts off. SMAP and SMEP are the caller's.
 */
enum pvs_verdict pvs_user_verdict(const struct pvs_user *user, unsigned long addr,
				  unsigned long error_code)
{
	struct pvs_walk w;

	pvs_walk_user(user, addr, 1, &w);
	if (!w.leaf)
		return PVS_ABSENT;
	if (pvs_walk_permits(&w, error_code))
		return PVS_PERMITTED;
	return pvs_walk_has_key(&w, error_code) ? PVS_DENIED : PVS_DENIED_BY_KEY;
}
NOKPROBE_SYMBOL(pvs_user_verdict);

/* Set flags in an entry that is still what it was. */
static bool pvs_walk_set(struct pvs_walk *w, unsigned int level, u64 flags)
{
	u64 old = w->val[level];

	if ((old & flags) == flags)
		return true;
	if (!try_cmpxchg(w->entry[level], &old, old | flags))
		return false;
	w->val[level] |= flags;
	return true;
}
NOKPROBE_SYMBOL(pvs_walk_set);

/* A and D where the hardware would set them. Return: false if one changed meanwhile. */
static bool pvs_walk_mark(struct pvs_walk *w, unsigned int top, unsigned long error_code)
{
	u64 flags = _PAGE_ACCESSED;
	unsigned int level;

	/* As a rule they are there, whoever set them. */
	for (level = top; !(w->all & _PAGE_ACCESSED) && level > w->level; level--)
		if (!pvs_walk_set(w, level, _PAGE_ACCESSED))
			return false;
	if ((error_code & X86_PF_WRITE) && pvs_walk_permits(w, error_code))
		flags |= _PAGE_DIRTY;
	return pvs_walk_set(w, w->level, flags);
}
NOKPROBE_SYMBOL(pvs_walk_mark);

/*
 * What an entry of a copy at @level has to be, with what the hardware would have done to
 * Linux's tables done. Return: 0 if nothing is mapped there.
 */
static u64 pvs_user_want(const struct pvs_user *user, unsigned int level,
			 unsigned long addr, unsigned long error_code)
{
	struct pvs_walk w;
	u64 want;

	do {
		pvs_walk_user(user, addr, level, &w);
		if (!w.present)
			return 0;
	} while (!pvs_walk_mark(&w, user->tree.root->level, error_code));

	/* A table of Linux's own: what is below it is the hardware's. */
	if (!w.leaf)
		return w.val[level];
	want = pvs_walk_part(&w, addr, level);
	if (!(want & _PAGE_DIRTY))
		want &= ~(u64)_PAGE_RW;
	return want;
}
NOKPROBE_SYMBOL(pvs_user_want);

/* The lowest table of copies that maps an address, or NULL. */
static struct pvs_table *pvs_user_table(const struct pvs_user *user, unsigned long addr)
{
	struct pvs_table *t = user->tree.root, *child, *found = NULL;

	while (t->level > 1) {
		child = READ_ONCE(t->slot[pvs_index(addr, t->level)]);
		if (!child || READ_ONCE(child->dying))
			break;
		t = child;
		found = t;
	}
	return found;
}
NOKPROBE_SYMBOL(pvs_user_table);

/**
 * pvs_user_place - what maps a user address
 * @user: address space, loaded on this CPU
 * @addr: address
 *
 * Interrupts off. For a quick look at a fault: most are Linux's.
 */
enum pvs_place pvs_user_place(const struct pvs_user *user, unsigned long addr)
{
	struct pvs_table *t = pvs_user_table(user, addr);
	unsigned int index;
	u64 have;

	if (!t)
		return PVS_BESIDE;
	index = pvs_index(addr, t->level);
	have = READ_ONCE(t->copy[smp_processor_id()][index]);
	smp_rmb(); /* a link to a copy: then the slot says so, see pvs_user_fill() */
	if (READ_ONCE(t->slot[index]))
		return PVS_COPIED;
	if (!have)
		return pvs_user_leaf(user, addr) ? PVS_COPIED : PVS_UNMAPPED;
	return pvs_is_leaf(have, t->level) ? PVS_COPIED : PVS_BESIDE;
}
NOKPROBE_SYMBOL(pvs_user_place);

/* What cannot be written is another thing if it is dirty: a shadow stack. */
static bool pvs_user_same(u64 a, u64 b)
{
	return pvs_same(a, b) && (((a | b) & _PAGE_RW) || !((a ^ b) & _PAGE_DIRTY));
}
NOKPROBE_SYMBOL(pvs_user_same);

/*
 * What hides an entry, where Linux's tables say @leaf: a slot whose page is not mapped
 * there any more, but another one is, does not.
 */
static void *pvs_user_slot(const struct pvs_table *t, unsigned long addr, u64 leaf)
{
	void *slot = READ_ONCE(t->slot[pvs_index(addr, t->level)]);

	if (t->level == 1 && slot && !pvs_alias_maps(pvs_slot_owner(slot), addr, leaf))
		return NULL;
	return slot;
}
NOKPROBE_SYMBOL(pvs_user_slot);

/**
 * pvs_user_fill - is a fault due to what this CPU's copies do not hold yet
 * @user: address space, loaded on this CPU
 * @addr: where, of no page that is trapped for such an access
 * @error_code: why
 *
 * Puts it there. Interrupts off, takes no lock, allocates nothing.
 *
 * Return: true if the access is worth another try; it may fault again, and then for a
 * reason of Linux's own.
 */
bool pvs_user_fill(struct pvs_user *user, unsigned long addr, unsigned long error_code)
{
	int cpu = smp_processor_id();
	bool changed = false;
	struct pvs_table *t;
	u64 have, want, *entry;
	void *slot;
	long seq;

	for (;;) {
		seq = atomic_long_read(&user->seq);
		smp_rmb(); /* counted, then read: see the top of the file */

		t = pvs_user_table(user, addr);
		if (!t)
			return changed;
		entry = &t->copy[cpu][pvs_index(addr, t->level)];
		have = READ_ONCE(*entry);
		/*
		 * In this order. A link to a copy is written after the slot, which is cleared
		 * when we have taken an IPI: it never passes for a link to Linux's table. One
		 * that is written later makes the exchange fail.
		 */
		smp_rmb();
		slot = READ_ONCE(t->slot[pvs_index(addr, t->level)]);
		/* There is a copy below by now. */
		if (t->level > 1 && slot && !READ_ONCE(((struct pvs_table *)slot)->dying))
			continue;
		/* A table of Linux's, in which there is nothing for us to put right. */
		if (have && !pvs_is_leaf(have, t->level) && !slot && !changed)
			return false;
		want = pvs_user_want(user, t->level, addr, error_code);
		/* In this order: a trapped page may just be being mapped. */
		if (t->level == 1)
			want = pvs_hidden(pvs_user_slot(t, addr, want), want);
		if (pvs_user_same(have, want))
			break;
		/* Gone, and the flush is still to come; unless we have put it there. */
		if (!want && !changed)
			return false;
		/* Ahead of the entry, as @seq is of the second look at it. */
		if (t->level > 1 && pvs_is_leaf(want, t->level) && !READ_ONCE(user->leaves)) {
			WRITE_ONCE(user->leaves, true);
			smp_mb(); /* said, then filled: pairs with pvs_user_drop()'s */
		}
		/* Somebody dropped it, or made a copy below it. */
		if (cmpxchg(entry, have, want) != have)
			continue;
		changed = true;
		/* After the entry, so that whoever takes it back finds either. */
		cpumask_set_cpu(cpu, &t->filled);
		if (have)
			native_flush_tlb_one_user(addr);
		smp_mb(); /* written, then looked again */
		if (atomic_long_read(&user->seq) == seq &&
		    READ_ONCE(t->slot[pvs_index(addr, t->level)]) == slot)
			break;
	}

	return changed;
}
NOKPROBE_SYMBOL(pvs_user_fill);

/**
 * struct pvs_flush - what Linux flushes
 * @start:  first address
 * @last:   last one
 * @tables: tables of Linux's are freed that map any of it
 * @leaves: there may be leaves above PTEs
 */
struct pvs_flush {
	unsigned long	start;
	unsigned long	last;
	bool		tables;
	bool		leaves;
};

/*
 * Does it take along an entry of a copy that leads to a table of Linux's? If that is freed
 * Linux says so, and if it is only taken out, as to be mapped elsewhere or to make place
 * for a huge page, all that it maps is flushed.
 */
static bool pvs_flush_links(const struct pvs_flush *f, const struct pvs_table *t,
			    unsigned int index)
{
	unsigned long first = t->start + ((unsigned long)index << pvs_shift(t->level));

	return f->tables ||
	       (f->start <= first && f->last - first >= (1UL << pvs_shift(t->level)) - 1);
}

/*
 * Is a trapped page revealed by this entry? It is to the CPU whose copy it is, for one access:
 * it hides the page before it can hear of the flush, as if it had been a little earlier.
 * Not if something else is mapped there now (pvs_user_slot()). Lock of @t held.
 */
static bool pvs_is_revealed(const struct pvs_table *t, unsigned int index, u64 have)
{
	unsigned long addr = t->start + ((unsigned long)index << PAGE_SHIFT);
	const void *slot = t->level == 1 ? t->slot[index] : NULL;

	return slot && (!pvs_writes_only(slot) || (have & _PAGE_RW)) &&
	       pvs_user_slot(t, addr, have);
}

/* What a flush takes of a table, from one entry to another, in the copies of all CPUs. */
static noinline void pvs_table_drop(struct pvs_table *t, const struct pvs_flush *f,
			   unsigned int from, unsigned int to)
{
	bool all = !from && to == PVS_ENTRIES - 1 &&
		   pvs_flush_links(f, t, from) && pvs_flush_links(f, t, to);
	struct pvs_table *child;
	unsigned long flags;
	unsigned int i;
	u64 have;
	int cpu;

	/* Somebody else may be at it: what he has not dropped yet, he has before us. */
	local_irq_save(flags);
	raw_spin_lock_nested(&t->lock, t->level);
	for_each_cpu(cpu, &t->filled) {
		if (all) {
			cpumask_clear_cpu(cpu, &t->filled);
			smp_mb__after_atomic(); /* forgotten, then read: see the fill */
		}
		for (i = from; i <= to; i++) {
			child = t->level > 1 ? t->slot[i] : NULL;
			if (child && !child->dying)
				continue;
			have = READ_ONCE(t->copy[cpu][i]);
			if (have && (pvs_is_leaf(have, t->level) || pvs_flush_links(f, t, i)) &&
			    !pvs_is_revealed(t, i, have))
				WRITE_ONCE(t->copy[cpu][i], 0);
		}
	}
	raw_spin_unlock(&t->lock);
	local_irq_restore(flags);
}

static void pvs_tables_drop(struct pvs_table *t, const struct pvs_flush *f)
{
	unsigned int i, from, to, shift;
	struct pvs_table *child;

	/* One entry of each table, as a rule. */
	for (;;) {
		shift = pvs_shift(t->level);
		from = f->start > t->start ? (f->start >> shift) % PVS_ENTRIES : 0;
		to = (f->last ^ t->start) >> shift >> 9 ? PVS_ENTRIES - 1 :
							  (f->last >> shift) % PVS_ENTRIES;
		if (t->parent && (t->level == 1 || f->leaves || f->tables || from != to ||
				  pvs_flush_links(f, t, from)))
			pvs_table_drop(t, f, from, to);
		if (t->level == 1)
			return;
		if (from != to)
			break;
		t = READ_ONCE(t->slot[from]);
		if (!t)
			return;
	}

	for (i = from; i <= to; i++) {
		child = READ_ONCE(t->slot[i]);
		if (child)
			pvs_tables_drop(child, f);
	}
}

/* Linux's tables changed first. Under RCU. */
static void pvs_user_drop(struct pvs_user *user, struct pvs_flush *f)
{
	atomic_long_inc(&user->seq);
	smp_mb__after_atomic(); /* counted, then dropped: see the top of the file */

	/*
	 * Who fills in a leaf has said so, and in a table of PTEs, where that is, before he
	 * looked whether we have counted.
	 */
	f->leaves = READ_ONCE(user->leaves);
	/* Where there are links only, to tables that stay and that are not all flushed */
	if (!f->leaves && !f->tables && f->last - f->start < PMD_SIZE - 1 &&
	    (f->last < READ_ONCE(user->first) || f->start > READ_ONCE(user->last)))
		return;
	pvs_tables_drop(user->tree.root, f);
}

/* Some process has copies; has this one? */
static noinline bool pvs_mm_drop(struct mm_struct *mm, unsigned long start, unsigned long end,
				 bool tables)
{
	struct pvs_flush f = {
		.start = start,
		/* The page behind what programs may use, so that the last table is whole. */
		.last = min(end, TASK_SIZE_MAX + PAGE_SIZE) - 1,
		.tables = tables,
	};
	struct pvs_user *user;

	if (start >= end || f.start > f.last)
		return false;

	rcu_read_lock();
	user = pvs_user_find(__pa(mm->pgd));
	if (user)
		pvs_user_drop(user, &f);
	rcu_read_unlock();

	return user;
}

/**
 * __pv_shadow_flush_mm - an address space is about to be flushed from TLBs
 * @mm:	    it
 * @start:  first address
 * @end:    address behind the last one, or TLB_FLUSH_ALL
 * @tables: tables that map any of it are going to be freed
 *
 * Linux's tables have changed there, and nobody has begun to flush. Any context but NMIs.
 *
 * Return: true if it has copies, which map by pages what Linux maps with a huge one.
 */
bool __pv_shadow_flush_mm(struct mm_struct *mm, unsigned long start, unsigned long end,
			  bool tables)
{
	/* Changed first, asked afterwards: pairs with the one in pvs_user_get(). */
	smp_mb();
	return unlikely(pvs_users_exist()) && pvs_mm_drop(mm, start, end, tables);
}

/**
 * pvs_user_find - the copies of an address space
 * @pgd: physical address of its pgd
 *
 * Under RCU, or with interrupts off.
 *
 * Return: they, or NULL if it has none.
 */
struct pvs_user *pvs_user_find(u64 pgd)
{
	struct pvs_user *user;

	if (!pvs_users_exist())
		return NULL;
	hash_for_each_possible_rcu(pvs_users, user, hash, pgd, true)
		if (user->pgd == pgd)
			return user;
	return NULL;
}

static void pvs_user_unhash(struct pvs_user *user)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pvs_users_lock, flags);
	hash_del_rcu(&user->hash);
	list_del_rcu(&user->list);
	raw_spin_unlock_irqrestore(&pvs_users_lock, flags);
	atomic_dec(&pvs_nr_users);
}

/**
 * pvs_user_get - the copies of an address space, made if need be
 * @mm: address space, in use
 *
 * pvs_tree.lock held. Sleeps.
 *
 * Return: they, or NULL without memory. To be given to pvs_user_put().
 */
struct pvs_user *pvs_user_get(struct mm_struct *mm)
{
	static unsigned long last_id;
	struct pvs_user *user;
	unsigned long flags;

	lockdep_assert_held(&pvs_tree.lock);

	rcu_read_lock();
	user = pvs_user_find(__pa(mm->pgd));
	rcu_read_unlock();
	if (user)
		return user;

	user = pvs_zalloc(sizeof(*user), GFP_KERNEL);
	if (!user)
		return NULL;
	mutex_init(&user->tree.lock);
	user->mm = mm;
	user->id = ++last_id;
	user->pgd = __pa(mm->pgd);
	user->first = ULONG_MAX;
	user->tree.root_changed = pvs_root_user_changed;
	if (pvs_tree_init(&user->tree, NULL, pvs_tree.root->level, nr_cpu_ids)) {
		kfree(user);
		return NULL;
	}

	atomic_inc(&pvs_nr_users);
	raw_spin_lock_irqsave(&pvs_users_lock, flags);
	hash_add_rcu(pvs_users, &user->hash, user->pgd);
	list_add_tail_rcu(&user->list, &pvs_user_list);
	raw_spin_unlock_irqrestore(&pvs_users_lock, flags);
	/*
	 * Known first, looked into afterwards: by those who fill a root or a copy
	 * (pvs_root_fill(), __pv_shadow_flush_mm()).
	 */
	smp_mb();

	return user;
}

/**
 * pvs_user_span - pages are going to be trapped
 * @user:  the copies of their address space
 * @start: first page
 * @end:   address behind the last one
 *
 * pvs_tree.lock held. Before there are tables of ours for them: whoever has found one of
 * these sees how far they reach, for a slot is written with release semantics.
 */
void pvs_user_span(struct pvs_user *user, unsigned long start, unsigned long end)
{
	lockdep_assert_held(&pvs_tree.lock);

	WRITE_ONCE(user->first, min(user->first, start & PMD_MASK));
	WRITE_ONCE(user->last, max(user->last, (end - 1) | ~PMD_MASK));
}

/**
 * pvs_user_put - the copies of an address space may be needed no more
 * @user: they
 *
 * pvs_tree.lock held; their own tree's not. Sleeps.
 */
void pvs_user_put(struct pvs_user *user)
{
	lockdep_assert_held(&pvs_tree.lock);

	if (user->traps)
		return;
	pvs_user_unhash(user);
	pvs_root_user_forget();
	pvs_tree_exit(&user->tree);
	kfree(user);
}

/**
 * pvs_user_pages - memory in copies of user tables, in pages
 */
unsigned int pvs_user_pages(void)
{
	struct pvs_user *user;
	unsigned int nr = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(user, &pvs_user_list, list)
		nr += atomic_read(&user->tree.nr_tables) * nr_cpu_ids;
	rcu_read_unlock();
	return nr;
}

/*
 * May a copy hold this where Linux's tables say that? They may say more: what Linux
 * permits since then a fault finds out.
 */
static bool pvs_user_may_hold(u64 have, const struct pvs_walk *w, unsigned long addr,
			      unsigned int level, u64 *want)
{
	*want = 0;
	if (!w->present)
		return false;
	if (!w->leaf) {
		*want = w->val[level];
		return pvs_same(have, *want);
	}
	*want = pvs_walk_part(w, addr, level);
	if (!(*want & _PAGE_DIRTY))
		*want &= ~(u64)_PAGE_RW;
	return pvs_same(have | _PAGE_RW, *want | _PAGE_RW) &&
	       (!(have & _PAGE_RW) || (*want & _PAGE_RW)) && (*want & _PAGE_ACCESSED);
}

/**
 * struct pvs_user_look - one CPU's copy of a table to be looked at
 * @user:  whose
 * @table: the table
 * @cpu:   CPU
 * @diff:  where to put what differs
 * @max:   how many fit
 * @found: number of differences found
 */
struct pvs_user_look {
	struct pvs_user		*user;
	struct pvs_table	*table;
	int			cpu;
	struct pvs_diff		*diff;
	unsigned int		max;
	unsigned int		found;
};

static bool pvs_user_entry_good(const struct pvs_user_look *look, unsigned int index,
				unsigned long addr, u64 have, u64 *want)
{
	struct pvs_table *t = look->table;
	struct pvs_walk w;
	void *slot;

	*want = 0;
	pvs_walk_user(look->user, addr, t->level, &w);
	slot = pvs_user_slot(t, addr, w.leaf ? pvs_walk_part(&w, addr, t->level) : 0);
	if (t->level > 1 && slot) {
		*want = __pa(((struct pvs_table *)slot)->copy[look->cpu]) | _PAGE_TABLE;
		return pvs_same(have, *want);
	}
	if (!have)
		return true;
	if (slot && (!pvs_writes_only(slot) || (have & _PAGE_RW)))
		return false;
	return pvs_user_may_hold(have, &w, addr, t->level, want);
}

/* On the CPU itself, so that it is completing no access; or it is not running. */
static void pvs_user_table_verify(void *info)
{
	struct pvs_user_look *look = info;
	struct pvs_table *t = look->table;
	unsigned long addr;
	unsigned int i;
	u64 have, want;

	for (i = 0; i < PVS_ENTRIES && look->found < look->max; i++) {
		addr = t->start + ((unsigned long)i << pvs_shift(t->level));
		have = READ_ONCE(t->copy[look->cpu][i]);
		if (pvs_user_entry_good(look, i, addr, have, &want))
			continue;
		look->diff[look->found++] = (struct pvs_diff){
			.kind = PVS_DIFF_ENTRY,
			.copy = look->cpu,
			.level = t->level,
			.addr = addr,
			.have = have,
			.want = want,
		};
	}
}

static unsigned int pvs_user_tables_verify(struct pvs_user *user, struct pvs_table *t,
					   struct pvs_diff *diff, unsigned int max)
{
	struct pvs_user_look look = { .user = user, .table = t, .diff = diff, .max = max };
	unsigned long flags;
	unsigned int i;

	for_each_possible_cpu(look.cpu) {
		if (!t->parent)
			break;
		if (!smp_call_function_single(look.cpu, pvs_user_table_verify, &look, true))
			continue;
		local_irq_save(flags);
		pvs_user_table_verify(&look);
		local_irq_restore(flags);
	}
	for (i = 0; t->level > 1 && i < PVS_ENTRIES && look.found < max; i++)
		if (t->slot[i])
			look.found += pvs_user_tables_verify(user, t->slot[i],
							     diff + look.found,
							     max - look.found);
	return look.found;
}

/* The next one behind a number, with its address space in use. */
static struct mm_struct *pvs_user_next(unsigned long *id)
{
	struct mm_struct *mm = NULL;
	struct pvs_user *user;

	mutex_lock(&pvs_tree.lock);
	list_for_each_entry(user, &pvs_user_list, list) {
		if (user->id <= *id)
			continue;
		*id = user->id;
		if (mmget_not_zero(user->mm)) {
			mm = user->mm;
			break;
		}
	}
	mutex_unlock(&pvs_tree.lock);
	return mm;
}

static unsigned int pvs_mm_verify(struct mm_struct *mm, unsigned long id,
				  struct pvs_diff *diff, unsigned int max)
{
	unsigned int found = 0;
	struct pvs_user *user;

	/* Its tables are freed with this held, or after a grace period. */
	mmap_write_lock(mm);
	mutex_lock(&pvs_tree.lock);
	rcu_read_lock();
	list_for_each_entry(user, &pvs_user_list, list)
		if (user->id == id)
			found = pvs_user_tables_verify(user, user->tree.root, diff, max);
	rcu_read_unlock();
	mutex_unlock(&pvs_tree.lock);
	mmap_write_unlock(mm);
	return found;
}

/**
 * pvs_users_verify - do the copies of user tables hold nothing that they may not
 * @diff: where to put what they do
 * @max:  how many fit
 *
 * What Linux has changed and not flushed yet may still be there: a difference counts if
 * it stays. Sleeps.
 *
 * Return: number of differences found, at most @max.
 */
unsigned int pvs_users_verify(struct pvs_diff *diff, unsigned int max)
{
	unsigned int found = 0;
	struct mm_struct *mm;
	unsigned long id = 0;

	while (found < max && (mm = pvs_user_next(&id))) {
		found += pvs_mm_verify(mm, id, diff + found, max - found);
		mmput(mm);
	}
	return found;
}
