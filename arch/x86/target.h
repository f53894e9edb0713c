/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places that somebody wants to be traced: PCI devices, physical addresses, drivers.
 */
#ifndef _PV_SHADOW_TARGET_H
#define _PV_SHADOW_TARGET_H

#include <linux/types.h>

/* Names of drivers, with the 0 at their end. */
#define PVS_NAME_LEN	32
/* Longest text of a place. */
#define PVS_TARGET_LEN	48

enum pvs_target_kind {
	PVS_TARGET_DEV,
	PVS_TARGET_PHYS,
	PVS_TARGET_DRIVER,
	PVS_NR_TARGET_KINDS
};

/**
 * struct pvs_target - a place that somebody wants to be traced
 * @kind:   which of the following it is
 * @domain: PVS_TARGET_DEV: address of a PCI function, which need not be there
 * @bus:    likewise
 * @devfn:  likewise
 * @bar:    one of its BARs, the ROM's last; -1 for all
 * @first:  PVS_TARGET_PHYS: first physical address
 * @last:   last physical address
 * @driver: PVS_TARGET_DRIVER: name
 */
struct pvs_target {
	enum pvs_target_kind	kind;
	union {
		struct {
			u32	domain;
			u8	bus;
			u8	devfn;
			s8	bar;
		};
		struct {
			u64	first;
			u64	last;
		};
		char		driver[PVS_NAME_LEN];
	};
};

/**
 * struct pvs_place - where in a PCI device a physical address is
 * @device: its address as text, empty if it is in none
 * @bar:    number of the BAR, -1 if it is in none
 * @start:  first physical address of the BAR
 * @last:   last one
 */
struct pvs_place {
	char	device[16];
	int	bar;
	u64	start;
	u64	last;
};

typedef void (*pvs_target_fn)(void *data, u64 first, u64 last);

int pvs_target_parse(struct pvs_target *target, const char *text);
int pvs_target_print(const struct pvs_target *target, char *text);
bool pvs_target_same(const struct pvs_target *a, const struct pvs_target *b);
bool pvs_target_exists(const struct pvs_target *target);
void pvs_target_each(const struct pvs_target *target, pvs_target_fn fn,
		     void *data);
void pvs_place_of(struct pvs_place *place, u64 phys);

#endif /* _PV_SHADOW_TARGET_H */
