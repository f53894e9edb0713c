// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/kernel/cpu/common.c arch/x86/kernel/smpboot.c
//
// A CPU runs kernel code before it is online and after it stopped being so.

@@
@@
#include <asm/tlbflush.h>
+#include <linux/pv_shadow_hooks.h>

@@
@@
 cpu_init(void)
 {
	...
	initialize_tlbstate_and_flush();
+	pv_shadow_cpu_alive();
	...
 }

@@
@@
 play_dead_common(void)
 {
	...
+	pv_shadow_cpu_dead();
	cpuhp_ap_report_dead();
	...
 }
