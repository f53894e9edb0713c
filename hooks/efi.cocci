// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/platform/efi/efi_64.c
//
// Before firmware is called the kernel half of its pgd is copied from init_mm's,
// by memcpy().

@@
@@
#include <asm/efi.h>
+#include <linux/pv_shadow_hooks.h>

@@
@@
 void efi_sync_low_kernel_mappings(void)
 {
	...
+	pv_shadow_pgd_changed(efi_mm.pgd);
 }
