// SPDX-License-Identifier: GPL-2.0-only
/*
 * A BAR for processes, through UIO.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uio_driver.h>

static int devfn = 0x10;
module_param(devfn, int, 0);
MODULE_PARM_DESC(devfn, "device, on bus 0");
static int bar = 2;
module_param(bar, int, 0);
MODULE_PARM_DESC(bar, "its BAR");

static struct pci_dev *pdev;
static struct uio_info info = {
	.name = "uiobar",
	.version = "1",
	.irq = UIO_IRQ_NONE,
};

static int __init uiobar_init(void)
{
	int ret;

	pdev = pci_get_domain_bus_and_slot(0, 0, devfn);
	if (!pdev)
		return -ENODEV;
	info.mem[0].addr = pci_resource_start(pdev, bar);
	info.mem[0].size = pci_resource_len(pdev, bar);
	info.mem[0].memtype = UIO_MEM_PHYS;
	ret = uio_register_device(&pdev->dev, &info);
	if (ret)
		pci_dev_put(pdev);
	return ret;
}
module_init(uiobar_init);

static void __exit uiobar_exit(void)
{
	uio_unregister_device(&info);
	pci_dev_put(pdev);
}
module_exit(uiobar_exit);

MODULE_DESCRIPTION("A BAR for processes, through UIO");
MODULE_LICENSE("GPL");
