// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/mm/tlb.c
//
// KVM asks for CR3 in order to have the hardware load it at a VM exit.

@@
identifier cr3;
@@
 __get_current_cr3_fast(void)
 {
	unsigned long cr3 = ...;
	...
-	return cr3;
+	return pv_shadow_hardware_cr3(cr3);
 }
