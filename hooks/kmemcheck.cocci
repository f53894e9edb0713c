// SPDX-License-Identifier: GPL-2.0-only
// files: include/linux/kmsan-checks.h include/linux/kmsan.h
//
// KMSAN's hooks are where kmemcheck wants to know of what happens as well. Without
// KMSAN they are empty functions: these are filled.

@@
@@
 #include <linux/types.h>
+#include <linux/pv_shadow_kmemcheck.h>

@@
identifier address, size, flags;
@@
 static inline void kmsan_poison_memory(const void *address, size_t size, gfp_t flags)
 {
+	pv_kmemcheck_poison(address, size);
 }

@@
identifier address, size;
@@
 static inline void kmsan_unpoison_memory(const void *address, size_t size)
 {
+	pv_kmemcheck_unpoison(address, size);
 }

@@
identifier address, size;
@@
 static inline void kmsan_check_memory(const void *address, size_t size)
 {
+	pv_kmemcheck_check(address, size);
 }

// Where user memory is open no function may be called but those that objtool knows.
@@
attribute name __always_inline;
@@
 static
-inline
+__always_inline
 void kmsan_copy_to_user(...)
 {
+	pv_kmemcheck_copy_to_user(to, from, to_copy - left);
 }

@@
identifier page, order;
@@
 static inline void kmsan_free_page(struct page *page, unsigned int order)
 {
+	pv_kmemcheck_free_page(page, order);
 }

@@
identifier dst, src;
@@
 static inline void kmsan_copy_page_meta(struct page *dst, struct page *src)
 {
+	pv_kmemcheck_copy_page(dst, src);
 }

@@
identifier s, object, flags;
@@
 static inline void kmsan_slab_alloc(struct kmem_cache *s, void *object, gfp_t flags)
 {
+	pv_kmemcheck_slab_alloc(s, object, flags);
 }

@@
identifier s, object;
@@
 static inline void kmsan_slab_free(struct kmem_cache *s, void *object)
 {
+	pv_kmemcheck_slab_free(s, object);
 }

@@
identifier ptr, size, flags;
@@
 static inline void kmsan_kmalloc_large(const void *ptr, size_t size, gfp_t flags)
 {
+	pv_kmemcheck_kmalloc_large(ptr, size, flags);
 }

@@
identifier page, offset, size, dir;
@@
 static inline void kmsan_handle_dma(struct page *page, size_t offset, size_t size,
				     enum dma_data_direction dir)
 {
+	pv_kmemcheck_dma(page, offset, size, dir);
 }

@@
identifier sg, nents, dir;
@@
 static inline void kmsan_handle_dma_sg(struct scatterlist *sg, int nents,
					enum dma_data_direction dir)
 {
+	pv_kmemcheck_dma_sg(sg, nents, dir);
 }

@@
identifier urb, is_out;
@@
 static inline void kmsan_handle_urb(const struct urb *urb, bool is_out)
 {
+	pv_kmemcheck_urb(urb, is_out);
 }
