// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleep states.
 *
 * In suspend to RAM all CPUs but the one that suspends are taken offline before,
 * and that one wakes up on Linux's own tables. Hibernation saves and restores the
 * roots' memory behind the backs of those who write to it: it is refused.
 */
#define pr_fmt(fmt) "pv_shadow: " fmt

#include <linux/init.h>
#include <linux/printk.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/suspend.h>

#include <asm/tlbflush.h>

#include "backend.h"
#include "root.h"

/**
 * __pv_shadow_cpu_resumed - this CPU woke up and has loaded its address space
 *
 * Interrupts off. Between the wake-up vector and that it ran on the reference, and
 * may have cached translations of trapped pages, global ones among them.
 */
void __pv_shadow_cpu_resumed(void)
{
	if (pvs_cpu_on())
		native_flush_tlb_global();
}

static int pvs_pm_event(struct notifier_block *nb, unsigned long event,
			void *unused)
{
	int ret = 0;

	switch (event) {
	case PM_HIBERNATION_PREPARE:
		ret = pvs_block();
		if (ret)
			pr_err("hibernation is impossible while tracing; switch the tracer off first, detach all, boot without kmemcheck=\n");
		break;
	case PM_POST_HIBERNATION:
		pvs_unblock();
		break;
	}

	return notifier_from_errno(ret);
}

static struct notifier_block pvs_pm_nb = {
	.notifier_call = pvs_pm_event,
};

static int __init pvs_power_init(void)
{
	return pv_shadow_installed() ? register_pm_notifier(&pvs_pm_nb) : 0;
}
core_initcall(pvs_power_init);
