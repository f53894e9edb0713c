// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instruction done by two engines: by the fault handler, then by the processor,
 * single-stepped. What each of them leaves in registers, flags, vectors and in the
 * operand is compared.
 *
 * Only memory bears that, for it is put back between the two: all operands have to
 * be in ranges of which their client says that they are memory.
 */
#define pr_fmt(fmt) "pv_shadow: compare: " fmt

#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/pv_shadow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/insn.h>
#include <asm/processor-flags.h>

#include "../../mm/alias.h"
#include "../../mm/mem.h"
#include "../../mm/stats.h"
#include "../../mm/trap.h"
#include "cache.h"
#include "compare.h"
#include "engine.h"
#include "vectors.h"

/**
 * struct pvs_compare - an instruction being done twice
 * @before:	  registers before it
 * @first:	  what the handler made of them
 * @place:	  the operand that it writes, in the second mapping, or 0
 * @addr:	  where that is to everybody else
 * @memory:	  what was there before
 * @memory_first: what the handler left there
 * @vectors:	  registers before it
 * @vectors_first: what the handler left there
 */
struct pvs_compare {
	struct pt_regs	before;
	struct pt_regs	first;
	unsigned long	place;
	unsigned long	addr;
	u8		memory[PVS_MAX_WIDTH];
	u8		memory_first[PVS_MAX_WIDTH];
	u8		vectors[PVS_VECTORS_SIZE] __aligned(64);
	u8		vectors_first[PVS_VECTORS_SIZE] __aligned(64);
};

/* By depth. */
static DEFINE_PER_CPU(struct pvs_compare *, pvs_compares);
static bool pvs_compare_ready;
static u64 pvs_mask;
static unsigned int pvs_size;

static const struct {
	const char	*name;
	unsigned int	offset;
} pvs_compared_regs[] = {
#define REG(reg) { #reg, offsetof(struct pt_regs, reg) }
	REG(ax), REG(cx), REG(dx), REG(bx), REG(sp), REG(bp), REG(si), REG(di),
	REG(r8), REG(r9), REG(r10), REG(r11), REG(r12), REG(r13), REG(r14), REG(r15),
	REG(ip), REG(flags),
#undef REG
};

/**
 * pvs_compare_free - free what pvs_compare_alloc() made
 *
 * Nothing may be trapped. May sleep.
 */
void pvs_compare_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kvfree(per_cpu(pvs_compares, cpu));
		per_cpu(pvs_compares, cpu) = NULL;
	}
	pvs_compare_ready = false;
}

/**
 * pvs_compare_alloc - be able to compare, from the first range of memory on
 *
 * The tree is locked. Sleeps.
 *
 * Return: 0 or -ENOMEM.
 */
int pvs_compare_alloc(void)
{
	struct pvs_compare *c;
	int cpu;

	if (pvs_compare_ready)
		return 0;

	pvs_mask = pvs_vectors_mask(&pvs_size);
	for_each_possible_cpu(cpu) {
		c = pvs_vzalloc(PVS_DEPTH * sizeof(*c), GFP_KERNEL);
		if (!c) {
			pvs_compare_free();
			return -ENOMEM;
		}
		per_cpu(pvs_compares, cpu) = c;
	}
	pvs_compare_ready = true;
	return 0;
}

/* The bytes of an operand in the second mapping; 0 if it is not to be done twice. */
static unsigned long pvs_compare_place(unsigned long addr, unsigned int width,
				       bool write)
{
	unsigned long last = addr + width - 1;
	struct pv_shadow_range *range;

	if (addr < TASK_SIZE_MAX || last < addr)
		return 0;
	range = pvs_trapped(addr);
	if (!range || !range->memory || pvs_trapped(last) != range)
		return 0;
	if (!pvs_alias_of(range, last, write))
		return 0;
	return pvs_alias_of(range, addr, write);
}
NOKPROBE_SYMBOL(pvs_compare_place);

/**
 * pvs_compare_begin - shall an instruction be done twice
 * @depth: how many others are being completed on this CPU
 * @fault: the fault that it made
 * @insn:  what it is
 * @ops:   its operands
 * @regs:  registers before it
 *
 * Remembers what is there before it. Interrupts off, or NMI.
 *
 * Return: true if so.
 */
bool pvs_compare_begin(unsigned int depth, const struct pvs_fault *fault,
		       const struct pvs_insn *insn, const struct pvs_operands *ops,
		       const struct pt_regs *regs)
{
	struct pvs_compare *c;

	if (likely(!fault->range->memory) || fault->no_step || !pvs_engine_compares())
		return false;

	c = this_cpu_read(pvs_compares) + depth;
	if (insn->reads && !pvs_compare_place(ops->addr, insn->width, false))
		return false;
	c->place = 0;
	if (insn->writes) {
		c->addr = insn->type == PVS_INSN_MOVS ? ops->dst : ops->addr;
		c->place = pvs_compare_place(c->addr, insn->width, true);
		if (!c->place)
			return false;
		/* Not memcpy(): to KASAN nothing is at such addresses. */
		__memcpy(c->memory, (void *)c->place, insn->width);
	}
	c->before = *regs;
	pvs_vectors_save(c->vectors, pvs_mask);
	return true;
}
NOKPROBE_SYMBOL(pvs_compare_begin);

/**
 * pvs_compare_again - the first engine has done it: make it undone
 * @depth: as for pvs_compare_begin()
 * @insn:  likewise
 * @regs:  registers after it; what they were before it when this returns
 */
void pvs_compare_again(unsigned int depth, const struct pvs_insn *insn,
		       struct pt_regs *regs)
{
	struct pvs_compare *c = this_cpu_read(pvs_compares) + depth;

	pvs_vectors_save(c->vectors_first, pvs_mask);
	c->first = *regs;
	if (c->place) {
		__memcpy(c->memory_first, (void *)c->place, insn->width);
		__memcpy((void *)c->place, c->memory, insn->width);
	}
	*regs = c->before;
	pvs_vectors_load(c->vectors, pvs_mask);
}
NOKPROBE_SYMBOL(pvs_compare_again);

/* What, and where if it is large. */
static void pvs_compare_differ(const struct pvs_compare *c, unsigned int len,
			       const char *what, unsigned long at, u64 first,
			       u64 second)
{
	u8 text[MAX_INSN_SIZE] = {};

	copy_from_kernel_nofault(text, (void *)c->before.ip, len);
	if (at)
		pr_err_ratelimited("ip 0x%lx: %*ph: %s 0x%lx: 0x%llx, but stepped 0x%llx\n",
				   c->before.ip, len, text, what, at, first, second);
	else
		pr_err_ratelimited("ip 0x%lx: %*ph: %s: 0x%llx, but stepped 0x%llx\n",
				   c->before.ip, len, text, what, first, second);
}
NOKPROBE_SYMBOL(pvs_compare_differ);

static bool pvs_compare_regs(const struct pvs_compare *c, const struct pvs_insn *insn,
			     const struct pt_regs *regs)
{
	unsigned long first, second;
	bool differ = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvs_compared_regs); i++) {
		first = *(unsigned long *)((u8 *)&c->first + pvs_compared_regs[i].offset);
		second = *(unsigned long *)((u8 *)regs + pvs_compared_regs[i].offset);
		/* Says whether a breakpoint is to be ignored, and is no result. */
		if (pvs_compared_regs[i].offset == offsetof(struct pt_regs, flags)) {
			first &= ~X86_EFLAGS_RF;
			second &= ~X86_EFLAGS_RF;
		}
		/* QEMU traps before it has seen that this element was the last one. */
		if (pvs_compared_regs[i].offset == offsetof(struct pt_regs, ip) &&
		    insn->rep && !pvs_rep_left(insn, regs) && second == c->before.ip)
			second += insn->len;
		if (likely(first == second))
			continue;
		pvs_compare_differ(c, insn->len, pvs_compared_regs[i].name, 0, first,
				   second);
		differ = true;
	}
	return differ;
}
NOKPROBE_SYMBOL(pvs_compare_regs);

static bool pvs_compare_memory(const struct pvs_compare *c, const struct pvs_insn *insn)
{
	unsigned int width = insn->width;
	u8 memory[PVS_MAX_WIDTH] = {};
	u64 first = 0, second = 0;
	unsigned int i, part;

	if (!c->place)
		return false;
	__memcpy(memory, (void *)c->place, width);
	for (i = 0; i < width; i += part) {
		part = min(width - i, (unsigned int)sizeof(u64));
		memcpy(&first, c->memory_first + i, part);
		memcpy(&second, memory + i, part);
		if (first != second) {
			pvs_compare_differ(c, insn->len, "memory", c->addr + i, first,
					   second);
			return true;
		}
	}
	return false;
}
NOKPROBE_SYMBOL(pvs_compare_memory);

static bool pvs_compare_vectors(struct pvs_compare *c, const struct pvs_insn *insn)
{
	int at;

	/* What was there before is needed no more. */
	pvs_vectors_save(c->vectors, pvs_mask);
	at = pvs_vectors_differ(c->vectors_first, c->vectors, pvs_size);
	if (at < 0)
		return false;
	pvs_compare_differ(c, insn->len, "vectors, at byte", at,
			   *(u64 *)&c->vectors_first[at], *(u64 *)&c->vectors[at]);
	return true;
}
NOKPROBE_SYMBOL(pvs_compare_vectors);

/**
 * pvs_compare_end - the processor has done it, too
 * @depth: as for pvs_compare_begin()
 * @insn:  likewise
 * @regs:  registers after it
 */
void pvs_compare_end(unsigned int depth, const struct pvs_insn *insn,
		     const struct pt_regs *regs)
{
	struct pvs_compare *c = this_cpu_read(pvs_compares) + depth;
	bool differ;

	differ = pvs_compare_vectors(c, insn);
	differ |= pvs_compare_regs(c, insn, regs);
	differ |= pvs_compare_memory(c, insn);

	pvs_count(PVS_COMPARED);
	if (unlikely(differ))
		pvs_count(PVS_DIFFER);
}
NOKPROBE_SYMBOL(pvs_compare_end);
