// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of memory that are trapped.
 */
#include <linux/cpu.h>
#include <linux/errno.h>
#include <linux/gfp.h>

#include "trapped.h"

/**
 * trapped_set_up - start the backend, and trap pages of memory
 * @t:	    what is to become of it, zeroed
 * @client: theirs
 * @order:  of the pages
 * @nr:	    number of those to be trapped, from the first one on
 *
 * Sleeps.
 *
 * Return: 0 or an error; trapped_tear_down() is due in either case.
 */
int trapped_set_up(struct trapped *t, const struct pv_shadow_client *client,
		   unsigned int order, unsigned int nr)
{
	int ret;

	t->order = order;
	t->pages = __get_free_pages(GFP_KERNEL | __GFP_ZERO, order);
	if (!t->pages)
		return -ENOMEM;

	cpus_read_lock();
	ret = pv_shadow_start();
	cpus_read_unlock();
	if (ret)
		return ret;
	t->started = true;

	t->range.client = client;
	t->range.start = t->pages;
	t->range.end = t->pages + nr * PAGE_SIZE;
	ret = pv_shadow_trap(&t->range, t->range.start, t->range.end);
	t->trapped = !ret;
	return ret;
}

/**
 * trapped_tear_down - undo trapped_set_up(), whatever it did
 * @t: it
 *
 * Sleeps.
 */
void trapped_tear_down(struct trapped *t)
{
	if (t->trapped)
		pv_shadow_untrap(&t->range, t->range.start, t->range.end);
	if (t->started) {
		cpus_read_lock();
		pv_shadow_stop();
		cpus_read_unlock();
	}
	free_pages(t->pages, t->order);
}
