// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps edu's registers from the middle of a page on, and unmaps them by the address
 * of the page, as ACPI does.
 */
#define pr_fmt(fmt) "roundmap: " fmt

#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>

static int __init roundmap_init(void)
{
	struct pci_dev *dev = pci_get_device(0x1234, 0x11e8, NULL);
	void __iomem *p;

	if (!dev)
		return -ENODEV;
	p = ioremap(pci_resource_start(dev, 0) + 0x24, 16);
	pci_dev_put(dev);
	if (!p)
		return -ENOMEM;
	readl(p);
	iounmap((void __iomem *)((unsigned long __force)p & PAGE_MASK));
	return 0;
}

static void __exit roundmap_exit(void) { }

module_init(roundmap_init);
module_exit(roundmap_exit);
MODULE_DESCRIPTION("Unmaps I/O memory by the address of its page");
MODULE_LICENSE("GPL");
