// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hammer a device's registers from all CPUs at once, in a way that the device's
 * own record of it can be held against a trace: the values written tell the CPU
 * and the turn.
 *
 * dev=edu is QEMU's edu: only aligned accesses of 4 bytes, and of 8 from 0x80 on,
 * reach it. Only it has mode=stack. dev=cmb is the memory buffer of QEMU's nvme: any
 * size, and it keeps what is written. Only it has mode=cross and mode=alu.
 */
#define pr_fmt(fmt) "hammer: " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpufeature.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mmiotrace.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <asm/asm.h>
#include <asm/fpu/api.h>
#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>

static unsigned int count = 1000;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "turns per CPU (default 1000)");

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "of the pseudo-random sequences (default 1)");

static char *mode = "mixed";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "mixed (default), string, movs2, cross, stack, alu or irq");

static char *dev = "edu";
module_param(dev, charp, 0444);
MODULE_PARM_DESC(dev, "edu (default) or cmb");

static bool wc;
module_param(wc, bool, 0444);
MODULE_PARM_DESC(wc, "map it write-combining, not uncached");

static unsigned int span;
module_param(span, uint, 0444);
MODULE_PARM_DESC(span, "use only so many bytes from the start (default: the whole BAR)");

static unsigned int usecs = 100;
module_param(usecs, uint, 0444);
MODULE_PARM_DESC(usecs, "mode irq: period of the timers (default 100)");

static bool edu;
static void __iomem *bar;
static struct pci_dev *pdev;
static resource_size_t bar_phys, bar_len;
static struct hammer *hammers;

static atomic_t waiting_for, threads;
static DECLARE_COMPLETION(all_done);

/**
 * struct hammer - one CPU's
 * @index: its number, part of the values it writes
 * @rnd:   task context's
 * @turn:  counts the values written, in all contexts
 * @timer: mode irq
 * @hard:  turns in @timer's function
 * @soft:  turns in @tasklet's
 * @wrong: values read that should have been others
 * @ops:   accesses made, as the module counts them
 * @buf:   for copies; mode alu: what the device has to hold
 * @filled: mode alu: the device does
 */
struct hammer {
	unsigned int		index;
	struct rnd_state	rnd;
	struct rnd_state	hard_rnd;
	struct rnd_state	soft_rnd;
	atomic_t		turn;
	struct hrtimer		timer;
	struct tasklet_struct	tasklet;
	unsigned long		hard;
	unsigned long		soft;
	unsigned long		wrong;
	atomic_long_t		ops;
	struct task_struct	*task;
	u64			buf[64] __aligned(64);
	bool			filled;
};

static u32 value32(struct hammer *h)
{
	return (h->index + 1) << 24 | (atomic_inc_return(&h->turn) & 0xffffff);
}

static u64 value64(struct hammer *h, struct rnd_state *rnd)
{
	return (u64)value32(h) << 32 | prandom_u32_state(rnd);
}

/* edu: registers that keep values, all others that nothing happens with. */
static u32 edu_offset(struct rnd_state *rnd, bool write, bool wide)
{
	static const u32 narrow_regs[] = { 0x00, 0x04, 0x08, 0x20, 0x24, 0x80 };
	static const u32 wide_regs[] = { 0x80, 0x88, 0x90, 0x98 };
	u32 r = prandom_u32_state(rnd);
	u32 end = span ?: bar_len;

	if (r % 4 == 0) {
		r >>= 2;
		/* Not the DMA command, and of the narrow ones only liveness. */
		if (wide)
			return wide_regs[r % (write ? 3 : 4)];
		return write ? 0x04 : narrow_regs[r % ARRAY_SIZE(narrow_regs)];
	}
	r = 0x100 + r % (end - 0x100);
	return wide ? r & ~7u : r & ~3u;
}

static u32 pick(struct rnd_state *rnd, bool write, unsigned int width)
{
	if (edu)
		return edu_offset(rnd, write, width == 8);
	return (prandom_u32_state(rnd) % (span ?: (u32)min_t(u64, bar_len, SZ_2G))) &
	       ~(width - 1);
}

/* One access of a random kind. */
static void access(struct hammer *h, struct rnd_state *rnd)
{
	unsigned int kind = prandom_u32_state(rnd) % (edu ? 4 : 8);
	bool write = kind & 1;
	u32 offset;

	switch (kind / 2) {
	case 0:
		offset = pick(rnd, write, 4);
		if (write)
			writel(value32(h), bar + offset);
		else
			readl(bar + offset);
		break;
	case 1:
		offset = pick(rnd, write, 8);
		if (write)
			writeq(value64(h, rnd), bar + offset);
		else
			readq(bar + offset);
		break;
	case 2:
		offset = pick(rnd, write, 2);
		if (write)
			writew(value32(h), bar + offset);
		else
			readw(bar + offset);
		break;
	case 3:
		offset = pick(rnd, write, 1);
		if (write)
			writeb(value32(h), bar + offset);
		else
			readb(bar + offset);
		break;
	}
	atomic_long_inc(&h->ops);
}

/* An area of its own for each CPU, where nobody else writes. */
static void __iomem *own_area(struct hammer *h)
{
	return bar + SZ_64K + h->index * SZ_8K;
}

/*
 * memcpy_fromio(), memcpy_toio() and memset_io(), also unaligned where the device
 * takes it, also across a page's end.
 */
static void string_turn(struct hammer *h)
{
	void __iomem *area = own_area(h);
	u8 *buf = (u8 *)h->buf;
	u32 r = prandom_u32_state(&h->rnd);
	unsigned int from, n, i;

	from = PAGE_SIZE - 64 + r % 64;
	n = 1 + (r >> 8) % (sizeof(h->buf) - 1);
	if (edu) {
		from &= ~3u;
		n = max(n & ~3u, 4u);
	}

	switch ((r >> 24) % (edu ? 2 : 3)) {
	case 0:
		memcpy_fromio(buf, area + from, n);
		break;
	case 1:
		for (i = 0; i < sizeof(h->buf) / 8; i++)
			h->buf[i] = value64(h, &h->rnd);
		memcpy_toio(area + from, buf, n);
		/* And back, with other instructions. */
		for (i = 0; !edu && i < n; i++)
			h->wrong += readb(area + from + i) != buf[i];
		break;
	case 2:
		memset_io(area + from, r, n);
		for (i = 0; i < n; i++)
			h->wrong += readb(area + from + i) != (u8)r;
		break;
	}
	atomic_long_inc(&h->ops);
}

static void movs(unsigned int width, void __iomem *to, void __iomem *from)
{
	switch (width) {
	case 1:
		asm volatile("movsb" : "+D" (to), "+S" (from) : : "memory");
		break;
	case 2:
		asm volatile("movsw" : "+D" (to), "+S" (from) : : "memory");
		break;
	case 4:
		asm volatile("movsl" : "+D" (to), "+S" (from) : : "memory");
		break;
	case 8:
		asm volatile("movsq" : "+D" (to), "+S" (from) : : "memory");
		break;
	}
}

static void rep_movsl(void __iomem *to, void __iomem *from, unsigned long n, bool down)
{
	if (down)
		asm volatile("std; rep movsl; cld"
			     : "+D" (to), "+S" (from), "+c" (n) : : "memory");
	else
		asm volatile("rep movsl"
			     : "+D" (to), "+S" (from), "+c" (n) : : "memory");
}

/* Both operands in the device, in one page or in two. */
static void movs2_turn(struct hammer *h)
{
	void __iomem *area = own_area(h);
	u32 r = prandom_u32_state(&h->rnd);
	unsigned int width, from, to, n, i;

	n = (r >> 3) % 8;
	from = 0x400 + ((r >> 8) % 64) * 8;
	to = 0x800 + ((r >> 16) % 64) * 8;
	if (r & 1)
		to += PAGE_SIZE;
	if (r & 2)
		swap(from, to);

	/* Something to be moved. */
	for (i = 0; i < max(n, 2u); i++)
		writel(value32(h), area + from + 4 * i);

	if (r & 4) {
		/* Sometimes with a count of 0. */
		bool down = r >> 31;
		unsigned int last = down && n ? 4 * (n - 1) : 0;

		rep_movsl(area + to + last, area + from + last, n, down);
		for (i = 0; !edu && i < n; i++)
			h->wrong += readl(area + from + 4 * i) != readl(area + to + 4 * i);
	} else {
		width = edu ? 4 << (r >> 30 & 1) : 1 << (r >> 30);
		movs(width, area + to, area + from);
		if (!edu)
			h->wrong += readb(area + from) != readb(area + to);
	}
	atomic_long_inc(&h->ops);
}

/* What a call through the device leads to */
asm(".pushsection .text, \"ax\"\n"
	".type hammer_target, @function\n"
	"hammer_target:\n"
	ASM_ENDBR
	ASM_RET
	".size hammer_target, . - hammer_target\n"
	".type hammer_jump, @function\n"
	"hammer_jump:\n"
	ANNOTATE_RETPOLINE_SAFE
	"	jmpq *(%rdi)\n"
	".size hammer_jump, . - hammer_jump\n"
	".popsection");

/*
 * Operands that are called, jumped to, pushed and popped. All CPUs leave the same
 * address in the same register, for edu has few of 8 bytes.
 */
static noinline void stack_turn(struct hammer *h)
{
	void __iomem *regs = bar + 0x80;
	unsigned long target, pushed, popped = value64(h, &h->rnd);

	asm volatile("leaq hammer_target(%%rip), %[target]\n\t"
		     "movq %[target], (%[regs])\n\t"
		     ANNOTATE_RETPOLINE_SAFE
		     "callq *(%[regs])\n\t"
		     "callq hammer_jump\n\t"
		     "pushq (%[regs])\n\t"
		     "popq %[pushed]\n\t"
		     "pushq %[popped]\n\t"
		     "popq 0x10(%[regs])\n\t"
		     : [target] "=&r" (target), [pushed] "=&r" (pushed),
		       ASM_CALL_CONSTRAINT
		     : [regs] "D" (regs), [popped] "r" (popped) : "memory");
	h->wrong += pushed != target;

	atomic_long_add(5, &h->ops);
}

/**
 * struct alu - what an instruction is given, and what it leaves
 * @a:      its register, or what is compared
 * @d:      a second one
 * @flags:  flags
 * @vector: its vector register
 */
struct alu {
	u64		a;
	u64		d;
	unsigned long	flags;
	u64		vector[4];
};

/* After a bit test the others may be anything. */
#define ALU_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_ZF)

/*
 * One instruction on (%rdi), which the kernel's own accessors have no use for. The
 * function's name says what it does to how many bytes there: events.test reads it.
 */
#define ALU(name, insn)							\
static noinline __noclone void alu_##name(void *at, struct alu *alu)	\
{									\
	asm volatile("cmpq %%rdx, %%rax\n\t"				\
		     insn "\n\t"					\
		     "pushfq\n\t"					\
		     "popq %[flags]"					\
		     : "+a" (alu->a), "+d" (alu->d), [flags] "=&r" (alu->flags) \
		     : "D" (at), "b" (0x1234), "c" (0x5678)		\
		     : "memory", "cc");					\
	alu->flags &= ALU_FLAGS;					\
}

/* The same with a vector in its register; the caller saves those. */
#define ALU_VECTOR(name, load, insn, store)				\
static noinline __noclone void alu_##name(void *at, struct alu *alu)	\
{									\
	asm volatile(load " (%[vector]), %%" insn "\n\t"		\
		     store ", (%[vector])"				\
		     : : "D" (at), [vector] "r" (alu->vector) : "memory", "cc"); \
}

ALU(rw1_add, "addb %%al, (%%rdi)")
ALU(rw2_add, "addw %%ax, (%%rdi)")
ALU(rw4_add, "addl %%eax, (%%rdi)")
ALU(rw8_add, "addq %%rax, (%%rdi)")
ALU(rw8_adc, "adcq %%rax, (%%rdi)")
ALU(rw4_sub_imm, "subl $0x12345678, (%%rdi)")
ALU(rw1_not, "notb (%%rdi)")
ALU(rw8_neg, "negq (%%rdi)")
ALU(rw2_inc, "incw (%%rdi)")
ALU(rw4_shl, "shll $3, (%%rdi)")
ALU(r1_cmp, "cmpb %%al, (%%rdi)")
ALU(r4_cmp, "cmpl (%%rdi), %%eax")
ALU(r8_cmp, "cmpq $0x55, (%%rdi)")
ALU(r2_test, "testw %%ax, (%%rdi)")
ALU(r8_test, "testq %%rax, (%%rdi)")
ALU(r8_sub, "subq (%%rdi), %%rax")
ALU(r4_imul, "imull (%%rdi), %%eax")
ALU(r2_cmov, "cmovcw (%%rdi), %%ax")
ALU(w1_setc, "setc (%%rdi)")
ALU(r4_bt_imm, "btl $7, (%%rdi)")
ALU(rw8_btc_imm, "btcq $43, (%%rdi)")
ALU(r8_bt, "btq %%rax, (%%rdi)")
ALU(rw4_bts, "btsl %%eax, (%%rdi)")
ALU(rw1_xchg, "xchgb %%al, (%%rdi)")
ALU(rw4_xchg, "xchgl %%eax, (%%rdi)")
ALU(rw8_xchg, "xchgq %%rax, (%%rdi)")
ALU(rw2_xadd, "lock xaddw %%ax, (%%rdi)")
ALU(rw4_xadd, "lock xaddl %%eax, (%%rdi)")
ALU(rw8_xadd, "xaddq %%rax, (%%rdi)")
ALU(rw4_cmpxchg, "lock cmpxchgl %%edx, (%%rdi)")
ALU(rw8_cmpxchg, "cmpxchgq %%rdx, (%%rdi)")
ALU(rw8_cmpxchg8b, "lock cmpxchg8b (%%rdi)")
ALU(rw16_cmpxchg16b, "lock cmpxchg16b (%%rdi)")
ALU(r2_movbe, "movbew (%%rdi), %%ax")
ALU(r8_movbe, "movbeq (%%rdi), %%rax")
ALU(w4_movbe, "movbel %%eax, (%%rdi)")
ALU_VECTOR(r16_movdqu, "movdqu", "xmm0\n\tmovdqu (%%rdi), %%xmm0", "movdqu %%xmm0")
ALU_VECTOR(w16_movdqu, "movdqu", "xmm0\n\tmovdqu %%xmm0, (%%rdi)", "movdqu %%xmm0")
ALU_VECTOR(r16_paddq, "movdqu", "xmm0\n\tpaddq (%%rdi), %%xmm0", "movdqu %%xmm0")
ALU_VECTOR(r8_movhps, "movdqu", "xmm0\n\tmovhps (%%rdi), %%xmm0", "movdqu %%xmm0")
ALU_VECTOR(w4_movss, "movdqu", "xmm0\n\tmovss %%xmm0, (%%rdi)", "movdqu %%xmm0")
ALU_VECTOR(r32_vmovdqu, "vmovdqu", "ymm0\n\tvmovdqu (%%rdi), %%ymm0", "vmovdqu %%ymm0")
ALU_VECTOR(w32_vmovdqu, "vmovdqu", "ymm0\n\tvmovdqu %%ymm0, (%%rdi)", "vmovdqu %%ymm0")

/*
 * Sometimes its comparison is to be true; a bit's number moves the operand; it has a
 * vector; it is locked, and QEMU's TCG loses the flags if such an access to a device is
 * single-stepped.
 */
enum { ALU_EQUAL = 1, ALU_BITS = 2, ALU_FPU = 4, ALU_LOCKED = 8 };

static const struct {
	void		(*run)(void *at, struct alu *alu);
	u8		width;
	u8		flags;
	u16		feature;
} alus[] = {
#define PLAIN(name, width)		{ alu_##name, width, 0, X86_FEATURE_FPU }
#define EQUAL(name, width, flags, feature) { alu_##name, width, ALU_EQUAL | (flags), feature }
#define BITS(name, width)		{ alu_##name, width, ALU_BITS, X86_FEATURE_FPU }
#define LOCKED(name, width)		{ alu_##name, width, ALU_LOCKED, X86_FEATURE_FPU }
#define VECTOR(name, width, feature)	{ alu_##name, width, ALU_FPU, feature }
	PLAIN(rw1_add, 1), PLAIN(rw2_add, 2), PLAIN(rw4_add, 4), PLAIN(rw8_add, 8),
	PLAIN(rw8_adc, 8), PLAIN(rw4_sub_imm, 4), PLAIN(rw1_not, 1), PLAIN(rw8_neg, 8),
	PLAIN(rw2_inc, 2), PLAIN(rw4_shl, 4),
	PLAIN(r1_cmp, 1), PLAIN(r4_cmp, 4), PLAIN(r8_cmp, 8), PLAIN(r2_test, 2),
	PLAIN(r8_test, 8), PLAIN(r8_sub, 8), PLAIN(r4_imul, 4), PLAIN(r2_cmov, 2),
	PLAIN(w1_setc, 1), PLAIN(r4_bt_imm, 4), PLAIN(rw8_btc_imm, 8),
	BITS(r8_bt, 8), BITS(rw4_bts, 4),
	LOCKED(rw1_xchg, 1), LOCKED(rw4_xchg, 4), LOCKED(rw8_xchg, 8),
	LOCKED(rw2_xadd, 2), LOCKED(rw4_xadd, 4), PLAIN(rw8_xadd, 8),
	EQUAL(rw4_cmpxchg, 4, ALU_LOCKED, X86_FEATURE_FPU),
	EQUAL(rw8_cmpxchg, 8, 0, X86_FEATURE_FPU),
	EQUAL(rw8_cmpxchg8b, 8, ALU_LOCKED, X86_FEATURE_CX8),
	EQUAL(rw16_cmpxchg16b, 16, ALU_LOCKED, X86_FEATURE_CX16),
	{ alu_r2_movbe, 2, 0, X86_FEATURE_MOVBE }, { alu_r8_movbe, 8, 0, X86_FEATURE_MOVBE },
	{ alu_w4_movbe, 4, 0, X86_FEATURE_MOVBE },
	VECTOR(r16_movdqu, 16, X86_FEATURE_XMM2), VECTOR(w16_movdqu, 16, X86_FEATURE_XMM2),
	VECTOR(r16_paddq, 16, X86_FEATURE_XMM2), VECTOR(r8_movhps, 8, X86_FEATURE_XMM2),
	VECTOR(w4_movss, 4, X86_FEATURE_XMM2),
	VECTOR(r32_vmovdqu, 32, X86_FEATURE_AVX), VECTOR(w32_vmovdqu, 32, X86_FEATURE_AVX),
};

/* Each turn one instruction, on the device and on memory that holds the same. */
static noinline void alu_turn(struct hammer *h)
{
	u8 __iomem *area = own_area(h);
	u8 *memory = (u8 *)h->buf;
	u32 r = prandom_u32_state(&h->rnd);
	struct alu on_device = { }, in_memory;
	unsigned int i, n, at, end;

	for (i = 0; !h->filled && i < ARRAY_SIZE(h->buf); i++) {
		h->buf[i] = value64(h, &h->rnd);
		writeq(h->buf[i], area + 8 * i);
	}
	h->filled = true;

	n = r % ARRAY_SIZE(alus);
	if (!boot_cpu_has(alus[n].feature))
		return;
	/* There is room for a bit test to go elsewhere. */
	at = (128 + (r >> 8) % 224) & -alus[n].width;
	on_device.a = value64(h, &h->rnd);
	on_device.d = value64(h, &h->rnd);
	for (i = 0; i < ARRAY_SIZE(on_device.vector); i++)
		on_device.vector[i] = value64(h, &h->rnd);
	if ((alus[n].flags & ALU_EQUAL) && (r >> 31)) {
		u64 *word = (u64 *)(memory + (at & ~7u));

		on_device.a = alus[n].width == 4 ? *(u32 *)(memory + at) : word[0];
		on_device.d = alus[n].width == 16 ? word[1] : on_device.a >> 32;
	}
	if (alus[n].flags & ALU_BITS) {
		on_device.a = (s64)((r >> 16) % 2000) - 1000;
		i = ((s64)on_device.a >> 3) & -(int)alus[n].width;
	} else {
		i = 0;
	}
	in_memory = on_device;

	if (alus[n].flags & ALU_FPU)
		kernel_fpu_begin();
	alus[n].run((void __force *)area + at, &on_device);
	alus[n].run(memory + at, &in_memory);
	if (alus[n].flags & ALU_FPU)
		kernel_fpu_end();

	if (alus[n].flags & ALU_LOCKED) {
		on_device.flags = 0;
		in_memory.flags = 0;
	}
	h->wrong += !!memcmp(&on_device, &in_memory, sizeof(on_device));
	at += i;
	end = at + alus[n].width;
	for (at &= ~7u; at < end; at += 8)
		h->wrong += readq(area + at) != *(u64 *)(memory + at);
	atomic_long_inc(&h->ops);
}

/*
 * Accesses that begin in one page and end in the next. What a trace has to show
 * is written into it first.
 */
static void cross_turn(struct hammer *h)
{
	void __iomem *area = own_area(h);
	u32 r = prandom_u32_state(&h->rnd);
	unsigned int width = 2 << r % 3;
	unsigned int first = 1 + (r >> 4) % (width - 1);
	void __iomem *addr = area + PAGE_SIZE - first;
	u64 value, got = 0;

	value = value64(h, &h->rnd);
	if (width < 8)
		value &= BIT_ULL(8 * width) - 1;

	/* No migration: the marker's CPU is the access's. */
	preempt_disable();
	mmiotrace_printk("cross %d W %u 0x%llx 0x%llx\n", smp_processor_id(), width,
			 (u64)bar_phys + (addr - bar), value);
	switch (width) {
	case 2:
		writew(value, addr);
		break;
	case 4:
		writel(value, addr);
		break;
	case 8:
		writeq(value, addr);
		break;
	}
	mmiotrace_printk("cross %d R %u 0x%llx 0x%llx\n", smp_processor_id(), width,
			 (u64)bar_phys + (addr - bar), value);
	switch (width) {
	case 2:
		got = readw(addr);
		break;
	case 4:
		got = readl(addr);
		break;
	case 8:
		got = readq(addr);
		break;
	}
	preempt_enable();
	h->wrong += got != value;
	atomic_long_inc(&h->ops);
}

static void hammer_tasklet(struct tasklet_struct *t)
{
	struct hammer *h = from_tasklet(h, t, tasklet);
	int i;

	for (i = 0; i < 3; i++)
		access(h, &h->soft_rnd);
	h->soft++;
}

static enum hrtimer_restart hammer_timer(struct hrtimer *timer)
{
	struct hammer *h = container_of(timer, struct hammer, timer);

	access(h, &h->hard_rnd);
	access(h, &h->hard_rnd);
	h->hard++;
	tasklet_schedule(&h->tasklet);
	hrtimer_forward_now(timer, ns_to_ktime(usecs * 1000ull));
	return HRTIMER_RESTART;
}

static void mixed_turn(struct hammer *h)
{
	access(h, &h->rnd);
}

static const struct {
	const char *name;
	void (*turn)(struct hammer *h);
	bool irq;
} modes[] = {
	{ "mixed", mixed_turn },
	{ "string", string_turn },
	{ "movs2", movs2_turn },
	{ "cross", cross_turn },
	{ "stack", stack_turn },
	{ "alu", alu_turn },
	{ "irq", mixed_turn, .irq = true },
};

static int mode_index(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(mode, modes[i].name))
			return i;
	return -EINVAL;
}

static int hammer_thread(void *data)
{
	struct hammer *h = data;
	int m = mode_index();
	unsigned int i;

	/* All at once */
	atomic_dec(&waiting_for);
	while (atomic_read(&waiting_for) > 0)
		cond_resched();

	if (modes[m].irq)
		hrtimer_start(&h->timer, ns_to_ktime(usecs * 1000ull),
			      HRTIMER_MODE_REL_PINNED_HARD);
	for (i = 0; i < count; i++) {
		modes[m].turn(h);
		if (i % 64 == 63)
			cond_resched();
	}
	if (modes[m].irq) {
		hrtimer_cancel(&h->timer);
		tasklet_kill(&h->tasklet);
	}

	if (atomic_dec_and_test(&threads))
		complete(&all_done);
	/* Stay until the module has collected us: this is its code. */
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

static int hammer_run(void)
{
	unsigned long ops = 0, hard = 0, soft = 0, wrong = 0;
	unsigned int i, n = 0, cpu;
	ktime_t start;
	int ret = 0;

	hammers = kcalloc(nr_cpu_ids, sizeof(*hammers), GFP_KERNEL);
	if (!hammers)
		return -ENOMEM;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct hammer *h = &hammers[n];

		h->index = n;
		prandom_seed_state(&h->rnd, seed * 1000003ull + cpu);
		prandom_seed_state(&h->hard_rnd, seed * 1000033ull + cpu);
		prandom_seed_state(&h->soft_rnd, seed * 1000037ull + cpu);
		hrtimer_init(&h->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		h->timer.function = hammer_timer;
		tasklet_setup(&h->tasklet, hammer_tasklet);
		h->task = kthread_create_on_cpu(hammer_thread, h, cpu, "hammer/%u");
		if (IS_ERR(h->task)) {
			ret = PTR_ERR(h->task);
			break;
		}
		/* Not parked: kthread_create_on_cpu() is for smpboot otherwise. */
		get_task_struct(h->task);
		n++;
	}
	atomic_set(&waiting_for, n);
	atomic_set(&threads, n);
	start = ktime_get();
	if (!ret) {
		for (i = 0; i < n; i++)
			wake_up_process(hammers[i].task);
	}
	cpus_read_unlock();

	if (!ret)
		wait_for_completion(&all_done);
	start = ktime_sub(ktime_get(), start);
	for (i = 0; i < n; i++) {
		kthread_stop(hammers[i].task);
		put_task_struct(hammers[i].task);
		ops += atomic_long_read(&hammers[i].ops);
		hard += hammers[i].hard;
		soft += hammers[i].soft;
		wrong += hammers[i].wrong;
	}
	kfree(hammers);
	if (ret)
		return ret;

	pr_info("%s %s: %u CPUs, %u turns each, %lu accesses, %lu timers, %lu tasklets, %lld us\n",
		dev, mode, n, count, ops, hard, soft, ktime_to_us(start));
	if (wrong) {
		pr_err("%lu values were not what was written\n", wrong);
		return -EIO;
	}
	return 0;
}

static int __init hammer_init(void)
{
	int ret, nr;

	edu = !strcmp(dev, "edu");
	if (!edu && strcmp(dev, "cmb")) {
		pr_err("dev is edu or cmb, not '%s'\n", dev);
		return -EINVAL;
	}
	if (mode_index() < 0) {
		pr_err("no mode '%s'\n", mode);
		return -EINVAL;
	}
	if (edu && !strcmp(mode, "cross")) {
		pr_err("edu takes no unaligned accesses; use dev=cmb\n");
		return -EINVAL;
	}
	if (edu && !strcmp(mode, "alu")) {
		pr_err("edu does not keep what is written; use dev=cmb\n");
		return -EINVAL;
	}

	pdev = edu ? pci_get_device(0x1234, 0x11e8, NULL) :
		     pci_get_device(0x1b36, 0x0010, NULL);
	nr = edu ? 0 : 2;
	if (!pdev) {
		pr_err("no device: QEMU wants -device %s\n",
		       edu ? "edu" : "nvme,serial=0,cmb_size_mb=1");
		return -ENODEV;
	}
	ret = pci_enable_device_mem(pdev);
	if (ret)
		goto put;
	bar_phys = pci_resource_start(pdev, nr);
	bar_len = pci_resource_len(pdev, nr);
	if (bar_len < SZ_1M) {
		pr_err("BAR %d has only %pa bytes\n", nr, &bar_len);
		ret = -ENODEV;
		goto put;
	}
	bar = wc ? ioremap_wc(bar_phys, bar_len) : ioremap(bar_phys, bar_len);
	if (!bar) {
		ret = -ENOMEM;
		goto put;
	}
	ret = hammer_run();
	iounmap(bar);
put:
	pci_dev_put(pdev);
	return ret;
}

static void __exit hammer_exit(void)
{
}

module_init(hammer_init);
module_exit(hammer_exit);
MODULE_DESCRIPTION("MMIO from all CPUs at once");
MODULE_LICENSE("GPL");
