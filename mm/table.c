// SPDX-License-Identifier: GPL-2.0-only
/*
 * Path copies, and how they are kept in step with the reference.
 *
 * A copy's entry is always computed afresh from the reference, under the lock of
 * its table, so that the last one to hold the lock saw the last change, and an
 * entry never goes back to an older state.
 *
 * Where a table has copies the reference is written under that lock as well, and
 * after the copies (store): what another CPU finds in the reference, and relies
 * upon without ever coming here, is in its copy already. A table becomes known in
 * the hash before its entries are first read, and a writer that did not find it
 * looks again after its write (mirror): either it finds the table then, or the
 * table's first reading sees the change.
 */
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <linux/rculist_nulls.h>
#include <linux/slab.h>

#include <asm/sections.h>
#include <asm/trap_pf.h>

#include "mem.h"
#include "table.h"

static u64 *pvs_ref_table(u64 entry)
{
	return __va(entry & PTE_PFN_MASK);
}
NOKPROBE_SYMBOL(pvs_ref_table);

/**
 * pvs_leaf_part - a part of a leaf, as a smaller leaf
 * @leaf: entry
 * @size: its level
 * @addr: an address that it maps
 * @level: the level of what is to map the part around it, no higher
 */
u64 pvs_leaf_part(u64 leaf, unsigned int size, unsigned long addr, unsigned int level)
{
	u64 within = (1ULL << pvs_shift(size)) - 1;
	u64 mask = PTE_PFN_MASK & ~within;
	u64 prot = leaf & ~mask;

	if (level == size)
		return leaf;
	/* The PAT bit stands elsewhere in a PTE than in the larger leaves. */
	if (level == 1)
		prot = pgprot_val(pgprot_large_2_4k(__pgprot(prot)));

	return (leaf & mask) | (addr & within & -(1UL << pvs_shift(level))) | prot;
}
NOKPROBE_SYMBOL(pvs_leaf_part);

/**
 * pvs_ref_split - what the reference maps where it has no table
 * @t:	   table
 * @index: entry
 *
 * For pvs_ref_entry().
 */
u64 pvs_ref_split(const struct pvs_table *t, unsigned int index)
{
	u64 leaf = READ_ONCE(t->leaf);

	return leaf ? pvs_leaf_part(leaf, t->level + 1, (unsigned long)index << pvs_shift(t->level),
				    t->level) : 0;
}
NOKPROBE_SYMBOL(pvs_ref_split);

/* The entry by which @copy of the parent points to its copy of @child. */
static u64 pvs_link(struct pvs_table *child, unsigned int copy, u64 ref)
{
	u64 flags = child->tree->user ? _PAGE_TABLE : _KERNPG_TABLE;

	/* Where the reference has a table its permissions hold for us as well. */
	if ((ref & _PAGE_PRESENT) && !pvs_is_leaf(ref, child->level + 1))
		flags = ref & ~PTE_PFN_MASK;

	return __pa(child->copy[copy]) | flags;
}

static struct hlist_nulls_head *pvs_bucket(struct pvs_tree *tree, u64 ref)
{
	return &tree->hash[hash_64(ref >> PAGE_SHIFT, PVS_HASH_BITS)];
}

/* How many tables have copies, by the end of their addresses. */
atomic_t pvs_table_filter[PVS_FILTER_SIZE];

static void pvs_filter_add(u64 ref, int by)
{
	atomic_add(by, pvs_copied_count(__va(ref)));
	/* Where the image has it: whoever writes to it may have found it by its name. */
	if (ref >= __pa_symbol(_text) && ref < __pa_symbol(_end))
		atomic_add(by, pvs_copied_count((void *)(ref - phys_base + __START_KERNEL_map)));
}

static void pvs_hash_move(struct pvs_table *t, u64 ref)
{
	struct pvs_tree *tree = t->tree;

	raw_spin_lock(&tree->hash_lock);
	if (t->ref) {
		hlist_nulls_del_rcu(&t->hash);
		pvs_filter_add(t->ref, -1);
	}
	WRITE_ONCE(t->ref, ref);
	if (ref) {
		pvs_filter_add(ref, 1);
		hlist_nulls_add_head_rcu(&t->hash, pvs_bucket(tree, ref));
	}
	raw_spin_unlock(&tree->hash_lock);

	/*
	 * Known first, read afterwards: pairs with those in pvs_mirror() and
	 * pvs_write_shadowed().
	 */
	smp_mb();
}

static struct pvs_table *pvs_hash_find(struct pvs_tree *tree, u64 ref)
{
	struct hlist_nulls_head *head = pvs_bucket(tree, ref);
	struct hlist_nulls_node *node;
	struct pvs_table *t;

again:
	hlist_nulls_for_each_entry_rcu(t, node, head, hash)
		if (READ_ONCE(t->ref) == ref)
			return t;

	/* The table we stood on moved to another bucket under us. */
	if (get_nulls_value(node) != (unsigned long)(head - tree->hash))
		goto again;

	return NULL;
}

static void pvs_sync_entry(struct pvs_table *t, unsigned int index);

static void pvs_sync_table(struct pvs_table *t)
{
	unsigned int i;

	for (i = 0; i < PVS_ENTRIES; i++)
		pvs_sync_entry(t, i);
}

static void pvs_unlock(struct pvs_table *t)
	__releases(&t->lock)
{
	raw_spin_unlock(&t->lock);

	/*
	 * An NMI that did not get the lock sets stale and tries once more: either
	 * it succeeds or we see its mark here.
	 */
	smp_mb();
	while (READ_ONCE(t->stale) && raw_spin_trylock(&t->lock)) {
		WRITE_ONCE(t->stale, false);
		smp_mb(); /* the mark taken, then what it was for */
		pvs_sync_table(t);
		raw_spin_unlock(&t->lock);
		smp_mb(); /* as above */
	}
}

static bool __pvs_lock(struct pvs_table *t)
{
	bool locked = true;

	if (likely(!in_nmi())) {
		raw_spin_lock_nested(&t->lock, t->level);
		__release(&t->lock);
		return true;
	}

	if (!raw_spin_trylock(&t->lock)) {
		WRITE_ONCE(t->stale, true);
		smp_mb(); /* pairs with the one in pvs_unlock() */
		locked = raw_spin_trylock(&t->lock);
	}
	return locked;
}

/* What sparse cannot see: locked if it returns true. */
#define pvs_lock(t) __cond_lock(&(t)->lock, __pvs_lock(t))

/* What a table has to be a copy of, by its parent's entry in the reference. */
static void pvs_source(const struct pvs_table *t, u64 entry, u64 *ref, u64 *leaf)
{
	*ref = 0;
	*leaf = 0;
	if (entry & _PAGE_PRESENT) {
		if (pvs_is_leaf(entry, t->level + 1))
			*leaf = entry;
		else
			*ref = entry & PTE_PFN_MASK;
	}
}

/*
 * The parent's entry in the reference changes, perhaps from a table to a huge
 * leaf or to another table. Parent's lock held; not in an NMI, where nothing but
 * PTEs is ever set.
 */
static void pvs_resource(struct pvs_table *t, u64 entry)
{
	u64 ref, leaf;

	pvs_source(t, entry, &ref, &leaf);

	raw_spin_lock_nested(&t->lock, t->level);
	if (ref != t->ref || (!ref && !pvs_same(leaf, t->leaf))) {
		/* In this order pvs_ref_entry() never sees neither of the two. */
		if (!ref)
			WRITE_ONCE(t->leaf, leaf);
		if (ref != t->ref)
			pvs_hash_move(t, ref);
		pvs_sync_table(t);
	}
	pvs_unlock(t);
}

/* What an entry of a copy above PTEs has to be. */
static u64 pvs_upper_entry(struct pvs_table *child, unsigned int copy, u64 ref)
{
	return child && !READ_ONCE(child->dying) ? pvs_link(child, copy, ref) : ref;
}

/* What an entry of a copy has to be, given what its slot and the reference hold. */
static u64 pvs_copy_entry(const struct pvs_table *t, void *slot, unsigned int copy,
			  u64 ref)
{
	return t->level > 1 ? pvs_upper_entry(slot, copy, ref) :
			      pvs_hidden(slot, ref);
}

/* Make one entry of all copies what follows from the reference's @ref. Locked. */
static void pvs_set_entry(struct pvs_table *t, unsigned int index, u64 ref)
{
	void *slot = t->slot[index];
	unsigned int n;
	u64 want;

	if (t->level > 1) {
		if (slot)
			pvs_resource(slot, ref);
	} else if (slot && !pvs_writes_only(slot)) {
		return; /* trapped: each CPU flips its own */
	}

	for (n = 0; n < t->tree->nr_copies && t->copy[n]; n++) {
		want = pvs_copy_entry(t, slot, n, ref);
		if (!pvs_same(t->copy[n][index], want))
			WRITE_ONCE(t->copy[n][index], want);
	}
}

/* Bring one entry of all copies up to date. Lock of @t held. */
static void pvs_sync_entry(struct pvs_table *t, unsigned int index)
{
	pvs_set_entry(t, index, pvs_ref_entry(t, index));
}

/**
 * pvs_entry_pa - physical address of a page-table entry
 * @entry: what a set_pte() or the like was given
 * @pa:    result
 *
 * Return: false if @entry is in no table that hardware could walk: a local
 * variable on a vmalloc'ed stack, say.
 */
bool pvs_entry_pa(const void *entry, u64 *pa)
{
	unsigned long addr = (unsigned long)entry;

	if (addr >= __START_KERNEL_map) {
		if (addr >= __START_KERNEL_map + KERNEL_IMAGE_SIZE)
			return false;
	} else if (addr < PAGE_OFFSET || addr >= (unsigned long)high_memory) {
		return false;
	}

	*pa = __phys_addr_nodebug(addr);
	return true;
}

/* Not done if @t has become a copy of another table meanwhile. */
static void pvs_store_locked(struct pvs_table *t, u64 pa, void *entry, u64 val,
			     bool *done)
{
	unsigned int index = offset_in_page(pa) / sizeof(u64);

	*done = t->ref == (pa & PAGE_MASK);
	if (!*done)
		return;

	pvs_set_entry(t, index, val);
	WRITE_ONCE(*(u64 *)entry, val);
	/* A fault may have undone it in its own copy. */
	pvs_sync_entry(t, index);
}

/**
 * pvs_store - write an entry of some table of the reference, copies first
 * @tree:  tree
 * @entry: the entry, in whatever mapping of the table, of whatever level but the
 *	   highest
 * @val:   its new value
 *
 * Any context. Flushes nothing: that is the caller's, as ever.
 *
 * Return: true if it is done, and all copies hold it; false if no copies of the
 * table are known, or this is an NMI and somebody else is changing them: then the
 * caller writes the entry and calls pvs_mirror().
 */
bool pvs_store(struct pvs_tree *tree, void *entry, u64 val)
{
	struct pvs_table *t;
	unsigned long flags;
	bool done = false;
	u64 pa;

	if (!pvs_entry_pa(entry, &pa))
		return false;

	rcu_read_lock();
	t = pvs_hash_find(tree, pa & PAGE_MASK);
	if (t && t != tree->root) {
		local_irq_save(flags);
		if (pvs_lock(t)) {
			pvs_store_locked(t, pa, entry, val, &done);
			pvs_unlock(t);
		}
		local_irq_restore(flags);
	}
	rcu_read_unlock();

	return done;
}

/**
 * pvs_mirror - an entry of some table changed in the reference
 * @tree:  tree
 * @entry: the entry, in whatever mapping of the table, of whatever level
 *
 * All copies hold the new value when this returns. Any context; in an NMI a
 * copy that is just being changed by somebody else gets it when they are done,
 * and until then a fault on this CPU puts it right (pvs_table_sync_own()).
 * Flushes nothing: that is the writer's, as ever.
 *
 * Return: true if there are copies of the table.
 */
bool pvs_mirror(struct pvs_tree *tree, const void *entry)
{
	struct pvs_table *t;
	unsigned long flags;
	u64 pa;

	if (!pvs_entry_pa(entry, &pa))
		return false;

	/* Changed first, looked up afterwards: pairs with pvs_hash_move(). */
	smp_mb();

	rcu_read_lock();
	t = pvs_hash_find(tree, pa & PAGE_MASK);
	if (t) {
		local_irq_save(flags);
		if (pvs_lock(t)) {
			pvs_sync_entry(t, offset_in_page(pa) / sizeof(u64));
			pvs_unlock(t);
		}
		local_irq_restore(flags);
	}
	rcu_read_unlock();

	return t;
}

static struct pvs_table *pvs_child(struct pvs_table *t, unsigned long addr)
{
	return READ_ONCE(t->slot[pvs_index(addr, t->level)]);
}
NOKPROBE_SYMBOL(pvs_child);

static void __pvs_tree_sync(struct pvs_table *t, unsigned long start,
			    unsigned long last)
{
	unsigned int i, from = pvs_index(start, t->level);
	unsigned int to = pvs_index(last, t->level);
	unsigned long flags;

	/*
	 * What splits a huge leaf changes with that alone, and the table above has just
	 * seen to it. There may be very many of these.
	 */
	if (t->level == 1 && !READ_ONCE(t->ref))
		return;

	if (t->parent) {
		local_irq_save(flags);
		if (pvs_lock(t)) {
			for (i = from; i <= to; i++)
				pvs_sync_entry(t, i);
			pvs_unlock(t);
		}
		local_irq_restore(flags);
	}

	if (t->level == 1)
		return;

	for (i = from; i <= to; i++) {
		struct pvs_table *child = READ_ONCE(t->slot[i]);
		unsigned long first;

		if (!child)
			continue;
		first = child->start;
		__pvs_tree_sync(child, max(start, first),
				min(last, first + (1UL << pvs_shift(t->level)) - 1));
	}
}

/**
 * pvs_tree_sync - compare the copies with the reference, where it may have
 *		   changed without a mirror
 * @tree:  tree
 * @start: first address
 * @end:   address behind the last, or TLB_FLUSH_ALL
 *
 * To be called between the change and the flush of the TLBs. Any context.
 */
void pvs_tree_sync(struct pvs_tree *tree, unsigned long start,
		   unsigned long end)
{
	struct pvs_table *root;

	/* Reference changed first, read afterwards. */
	smp_mb();

	rcu_read_lock();
	root = READ_ONCE(tree->root);
	if (root) {
		/* Nothing below the kernel half is ever trapped. */
		start = max(start, -1UL << (pvs_shift(root->level + 1) - 1));
		if (end > start)
			__pvs_tree_sync(root, start, end - 1);
	}
	rcu_read_unlock();
}

/**
 * pvs_table_find - the table of PTEs that maps an address, if it has copies
 * @tree: tree
 * @addr: address
 *
 * Under rcu_read_lock(), with interrupts off, or with tree->lock.
 */
struct pvs_table *pvs_table_find(struct pvs_tree *tree, unsigned long addr)
{
	struct pvs_table *t = tree->root;

	while (t && t->level > 1)
		t = pvs_child(t, addr);

	return t;
}
NOKPROBE_SYMBOL(pvs_table_find);

/**
 * pvs_tree_covers - is an address mapped through a copy, of whatever level
 * @tree: tree
 * @addr: address in the kernel half
 *
 * Context as pvs_table_find().
 */
bool pvs_tree_covers(struct pvs_tree *tree, unsigned long addr)
{
	return pvs_child(tree->root, addr);
}

static void pvs_table_free(struct pvs_table *t)
{
	unsigned int n;

	for (n = 0; n < t->tree->nr_copies && t->copy[n]; n++)
		free_page((unsigned long)t->copy[n]);
	free_page((unsigned long)t->slot);
	kfree(t);
}

static struct pvs_table *pvs_table_alloc(struct pvs_tree *tree,
					 unsigned int level, bool copies)
{
	/* Rather untraced than without memory for what a process maps. */
	gfp_t gfp = tree->user ? GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN : GFP_KERNEL;
	struct pvs_table *t;
	unsigned int n;

	t = pvs_zalloc(struct_size(t, copy, tree->nr_copies), gfp);
	if (!t)
		return NULL;

	t->tree = tree;
	t->level = level;
	raw_spin_lock_init(&t->lock);
	BUILD_BUG_ON(PVS_ENTRIES * sizeof(*t->slot) != PAGE_SIZE);
	t->slot = (void **)get_zeroed_page(gfp);
	if (!t->slot)
		goto fail;

	for (n = 0; copies && n < tree->nr_copies; n++) {
		t->copy[n] = (u64 *)get_zeroed_page(gfp);
		if (!t->copy[n])
			goto fail;
	}

	return t;

fail:
	pvs_table_free(t);
	return NULL;
}

static struct pvs_table *pvs_child_create(struct pvs_table *parent,
					  unsigned long addr)
{
	unsigned int index = pvs_index(addr, parent->level);
	struct pvs_tree *tree = parent->tree;
	struct pvs_table *t;
	unsigned long flags;

	t = pvs_table_alloc(tree, parent->level - 1, true);
	if (!t)
		return NULL;
	t->parent = parent;
	t->start = addr & (-1UL << pvs_shift(parent->level));

	/*
	 * Filled and complete before a copy of the parent points to it. Under the
	 * parent's lock, so that a change of the parent's entry is either seen by
	 * the fill or comes later and finds the child.
	 */
	local_irq_save(flags);
	raw_spin_lock_nested(&parent->lock, parent->level);
	pvs_resource(t, pvs_ref_entry(parent, index));
	/* complete when seen; pairs with the dependency in pvs_child() */
	smp_store_release(&parent->slot[index], t);
	if (parent == tree->root)
		set_bit(index, tree->linked);
	pvs_sync_entry(parent, index);
	pvs_unlock(parent);
	local_irq_restore(flags);

	parent->used++;
	atomic_inc(&tree->nr_tables);
	if (parent == tree->root && tree->root_changed)
		tree->root_changed(tree, index);

	return t;
}

/**
 * pvs_table_create - make path copies down to the table of PTEs of an address
 * @tree: tree, locked
 * @addr: an address of the kernel half
 *
 * May sleep. All CPUs must flush all their TLBs, of all PCIDs, before they can
 * be relied upon to use new copies.
 *
 * Return: the table of PTEs, or NULL without memory; what was made for nothing
 * goes at the next pvs_tree_unlink().
 */
struct pvs_table *pvs_table_create(struct pvs_tree *tree, unsigned long addr)
{
	struct pvs_table *t = tree->root, *child;

	lockdep_assert_held(&tree->lock);

	while (t && t->level > 1) {
		child = pvs_child(t, addr);
		t = child ?: pvs_child_create(t, addr);
	}

	return t;
}

/* What the slot of a page is to hold, and all copies to say for it. Locked. */
static void pvs_put_trap(struct pvs_table *t, unsigned int index, void *trap)
{
	unsigned int n;
	u64 hidden;

	/* First, since a CPU that faults on the entry must find whose it is. */
	smp_store_release(&t->slot[index], trap);
	smp_mb(); /* pairs with the one in pvs_hide() */
	if (!trap) {
		pvs_sync_entry(t, index);
		return;
	}
	hidden = pvs_hidden(trap, pvs_ref_entry(t, index));
	for (n = 0; n < t->tree->nr_copies; n++)
		WRITE_ONCE(t->copy[n][index], hidden);
}

/**
 * pvs_table_set_trap - hide a page in every copy, or hide it in another way
 * @t:	   table of PTEs, its tree locked
 * @index: the page
 * @trap:  what the slot is to hold, not NULL
 *
 * The caller flushes the TLBs of all CPUs. A CPU that is just completing an access
 * may hide the page in the former way once more, but it sees that before it is done.
 */
void pvs_table_set_trap(struct pvs_table *t, unsigned int index, void *trap)
{
	unsigned long flags;
	void *was;

	lockdep_assert_held(&t->tree->lock);

	local_irq_save(flags);
	raw_spin_lock_nested(&t->lock, t->level);
	was = t->slot[index];
	pvs_put_trap(t, index, trap);
	pvs_unlock(t);
	local_irq_restore(flags);

	if (!was)
		t->used++;
}

/**
 * pvs_table_clear_trap - show a page again in every copy
 * @t:	   table of PTEs, its tree locked
 * @index: the page
 *
 * Nothing needs a flush. A CPU that is just completing an access may hide the
 * page once more in its own copy, but it sees that before it is done.
 */
void pvs_table_clear_trap(struct pvs_table *t, unsigned int index)
{
	unsigned long flags;

	lockdep_assert_held(&t->tree->lock);

	local_irq_save(flags);
	raw_spin_lock_nested(&t->lock, t->level);
	pvs_put_trap(t, index, NULL);
	pvs_unlock(t);
	local_irq_restore(flags);

	t->used--;
}

/**
 * pvs_table_replace_trap - trap a page or let it go, in a table that stays
 * @t:	   table of PTEs
 * @index: the page
 * @from:  what the slot holds, or NULL
 * @to:	   what it is to hold, or NULL
 *
 * For tables that somebody keeps by @t->used: it does not count. Any context but NMIs.
 * Flushes nothing; for a new trap the caller does.
 *
 * Return: false if the slot holds something else.
 */
bool pvs_table_replace_trap(struct pvs_table *t, unsigned int index, void *from, void *to)
{
	unsigned long flags;
	bool ok;

	local_irq_save(flags);
	raw_spin_lock_nested(&t->lock, t->level);
	ok = t->slot[index] == from;
	if (ok)
		pvs_put_trap(t, index, to);
	pvs_unlock(t);
	local_irq_restore(flags);

	return ok;
}

static void pvs_table_unlink(struct pvs_table *t, struct list_head *dead)
{
	struct pvs_tree *tree = t->tree;
	struct pvs_table *parent = t->parent;
	unsigned long flags;
	unsigned int i;

	for (i = 0; t->level > 1 && t->used && i < PVS_ENTRIES; i++)
		if (t->slot[i])
			pvs_table_unlink(t->slot[i], dead);

	if (t->used || !parent)
		return;

	i = pvs_index(t->start, parent->level);
	local_irq_save(flags);
	raw_spin_lock_nested(&parent->lock, parent->level);
	WRITE_ONCE(t->dying, true);
	pvs_sync_entry(parent, i);
	pvs_unlock(parent);
	local_irq_restore(flags);

	parent->used--;
	if (parent == tree->root && tree->root_changed)
		tree->root_changed(tree, i);

	list_add_tail(&t->dead, dead);
}

/**
 * pvs_tree_unlink - leave out the tables that lead to no trapped page any more
 * @tree: tree, locked
 * @dead: they are added to this list, children before parents
 *
 * No entry points to them any more, but CPUs may have cached ones that did: they
 * are kept in step. The caller flushes all TLBs, of all PCIDs, of all CPUs before
 * pvs_tables_remove().
 */
void pvs_tree_unlink(struct pvs_tree *tree, struct list_head *dead)
{
	lockdep_assert_held(&tree->lock);
	pvs_table_unlink(tree->root, dead);
}

/**
 * pvs_tables_remove - forget unlinked tables
 * @tree: tree, locked since pvs_tree_unlink()
 * @dead: they
 *
 * The caller waits for a grace period before pvs_tables_free().
 */
void pvs_tables_remove(struct pvs_tree *tree, struct list_head *dead)
{
	struct pvs_table *t, *parent;
	unsigned long flags;
	unsigned int index;

	lockdep_assert_held(&tree->lock);

	list_for_each_entry(t, dead, dead) {
		parent = t->parent;
		local_irq_save(flags);
		raw_spin_lock_nested(&parent->lock, parent->level);
		index = pvs_index(t->start, parent->level);
		WRITE_ONCE(parent->slot[index], NULL);
		if (parent == tree->root)
			clear_bit(index, tree->linked);
		raw_spin_lock_nested(&t->lock, t->level);
		pvs_hash_move(t, 0);
		pvs_unlock(t);
		pvs_unlock(parent);
		local_irq_restore(flags);
		atomic_dec(&tree->nr_tables);
	}
}

/**
 * pvs_tables_free - free removed tables
 * @dead: list of them
 */
void pvs_tables_free(struct list_head *dead)
{
	struct pvs_table *t, *next;

	list_for_each_entry_safe(t, next, dead, dead)
		pvs_table_free(t);
	INIT_LIST_HEAD(dead);
}

/**
 * pvs_root_entry - what a root has to hold in an entry
 * @tree:  tree
 * @index: entry
 * @copy:  CPU
 * @ref:   what Linux's own table of the address space holds there
 */
u64 pvs_root_entry(struct pvs_tree *tree, unsigned int index,
		   unsigned int copy, u64 ref)
{
	return pvs_upper_entry(READ_ONCE(tree->root->slot[index]), copy, ref);
}

/**
 * pvs_ref_permits - would this access be allowed by the reference
 * @tree:	tree
 * @addr:	address in the kernel half
 * @error_code: what the page fault said
 *
 * Interrupts off, so that no table can be freed under the walk.
 */
bool pvs_ref_permits(struct pvs_tree *tree, unsigned long addr,
		     unsigned long error_code)
{
	unsigned int level = tree->root->level;
	u64 all = ~0ULL, nx = 0, entry;
	u64 *table = __va(tree->root->ref);

	for (;; level--) {
		entry = READ_ONCE(table[pvs_index(addr, level)]);
		if (!(entry & _PAGE_PRESENT))
			return false;
		all &= entry;
		nx |= entry & _PAGE_NX;
		if (pvs_is_leaf(entry, level))
			break;
		table = pvs_ref_table(entry);
	}

	if (error_code & X86_PF_RSVD)
		return false;
	if ((error_code & X86_PF_WRITE) && !(all & _PAGE_RW))
		return false;
	if ((error_code & X86_PF_INSTR) && nx)
		return false;
	return !(error_code & X86_PF_USER) || (all & _PAGE_USER);
}
NOKPROBE_SYMBOL(pvs_ref_permits);

/**
 * pvs_table_sync_own - bring one CPU's copies up to date along one address
 * @tree: tree
 * @addr: address
 * @copy: this CPU
 *
 * For the page-fault path: interrupts off, takes no lock. Another CPU that
 * writes the same entry meanwhile makes the exchange fail, and a change of what it
 * was made from, behind our back, is seen afterwards: those who change that do so
 * before they write the entry.
 */
void pvs_table_sync_own(struct pvs_tree *tree, unsigned long addr,
			unsigned int copy)
{
	struct pvs_table *t = pvs_child(tree->root, addr), *child;
	u64 have, want, *entry;
	bool wrote = false;
	unsigned int index;

	for (; t; t = child) {
		index = pvs_index(addr, t->level);
		entry = &t->copy[copy][index];
		do {
			have = READ_ONCE(*entry);
			child = READ_ONCE(t->slot[index]);
			if (t->level == 1 && child && !pvs_writes_only(child)) {
				/* Trapped; that it is hidden is no difference. */
				if (wrote)
					WRITE_ONCE(*entry, 0);
				return;
			}
			want = pvs_copy_entry(t, child, copy,
					      pvs_ref_entry(t, index));
			if (pvs_same(have, want))
				break;
			wrote = t->level == 1;
		} while (cmpxchg(entry, have, want) != have ||
			 READ_ONCE(t->slot[index]) != child ||
			 pvs_copy_entry(t, child, copy,
					pvs_ref_entry(t, index)) != want);
		if (t->level == 1)
			return;
	}
}

/* Lock of @t held. */
static bool pvs_entry_differs(struct pvs_table *t, unsigned int index, bool lazy,
			      struct pvs_diff *diff)
{
	u64 ref = pvs_ref_entry(t, index);
	u64 have = READ_ONCE(t->copy[diff->copy][index]);
	void *slot = t->slot[index];
	u64 want = pvs_copy_entry(t, slot, diff->copy, ref);

	diff->kind = PVS_DIFF_ENTRY;
	diff->addr = t->start + ((unsigned long)index << pvs_shift(t->level));
	diff->level = t->level;
	diff->have = have;
	diff->want = want;

	/* What is unmapped and not yet flushed may still be there. */
	if (lazy && (!slot || pvs_writes_only(slot)) && !(want & _PAGE_PRESENT))
		return false;
	return !pvs_same(have, want);
}

/**
 * pvs_is_copy - does an entry of the reference lead to a copy
 * @t:	   the table that the entry stands for
 * @entry: the entry
 *
 * Nobody but us may know of them: Linux would write to one, or free it.
 */
bool pvs_is_copy(const struct pvs_table *t, u64 entry)
{
	unsigned int n;

	if (!(entry & _PAGE_PRESENT) || pvs_is_leaf(entry, t->level + 1))
		return false;
	for (n = 0; n < t->tree->nr_copies && t->copy[n]; n++)
		if ((entry & PTE_PFN_MASK) == __pa(t->copy[n]))
			return true;

	return false;
}

/**
 * pvs_is_trapped - is something trapped that a page fault itself touches
 * @tree:  tree
 * @start: where it is
 * @size:  its size
 * @diff:  told of it: what kind of difference, and the page
 *
 * Context as pvs_table_find().
 */
bool pvs_is_trapped(struct pvs_tree *tree, const void *start, size_t size,
		    struct pvs_diff *diff)
{
	unsigned long addr, end = (unsigned long)start + size;
	struct pvs_table *t;

	for (addr = (unsigned long)start & PAGE_MASK; addr < end; addr += PAGE_SIZE) {
		t = pvs_table_find(tree, addr);
		if (!t || !READ_ONCE(t->slot[pvs_index(addr, 1)]))
			continue;
		diff->kind = PVS_DIFF_OWN;
		diff->have = addr;
		return true;
	}

	return false;
}

/*
 * Is the table made from what the reference has in the entry above, and will those
 * who change that find it? And does nobody know of its copies who should not? Lock of
 * @t->parent held.
 */
static bool pvs_child_differs(struct pvs_table *t, bool lazy,
			      struct pvs_diff *diff)
{
	u64 entry = pvs_ref_entry(t->parent, pvs_index(t->start, t->parent->level));
	u64 ref, leaf;
	bool differs;

	diff->addr = t->start;
	diff->level = t->level;
	if (pvs_is_trapped(t->tree, t, sizeof(*t), diff) ||
	    pvs_is_trapped(t->tree, t->slot, PVS_ENTRIES * sizeof(*t->slot), diff) ||
	    pvs_is_trapped(t->tree, t->copy[diff->copy], PAGE_SIZE, diff))
		return true;

	diff->have = entry;
	diff->want = 0;
	if (pvs_is_copy(t, entry)) {
		diff->kind = PVS_DIFF_REF;
		return true;
	}
	if (((long)t->start >= 0) != t->tree->user) {
		diff->kind = PVS_DIFF_USER;
		return true;
	}

	pvs_source(t, entry, &ref, &leaf);

	raw_spin_lock_nested(&t->lock, t->level);
	diff->kind = PVS_DIFF_SOURCE;
	diff->have = t->ref ?: t->leaf;
	diff->want = ref ?: leaf;
	differs = t->ref != ref || (!ref && !pvs_same(t->leaf, leaf)) ||
		  (ref && (pvs_hash_find(t->tree, ref) != t ||
			   !atomic_read(pvs_copied_count(__va(ref)))));
	if (lazy && !diff->want)
		differs = false;
	pvs_unlock(t);

	return differs;
}

static unsigned int pvs_table_verify(struct pvs_table *t, unsigned int copy,
				     bool lazy, struct pvs_diff *diff,
				     unsigned int max)
{
	unsigned int i, found = 0;
	unsigned long flags;

	local_irq_save(flags);
	raw_spin_lock_nested(&t->lock, t->level);
	for (i = 0; i < PVS_ENTRIES && found < max; i++) {
		diff[found].copy = copy;
		if (t->parent)
			found += pvs_entry_differs(t, i, lazy, &diff[found]);
		if (found == max || t->level == 1 || !t->slot[i])
			continue;
		diff[found].copy = copy;
		found += pvs_child_differs(t->slot[i], lazy, &diff[found]);
	}
	pvs_unlock(t);
	local_irq_restore(flags);

	for (i = 0; t->level > 1 && i < PVS_ENTRIES; i++) {
		struct pvs_table *child = READ_ONCE(t->slot[i]);

		if (child)
			found += pvs_table_verify(child, copy, lazy, diff + found,
						  max - found);
	}

	return found;
}

/**
 * pvs_tree_verify - compare one CPU's copies with the reference
 * @tree: tree
 * @copy: whose; this CPU or one that is not running
 * @lazy: let pass what Linux unmapped natively and has not flushed yet
 * @diff: where to put what differs
 * @max:  how many fit
 *
 * Interrupts off: then no access of this CPU is being completed, and all trapped
 * pages must be hidden. Under RCU.
 *
 * Return: number of differences found, at most @max.
 */
unsigned int pvs_tree_verify(struct pvs_tree *tree, unsigned int copy,
			     bool lazy, struct pvs_diff *diff, unsigned int max)
{
	return pvs_table_verify(tree->root, copy, lazy, diff, max);
}

/**
 * pvs_verify_again - look at a difference once more
 * @tree: tree
 * @lazy: as for pvs_tree_verify()
 * @diff: what that found; updated
 *
 * Context as pvs_tree_verify().
 *
 * Return: true if it is still one.
 */
bool pvs_verify_again(struct pvs_tree *tree, bool lazy, struct pvs_diff *diff)
{
	unsigned int level = diff->level + (diff->kind != PVS_DIFF_ENTRY);
	struct pvs_table *t = tree->root, *child;
	unsigned long flags;
	bool differs = false;

	while (t && t->level > level)
		t = pvs_child(t, diff->addr);
	if (!t)
		return false;

	local_irq_save(flags);
	raw_spin_lock_nested(&t->lock, t->level);
	if (diff->kind == PVS_DIFF_ENTRY) {
		differs = pvs_entry_differs(t, pvs_index(diff->addr, level), lazy,
					    diff);
	} else {
		child = pvs_child(t, diff->addr);
		if (child)
			differs = pvs_child_differs(child, lazy, diff);
	}
	pvs_unlock(t);
	local_irq_restore(flags);

	return differs;
}

/**
 * pvs_tree_init - set up a tree without any table
 * @tree:	its storage, zeroed but for root_changed, and lock, initialized
 * @ref:	the reference's top-level table; NULL for a tree of user addresses, whose
 *		copies hold nothing but links to each other until somebody fills them
 * @level:	level of that table
 * @nr_copies:	copies to make of each table
 *
 * Return: 0 or -ENOMEM.
 */
int pvs_tree_init(struct pvs_tree *tree, u64 *ref, unsigned int level,
		  unsigned int nr_copies)
{
	struct pvs_table *root;
	unsigned int i;

	raw_spin_lock_init(&tree->hash_lock);
	atomic_set(&tree->nr_tables, 0);
	bitmap_zero(tree->linked, PVS_ENTRIES);
	for (i = 0; i < ARRAY_SIZE(tree->hash); i++)
		INIT_HLIST_NULLS_HEAD(&tree->hash[i], i);

	tree->nr_copies = nr_copies;
	root = pvs_table_alloc(tree, level, false);
	if (!root)
		return -ENOMEM;
	tree->user = !ref;
	if (ref) {
		root->ref = __pa(ref);
		hlist_nulls_add_head_rcu(&root->hash, pvs_bucket(tree, root->ref));
	}
	WRITE_ONCE(tree->root, root);

	return 0;
}

/**
 * pvs_tree_exit - free a tree that has no traps
 * @tree: the tree; no CPU runs on it any more
 *
 * May sleep. A pvs_mirror() or pvs_tree_sync() that comes late finds nothing.
 */
void pvs_tree_exit(struct pvs_tree *tree)
{
	struct pvs_table *root = tree->root;
	unsigned long flags;
	LIST_HEAD(dead);

	if (!root)
		return;

	mutex_lock(&tree->lock);
	pvs_tree_unlink(tree, &dead);
	pvs_tables_remove(tree, &dead);
	mutex_unlock(&tree->lock);
	WARN_ON(atomic_read(&tree->nr_tables));

	if (root->ref) {
		raw_spin_lock_irqsave(&tree->hash_lock, flags);
		hlist_nulls_del_rcu(&root->hash);
		raw_spin_unlock_irqrestore(&tree->hash_lock, flags);
	}
	if (tree->user) {
		/* Who has found it by its pgd still uses it. A process waits for us. */
		synchronize_rcu_expedited();
	} else {
		WRITE_ONCE(tree->root, NULL);
		synchronize_rcu();
	}

	pvs_tables_free(&dead);
	pvs_table_free(root);
}
