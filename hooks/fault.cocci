// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/mm/fault.c
//
// A fault on a trapped page is nobody else's business: before the tracepoints
// and before kmmio. What the kernel has mapped for another fault is what comes next.

@@
@@
#include <asm/irq_stack.h>
+#include <linux/pv_shadow_hooks.h>

@@
identifier regs, error_code, address;
@@
 handle_page_fault(struct pt_regs *regs, unsigned long error_code, unsigned long address)
 {
+	if (pv_shadow_fault(regs, &error_code, &address))
+		return;
	trace_page_fault_entries(...);
	...
	local_irq_disable();
+	pv_shadow_faulted(address);
 }
