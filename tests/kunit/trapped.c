// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backend, started for a suite, and pages of memory that are trapped.
 */
#include <linux/cpu.h>
#include <linux/errno.h>
#include <linux/gfp.h>

#include "trapped.h"

/**
 * trapped_start - start the backend
 * @started: set if it was
 *
 * Sleeps.
 *
 * Return: 0 or an error.
 */
int trapped_start(bool *started)
{
	int ret;

	cpus_read_lock();
	ret = pv_shadow_start();
	cpus_read_unlock();
	*started = !ret;
	return ret;
}

/**
 * trapped_stop - stop the backend, if we started it
 * @started: what trapped_start() said
 *
 * Nothing is trapped any more. Sleeps.
 */
void trapped_stop(bool *started)
{
	if (!*started)
		return;
	cpus_read_lock();
	pv_shadow_stop();
	cpus_read_unlock();
	*started = false;
}

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

	ret = trapped_start(&t->started);
	if (ret)
		return ret;

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
	trapped_stop(&t->started);
	free_pages(t->pages, t->order);
}
