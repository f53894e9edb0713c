// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places that somebody wants to be traced.
 *
 * A device is kept as its address, and looked up each time: before PCI is
 * enumerated it is not there, and one that is removed may come back elsewhere.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "target.h"

/* [DOMAIN:]BUS:DEVICE.FUNCTION[/BAR] */
static int pvs_parse_dev(struct pvs_target *target, const char *text)
{
	unsigned int domain = 0, bus, slot, func, bar;
	int n = 0;

	/* sscanf() takes 0x for a number. */
	if (strpbrk(text, "xX"))
		return -EINVAL;
	if (sscanf(text, "%8x:%8x:%8x.%8x%n", &domain, &bus, &slot, &func, &n) != 4) {
		domain = 0;
		n = 0;
		if (sscanf(text, "%8x:%8x.%8x%n", &bus, &slot, &func, &n) != 3)
			return -EINVAL;
	}
	if (!n || bus > 0xff || slot > 0x1f || func > 7)
		return -EINVAL;

	target->kind = PVS_TARGET_DEV;
	target->domain = domain;
	target->bus = bus;
	target->devfn = PCI_DEVFN(slot, func);
	target->bar = -1;
	if (!text[n])
		return 0;
	if (text[n] != '/' || kstrtouint(text + n + 1, 10, &bar) ||
	    bar > PCI_ROM_RESOURCE)
		return -EINVAL;
	target->bar = bar;
	return 0;
}

/* FIRST-LAST or FIRST+LENGTH */
static int pvs_parse_phys(struct pvs_target *target, const char *text)
{
	const char *sep = strpbrk(text, "-+");
	char first[24];
	u64 second;

	/* A number begins with a digit: no second sign. */
	if (!sep || sep - text >= sizeof(first) || !isdigit(text[0]) ||
	    !isdigit(sep[1]))
		return -EINVAL;
	strscpy(first, text, sep - text + 1);
	if (kstrtou64(first, 0, &target->first) || kstrtou64(sep + 1, 0, &second))
		return -EINVAL;
	if (*sep == '+') {
		if (!second)
			return -EINVAL;
		second += target->first - 1;
	}
	if (second < target->first)
		return -EINVAL;

	target->kind = PVS_TARGET_PHYS;
	target->last = second;
	return 0;
}

/**
 * pvs_target_parse - read a device or a range of physical addresses
 * @target: where to put it
 * @text:   [DOMAIN:]BUS:DEVICE.FUNCTION[/BAR], FIRST-LAST or FIRST+LENGTH
 *
 * Return: 0, or -EINVAL for anything else.
 */
int pvs_target_parse(struct pvs_target *target, const char *text)
{
	memset(target, 0, sizeof(*target));
	return strchr(text, ':') ? pvs_parse_dev(target, text) :
				   pvs_parse_phys(target, text);
}

/**
 * pvs_target_print - the opposite
 * @target: it
 * @text:   PVS_TARGET_LEN bytes
 *
 * Return: its length.
 */
int pvs_target_print(const struct pvs_target *target, char *text)
{
	int n;

	switch (target->kind) {
	case PVS_TARGET_DEV:
		n = scnprintf(text, PVS_TARGET_LEN, "%04x:%02x:%02x.%d",
			      target->domain, target->bus,
			      PCI_SLOT(target->devfn), PCI_FUNC(target->devfn));
		if (target->bar >= 0)
			n += scnprintf(text + n, PVS_TARGET_LEN - n, "/%d",
				       target->bar);
		return n;
	case PVS_TARGET_PHYS:
		return scnprintf(text, PVS_TARGET_LEN, "0x%llx-0x%llx",
				 target->first, target->last);
	default:
		return scnprintf(text, PVS_TARGET_LEN, "%s", target->driver);
	}
}

/**
 * pvs_target_same - are two the same choice
 * @a: one
 * @b: the other
 *
 * Not whether they mean the same addresses.
 */
bool pvs_target_same(const struct pvs_target *a, const struct pvs_target *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case PVS_TARGET_DEV:
		return a->domain == b->domain && a->bus == b->bus &&
		       a->devfn == b->devfn && a->bar == b->bar;
	case PVS_TARGET_PHYS:
		return a->first == b->first && a->last == b->last;
	default:
		return !strcmp(a->driver, b->driver);
	}
}

/**
 * pvs_target_exists - is there such a device now
 * @target: it; anything else is there
 */
bool pvs_target_exists(const struct pvs_target *target)
{
	struct pci_dev *dev;

	if (target->kind != PVS_TARGET_DEV)
		return true;
	dev = pci_get_domain_bus_and_slot(target->domain, target->bus,
					  target->devfn);
	pci_dev_put(dev);
	return dev;
}

static bool pvs_is_memory(const struct resource *res)
{
	return (res->flags & IORESOURCE_MEM) && !(res->flags & IORESOURCE_UNSET) &&
	       res->start && res->end > res->start;
}

static void pvs_each_bar(struct pci_dev *dev, int bar, pvs_target_fn fn,
			 void *data)
{
	int i;

	for (i = 0; i <= PCI_ROM_RESOURCE; i++) {
		const struct resource *res = &dev->resource[i];

		if ((bar < 0 || bar == i) && pvs_is_memory(res))
			fn(data, res->start, res->end);
	}
}

/*
 * The device's lock is held by whoever probes it, who may be the one that maps.
 * A driver's module is freed a grace period after it let go of its devices.
 */
static bool pvs_driven_by(struct pci_dev *dev, const char *name)
{
	const struct pci_driver *driver;
	bool same;

	rcu_read_lock();
	driver = READ_ONCE(dev->driver);
	same = driver && !strcmp(driver->name, name);
	rcu_read_unlock();
	return same;
}

/**
 * pvs_target_each - call a function for each range of physical addresses that a
 *		     target means now
 * @target: it
 * @fn:     the function
 * @data:   its first argument
 *
 * Sleeps.
 */
void pvs_target_each(const struct pvs_target *target, pvs_target_fn fn,
		     void *data)
{
	struct pci_dev *dev = NULL;

	switch (target->kind) {
	case PVS_TARGET_DEV:
		dev = pci_get_domain_bus_and_slot(target->domain, target->bus,
						  target->devfn);
		if (dev)
			pvs_each_bar(dev, target->bar, fn, data);
		pci_dev_put(dev);
		break;
	case PVS_TARGET_PHYS:
		fn(data, target->first, target->last);
		break;
	default:
		for_each_pci_dev(dev)
			if (pvs_driven_by(dev, target->driver))
				pvs_each_bar(dev, -1, fn, data);
		break;
	}
}

/**
 * pvs_place_of - find the PCI device that a physical address belongs to
 * @place: where to put it
 * @phys:  the address
 *
 * Sleeps.
 */
void pvs_place_of(struct pvs_place *place, u64 phys)
{
	struct pci_dev *dev = NULL;
	int i;

	*place = (struct pvs_place){ .bar = -1, .start = phys, .last = phys };
	for_each_pci_dev(dev) {
		for (i = 0; i <= PCI_ROM_RESOURCE; i++) {
			const struct resource *res = &dev->resource[i];

			if (!pvs_is_memory(res) || phys < res->start ||
			    phys > res->end)
				continue;
			strscpy(place->device, pci_name(dev));
			place->bar = i;
			place->start = res->start;
			place->last = res->end;
			pci_dev_put(dev);
			return;
		}
	}
}
