// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/kernel/kvm.c arch/x86/hyperv/mmu.c
//
// A hypervisor's flush of other CPUs' TLBs runs no code of ours there, and Hyper-V's
// names the address space by the pgd, which is in no CR3. Flushes stay native.

@@
@@
#include <asm/apicdef.h>
+#include <linux/pv_shadow_hooks.h>

@@
@@
#include <asm/mshyperv.h>
+#include <linux/pv_shadow_hooks.h>

@@
@@
 pv_tlb_flush_supported(void)
 {
+	if (pv_shadow_installed())
+		return false;
	...
 }

@@
@@
 hyperv_setup_mmu_ops(void)
 {
+	if (pv_shadow_installed())
+		return;
	...
 }
