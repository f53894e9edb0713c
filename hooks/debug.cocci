// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/kernel/traps.c
//
// The trap of a step of ours comes before every notifier, which would take it for
// its own or for nobody's. The fault that began the step left interrupts disabled;
// what enables them again is the return from this trap.

@@
@@
#include <asm/debugreg.h>
+#include <linux/pv_shadow_hooks.h>

@@
identifier regs, dr6;
@@
 exc_debug_kernel(struct pt_regs *regs, unsigned long dr6)
 {
	<...
+	if (pv_shadow_debug(regs, &dr6, &irq_state.lockdep))
+		goto out;
	if (!dr6)
		goto out;
	...>
 }

@@
@@
 exc_debug_kernel(...)
 {
	...
 out:
+	pv_shadow_debug_exit();
	instrumentation_end();
	...
 }

// Nor may the handler of a breakpoint find one of our steps under way.
@@
identifier regs;
@@
+	pv_shadow_int3(regs, &irq_state.lockdep);
	if (!do_int3(regs))
		die("int3", regs, 0);
