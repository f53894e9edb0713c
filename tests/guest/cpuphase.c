// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access QEMU's edu on CPUs that come up and go down, in the callbacks that such a CPU
 * runs itself with interrupts off: between the start of its first address space and
 * being online, and between being offline and its death. No IPI reaches it then.
 *
 * The states are some of other architectures, so that nobody else uses them here: one
 * of the first and one of the last that there are, and one in between.
 */
#define pr_fmt(fmt) "cpuphase: " fmt

#include <linux/atomic.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>

static unsigned int stay;
module_param(stay, uint, 0644);
MODULE_PARM_DESC(stay, "milliseconds to stay in each callback on the way up (default 0)");

static const enum cpuhp_state states[] = {
	CPUHP_AP_CPU_PM_STARTING,
	CPUHP_AP_ARM_TWD_STARTING,
	CPUHP_AP_ARM_CACHE_B15_RAC_DYING,
};

static u32 __iomem *bar;
static atomic_t ups = ATOMIC_INIT(0), downs = ATOMIC_INIT(0);
static atomic_t wrong = ATOMIC_INIT(0), turn = ATOMIC_INIT(0);

static void access(unsigned int cpu, bool up)
{
	u32 value = (cpu + 1) << 24 | up << 23 | (atomic_inc_return(&turn) & 0x7fffff);

	/* What it is, then a register that others write as well, and nothing. */
	if (readl(bar) != 0x010000ed)
		atomic_inc(&wrong);
	writel(value, bar + 1);
	readl(bar + 1);
	writel(value, bar + 0x40);
	if (cpu_online(cpu))
		atomic_inc(&wrong);
}

static int phase_up(unsigned int cpu)
{
	access(cpu, true);
	if (stay) {
		mdelay(stay);
		access(cpu, true);
	}
	atomic_inc(&ups);
	return 0;
}

static int phase_down(unsigned int cpu)
{
	access(cpu, false);
	atomic_inc(&downs);
	return 0;
}

static int __init cpuphase_init(void)
{
	struct pci_dev *pdev = pci_get_device(0x1234, 0x11e8, NULL);
	int i, ret;

	if (!pdev) {
		pr_err("no device: QEMU wants -device edu\n");
		return -ENODEV;
	}
	ret = pci_enable_device_mem(pdev);
	if (!ret) {
		bar = ioremap(pci_resource_start(pdev, 0), pci_resource_len(pdev, 0));
		ret = bar ? 0 : -ENOMEM;
	}
	pci_dev_put(pdev);
	for (i = 0; !ret && i < ARRAY_SIZE(states); i++)
		ret = cpuhp_setup_state_nocalls(states[i], "cpuphase", phase_up, phase_down);
	if (ret && bar) {
		for (i--; i > 0; i--)
			cpuhp_remove_state_nocalls(states[i - 1]);
		iounmap(bar);
	}
	return ret;
}

static void __exit cpuphase_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		cpuhp_remove_state_nocalls(states[i]);
	iounmap(bar);
	pr_info("%d up, %d down, %d wrong\n", atomic_read(&ups), atomic_read(&downs),
		atomic_read(&wrong));
}

module_init(cpuphase_init);
module_exit(cpuphase_exit);
MODULE_DESCRIPTION("MMIO from CPUs that come and go");
MODULE_LICENSE("GPL");
