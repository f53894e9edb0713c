// SPDX-License-Identifier: GPL-2.0-only
/*
 * The comparison of all copies with the reference, and of all that belongs to a CPU
 * with what it has to be.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string_choices.h>
#include <linux/vmalloc.h>

#include "../arch/x86/fault.h"
#include "../pvops/backend.h"
#include "../pvops/root.h"
#include "alias.h"
#include "mem.h"
#include "stats.h"
#include "trap.h"
#include "user.h"
#include "verify.h"

/* Enough to see what is wrong. */
#define PVS_MAX_DIFFS	64

#define PVS_ALL_CPUS	(-1)

/**
 * struct pvs_verify - one CPU's differences
 * @cpu:   whose, or PVS_ALL_CPUS
 * @lazy:  let pass what was unmapped natively and not flushed yet
 * @again: look only at what was found before
 * @nr:    how many
 * @diff:  they
 */
struct pvs_verify {
	int		cpu;
	bool		lazy;
	bool		again;
	unsigned int	nr;
	struct pvs_diff	diff[PVS_MAX_DIFFS];
};

/* On the CPU itself, so that it is completing no access; or it is not running. */
static void pvs_verify_copies(void *info)
{
	struct pvs_verify *v = info;
	unsigned int i, nr = 0;

	rcu_read_lock();
	if (v->again) {
		for (i = 0; i < v->nr; i++) {
			if (pvs_verify_again(&pvs_tree, v->lazy, &v->diff[i]))
				v->diff[nr++] = v->diff[i];
		}
		v->nr = nr;
	} else {
		v->nr = pvs_tree_verify(&pvs_tree, v->cpu, v->lazy, v->diff,
					PVS_MAX_DIFFS);
	}
	rcu_read_unlock();
}

/**
 * pvs_verify_own - what there is of this CPU beside copies
 * @diff: where to put what is not as it should be
 * @max:  how many fit, at least 5
 *
 * Interrupts off.
 *
 * Return: number of differences found.
 */
unsigned int pvs_verify_own(struct pvs_diff *diff, unsigned int max)
{
	unsigned long *stats = this_cpu_ptr(pvs_stats);
	unsigned int found = pvs_root_verify(diff, max - 2);
	struct pvs_diff d = { .copy = smp_processor_id() };

	if (!pvs_steps_idle()) {
		d.kind = PVS_DIFF_STEP;
		diff[found++] = d;
	}

	d.have = READ_ONCE(stats[PVS_EVENTS]);
	d.want = READ_ONCE(stats[PVS_RECORDED]) + READ_ONCE(stats[PVS_LOST]) +
		 READ_ONCE(stats[PVS_PAUSED]) + READ_ONCE(stats[PVS_FILTERED]);
	if (d.have != d.want) {
		d.kind = PVS_DIFF_COUNT;
		diff[found++] = d;
	}

	return found;
}

static void pvs_verify_state(void *info)
{
	struct pvs_verify *v = info;

	v->nr = pvs_verify_own(v->diff, PVS_MAX_DIFFS);
}

/* The copies of user tables, of all CPUs. Sleeps. */
static void pvs_verify_users(void *info)
{
	struct pvs_verify *v = info;

	v->nr = pvs_users_verify(v->diff, PVS_MAX_DIFFS);
}

/* When nothing is traced. On the CPU itself. */
static void pvs_verify_off(void *info)
{
	struct pvs_verify *v = info;

	v->nr = pvs_root_verify_off(v->diff);
}

static void pvs_verify_run(struct pvs_verify *v, smp_call_func_t func)
{
	unsigned long flags;

	if (v->cpu == PVS_ALL_CPUS) {
		func(v);
		return;
	}

	/*
	 * A CPU that is not online makes no access; its copies must be right, and it
	 * must have left its roots.
	 */
	if (!smp_call_function_single(v->cpu, func, v, true))
		return;
	if (func == pvs_verify_copies) {
		local_irq_save(flags);
		func(v);
		local_irq_restore(flags);
	} else {
		v->nr = pvs_root_verify_dead(v->cpu, v->diff);
	}
}

static void pvs_diffs_show(struct seq_file *m, const struct pvs_verify *v)
{
	char cpu[16] = "";
	unsigned int i;

	if (v->cpu != PVS_ALL_CPUS)
		snprintf(cpu, sizeof(cpu), "cpu %d: ", v->cpu);

	for (i = 0; i < v->nr; i++) {
		const struct pvs_diff *d = &v->diff[i];

		switch (d->kind) {
		case PVS_DIFF_ENTRY:
		case PVS_DIFF_ROOT:
			seq_printf(m, "cpu %u %s level %u addr 0x%lx: has 0x%llx, should have 0x%llx\n",
				   d->copy, d->kind == PVS_DIFF_ROOT ? "root" : "copy",
				   d->level, d->addr, d->have, d->want);
			break;
		case PVS_DIFF_SOURCE:
			seq_printf(m, "cpu %d table level %u addr 0x%lx: copy of 0x%llx, should be of 0x%llx\n",
				   v->cpu, d->level, d->addr, d->have, d->want);
			break;
		case PVS_DIFF_REF:
			seq_printf(m, "cpu %d level %u addr 0x%lx: Linux's own entry 0x%llx leads to a copy\n",
				   v->cpu, d->level, d->addr, d->have);
			break;
		case PVS_DIFF_USER:
			seq_printf(m, "cpu %d table level %u addr 0x%lx: a copy in the user half\n",
				   v->cpu, d->level, d->addr);
			break;
		case PVS_DIFF_OWN:
			seq_printf(m, "%s0x%llx is trapped, and page faults touch it\n",
				   cpu, d->have);
			break;
		case PVS_DIFF_CR3:
			seq_printf(m, "cpu %d: %s, cr3 0x%llx\n", v->cpu,
				   pvs_active() ? "not on a shadow root" :
						  "on a shadow root for nothing",
				   d->have);
			break;
		case PVS_DIFF_TASK:
			seq_printf(m, "cpu %d: on a shadow root for task %llu, which is not wanted\n",
				   v->cpu, d->have);
			break;
		case PVS_DIFF_MM:
			seq_printf(m, "cpu %d: runs on the tables of 0x%llx, but Linux loaded 0x%llx\n",
				   v->cpu, d->have, d->want);
			break;
		case PVS_DIFF_PGD:
			seq_printf(m, "cpu %d: a root stands for 0x%llx, and those who change that do not know\n",
				   v->cpu, d->have);
			break;
		case PVS_DIFF_DEAD:
			seq_printf(m, "cpu %d: dead, and not off its roots: pgd 0x%llx\n",
				   v->cpu, d->have);
			break;
		case PVS_DIFF_STEP:
			seq_printf(m, "cpu %d: an access was begun and not ended\n",
				   v->cpu);
			break;
		case PVS_DIFF_COUNT:
			seq_printf(m, "cpu %d: %llu events, but %llu recorded, lost, paused or filtered\n",
				   v->cpu, d->have, d->want);
			break;
		case PVS_DIFF_ALIAS:
			seq_printf(m, "the fault handler's mapping at 0x%lx: has 0x%llx, should have 0x%llx\n",
				   d->addr, d->have, d->want);
			break;
		case PVS_DIFF_PAGE:
			seq_printf(m, "Linux's own entry for 0x%lx: 0x%llx, when it was trapped 0x%llx\n",
				   d->addr, d->have, d->want);
			break;
		}
	}
	if (v->nr == PVS_MAX_DIFFS)
		seq_printf(m, "%sperhaps more\n", cpu);
}

/* Looks at a difference, the last one a second after the first. */
#define PVS_LOOKS	10

/*
 * A difference is one that stays: whoever writes an entry may be stopped for long,
 * by a hypervisor say, before the copies are written, and an NMI that changed one
 * may have left them to whoever is changing the table.
 */
static unsigned int pvs_verify_patiently(struct seq_file *m, struct pvs_verify *v,
					 smp_call_func_t func, bool lazy)
{
	unsigned int look;

	v->lazy = lazy;
	v->again = false;
	for (look = 0; look < PVS_LOOKS; look++) {
		if (!lazy)
			vm_unmap_aliases();
		pvs_verify_run(v, func);
		if (!v->nr)
			break;
		v->again = true;
		msleep(1 << look);
	}
	pvs_diffs_show(m, v);

	return v->nr;
}

static unsigned int pvs_verify_cpu(struct seq_file *m, struct pvs_verify *v)
{
	unsigned int found;

	/*
	 * First what must be there at any time: a purge of what was unmapped would
	 * also bring that up to date. Then that the purge left nothing too much.
	 */
	found = pvs_verify_patiently(m, v, pvs_verify_copies, true);
	found += pvs_verify_patiently(m, v, pvs_verify_copies, false);
	found += pvs_verify_patiently(m, v, pvs_verify_state, true);

	return found;
}

/* Nothing is traced: no memory, and Linux's own code. */
static unsigned int pvs_verify_left(struct seq_file *m)
{
	unsigned int tables = atomic_read(&pvs_tree.nr_tables) * nr_cpu_ids +
			      pvs_user_pages();
	unsigned int roots = pvs_root_pages();
	bool on = static_key_enabled(&pv_shadow_key.key);

	if (!tables && !roots && !pvs_nr_traps() && !on)
		return 0;

	seq_printf(m, "nothing is traced, but %u tables, %u roots and %lu traps are left; hooks are %s\n",
		   tables, roots, pvs_nr_traps(), str_on_off(on));
	return 1;
}

/* The fault handler's mappings; no CPU has any of its own. */
static unsigned int pvs_verify_aliases(struct seq_file *m, struct pvs_verify *v)
{
	v->cpu = PVS_ALL_CPUS;
	v->nr = pvs_alias_verify(v->diff, PVS_MAX_DIFFS);
	pvs_diffs_show(m, v);

	return v->nr;
}

/**
 * pvs_verify_show - look at everything, and tell what is not as it should be
 * @m:	    for a line each, or "ok"
 * @unused: for seq_file
 *
 * Sleeps, for a second or two if there is something.
 *
 * Return: 0 or -ENOMEM.
 */
int pvs_verify_show(struct seq_file *m, void *unused)
{
	/* Written to for each entry, with interrupts off: that is not to fault. */
	struct pvs_verify *v = pvs_zalloc(sizeof(*v), GFP_KERNEL);
	unsigned int found = 0;

	if (!v)
		return -ENOMEM;

	/* Not with the CPUs held: those who hold the address spaces may wait for that. */
	v->cpu = PVS_ALL_CPUS;
	found = pvs_verify_patiently(m, v, pvs_verify_users, true);
	if (pvs_hold()) {
		found += pvs_verify_aliases(m, v);
		for_each_possible_cpu(v->cpu)
			found += pvs_verify_cpu(m, v);
	} else {
		found += pvs_verify_left(m);
		for_each_possible_cpu(v->cpu)
			found += pvs_verify_patiently(m, v, pvs_verify_off, true);
	}
	if (!found)
		seq_puts(m, "ok\n");
	pvs_release();
	kfree(v);
	return 0;
}
