// SPDX-License-Identifier: GPL-2.0-only
// files: tools/objtool/check.c
//
// As KMSAN's, kmemcheck's function is called where user memory may be accessed: it
// accesses none.

@@
@@
 static const char *uaccess_safe_builtin[] = {
	...,
	"kmsan_copy_to_user",
+	"__pv_kmemcheck_copy_to_user",
+	"__raw_callee_save___pv_kmemcheck_copy_to_user",
	...
 };
