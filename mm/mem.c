// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that page faults touch.
 *
 * Where slabs are trapped it comes from caches of its own, which those who trap slabs
 * leave alone. What is large comes from the page allocator and is zeroed: nobody traps
 * that.
 */
#include <linux/errno.h>
#include <linux/slab.h>

#include "mem.h"

static kmem_buckets *pvs_buckets __ro_after_init;

/**
 * pvs_mem_init - have a part of memory that is left alone
 *
 * Sleeps. What was allocated before is left alone if no slab is trapped that was there
 * already.
 *
 * Return: 0 or -ENOMEM.
 */
int __init pvs_mem_init(void)
{
	pvs_buckets = kmem_buckets_create(PVS_MEM_NAME, SLAB_NO_MERGE, 0, 0, NULL);
	return pvs_buckets ? 0 : -ENOMEM;
}

/**
 * pvs_zalloc - allocate zeroed memory that page faults may touch
 * @size: bytes
 * @gfp:  how
 *
 * Return: it, for kfree(), or NULL.
 */
void *pvs_zalloc(size_t size, gfp_t gfp)
{
	return kmem_buckets_alloc(pvs_buckets, size, gfp | __GFP_ZERO);
}

/**
 * pvs_vzalloc - the same if it may be large
 * @size: bytes
 * @gfp:  how; sleeps
 *
 * Return: it, for kvfree(), or NULL.
 */
void *pvs_vzalloc(size_t size, gfp_t gfp)
{
	return kmem_buckets_valloc(pvs_buckets, size, gfp | __GFP_ZERO);
}
