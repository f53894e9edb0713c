/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend, started for a suite, and pages of memory that are trapped, for those that
 * need no more.
 */
#ifndef _PV_SHADOW_TEST_TRAPPED_H
#define _PV_SHADOW_TEST_TRAPPED_H

#include <linux/pv_shadow.h>

/**
 * struct trapped - pages, the first of which are trapped
 * @range:   the trapped ones
 * @pages:   all, zeroed
 * @order:   so many
 * @started: the backend was, by us
 * @trapped: @range is
 */
struct trapped {
	struct pv_shadow_range	range;
	unsigned long		pages;
	unsigned int		order;
	bool			started;
	bool			trapped;
};

int trapped_start(bool *started);
void trapped_stop(bool *started);
int trapped_set_up(struct trapped *t, const struct pv_shadow_client *client,
		   unsigned int order, unsigned int nr);
void trapped_tear_down(struct trapped *t);

#endif /* _PV_SHADOW_TEST_TRAPPED_H */
