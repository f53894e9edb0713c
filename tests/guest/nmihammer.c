// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to a traced page from NMI handlers, while the interrupted code is busy
 * with the same page and with another: the worst place to be interrupted in.
 *
 * A thread on each CPU but the first reads and writes QEMU's edu. The thread on the
 * first CPU sends NMIs to all others, whose handler reads and writes it, too. CPUs may
 * go and come meanwhile.
 */
#define pr_fmt(fmt) "nmihammer: " fmt

#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/nmi.h>
#include <linux/pci.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/apic.h>

static unsigned int count = 1000;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "NMIs to send to each CPU (default 1000)");

static int turns = INT_MAX;
module_param(turns, int, 0444);
MODULE_PARM_DESC(turns, "of all threads, of three accesses each, after which no more are sent (default no limit)");

static unsigned int what = 15;
module_param(what, uint, 0444);
MODULE_PARM_DESC(what, "1 write, 2 read, 4 copy in the handler, 8 a busy thread (default 15)");

static unsigned int hold;
module_param(hold, uint, 0444);
MODULE_PARM_DESC(hold, "microseconds that the handler stays, between two accesses (default 0)");

static unsigned int slot;
module_param(slot, uint, 0444);
MODULE_PARM_DESC(slot, "PCI slot of the edu to access, on bus 0 (default the first one found)");

/* The thread's page, and another one. */
#define TASK_OFFSET	0x2000
#define HANDLER_OFFSET	0x3000

static unsigned long user;
module_param(user, ulong, 0444);
MODULE_PARM_DESC(user, "address that the handler reads if it comes from a program named mapper");

static void __iomem *bar;
static bool stop;
static atomic_t busy;
static atomic_t turns_left;
static DECLARE_COMPLETION(idle);
static DEFINE_PER_CPU(unsigned int, nmis);
static DEFINE_PER_CPU(bool, nmi_due);

/* What is under way, and how many NMIs were held during that. */
enum { NOTHING, GOING, COMING, NR_PHASES };
static int phase;
static DEFINE_PER_CPU(unsigned int [NR_PHASES], held);
static DEFINE_PER_CPU(unsigned int, of_user);

static int nmi_handler(unsigned int cmd, struct pt_regs *regs)
{
	unsigned int n;

	if (!this_cpu_read(nmi_due))
		return NMI_DONE;

	n = this_cpu_inc_return(nmis);
	if (what & 1)
		writel(0x80000000 | n, bar + HANDLER_OFFSET);
	if (hold)
		udelay(hold);
	this_cpu_inc(held[READ_ONCE(phase)]);
	if (what & 2)
		readl(bar + TASK_OFFSET);
	if (what & 4)
		memcpy_fromio(&n, bar + HANDLER_OFFSET + 8, 4);
	if (user && user_mode(regs) && !strcmp(current->comm, "mapper") &&
	    !copy_from_user_nmi(&n, (void __user *)user, 4))
		this_cpu_inc(of_user);
	this_cpu_write(nmi_due, false);

	return NMI_HANDLED;
}

static int hammer(void *unused)
{
	unsigned int n = 0;

	while (!READ_ONCE(stop)) {
		writel(++n, bar + TASK_OFFSET);
		readq(bar + TASK_OFFSET + 8);
		memcpy_fromio(&n, bar, 4); /* edu's identification */
		n &= 0xffffff;
		atomic_dec(&turns_left);
		if (n % 64 == 0)
			cond_resched();
	}
	if (atomic_dec_and_test(&busy))
		complete(&idle);
	return 0;
}

/* The last of both ways. */
static int cpu_settled(unsigned int cpu)
{
	WRITE_ONCE(phase, NOTHING);
	return 0;
}

/* Among the first steps up and the last ones down. */
static int cpu_prepare(unsigned int cpu)
{
	WRITE_ONCE(phase, COMING);
	return 0;
}

/* Among the last steps up and the first ones down. */
static int cpu_leaves(unsigned int cpu)
{
	WRITE_ONCE(phase, GOING);
	return 0;
}

/*
 * To a CPU that is online it will come: stop_machine() takes a CPU away, and waits for
 * us here.
 */
static void send_nmi(int cpu)
{
	preempt_disable();
	if (cpu_online(cpu)) {
		WRITE_ONCE(per_cpu(nmi_due, cpu), true);
		apic->send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
	}
	preempt_enable();
}

static void wait_for_nmi(int cpu)
{
	while (READ_ONCE(per_cpu(nmi_due, cpu)))
		cpu_relax();
}

static void send_nmis(void)
{
	unsigned int i;
	int cpu;

	for (i = 0; i < count && atomic_read(&turns_left) > 0; i++) {
		for_each_possible_cpu(cpu) {
			if (cpu == 0)
				continue;
			wait_for_nmi(cpu);
			send_nmi(cpu);
		}
		cond_resched();
	}
	for_each_possible_cpu(cpu)
		wait_for_nmi(cpu);
}

static struct pci_dev *find_edu(void)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(0x1234, 0x11e8, pdev))) {
		if (!slot || pdev->devfn == PCI_DEVFN(slot, 0))
			return pdev;
	}
	return NULL;
}

static int __init nmihammer_init(void)
{
	struct pci_dev *pdev = find_edu();
	struct task_struct *task;
	unsigned int sum = 0, going = 0, coming = 0, users = 0;
	int cpu, early, late;

	if (!pdev) {
		pr_err("no edu device; give QEMU -device edu\n");
		return -ENODEV;
	}
	if (pci_enable_device(pdev)) {
		pci_dev_put(pdev);
		return -EIO;
	}
	bar = ioremap(pci_resource_start(pdev, 0), pci_resource_len(pdev, 0));
	if (!bar) {
		pci_dev_put(pdev);
		return -ENOMEM;
	}

	early = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "nmihammer:prepare",
					  cpu_prepare, cpu_settled);
	late = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "nmihammer:online",
					 cpu_settled, cpu_leaves);
	register_nmi_handler(NMI_LOCAL, nmi_handler, 0, "nmihammer");

	/* One for us, so that none is the last before all were started. */
	atomic_set(&busy, 1);
	atomic_set(&turns_left, turns);
	cpus_read_lock();
	/* Migration would leave an NMI's CPU without its thread, no more. */
	for_each_online_cpu(cpu) {
		if (cpu == 0 || !(what & 8))
			continue;
		task = kthread_create(hammer, NULL, "nmihammer/%d", cpu);
		if (IS_ERR(task))
			continue;
		atomic_inc(&busy);
		kthread_bind(task, cpu);
		wake_up_process(task);
	}
	cpus_read_unlock();
	set_cpus_allowed_ptr(current, cpumask_of(0));
	send_nmis();
	WRITE_ONCE(stop, true);
	if (!atomic_dec_and_test(&busy))
		wait_for_completion(&idle);
	unregister_nmi_handler(NMI_LOCAL, "nmihammer");
	if (late > 0)
		cpuhp_remove_state_nocalls(late);
	if (early > 0)
		cpuhp_remove_state_nocalls(early);

	for_each_possible_cpu(cpu) {
		sum += per_cpu(nmis, cpu);
		going += per_cpu(held, cpu)[GOING];
		coming += per_cpu(held, cpu)[COMING];
		users += per_cpu(of_user, cpu);
	}
	pr_info("%u NMIs handled, %u while a CPU went, %u while one came\n",
		sum, going, coming);
	if (user)
		pr_info("%u read a program's memory\n", users);
	iounmap(bar);
	pci_disable_device(pdev);
	pci_dev_put(pdev);

	return 0;
}

static void __exit nmihammer_exit(void)
{
}

module_init(nmihammer_init);
module_exit(nmihammer_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("MMIO from NMI handlers");
