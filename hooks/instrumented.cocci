// SPDX-License-Identifier: GPL-2.0-only
// files: include/linux/instrumented.h
//
// What get_user() and put_user() move is in a variable, of which kmemcheck knows nothing.

@@
expression ptr, from, size;
@@
- kmsan_copy_to_user(ptr, &from, size, 0)
+ pv_kmemcheck_of_variable(kmsan_copy_to_user(ptr, &from, size, 0))

@@
expression value, size;
@@
- kmsan_unpoison_memory(&value, size)
+ pv_kmemcheck_of_variable(kmsan_unpoison_memory(&value, size))
