// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/include/asm/paravirt.h
//
// CR3 accesses are paravirt calls in the source but become native instructions
// on everything that is not a Xen PV guest. Make that depend on our own feature
// bit; without it they are native as before.

@@
@@
#include <asm/paravirt_types.h>
+#include <linux/pv_shadow_cpu.h>

@@
identifier f =~ "^(__read_cr3|write_cr3)$";
@@
 f(...) {
 <...
-ALT_NOT_XEN
+ALT_NOT_PV_SHADOW
 ...>
 }
