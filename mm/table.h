/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path copies: private copies, one per CPU, of those page tables that lead to a
 * trapped page. This is the part that knows tables and entries but
 * neither CR3 nor faults, and runs on table pages of anybody's making.
 */
#ifndef _PV_SHADOW_TABLE_H
#define _PV_SHADOW_TABLE_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/list_nulls.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <asm/page.h>

#define PVS_ENTRIES	512
#define PVS_HASH_BITS	8
#define PVS_FILTER_SIZE	4096

/* What the hardware sets in an entry by itself, in whichever copy it walks. */
#define PVS_VOLATILE	(_PAGE_ACCESSED | _PAGE_DIRTY)

/* In the slot of a trapped page: reads are not, so that it is shown read-only. */
#define PVS_WRITES_ONLY	1UL

struct pvs_tree;

/**
 * struct pvs_table - one table of a path, with its copies
 * @hash:	in tree->hash by @ref, while @ref is not 0
 * @dead:	in the list of unlinked tables that wait to be freed
 * @tree:	the tree that it belongs to
 * @parent:	table one level up; NULL for the root
 * @start:	first address that the table maps
 * @ref:	physical address of the reference table, or 0
 * @leaf:	if @ref is 0: the reference's huge leaf that covers the table's
 *		addresses and is split here, or 0 if nothing is mapped there
 * @slot:	a child table (level > 1) or whoever trapped the page (level 1),
 *		perhaps with PVS_WRITES_ONLY, or NULL; written under @lock and
 *		tree->lock, read under RCU
 * @lock:	for all but tree->lock's: guards @ref, @leaf and every entry of
 *		@copy but those of trapped pages, which only the CPU itself flips.
 *		Parents before children. Taken with interrupts off; an NMI only
 *		tries, and leaves its work to the holder by @stale.
 * @stale:	an NMI changed the reference while @lock was held
 * @dying:	nothing leads here any more but what CPUs may have cached
 * @level:	1 for a table of PTEs
 * @used:	number of slots in use (tree->lock)
 * @filled:	of user addresses: CPUs whose copies hold anything but links to copies
 * @copy:	the table as CPU n has it
 */
struct pvs_table {
	struct hlist_nulls_node	hash;
	struct list_head	dead;
	struct pvs_tree		*tree;
	struct pvs_table	*parent;
	unsigned long		start;
	u64			ref;
	u64			leaf;
	void			**slot;
	raw_spinlock_t		lock;
	bool			stale;
	bool			dying;
	u8			level;
	u16			used;
	struct cpumask		filled;
	u64			*copy[];
};

/**
 * struct pvs_tree - all path copies below one reference root
 * @root:	   stands for the top level, which is copied elsewhere (a root is
 *		   per CPU and address space): has slots but no copies
 * @lock:	   creation and removal of tables and traps
 * @hash_lock:	   writers of @hash; innermost
 * @root_changed:  called when the entry that a root has to have changed,
 *		   without any lock of a table
 * @nr_copies:	   copies of each table, numbered from 0
 * @nr_tables:	   tables, without the root
 * @user:	   of user addresses: there is no reference table for any of them, and
 *		   what is not a link is filled in by who knows what it has to be
 * @linked:	   slots of the root that hold a table; set before and cleared after root_changed
 * @hash:	   tables by the physical address of their reference table
 */
struct pvs_tree {
	struct pvs_table	*root;
	struct mutex		lock;
	raw_spinlock_t		hash_lock;
	void (*root_changed)(struct pvs_tree *tree, unsigned int index);
	unsigned int		nr_copies;
	atomic_t		nr_tables;
	bool			user;
	DECLARE_BITMAP(linked, PVS_ENTRIES);
	struct hlist_nulls_head	hash[1 << PVS_HASH_BITS];
};

/**
 * enum pvs_diff_kind - what is not as it should be
 * @PVS_DIFF_ENTRY:  an entry of a copy
 * @PVS_DIFF_SOURCE: the table that a copy is made from
 * @PVS_DIFF_REF:    an entry of the reference leads to a copy
 * @PVS_DIFF_USER:   there are copies in the user half
 * @PVS_DIFF_OWN:    what a page fault itself touches is trapped
 * @PVS_DIFF_ROOT:   an entry of a root
 * @PVS_DIFF_CR3:    the CPU is on no root, or on one though nothing is traced
 * @PVS_DIFF_TASK:   the CPU is on a root, and its task is not wanted
 * @PVS_DIFF_MM:     what the CPU runs on stands for another pgd than Linux loaded
 * @PVS_DIFF_PGD:    a root stands for a pgd, and it is not counted
 * @PVS_DIFF_DEAD:   the CPU does not run, but its roots are in use
 * @PVS_DIFF_STEP:   an access is under way where none can be
 * @PVS_DIFF_COUNT:  the counters do not add up
 * @PVS_DIFF_ALIAS:  the fault handler's mapping of a trapped page
 * @PVS_DIFF_PAGE:   the reference's entry of a trapped device page
 */
enum pvs_diff_kind {
	PVS_DIFF_ENTRY,
	PVS_DIFF_SOURCE,
	PVS_DIFF_REF,
	PVS_DIFF_USER,
	PVS_DIFF_OWN,
	PVS_DIFF_ROOT,
	PVS_DIFF_CR3,
	PVS_DIFF_TASK,
	PVS_DIFF_MM,
	PVS_DIFF_PGD,
	PVS_DIFF_DEAD,
	PVS_DIFF_STEP,
	PVS_DIFF_COUNT,
	PVS_DIFF_ALIAS,
	PVS_DIFF_PAGE,
};

/**
 * struct pvs_diff - something that is not as it should be
 * @kind:  what
 * @level: level of the table
 * @copy:  number of the copy
 * @addr:  first address that the entry or table maps
 * @have:  what there is
 * @want:  what should be
 */
struct pvs_diff {
	enum pvs_diff_kind	kind;
	unsigned int		level;
	unsigned int		copy;
	unsigned long		addr;
	u64			have;
	u64			want;
};

static inline unsigned int pvs_shift(unsigned int level)
{
	return PAGE_SHIFT + 9 * (level - 1);
}

static inline unsigned int pvs_index(unsigned long addr, unsigned int level)
{
	return (addr >> pvs_shift(level)) % PVS_ENTRIES;
}

static inline bool pvs_writes_only(const void *slot)
{
	return (unsigned long)slot & PVS_WRITES_ONLY;
}

/* Whose a slot of a table of PTEs is. */
static inline struct pv_shadow_range *pvs_slot_owner(const void *slot)
{
	return (void *)((unsigned long)slot & ~PVS_WRITES_ONLY);
}

/* What an entry of a copy has to be while no access to the page is completed. */
static inline u64 pvs_hidden(const void *slot, u64 ref)
{
	if (!slot)
		return ref;
	/* Not just the present bit: that would leave the frame to L1TF. */
	if (!pvs_writes_only(slot) || !(ref & _PAGE_PRESENT))
		return 0;
	return ref & ~(u64)(_PAGE_RW | _PAGE_DIRTY);
}

static inline bool pvs_is_leaf(u64 entry, unsigned int level)
{
	return level == 1 || (level <= 3 && (entry & _PAGE_PSE));
}

static inline bool pvs_same(u64 a, u64 b)
{
	return !((a ^ b) & ~(u64)PVS_VOLATILE);
}

int pvs_tree_init(struct pvs_tree *tree, u64 *ref, unsigned int level,
		  unsigned int nr_copies);
void pvs_tree_exit(struct pvs_tree *tree);

struct pvs_table *pvs_table_create(struct pvs_tree *tree, unsigned long addr);
struct pvs_table *pvs_table_find(struct pvs_tree *tree, unsigned long addr);
bool pvs_tree_covers(struct pvs_tree *tree, unsigned long addr);
void pvs_table_set_trap(struct pvs_table *t, unsigned int index, void *trap);
void pvs_table_clear_trap(struct pvs_table *t, unsigned int index);
bool pvs_table_replace_trap(struct pvs_table *t, unsigned int index, void *from, void *to);
void pvs_tree_unlink(struct pvs_tree *tree, struct list_head *dead);
void pvs_tables_remove(struct pvs_tree *tree, struct list_head *dead);
void pvs_tables_free(struct list_head *dead);

u64 pvs_leaf_part(u64 leaf, unsigned int size, unsigned long addr, unsigned int level);
u64 pvs_ref_split(const struct pvs_table *t, unsigned int index);

/**
 * pvs_ref_entry - what the reference maps where an entry of a copy stands
 * @t:	   table
 * @index: entry
 *
 * Return: the reference's entry, or what it would be had the reference split the
 * huge leaf that covers it, or 0. Needs @t->lock, or interrupts off and no more
 * than a value that was right a moment ago.
 */
static inline u64 pvs_ref_entry(const struct pvs_table *t, unsigned int index)
{
	u64 ref = READ_ONCE(t->ref);

	return likely(ref) ? READ_ONCE(((u64 *)__va(ref))[index]) :
			     pvs_ref_split(t, index);
}

u64 pvs_root_entry(struct pvs_tree *tree, unsigned int index,
		   unsigned int copy, u64 ref);
bool pvs_ref_permits(struct pvs_tree *tree, unsigned long addr,
		     unsigned long error_code);
void pvs_table_sync_own(struct pvs_tree *tree, unsigned long addr,
			unsigned int copy);

extern atomic_t pvs_table_filter[PVS_FILTER_SIZE];

/**
 * pvs_copied_count - where it is counted how many tables like an entry's have copies
 * @entry: entry of a table of the kernel's, or what set_pte() or the like was given instead
 *
 * Asked at each write of an entry, so that it has to be short. Tables in the kernel's image
 * are counted by both of their addresses. What is mapped by vmalloc() is no table: then any
 * answer will do.
 *
 * Return: a counter; while it is 0 the entry's table has none, as most.
 */
static inline atomic_t *pvs_copied_count(const void *entry)
{
	return &pvs_table_filter[((unsigned long)entry >> PAGE_SHIFT) % PVS_FILTER_SIZE];
}

bool pvs_store(struct pvs_tree *tree, void *entry, u64 val);
bool pvs_mirror(struct pvs_tree *tree, const void *entry);
void pvs_tree_sync(struct pvs_tree *tree, unsigned long start,
		   unsigned long end);
unsigned int pvs_tree_verify(struct pvs_tree *tree, unsigned int copy,
			     bool lazy, struct pvs_diff *diff, unsigned int max);
bool pvs_verify_again(struct pvs_tree *tree, bool lazy, struct pvs_diff *diff);

bool pvs_is_copy(const struct pvs_table *t, u64 entry);
bool pvs_is_trapped(struct pvs_tree *tree, const void *start, size_t size,
		    struct pvs_diff *diff);

bool pvs_entry_pa(const void *entry, u64 *pa);

#endif /* _PV_SHADOW_TABLE_H */
