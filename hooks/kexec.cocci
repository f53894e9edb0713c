// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/kernel/machine_kexec_64.c
//
// On the way to another kernel there is a time without descriptor tables, where no fault can
// be taken. The image that is read then may be on a page that is hidden.

@@
@@
#include <asm/setup.h>
+#include <linux/pv_shadow_hooks.h>

@@
identifier image;
@@
 machine_kexec(struct kimage *image)
 {
	...
	local_irq_disable();
+	pv_shadow_kexec();
	...
 }
