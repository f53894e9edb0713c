/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmemcheck: what the kernel tells it. The calls stand in the stubs of KMSAN's hooks, so
 * that they are where KMSAN wants to know of allocations, copies and transfers; two are
 * in SLUB, and one where pages are allocated by their address. They cost a no-op each
 * while kmemcheck is not switched on.
 */
#ifndef _LINUX_PV_SHADOW_KMEMCHECK_H
#define _LINUX_PV_SHADOW_KMEMCHECK_H

#include <linux/dma-direction.h>
#include <linux/instruction_pointer.h>
#include <linux/jump_label.h>
#include <linux/pv_shadow_rare.h>
#include <linux/types.h>

struct kmem_cache;
struct page;
struct scatterlist;
struct urb;

void __pv_kmemcheck_new_slab(struct kmem_cache *s, void *start, unsigned int order, gfp_t flags);
unsigned long __pv_kmemcheck_seen(unsigned long addr);
void __pv_kmemcheck_slab_alloc(struct kmem_cache *s, void *object, gfp_t flags);
void __pv_kmemcheck_slab_free(struct kmem_cache *s, void *object);
void __pv_kmemcheck_free_page(struct page *page, unsigned int order);
unsigned long __pv_kmemcheck_get_pages(unsigned long addr, unsigned int order, gfp_t flags);
void __pv_kmemcheck_copy_page(struct page *dst, struct page *src);
void __pv_kmemcheck_kmalloc_large(const void *object, size_t size, gfp_t flags);
void __pv_kmemcheck_mark(const void *addr, size_t size, bool initialized);
void __pv_kmemcheck_check(const void *addr, size_t size);
void __pv_kmemcheck_copy_to_user(void __user *to, const void *from, size_t size,
				 unsigned long ip);
void __pv_kmemcheck_dma(struct page *page, size_t offset, size_t size,
			enum dma_data_direction dir);
void __pv_kmemcheck_dma_sg(struct scatterlist *sg, int nents, enum dma_data_direction dir);
void __pv_kmemcheck_urb(const struct urb *urb, bool out);

#ifdef CONFIG_PV_SHADOW_KMEMCHECK

DECLARE_STATIC_KEY_FALSE(pv_kmemcheck_key);

void pv_kmemcheck_start(void);

static __always_inline bool pv_kmemcheck_on(void)
{
	return static_branch_unlikely(&pv_kmemcheck_key);
}

#else /* !CONFIG_PV_SHADOW_KMEMCHECK */

static inline void pv_kmemcheck_start(void) { }

/* The compiler leaves out what is called otherwise: nobody defines that. */
static __always_inline bool pv_kmemcheck_on(void)
{
	return false;
}

#endif /* CONFIG_PV_SHADOW_KMEMCHECK */

/*
 * What KMSAN is told of a variable's value. Nobody watches variables, and to tell would have
 * them in memory, behind a guard of the stack, wherever a process's memory is accessed.
 */
#define pv_kmemcheck_of_variable(call)	(IS_ENABLED(CONFIG_KMSAN) ? (call) : (void)0)

/* A slab of a cache was set up, and nobody has an object of it yet. */
static __always_inline void pv_kmemcheck_new_slab(struct kmem_cache *s, void *start,
						  unsigned int order, gfp_t flags)
{
	if (pv_kmemcheck_on())
		pv_shadow_rare_call(__pv_kmemcheck_new_slab,
				    "D" (s), "S" (start), "d" (order), "c" (flags));
}

/* Where SLUB finds its own pointer in a free object, without kmemcheck's seeing it. */
static __always_inline unsigned long pv_kmemcheck_seen(unsigned long addr)
{
	return pv_kmemcheck_on() ? pv_shadow_rare_call(__pv_kmemcheck_seen, "D" (addr)) : addr;
}

static __always_inline void pv_kmemcheck_slab_alloc(struct kmem_cache *s, void *object,
						    gfp_t flags)
{
	if (pv_kmemcheck_on())
		pv_shadow_rare_call(__pv_kmemcheck_slab_alloc,
				    "D" (s), "S" (object), "d" (flags));
}

static __always_inline void pv_kmemcheck_slab_free(struct kmem_cache *s, void *object)
{
	if (pv_kmemcheck_on())
		pv_shadow_rare_call(__pv_kmemcheck_slab_free, "D" (s), "S" (object));
}

static __always_inline void pv_kmemcheck_free_page(struct page *page, unsigned int order)
{
	if (pv_kmemcheck_on())
		pv_shadow_rare_call(__pv_kmemcheck_free_page, "D" (page), "S" (order));
}

/* Pages were allocated that are going to be known by their address. Return: that. */
static __always_inline unsigned long pv_kmemcheck_get_pages(unsigned long addr,
							    unsigned int order, gfp_t flags)
{
	return pv_kmemcheck_on() ? pv_shadow_rare_call(__pv_kmemcheck_get_pages, "D" (addr),
						       "S" (order), "d" (flags)) : addr;
}

static __always_inline void pv_kmemcheck_copy_page(struct page *dst, struct page *src)
{
	if (pv_kmemcheck_on())
		__pv_kmemcheck_copy_page(dst, src);
}

static __always_inline void pv_kmemcheck_kmalloc_large(const void *object, size_t size,
						       gfp_t flags)
{
	if (pv_kmemcheck_on())
		__pv_kmemcheck_kmalloc_large(object, size, flags);
}

static __always_inline void pv_kmemcheck_poison(const void *addr, size_t size)
{
	if (pv_kmemcheck_on())
		pv_shadow_rare_call(__pv_kmemcheck_mark, "D" (addr), "S" (size), "d" (false));
}

static __always_inline void pv_kmemcheck_unpoison(const void *addr, size_t size)
{
	if (pv_kmemcheck_on())
		pv_shadow_rare_call(__pv_kmemcheck_mark, "D" (addr), "S" (size), "d" (true));
}

static __always_inline void pv_kmemcheck_check(const void *addr, size_t size)
{
	if (pv_kmemcheck_on())
		__pv_kmemcheck_check(addr, size);
}

static __always_inline void pv_kmemcheck_copy_to_user(void __user *to, const void *from,
						      size_t size)
{
	if (pv_kmemcheck_on())
		pv_shadow_rare_call(__pv_kmemcheck_copy_to_user,
				    "D" (to), "S" (from), "d" (size), "c" (_THIS_IP_));
}

static __always_inline void pv_kmemcheck_dma(struct page *page, size_t offset, size_t size,
					     enum dma_data_direction dir)
{
	if (pv_kmemcheck_on())
		__pv_kmemcheck_dma(page, offset, size, dir);
}

static __always_inline void pv_kmemcheck_dma_sg(struct scatterlist *sg, int nents,
						enum dma_data_direction dir)
{
	if (pv_kmemcheck_on())
		__pv_kmemcheck_dma_sg(sg, nents, dir);
}

static __always_inline void pv_kmemcheck_urb(const struct urb *urb, bool out)
{
	if (pv_kmemcheck_on())
		__pv_kmemcheck_urb(urb, out);
}

#endif /* _LINUX_PV_SHADOW_KMEMCHECK_H */
