// SPDX-License-Identifier: GPL-2.0-only
// files: mm/page_alloc.c
//
// Who asks for the address of pages accesses them there, where kmemcheck sees it. Of other
// pages it is not known where they will be mapped.

@@
identifier page;
@@
 get_free_pages_noprof(...)
 {
 ...
-return (unsigned long) page_address(page);
+return pv_kmemcheck_get_pages((unsigned long)page_address(page), order, gfp_mask);
 }
