// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmemcheck's parameter and switch, and which memory is watched.
 */
#define pr_fmt(fmt) "kmemcheck: " fmt

#include <linux/cpu.h>
#include <linux/cpufeature.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kfence.h>
#include <linux/mm.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_kmemcheck.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stackdepot.h>
#include <linux/string.h>
#include <linux/sysctl.h>
#include <linux/workqueue.h>

#include "slab.h"

#include "../../arch/x86/cache.h"
#include "../../pvops/backend.h"
#include "../../pvops/task.h"
#include "../direct.h"
#include "../mem.h"
#include "kmemcheck.h"

DEFINE_STATIC_KEY_FALSE(pv_kmemcheck_key);
EXPORT_SYMBOL_GPL(pv_kmemcheck_key);

/* 0: off, 1: on, 2: on until something was found */
int kmemcheck_enabled;

/* Of so many slabs one is watched, if the user does not say of how many. */
#define KMEMCHECK_SAMPLE	64

static bool kmemcheck_installed __ro_after_init;
static unsigned int kmemcheck_sample __ro_after_init = 1;
static char kmemcheck_caches[256] __ro_after_init;
static atomic_t kmemcheck_slabs;

/*
 * What page faults touch, or the allocator needs for what it does: it must not fault,
 * or need not.
 */
static const char *const kmemcheck_left_alone[] = {
	PVS_MEM_NAME "-*",
	"task_struct", "mm_struct", "thread_stack",
	/* Accessed between two worlds, with the guest's registers in the CPU. */
	"kvm_vcpu",
	"kmem_cache", "kmem_cache_node",
};

static bool kmemcheck_matches(const char *name, const char *pattern, size_t len)
{
	if (len && pattern[len - 1] == '*')
		return !strncmp(name, pattern, len - 1);
	return strlen(name) == len && !strncmp(name, pattern, len);
}

/* Is a name in the list that the user gave? */
static bool kmemcheck_chosen(const char *name)
{
	const char *item = kmemcheck_caches;
	size_t len;

	if (!*item)
		return true;
	for (; *item; item += len + (item[len] == ',')) {
		len = strcspn(item, ",");
		if (kmemcheck_matches(name, item, len))
			return true;
	}
	return false;
}

static bool kmemcheck_drawn(void)
{
	return kmemcheck_sample == 1 ||
	       (unsigned int)atomic_inc_return(&kmemcheck_slabs) % kmemcheck_sample == 0;
}

/**
 * kmemcheck_wants - is a new slab to be watched
 * @cache: of this cache
 *
 * Any context. With "sample:N" each Nth of those that might be.
 */
bool kmemcheck_wants(const struct kmem_cache *cache)
{
	unsigned int i;

	if (!READ_ONCE(kmemcheck_enabled))
		return false;
	/* SLUB itself looks at objects and behind them. */
	if (cache->flags & (SLAB_POISON | SLAB_RED_ZONE | SLAB_STORE_USER))
		return false;
	if (!kmemcheck_chosen(cache->name))
		return false;
	for (i = 0; i < ARRAY_SIZE(kmemcheck_left_alone); i++)
		if (kmemcheck_matches(cache->name, kmemcheck_left_alone[i],
				      strlen(kmemcheck_left_alone[i])))
			return false;
	return kmemcheck_drawn();
}

/**
 * kmemcheck_wants_pages - are pages to be watched that are no slab
 * @name: what the user calls their kind
 *
 * Any context.
 */
bool kmemcheck_wants_pages(const char *name)
{
	return READ_ONCE(kmemcheck_enabled) && kmemcheck_chosen(name) && kmemcheck_drawn();
}

/**
 * kmemcheck_reported - something was printed
 */
void kmemcheck_reported(void)
{
	if (READ_ONCE(kmemcheck_enabled) == 2) {
		WRITE_ONCE(kmemcheck_enabled, 0);
		pr_info("switched off after one report\n");
		kmemcheck_unwatch_all();
	}
}

/*
 * KFENCE gives some allocations a page of its own instead of the slab's: a use of what is not
 * initialized would be missed ten times a second. "kfence.sample_interval=" is read later, so
 * that who wants KFENCE nevertheless has it.
 */
static void __init kmemcheck_without_kfence(void)
{
#ifdef CONFIG_KFENCE
	kfence_sample_interval = 0;
#endif
}

/* kmemcheck=0|1|2, sample:N, caches:LIST; a list is the rest of it. */
static int __init kmemcheck_param(char *arg)
{
	int enabled = 1;
	char *option;

	while (arg && *arg) {
		if (strstarts(arg, "caches:")) {
			if (strscpy(kmemcheck_caches, arg + strlen("caches:")) < 0)
				pr_err("the list of caches is too long, its end is ignored\n");
			break;
		}
		option = strsep(&arg, ",");
		if (!strcmp(option, "sample")) {
			kmemcheck_sample = KMEMCHECK_SAMPLE;
		} else if (strstarts(option, "sample:")) {
			if (kstrtouint(option + strlen("sample:"), 10, &kmemcheck_sample) ||
			    !kmemcheck_sample) {
				pr_err("'%s': a number from 1 on is needed, as in sample:16; all is watched\n",
				       option);
				kmemcheck_sample = 1;
			}
		} else if (kstrtoint(option, 10, &enabled) || enabled < 0 || enabled > 2) {
			pr_err("unknown option '%s' ignored; there are: 0, 1, 2, sample, sample:N, caches:NAME,...\n",
			       option);
			enabled = 1;
		}
	}

	if (!pvs_install())
		return 0;
	kmemcheck_installed = true;
	kmemcheck_enabled = enabled;
	pvs_cache_enlarge();
	kmemcheck_without_kfence();
	/*
	 * Every x86-64 processor has rep movs and rep stos. With them a function that copies
	 * or clears memory faults once for each page, and not for each word.
	 */
	setup_force_cpu_cap(X86_FEATURE_REP_GOOD);
	setup_force_cpu_cap(X86_FEATURE_ERMS);
	setup_force_cpu_cap(X86_FEATURE_FSRM);
	setup_force_cpu_cap(X86_FEATURE_FSRS);
	return 0;
}
early_param("kmemcheck", kmemcheck_param);

static int __init kmemcheck_start(void)
{
	int ret = pvs_mem_init();

	if (ret)
		return ret;
	ret = stack_depot_init();
	if (ret)
		return ret;
	pvs_want_all_tasks();
	cpus_read_lock();
	ret = pv_shadow_start();
	cpus_read_unlock();
	if (ret)
		return ret;
	/* An eighth of memory for tables, a quarter for states. */
	ret = pvs_direct_init(totalram_pages() / 8);
	return ret ?: kmemcheck_areas_init();
}

/**
 * pv_kmemcheck_start - begin, if it was asked for at boot
 *
 * The allocator is complete. CPUs run on their roots from now on.
 */
void __init pv_kmemcheck_start(void)
{
	int ret;

	if (!kmemcheck_installed)
		return;
	ret = kmemcheck_start();
	if (ret) {
		kmemcheck_installed = false;
		WRITE_ONCE(kmemcheck_enabled, 0);
		pr_err("cannot be started (%d), so nothing is watched; a machine with more memory is needed\n",
		       ret);
		return;
	}
	static_branch_enable(&pv_kmemcheck_key);
	pr_info("%s\n", kmemcheck_enabled ? "watching" : "installed, and off");
}

static int kmemcheck_sysctl(const struct ctl_table *table, int write, void *buffer,
			    size_t *length, loff_t *pos)
{
	int ret = proc_dointvec_minmax(table, write, buffer, length, pos);

	if (!ret && write && !kmemcheck_enabled)
		kmemcheck_unwatch_all();
	return ret;
}

static struct ctl_table kmemcheck_sysctls[] = {
	{
		.procname	= "kmemcheck",
		.data		= &kmemcheck_enabled,
		.maxlen		= sizeof(kmemcheck_enabled),
		.mode		= 0644,
		.proc_handler	= kmemcheck_sysctl,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_TWO,
	},
};

static int kmemcheck_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "enabled %d\n", READ_ONCE(kmemcheck_enabled));
	seq_printf(m, "watched_pages %lu\n", kmemcheck_pages());
	seq_printf(m, "state_bytes %lu\n", kmemcheck_memory());
	seq_printf(m, "reported %ld\n", atomic_long_read(&kmemcheck_stats.reported));
	seq_printf(m, "repeated %ld\n", atomic_long_read(&kmemcheck_stats.repeated));
	seq_printf(m, "dropped %ld\n", atomic_long_read(&kmemcheck_stats.dropped));
	seq_printf(m, "followed %ld\n", atomic_long_read(&kmemcheck_stats.followed));
	seq_printf(m, "untracked_pages %ld\n", atomic_long_read(&kmemcheck_stats.untracked));
	seq_printf(m, "hidden %ld\n", atomic_long_read(&kmemcheck_stats.hidden));
	seq_printf(m, "late %ld\n", atomic_long_read(&kmemcheck_stats.late));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(kmemcheck);

static int __init kmemcheck_files(void)
{
	if (!kmemcheck_installed)
		return 0;
	register_sysctl("kernel", kmemcheck_sysctls);
	debugfs_create_file("kmemcheck", 0400, debugfs_lookup("pv_shadow", NULL), NULL,
			    &kmemcheck_fops);
	return 0;
}
late_initcall_sync(kmemcheck_files);
