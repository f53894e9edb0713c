/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of an access: a line of the tracer's, a trace event, both or none.
 */
#ifndef _PV_SHADOW_EVENTS_H
#define _PV_SHADOW_EVENTS_H

#include <linux/types.h>

struct pv_shadow_access;
struct pvs_map;

void pvs_event_access(const struct pvs_map *map,
		      const struct pv_shadow_access *access, bool to_tracer);
void pvs_event_map(const struct pvs_map *map, bool mapped);

#endif /* _PV_SHADOW_EVENTS_H */
