// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmiotrace on all CPUs: every ioremap() made while it is enabled is trapped, and
 * each access reported to the tracer.
 */
#define pr_fmt(fmt) "pv_shadow_mmiotrace: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/pv_shadow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../pvops/backend.h"
#include "mmiotrace.h"

/**
 * struct pvs_map - one ioremap()
 * @list:  in pvs_maps
 * @range: its addresses
 * @phys:  what @range.start maps
 * @id:    number in the trace
 * @trapped: accesses to it are seen
 */
struct pvs_map {
	struct list_head	list;
	struct pv_shadow_range	range;
	resource_size_t		phys;
	int			id;
	bool			trapped;
};

static DEFINE_MUTEX(pvs_maps_lock);
/* pvs_maps_lock */
static LIST_HEAD(pvs_maps);
static int pvs_last_id;
/* Written under pvs_maps_lock; read without it only to come back for it. */
static bool pvs_enabled;

static bool pvs_wanted __ro_after_init;
static bool pvs_boot_wanted __ro_after_init;
static bool pvs_boot_pending;

static void pvs_mmio_accessed(struct pv_shadow_range *range,
			      const struct pv_shadow_access *access)
{
	const struct pvs_map *map = container_of(range, struct pvs_map, range);
	struct mmiotrace_rw rw = {
		.phys = map->phys + (access->addr - range->start),
		.value = access->value,
		.pc = access->ip,
		.map_id = map->id,
		.width = access->width,
	};

	switch (access->dir) {
	case PV_SHADOW_READ:
		rw.opcode = MMIO_READ;
		break;
	case PV_SHADOW_WRITE:
		rw.opcode = MMIO_WRITE;
		break;
	case PV_SHADOW_UNKNOWN:
		rw.opcode = MMIO_UNKNOWN_OP;
		break;
	}

	pvs_tracer_rw(&rw);
}

static const struct pv_shadow_client pvs_mmiotrace_client = {
	.name = "mmiotrace",
	.accessed = pvs_mmio_accessed,
};

static void pvs_map_add(resource_size_t phys, unsigned long size,
			unsigned long addr)
{
	struct mmiotrace_map event = {
		.phys = phys,
		.virt = addr,
		.len = size,
		.opcode = MMIO_PROBE,
	};
	struct pvs_map *map = kzalloc(sizeof(*map), GFP_KERNEL);
	int ret = -ENOMEM;

	event.map_id = ++pvs_last_id;
	pvs_tracer_map(&event);

	if (map) {
		map->range.client = &pvs_mmiotrace_client;
		map->range.start = addr;
		map->range.end = addr + size;
		map->phys = phys;
		map->id = event.map_id;
		ret = pv_shadow_trap(&map->range);
		map->trapped = !ret;
		list_add(&map->list, &pvs_maps);
	}

	/* In the trace as well as in the log: what is not seen must not look idle. */
	if (ret) {
		pr_err("cannot trace map %d, phys %pa size 0x%lx: %s; its accesses are not seen\n",
		       event.map_id, &phys, size,
		       ret == -ENOMEM ? "out of memory" : "not possible there");
		pvs_tracer_mark("map %d is not traced, error %d\n",
				event.map_id, ret);
	}
}

static void pvs_map_del(struct pvs_map *map)
{
	if (map->trapped)
		pv_shadow_untrap(&map->range);
	list_del(&map->list);
	kfree(map);
}

/**
 * pvs_mmiotrace_boot - start tracing, once, if it was asked for at boot
 *
 * At the first ioremap(), long before initcalls, or if there was none from one.
 */
void __ref pvs_mmiotrace_boot(void)
{
	if (pvs_boot_pending) {
		pvs_boot_pending = false;
		pvs_tracer_boot();
	}
}

/**
 * pv_shadow_ioremap - I/O memory was mapped
 * @phys: its physical address, not rounded to pages
 * @size: its size, likewise
 * @addr: where it is mapped
 *
 * Nobody knows @addr yet. Sleeps.
 */
void pv_shadow_ioremap(resource_size_t phys, unsigned long size,
		       void __iomem *addr)
{
	if (unlikely(READ_ONCE(pvs_boot_pending)))
		pvs_mmiotrace_boot();
	if (!READ_ONCE(pvs_enabled))
		return;

	mutex_lock(&pvs_maps_lock);
	if (pvs_enabled)
		pvs_map_add(phys, size, (unsigned long __force)addr);
	mutex_unlock(&pvs_maps_lock);
}

/**
 * pv_shadow_iounmap - I/O memory is about to be unmapped
 * @addr: what ioremap() returned
 *
 * Sleeps.
 */
void pv_shadow_iounmap(unsigned long addr)
{
	struct mmiotrace_map event = {
		.virt = addr,
		.map_id = -1,
		.opcode = MMIO_UNPROBE,
	};
	struct pvs_map *map;

	if (!READ_ONCE(pvs_enabled))
		return;

	mutex_lock(&pvs_maps_lock);
	if (pvs_enabled) {
		list_for_each_entry(map, &pvs_maps, list) {
			if (map->range.start != addr)
				continue;
			event.map_id = map->id;
			pvs_map_del(map);
			break;
		}
		pvs_tracer_map(&event);
	}
	mutex_unlock(&pvs_maps_lock);
}

/**
 * pvs_mmiotrace_enable - trace what is mapped from now on
 *
 * Return: 0, or an error and nothing changed.
 */
int pvs_mmiotrace_enable(void)
{
	int ret = 0;

	mutex_lock(&pvs_maps_lock);
	if (!pvs_enabled) {
		ret = pv_shadow_start();
		if (!ret)
			WRITE_ONCE(pvs_enabled, true);
	}
	mutex_unlock(&pvs_maps_lock);

	if (ret)
		pr_err("cannot start: %s\n",
		       ret == -ENOMEM ? "out of memory" : "busy");
	return ret;
}

/**
 * pvs_mmiotrace_disable - trace no more
 *
 * When this returns the last event was reported.
 */
void pvs_mmiotrace_disable(void)
{
	struct pvs_map *map, *next;

	mutex_lock(&pvs_maps_lock);
	if (pvs_enabled) {
		list_for_each_entry_safe(map, next, &pvs_maps, list)
			pvs_map_del(map);
		WRITE_ONCE(pvs_enabled, false);
		pv_shadow_stop();
	}
	mutex_unlock(&pvs_maps_lock);
}

/**
 * pv_shadow_mmiotrace - is the mmiotrace tracer ours
 */
bool pv_shadow_mmiotrace(void)
{
	return pvs_wanted;
}

/**
 * pvs_mmiotrace_from_boot - was tracing from the first ioremap() on asked for
 */
bool pvs_mmiotrace_from_boot(void)
{
	return pvs_boot_wanted;
}

/*
 * pv_shadow_mmiotrace[=on|off|boot]; options are separated by commas.
 */
static int __init pvs_mmiotrace_param(char *arg)
{
	bool want = true, boot = false;
	char *option;

	while (arg && (option = strsep(&arg, ","))) {
		if (!*option || !strcmp(option, "on"))
			want = true;
		else if (!strcmp(option, "off"))
			want = false;
		else if (!strcmp(option, "boot"))
			boot = true;
		else
			pr_warn("unknown option '%s' ignored; there are: on, off, boot\n",
				option);
	}

	if (!want || !pvs_install())
		return 0;

	pvs_wanted = true;
	pvs_boot_wanted = boot;
	pvs_boot_pending = boot;
	if (boot)
		pvs_tracer_early_param();
	pr_info("installed%s\n", boot ? ", tracing from boot on" : "");

	return 0;
}
early_param("pv_shadow_mmiotrace", pvs_mmiotrace_param);
