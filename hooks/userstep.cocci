// SPDX-License-Identifier: GPL-2.0-only
// files: include/linux/entry-common.h arch/x86/include/asm/entry-common.h
// files: arch/x86/kernel/traps.c
//
// What user mode is to be stepped through begins with the last thing that the kernel
// does before, and ends with the first that it does after.

@@
@@
#include <linux/tick.h>
+#include <linux/pv_shadow_hooks.h>

@@
@@
#include <linux/user-return-notifier.h>
+#include <linux/pv_shadow_hooks.h>

@@
@@
 enter_from_user_mode(...)
 {
	...
+	pv_shadow_user_entry();
	trace_hardirqs_off_finish();
	...
 }

@@
@@
 arch_exit_to_user_mode_prepare(...)
 {
	...
+	pv_shadow_user_exit();
 }

@@
identifier regs, dr6;
@@
 exc_debug_user(struct pt_regs *regs, unsigned long dr6)
 {
	...
	instrumentation_begin();
+	if (pv_shadow_user_debug(regs, &dr6))
+		goto out;
	...
 }
