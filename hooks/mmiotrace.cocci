// SPDX-License-Identifier: GPL-2.0-only
// files: kernel/trace/trace_mmiotrace.c arch/x86/mm/mmio-mod.c
//
// With the boot parameter the tracer called mmiotrace is ours, and so are the
// markers. Without it the stock one is as it was.

@@
@@
#include <linux/mmiotrace.h>
+#include <linux/pv_shadow_hooks.h>

@@
@@
 init_mmio_trace(void)
 {
+	if (pv_shadow_mmiotrace())
+		return 0;
	return register_tracer(...);
 }

@@
identifier fmt, args, ret;
@@
 mmiotrace_printk(const char *fmt, ...)
 {
	int ret = 0;
	...
	va_start(args, fmt);
+	if (pv_shadow_mmiotrace()) {
+		ret = pv_shadow_mmiotrace_vprintk(fmt, args);
+		va_end(args);
+		return ret;
+	}
	...
 }
