// SPDX-License-Identifier: GPL-2.0-only
// files: mm/slub.c
//
// SLUB keeps its list of free objects in these objects, and knows what it does there:
// that is not kmemcheck's business. And a slab's pages are hidden when it is made.

@@
typedef freeptr_t;
identifier p, a;
@@
 get_freepointer(...)
 {
 <...
-p = *(freeptr_t *)(a);
+p = *(freeptr_t *)pv_kmemcheck_seen(a);
 ...>
 }

@@
identifier p, a;
@@
 get_freepointer_safe(...)
 {
 <...
-copy_from_kernel_nofault(&p, (freeptr_t *)a, sizeof(p));
+copy_from_kernel_nofault(&p, (freeptr_t *)pv_kmemcheck_seen(a), sizeof(p));
 ...>
 }

@@
typedef freeptr_t;
identifier a;
expression e;
@@
 set_freepointer(...)
 {
 ...
 *((freeptr_t *)
-a
+pv_kmemcheck_seen(a)
 ) = e;
 }

@@
identifier slab;
@@
 allocate_slab(...)
 {
 <...
+pv_kmemcheck_new_slab(s, slab_address(slab), oo_order(oo), flags);
 shuffle = shuffle_freelist(s, slab);
 ...>
 }

// The allocator is complete, and interrupts are on.
@@
@@
 kmem_cache_init_late(...)
 {
+	pv_kmemcheck_start();
	...
 }
