// SPDX-License-Identifier: GPL-2.0-only
/*
 * What leaves the kernel's memory, or comes into it, without an instruction's accessing it
 * in a way that could be seen: copies from and to user memory, and what devices do.
 */
#include <linux/dma-direction.h>
#include <linux/mm.h>
#include <linux/pv_shadow_kmemcheck.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/uaccess.h>
#include <linux/usb.h>

#include <asm/paravirt.h>

#include "kmemcheck.h"

static void kmemcheck_check_use(enum kmemcheck_use use, unsigned long addr, unsigned long size,
				unsigned long ip)
{
	enum kmemcheck_state state;
	unsigned long where;

	rcu_read_lock();
	if (READ_ONCE(kmemcheck_enabled) && kmemcheck_find(addr, size, false, &where, &state))
		kmemcheck_report(use, state, where, addr + size - where, NULL, ip);
	rcu_read_unlock();
}

/**
 * __pv_kmemcheck_mark - say what bytes are
 * @addr:	 first one
 * @size:	 how many
 * @initialized: they are
 */
void __pv_kmemcheck_mark(const void *addr, size_t size, bool initialized)
{
	rcu_read_lock();
	if (initialized)
		kmemcheck_initialized((unsigned long)addr, size);
	else
		kmemcheck_uninitialized((unsigned long)addr, size);
	rcu_read_unlock();
}
PV_CALLEE_SAVE_REGS_THUNK(__pv_kmemcheck_mark);
EXPORT_SYMBOL_GPL(__raw_callee_save___pv_kmemcheck_mark);

/**
 * __pv_kmemcheck_check - bytes have to be initialized
 * @addr: first one
 * @size: how many
 */
void __pv_kmemcheck_check(const void *addr, size_t size)
{
	kmemcheck_check_use(KMEMCHECK_CHECKED, (unsigned long)addr, size, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__pv_kmemcheck_check);

/**
 * __pv_kmemcheck_copy_to_user - bytes were copied to the user
 * @to:	  where
 * @from: from where
 * @size: how many
 * @ip:	  where that is done
 */
void __pv_kmemcheck_copy_to_user(void __user *to, const void *from, size_t size,
				 unsigned long ip)
{
	/* Whoever calls may have opened user memory to himself. */
	unsigned long open = user_access_save();

	/* The kernel's own copies come here, too. */
	if ((unsigned long)to < TASK_SIZE_MAX)
		kmemcheck_check_use(KMEMCHECK_TO_USER, (unsigned long)from, size, ip);
	user_access_restore(open);
}
PV_CALLEE_SAVE_REGS_THUNK(__pv_kmemcheck_copy_to_user);
EXPORT_SYMBOL_GPL(__raw_callee_save___pv_kmemcheck_copy_to_user);

static void kmemcheck_dma(unsigned long addr, size_t size, enum dma_data_direction dir)
{
	if (dir == DMA_TO_DEVICE || dir == DMA_BIDIRECTIONAL)
		kmemcheck_check_use(KMEMCHECK_TO_DEVICE, addr, size, _RET_IP_);
	if (dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL)
		__pv_kmemcheck_mark((void *)addr, size, true);
}

/**
 * __pv_kmemcheck_dma - memory is given to a device
 * @page:   where it begins
 * @offset: from there
 * @size:   how many bytes
 * @dir:    what the device does with it
 */
void __pv_kmemcheck_dma(struct page *page, size_t offset, size_t size,
			enum dma_data_direction dir)
{
	kmemcheck_dma((unsigned long)page_address(page) + offset, size, dir);
}
EXPORT_SYMBOL_GPL(__pv_kmemcheck_dma);

/**
 * __pv_kmemcheck_dma_sg - a list of pieces of memory is given to a device
 * @sg:	   the first
 * @nents: how many
 * @dir:   what the device does with it
 */
void __pv_kmemcheck_dma_sg(struct scatterlist *sg, int nents, enum dma_data_direction dir)
{
	struct scatterlist *item;
	int i;

	for_each_sg(sg, item, nents, i)
		__pv_kmemcheck_dma(sg_page(item), item->offset, item->length, dir);
}
EXPORT_SYMBOL_GPL(__pv_kmemcheck_dma_sg);

/**
 * __pv_kmemcheck_urb - memory is given to a device on the USB
 * @urb: the request
 * @out: the device reads it
 */
void __pv_kmemcheck_urb(const struct urb *urb, bool out)
{
	if (urb && urb->transfer_buffer)
		kmemcheck_dma((unsigned long)urb->transfer_buffer, urb->transfer_buffer_length,
			      out ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
}
EXPORT_SYMBOL_GPL(__pv_kmemcheck_urb);

/**
 * __pv_kmemcheck_copy_page - a page was copied
 * @dst: where to
 * @src: from where
 */
void __pv_kmemcheck_copy_page(struct page *dst, struct page *src)
{
	rcu_read_lock();
	kmemcheck_copy((unsigned long)page_address(dst), (unsigned long)page_address(src),
		       PAGE_SIZE);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(__pv_kmemcheck_copy_page);
