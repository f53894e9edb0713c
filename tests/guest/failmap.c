// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map QEMU's edu with the n-th allocation of the mapping failing, for n = 1, 2 ...
 * until there are no more than n, and access it each time it worked. A mapping that
 * could be made but not be traced must say so, and must work nevertheless.
 */
#define pr_fmt(fmt) "failmap: " fmt

#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sched.h>

#ifdef CONFIG_FAULT_INJECTION
/* The n-th allocation of this task fails, until it is switched off. */
static void fail_nth(unsigned int n)
{
	current->fail_nth = n;
}

static unsigned int failed_before(unsigned int n)
{
	return n - current->fail_nth;
}
#else
static void fail_nth(unsigned int n)
{
}

static unsigned int failed_before(unsigned int n)
{
	return 0;
}
#endif

static int __init failmap_init(void)
{
	struct pci_dev *pdev = pci_get_device(0x1234, 0x11e8, NULL);
	unsigned int n, reached = 0, unmapped = 0, mapped = 0, wrong = 0;
	u32 __iomem *bar;
	int ret;

	if (!IS_ENABLED(CONFIG_FAULT_INJECTION)) {
		pr_err("no CONFIG_FAULT_INJECTION\n");
		pci_dev_put(pdev);
		return -EOPNOTSUPP;
	}
	if (!pdev) {
		pr_err("no device: QEMU wants -device edu\n");
		return -ENODEV;
	}
	ret = pci_enable_device_mem(pdev);
	if (ret)
		goto put;

	for (n = 1; n < 1000; n++) {
		fail_nth(n);
		bar = ioremap(pci_resource_start(pdev, 0), pci_resource_len(pdev, 0));
		reached = failed_before(n);
		fail_nth(0);
		if (!bar) {
			unmapped++;
			continue;
		}
		mapped++;
		writel(n, bar + 1);
		if (readl(bar) != 0x010000ed || readl(bar + 1) != ~n)
			wrong++;
		iounmap(bar);
		if (reached < n)
			break;
	}

	pr_info("%u allocations, %u times unmapped, %u times mapped, %u wrong\n",
		n - 1, unmapped, mapped, wrong);
	if (wrong || n == 1000)
		ret = -EIO;
put:
	pci_dev_put(pdev);
	return ret;
}

static void __exit failmap_exit(void)
{
}

module_init(failmap_init);
module_exit(failmap_exit);
MODULE_DESCRIPTION("ioremap() with each allocation failing in turn");
MODULE_LICENSE("GPL");
