// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmiotrace on all CPUs: the boot parameter.
 */
#define pr_fmt(fmt) "pv_shadow_mmiotrace: " fmt

#include <linux/init.h>
#include <linux/printk.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/string.h>

#include "../../pvops/backend.h"
#include "engine.h"
#include "maps.h"
#include "mmiotrace.h"

static bool pvs_wanted __ro_after_init;
static bool pvs_boot_wanted __ro_after_init;
static bool pvs_boot_pending;

/**
 * pvs_mmiotrace_boot - start tracing, once, if it was asked for at boot
 *
 * At the first ioremap(), long before initcalls, or if there was none from one.
 */
void __ref pvs_mmiotrace_boot(void)
{
	if (unlikely(READ_ONCE(pvs_boot_pending))) {
		pvs_boot_pending = false;
		pvs_tracer_boot();
	}
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
 * pv_shadow_mmiotrace[=on|off|boot|engine=NAME|FILTER]; options are separated by commas, and so
 * are the conditions of a filter. One that cannot be understood is left out, and the
 * log says so.
 */
static int __init pvs_mmiotrace_param(char *arg)
{
	/* Stays if it is given once more. */
	static bool boot __initdata;
	bool want = true;
	char *option;

	while (arg && (option = strsep(&arg, ","))) {
		if (!*option || !strcmp(option, "on"))
			want = true;
		else if (!strcmp(option, "off"))
			want = false;
		else if (!strcmp(option, "boot"))
			boot = true;
		else if (strstarts(option, "engine="))
			pvs_engine_set(option + strlen("engine="));
		else if (!strchr(option, '='))
			pr_warn("unknown option '%s' ignored; there are: on, off, boot, engine=, and filters\n",
				option);
		else if (pvs_filter_add(&pvs_boot_filter, option))
			pr_err("option '%s' ignored\n", option);
	}

	if (!want && pvs_wanted)
		pr_info("off again; what it needs stays installed\n");
	pvs_wanted = want && pvs_install();
	if (!pvs_wanted)
		boot = false;
	pvs_boot_wanted = boot;
	pvs_boot_pending = boot;
	if (boot)
		pvs_tracer_early_param();
	if (pvs_wanted)
		pr_info("installed%s\n", boot ? ", tracing from boot on" : "");

	return 0;
}
early_param("pv_shadow_mmiotrace", pvs_mmiotrace_param);
