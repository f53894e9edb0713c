// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/kernel/nmi.c
//
// An NMI may come between the fault on a trapped page and the end of the access.
// Its handlers must not see the page revealed.

@@
@@
#include <asm/nmi.h>
+#include <linux/pv_shadow_hooks.h>

@@
identifier regs;
@@
 default_do_nmi(struct pt_regs *regs)
 {
 <...
 instrumentation_begin();
+pv_shadow_nmi_enter(regs);
 ...>
 }

@@
@@
 default_do_nmi(...)
 {
 <...
+pv_shadow_nmi_exit();
 instrumentation_end();
 ...>
 }
