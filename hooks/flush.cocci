// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/mm/tlb.c
//
// Some of the kernel's tables are changed without a paravirt call, by vunmap() for
// one. That a flush of all CPUs follows is how the copies learn of it.

@@
@@
#include <asm/tlbflush.h>
+#include <linux/pv_shadow_hooks.h>

@@
identifier start, end;
@@
 void flush_tlb_kernel_range(unsigned long start, unsigned long end)
 {
+	pv_shadow_flush_range(start, end);
	...
 }

@@
@@
 void flush_tlb_all(void)
 {
+	pv_shadow_flush_range(0, TLB_FLUSH_ALL);
	...
 }
