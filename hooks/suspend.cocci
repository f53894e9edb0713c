// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/power/cpu.c
//
// The CPU wakes up without per-CPU data, which the write_cr3 operation needs: it
// gets Linux's own tables first. Its root follows with the first address space.

@@
expression ctxt;
@@
 __restore_processor_state(...)
 {
	<...
-	write_cr3(ctxt->cr3);
+	native_write_cr3(ctxt->cr3);
	...>
 }

@@
@@
#include <asm/mmu_context.h>
+#include <linux/pv_shadow_hooks.h>

@@
@@
 fix_processor_context(void)
 {
	<...
	initialize_tlbstate_and_flush();
+	pv_shadow_cpu_resumed();
	...>
 }
