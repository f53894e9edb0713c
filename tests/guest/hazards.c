// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to a device by instructions that somebody else is interested in, too:
 * kprobes, hardware breakpoints, single-stepping, fixups; and accesses nested deeper
 * than there is room for.
 *
 * The device is the memory buffer of QEMU's nvme. A line "result ..." says what the
 * interested ones saw: it has to be the same whether the device is traced or not.
 */
#define pr_fmt(fmt) "hazards: " fmt

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hw_breakpoint.h>
#include <linux/io.h>
#include <linux/kdebug.h>
#include <linux/kernel.h>
#include <linux/kgdb.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/objtool.h>
#include <linux/pci.h>
#include <linux/perf_event.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>

#include <asm/asm.h>
#include <asm/debugreg.h>
#include <asm/text-patching.h>

static char *what = "kprobe";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "kprobe (default), hwbp, tf, extable, gdb, div0, depth or file");

static char *kind = "plain";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "kprobe: plain, post, opt, entry, return, report; hwbp: insn, next; or several of them");

static unsigned int count = 40;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "turns per CPU (default 40)");

static unsigned int loops;
module_param(loops, uint, 0444);
MODULE_PARM_DESC(loops, "kprobe: turns as long as it takes to put the probes there and away so often");

static unsigned int levels = 6;
module_param(levels, uint, 0444);
MODULE_PARM_DESC(levels, "depth: accesses within each other (default 6)");

static bool reads;
module_param(reads, bool, 0444);
MODULE_PARM_DESC(reads, "handlers read the device");

static bool odd;
module_param(odd, bool, 0444);
MODULE_PARM_DESC(odd, "they do so by an instruction that can only be stepped");

static bool rmw = true;
module_param(rmw, bool, 0444);
MODULE_PARM_DESC(rmw, "with an instruction that reads and writes (default yes)");

static unsigned long base;
module_param(base, ulong, 0444);
MODULE_PARM_DESC(base, "use 256 KiB of the device from there on");

/* What all CPUs use, what handlers do, and two pages of each CPU's own */
#define SHARED		0x000
#define HANDLER		0x1000
#define OWN(index)	(0x10000 + (index) * 0x2000)
#define WORDS		4

static void __iomem *bar;
static bool stop;
static atomic_t running, wrong;
static atomic_t hits = ATOMIC_INIT(0);
static u32 ram[WORDS];

/*
 * The instructions: where each is, and the one behind it. That is long enough for a
 * probe to be made a jump.
 */
#define SITE(name, insn)						\
	"1:\n"								\
	ANNOTATE_NOENDBR						\
	"	" insn "\n"						\
	"2:\n"								\
	ANNOTATE_NOENDBR						\
	"	nopl	0x0(%%rax,%%rax,1)\n"				\
	"	.nops 8\n"						\
	"	.pushsection .data, \"aw\"\n"				\
	"	.globl " #name "\n"					\
	#name ":	.quad 1b, 2b\n"					\
	"	.popsection\n"

extern unsigned long at_load[2], at_store[2], at_add[2], at_movs[2], at_rep[2];

static noinline __noclone u32 do_load(const void __iomem *from)
{
	u32 value;

	asm volatile(SITE(at_load, "movl (%1), %0")
		     : "=a" (value) : "D" (from) : "memory");
	return value;
}

static noinline __noclone void do_store(u32 value, void __iomem *to)
{
	asm volatile(SITE(at_store, "movl %0, (%1)")
		     : : "a" (value), "D" (to) : "memory");
}

static noinline __noclone void do_add(u32 value, void __iomem *to)
{
	asm volatile(SITE(at_add, "addl %0, (%1)")
		     : : "a" (value), "D" (to) : "memory");
}

static noinline __noclone void do_movs(u32 *to, const void __iomem *from)
{
	asm volatile(SITE(at_movs, "movsl")
		     : "+D" (to), "+S" (from) : : "memory");
}

static noinline __noclone void do_rep(u32 *to, const void __iomem *from,
				      unsigned long n)
{
	asm volatile(SITE(at_rep, "rep movsl")
		     : "+D" (to), "+S" (from), "+c" (n) : : "memory");
}

static const unsigned long *const sites[] = {
	at_load, at_store, at_movs, at_rep, at_add,
};

static unsigned int nr_sites(void)
{
	return ARRAY_SIZE(sites) - !rmw;
}

static void expect(bool right)
{
	if (!right)
		atomic_inc(&wrong);
}

static void handler_reads(void)
{
	void __iomem *p = bar + HANDLER + 4 * raw_smp_processor_id();

	if (reads && odd)
		asm volatile("scasl" : "+D" (p) : "a" (0) : "memory", "cc");
	else if (reads)
		readl(p);
}

static void own_turn(unsigned int index, u32 value)
{
	void __iomem *own = bar + OWN(index);
	u32 to[WORDS];
	int i;

	do_store(value, own);
	expect(do_load(own) == value);
	if (rmw) {
		do_add(3, own);
		expect(do_load(own) == value + 3);
		value += 3;
	}
	do_movs(to, own);
	expect(to[0] == value);
	for (i = 0; i < WORDS; i++)
		writel(value + i, own + 0x800 + 4 * i);
	do_rep(to, own + 0x800, WORDS);
	for (i = 0; i < WORDS; i++)
		expect(to[i] == value + i);
}

/* On what all CPUs use. */
static void shared_turn(u32 value)
{
	do_store(value, bar + SHARED);
	do_load(bar + SHARED);
	do_load(bar + SHARED + 0x20);
	do_movs(ram, bar + SHARED + 0x40);
	do_rep(ram, bar + SHARED + 0x40, WORDS);
}

/*
 * QEMU's TCG returns from an interrupt with RF set, and does not see a breakpoint on
 * the instruction where the interrupt was taken.
 */
static void breakpoint_turn(unsigned int index, unsigned int i)
{
	unsigned long flags;

	local_irq_save(flags);
	shared_turn(index << 24 | i);
	own_turn(index, index << 24 | i << 4);
	local_irq_restore(flags);
}

static int busy(void *data)
{
	unsigned int index = (unsigned long)data, i;

	for (i = 0; loops ? !READ_ONCE(stop) : i < count; i++) {
		if (!strcmp(what, "hwbp"))
			breakpoint_turn(index, i);
		else
			own_turn(index, index << 24 | i << 4);
		cond_resched_tasks_rcu_qs();
		/* Probes come and go more often when they are let. */
		if (loops)
			usleep_range(100, 200);
	}
	atomic_dec(&running);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* All CPUs at it, while @meanwhile is called again and again. */
static int run(int (*meanwhile)(void))
{
	struct task_struct *task[NR_CPUS] = {};
	unsigned int i, n = 0, cpu;
	int ret = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		task[n] = kthread_create_on_cpu(busy, (void *)(unsigned long)n,
						cpu, "hazards/%u");
		if (IS_ERR(task[n])) {
			ret = PTR_ERR(task[n]);
			break;
		}
		get_task_struct(task[n]);
		n++;
	}
	cpus_read_unlock();
	atomic_set(&running, n);
	for (i = 0; i < n; i++)
		wake_up_process(task[i]);
	for (i = 0; i < loops && !ret; i++)
		ret = meanwhile();
	WRITE_ONCE(stop, true);
	while (atomic_read(&running))
		msleep(20);
	for (i = 0; i < n; i++) {
		kthread_stop(task[i]);
		put_task_struct(task[i]);
	}
	return ret;
}

/* kprobes */

static struct kprobe probe[ARRAY_SIZE(sites)];
static struct kretprobe ret_probe;
static unsigned int jumps;

static int probe_pre(struct kprobe *p, struct pt_regs *regs)
{
	atomic_inc(&hits);
	handler_reads();
	return 0;
}

static void probe_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	atomic_inc(&hits);
	handler_reads();
}

static int probe_ret(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	atomic_inc(&hits);
	handler_reads();
	return 0;
}

static int probes_on(void)
{
	unsigned int i, wait;
	int ret;

	if (!strcmp(kind, "return")) {
		memset(&ret_probe, 0, sizeof(ret_probe));
		ret_probe.kp.addr = (void *)do_load;
		ret_probe.handler = probe_ret;
		ret_probe.entry_handler = probe_ret;
		ret_probe.maxactive = 64;
		return register_kretprobe(&ret_probe);
	}
	for (i = 0; i < nr_sites(); i++) {
		struct kprobe *p = &probe[i];

		memset(p, 0, sizeof(*p));
		p->pre_handler = probe_pre;
		if (!strcmp(kind, "post"))
			p->post_handler = probe_post;
		if (!strcmp(kind, "report"))
			p->symbol_name = "ring_buffer_lock_reserve";
		else if (!strcmp(kind, "entry"))
			p->addr = (void *)do_load;
		else
			p->addr = (void *)sites[i][0];
		ret = register_kprobe(p);
		if (ret) {
			pr_err("no probe on instruction %u: %d\n", i, ret);
			p->addr = NULL;
			return ret;
		}
		if (!strcmp(kind, "report") || !strcmp(kind, "entry"))
			break;
	}
	if (strcmp(kind, "opt"))
		return 0;
	for (i = 0; i < nr_sites(); i++)
		for (wait = 0; wait < 100; wait++) {
			if (READ_ONCE(*(u8 *)sites[i][0]) == JMP32_INSN_OPCODE) {
				jumps++;
				break;
			}
			msleep(20);
		}
	return 0;
}

static void probes_off(void)
{
	unsigned int i;

	if (!strcmp(kind, "return")) {
		unregister_kretprobe(&ret_probe);
		atomic_add(ret_probe.nmissed, &wrong);
		return;
	}
	for (i = 0; i < nr_sites(); i++)
		if (probe[i].addr) {
			unregister_kprobe(&probe[i]);
			if (strcmp(kind, "report"))
				atomic_add(probe[i].nmissed, &wrong);
			probe[i].addr = NULL;
		}
}

static int probes_on_off(void)
{
	int ret = probes_on();

	usleep_range(1000, 2000);
	if (!ret || strcmp(kind, "return"))
		probes_off();
	usleep_range(100, 200);
	return ret;
}

static int do_kprobe(void)
{
	int ret;

	if (loops)
		return run(probes_on_off);
	ret = probes_on();
	if (!ret)
		ret = run(NULL);
	probes_off();
	return ret;
}

/* Hardware breakpoints */

static void breakpoint_hit(struct perf_event *bp, struct perf_sample_data *data,
			   struct pt_regs *regs)
{
	atomic_inc(&hits);
	handler_reads();
}

static int do_hwbp(void)
{
	struct perf_event * __percpu *bp;
	struct perf_event_attr attr;
	int ret;

	hw_breakpoint_init(&attr);
	attr.bp_len = sizeof(long);
	attr.bp_type = HW_BREAKPOINT_X;
	attr.bp_addr = at_load[!strcmp(kind, "next")];
	bp = register_wide_hw_breakpoint(&attr, breakpoint_hit, NULL);
	if (IS_ERR_PCPU(bp))
		return PTR_ERR_PCPU(bp);
	ret = run(NULL);
	unregister_wide_hw_breakpoint(bp);
	return ret;
}

/* Somebody else's single-stepping: of all instructions from a POPF to the next one */

static u32 trail;

static int tf_notify(struct notifier_block *nb, unsigned long val, void *data)
{
	struct die_args *args = data;
	unsigned long *dr6 = ERR_PTR(args->err);

	if (val != DIE_DEBUG || !(*dr6 & DR_STEP) || !within_module(args->regs->ip, THIS_MODULE))
		return NOTIFY_DONE;
	atomic_inc(&hits);
	trail = trail * 31 + args->regs->ip - at_load[0];
	handler_reads();
	*dr6 &= ~DR_STEP;
	return NOTIFY_STOP;
}

static struct notifier_block tf_block = { .notifier_call = tf_notify };

static int do_tf(void)
{
	unsigned int i;
	int ret;

	ret = register_die_notifier(&tf_block);
	if (ret)
		return ret;
	for (i = 0; i < count; i++) {
		asm volatile("pushfq; orq %0, (%%rsp); popfq"
			     : : "i" (X86_EFLAGS_TF) : "memory", "cc");
		do_store(i, bar + OWN(0));
		do_load(bar + OWN(0));
		do_movs(ram, bar + OWN(0));
		do_rep(ram, bar + OWN(0), WORDS);
		asm volatile("pushfq; andq %0, (%%rsp); popfq"
			     : : "i" (~X86_EFLAGS_TF) : "memory", "cc");
		expect(ram[0] == i);
		cond_resched();
	}
	unregister_die_notifier(&tf_block);
	return 0;
}

/* Fixups */

/* Return: elements left, or -1 - those left if there was a fault. */
static long fixed_movs(void *to, const void *from, unsigned long n)
{
	long fault = 0;

	stac();
	asm volatile("1:	rep movsl\n"
		     "	jmp 3f\n"
		     "2:	movq $1, %3\n"
		     "3:\n"
		     _ASM_EXTABLE_UA(1b, 2b)
		     : "+D" (to), "+S" (from), "+c" (n), "+r" (fault) : : "memory");
	clac();
	return fault ? -1 - (long)n : n;
}

static long fixed_mov(u32 *to, const u32 *from)
{
	long fault = 0;

	stac();
	asm volatile("1:	movsl\n"
		     "	jmp 3f\n"
		     "2:	movq $1, %2\n"
		     "3:\n"
		     _ASM_EXTABLE_UA(1b, 2b)
		     : "+D" (to), "+S" (from), "+r" (fault) : : "memory");
	clac();
	return fault;
}

static void fill(void *own)
{
	int i;

	for (i = 0; i < 256; i++)
		writel(i * 0x01030507, (void __iomem __force *)own + 4 * i);
}

static int do_extable(void)
{
	static const unsigned int sizes[] = { 1, 2, 4, 8, 13, 64, 200, 1024 };
	void *own = (void __force *)bar + OWN(0);
	unsigned long addr, left, turn;
	u8 *buf;
	char __user *user;
	int i;

	buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	fill(own);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		left = copy_from_kernel_nofault(buf, own, sizes[i]);
		pr_info("result nofault %u: %ld, %*phN\n", sizes[i], left, 8, buf);
		/* Nothing is mapped behind a mapping. */
		left = copy_from_kernel_nofault(own, (void __force *)bar + SZ_256K,
						sizes[i]);
		pr_info("result to, from nowhere %u: %ld\n", sizes[i], left);
	}

	for (turn = 0; turn < 3; turn++) {
		/* Three pages: the first was never touched, the last is none. */
		addr = vm_mmap(NULL, 0, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, 0);
		if (IS_ERR_VALUE(addr)) {
			kfree(buf);
			return -ENOMEM;
		}
		vm_munmap(addr + 2 * PAGE_SIZE, PAGE_SIZE);
		user = (char __user *)addr + PAGE_SIZE;
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			unsigned int n = sizes[i], half = n / 2 & ~3u;

			fill(own);
			switch (turn) {
			case 0:
				left = raw_copy_to_user(user - half, own, n);
				pr_info("result to user %u: %ld\n", n, left);
				left = raw_copy_to_user(user + PAGE_SIZE - half, own, n);
				pr_info("result to user's end %u: %ld\n", n, left);
				break;
			case 1:
				left = raw_copy_from_user(own, user - half, n);
				pr_info("result from user %u: %ld\n", n, left);
				left = raw_copy_from_user(own, user + PAGE_SIZE - half, n);
				pr_info("result from user's end %u: %ld\n", n, left);
				break;
			case 2:
				n = (n + 3) / 4;
				half = n / 2;
				left = fixed_movs((void __force *)user - 4 * half, own, n);
				pr_info("result rep to user %u: %ld\n", n, left);
				left = fixed_movs((void __force *)user + PAGE_SIZE - 4 * half, own, n);
				pr_info("result rep to user's end %u: %ld\n", n, left);
				left = fixed_movs(own, (void __force *)user + PAGE_SIZE - 4 * half, n);
				pr_info("result rep from user's end %u: %ld\n", n, left);
				left = fixed_mov((void __force *)user + PAGE_SIZE, own);
				pr_info("result movs to nowhere: %ld\n", left);
				left = fixed_mov(own, (void __force *)user + PAGE_SIZE);
				pr_info("result movs from nowhere: %ld\n", left);
				break;
			}
		}
		if (copy_from_user(buf, user - 512, 1024))
			atomic_inc(&wrong);
		left = 0;
		for (i = 0; i < 1024; i++)
			left = left * 31 + buf[i];
		pr_info("result of turn %lu: %lx\n", turn, left);
		vm_munmap(addr, 2 * PAGE_SIZE);
	}
	kfree(buf);
	return 0;
}

/* A debugger: told where the instructions are, and called while all CPUs run them. */

static int gdb_called(void)
{
	unsigned int i;

	for (i = 0; i < nr_sites(); i++)
		pr_info("gdb: site %#lx %#lx\n", sites[i][0], sites[i][1]);
	pr_info("gdb: ends with %#lx\n", (unsigned long)&stop);
	kgdb_breakpoint();
	while (!READ_ONCE(stop))
		msleep(20);
	return 0;
}

static int do_gdb(void)
{
	int ret;

	loops = 1;
	ret = run(gdb_called);
	/*
	 * Where gdb leaves: when it does so kgdb forgets where there were breakpoints,
	 * and a CPU that is just in one would wait for the next gdb.
	 */
	kgdb_breakpoint();
	return ret;
}

/* An access by an instruction that is the end of its thread, and what comes after it */

static int divide(void *data)
{
	u32 rest = 0, value = 1;

	asm volatile("divl %2"
		     : "+a" (value), "+d" (rest)
		     : "m" (*(u32 __force *)(bar + OWN(0) + 0x1000)));
	return value;
}

static int do_div0(void)
{
	struct task_struct *task;
	unsigned int i;

	writel(0, bar + OWN(0) + 0x1000);
	task = kthread_create_on_cpu(divide, NULL, 0, "hazards/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	wake_up_process(task);
	while (!READ_ONCE(task->exit_state))
		msleep(20);
	put_task_struct(task);
	/* An oops switches it off. */
	tracing_on();
	set_cpus_allowed_ptr(current, cpumask_of(0));
	for (i = 0; i < count; i++) {
		/* In the page that it was in */
		readl(bar + OWN(0) + 0x1000);
		own_turn(0, i << 4);
	}
	return 0;
}

/* Accesses by those who are told of accesses, each in the report of another */

static unsigned int level;

static void nest(void *data, void *event)
{
	void __iomem *own = bar + OWN(0);

	if (raw_smp_processor_id() || level == levels)
		return;
	level++;
	readl(own + (level & 1) * 0x1000 + 0x100 * level);
	atomic_inc(&hits);
}

static void with_tracepoint(struct tracepoint *tp, void *do_register)
{
	if (strcmp(tp->name, "mmio_read") && strcmp(tp->name, "mmio_write") &&
	    strcmp(tp->name, "mmio_unknown"))
		return;
	if (do_register)
		WARN_ON(tracepoint_probe_register(tp, nest, NULL));
	else
		tracepoint_probe_unregister(tp, nest, NULL);
}

static int do_depth(void)
{
	unsigned int i;

	set_cpus_allowed_ptr(current, cpumask_of(0));
	level = levels;
	for_each_kernel_tracepoint(with_tracepoint, (void *)1);
	for (i = 0; i < count; i++) {
		void __iomem *own = bar + OWN(0);

		preempt_disable();
		level = 0;
		writel(i, own);
		level = levels;
		/* By now nothing may be visible any more. */
		readl(own + 4);
		readl(own + 0x1000);
		readl(own + 8);
		preempt_enable();
		cond_resched();
	}
	for_each_kernel_tracepoint(with_tracepoint, NULL);
	tracepoint_synchronize_unregister();
	return 0;
}

/* Accesses in a system call */

static ssize_t access_read(struct file *file, char __user *buf, size_t size,
			   loff_t *pos)
{
	own_turn(0, 0x1000);
	return 0;
}

static const struct file_operations access_fops = {
	.owner = THIS_MODULE,
	.read = access_read,
};

static struct dentry *dir;

static int do_file(void)
{
	dir = debugfs_create_dir("hazards", NULL);
	debugfs_create_file("access", 0400, dir, NULL, &access_fops);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} modes[] = {
	{ "kprobe", do_kprobe },
	{ "hwbp", do_hwbp },
	{ "tf", do_tf },
	{ "extable", do_extable },
	{ "gdb", do_gdb },
	{ "div0", do_div0 },
	{ "depth", do_depth },
	{ "file", do_file },
};

static int __init hazards_init(void)
{
	struct pci_dev *pdev = pci_get_device(0x1b36, 0x0010, NULL);
	char *kinds = kind;
	int i, ret = -EINVAL;

	if (!pdev) {
		pr_err("no device: QEMU wants -device nvme,serial=0,cmb_size_mb=1\n");
		return -ENODEV;
	}
	ret = pci_enable_device_mem(pdev);
	if (!ret)
		bar = ioremap(pci_resource_start(pdev, 2) + base, SZ_256K);
	pci_dev_put(pdev);
	if (!bar)
		return -ENOMEM;

	while (!ret && (kind = strsep(&kinds, "+"))) {
		stop = false;
		atomic_set(&hits, 0);
		atomic_set(&wrong, 0);
		jumps = 0;
		for (i = 0; i < ARRAY_SIZE(modes); i++)
			if (!strcmp(what, modes[i].name))
				ret = modes[i].run();
		pr_info("result %s %s%s: %d, %d hits, trail %x, %u jumps, %d wrong\n", what,
			kind, reads ? " reads" : "", ret,
			loops ? !!atomic_read(&hits) : atomic_read(&hits), trail,
			loops ? !!jumps : jumps, atomic_read(&wrong));
		if (loops)
			pr_info("%d hits, %u jumps\n", atomic_read(&hits), jumps);
	}
	if (ret)
		iounmap(bar);
	return ret;
}

static void __exit hazards_exit(void)
{
	debugfs_remove_recursive(dir);
	iounmap(bar);
}

module_init(hazards_init);
module_exit(hazards_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("MMIO that others are interested in, too");
