// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/mm/ioremap.c
//
// Where mmiotrace learns of mappings, so do we.

@@
@@
#include <linux/mmiotrace.h>
+#include <linux/pv_shadow_hooks.h>

@@
expression phys, size, addr;
@@
	mmiotrace_ioremap(phys, size, addr);
+	pv_shadow_ioremap(phys, size, addr);

@@
expression addr;
@@
	mmiotrace_iounmap(addr);
+	pv_shadow_iounmap((unsigned long)addr);
