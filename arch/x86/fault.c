// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the page fault of a trapped access to its completion.
 *
 * The instruction is single-stepped with the page revealed to this CPU only; moves
 * from memory to memory, whose value no register shows, are done here instead.
 * From the fault to the debug trap interrupts are off, so that nothing but an NMI
 * or a fault of the instruction itself comes between. NMIs hide the page while
 * their handlers run, and what those handlers touch is completed on top of what
 * was under way: instructions being completed form a stack, per CPU.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/pv_shadow.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/thread_info.h>
#include <linux/uaccess.h>

#include <asm/cpu_entry_area.h>
#include <asm/debugreg.h>
#include <asm/insn.h>
#include <asm/msr.h>
#include <asm/trap_pf.h>

#include "../../mm/stats.h"
#include "../../mm/trap.h"
#include "../../pvops/root.h"
#include "decode.h"
#include "fault.h"

/* Task or interrupt, its #MC, an NMI, its #MC. */
#define PVS_DEPTH	4
/* Two operands, each across a page boundary. */
#define PVS_PAGES	4

/**
 * struct pvs_step - an instruction being completed
 * @insn:     what it is
 * @ops:      its operands, unless it is unknown
 * @ip:       where
 * @sp:       stack pointer there: tells it from another run of the same code
 * @flags:    TF and IF of the interrupted code
 * @addr:     where it faulted, one in each page
 * @range:    whose the pages are
 * @nr:       number of pages
 * @revealed: they are revealed, except while an NMI is handled
 * @armed:    a debug trap will tell when the instruction has run
 *
 * One that is free has @ip, @nr, @revealed and @armed 0, so that an NMI may find
 * the top of the stack at any stage of being filled.
 */
struct pvs_step {
	struct pvs_insn		insn;
	struct pvs_operands	ops;
	unsigned long		ip;
	unsigned long		sp;
	unsigned long		flags;
	unsigned long		addr[PVS_PAGES];
	struct pv_shadow_range	*range[PVS_PAGES];
	unsigned int		nr;
	bool			revealed;
	bool			armed;
};

/**
 * struct pvs_steps - the stack of them
 * @depth:   how many
 * @no_step: an NMI interrupted the debug stack, where another debug trap would
 *	     destroy the frame of the one that is being handled
 * @debug:   a debug trap is being handled, perhaps from another stack by now
 * @step:    the stack
 * @missed:  pages that were revealed to an instruction of which nobody tells when
 *	     it has run
 * @missed_ip: that instruction
 * @nr_missed: number of those pages
 */
struct pvs_steps {
	unsigned int	depth;
	bool		no_step;
	bool		debug;
	struct pvs_step	step[PVS_DEPTH];
	unsigned long	missed[PVS_PAGES];
	unsigned long	missed_ip;
	unsigned int	nr_missed;
};

static DEFINE_PER_CPU(struct pvs_steps, pvs_steps);

static struct pvs_step *pvs_top(struct pvs_steps *s)
{
	return s->depth ? &s->step[s->depth - 1] : NULL;
}
NOKPROBE_SYMBOL(pvs_top);

static void pvs_report(struct pv_shadow_range *range,
		       const struct pv_shadow_access *access)
{
	pvs_count(PVS_EVENTS);
	if (access->dir == PV_SHADOW_UNKNOWN)
		pvs_count(PVS_UNKNOWN);
	range->client->accessed(range, access);
}
NOKPROBE_SYMBOL(pvs_report);

/* One event for each trapped page that the access has a part of. */
static void pvs_report_parts(enum pv_shadow_dir dir, unsigned long ip,
			     unsigned long addr, unsigned int width, u64 value)
{
	unsigned int done, part;

	for (done = 0; done < width; done += part) {
		struct pv_shadow_range *range = pvs_trapped(addr + done);
		struct pv_shadow_access access = {
			.addr = addr + done,
			.ip = ip,
			.dir = dir,
			.value = value >> (8 * done),
		};

		part = min(width - done,
			   (unsigned int)(PAGE_SIZE - offset_in_page(addr + done)));
		access.width = part;
		if (part < sizeof(u64))
			access.value &= BIT_ULL(8 * part) - 1;
		if (range)
			pvs_report(range, &access);
	}
}
NOKPROBE_SYMBOL(pvs_report_parts);

/* Nothing is known but where it faulted. */
static void pvs_report_unknown(const struct pvs_step *step, unsigned int n)
{
	struct pv_shadow_access access = {
		.addr = step->addr[n],
		.ip = step->ip,
		.dir = PV_SHADOW_UNKNOWN,
		.value = step->insn.bytes,
	};

	/* Unless it was untrapped meanwhile: the client expects no more then. */
	if (pvs_trapped(step->addr[n]) == step->range[n])
		pvs_report(step->range[n], &access);
}
NOKPROBE_SYMBOL(pvs_report_unknown);

static void pvs_hide_all(const struct pvs_step *step)
{
	unsigned int i;

	for (i = 0; i < step->nr; i++)
		pvs_hide(step->addr[i]);
}
NOKPROBE_SYMBOL(pvs_hide_all);

/* Whatever was let through has run by now. */
static void pvs_hide_missed(struct pvs_steps *s)
{
	while (unlikely(s->nr_missed))
		pvs_hide(s->missed[--s->nr_missed]);
}
NOKPROBE_SYMBOL(pvs_hide_missed);

/*
 * The access was made. An NMI that comes now still hides the pages, but does not
 * reveal them again.
 */
static void pvs_step_hide(struct pvs_step *step)
{
	WRITE_ONCE(step->revealed, false);
	barrier();
	pvs_hide_all(step);
}
NOKPROBE_SYMBOL(pvs_step_hide);

static void pvs_pop(struct pvs_steps *s)
{
	struct pvs_step *step = pvs_top(s);

	pvs_step_hide(step);
	step->armed = false;
	step->ip = 0;
	WRITE_ONCE(step->nr, 0);
	barrier();
	WRITE_ONCE(s->depth, s->depth - 1);
}
NOKPROBE_SYMBOL(pvs_pop);

static struct pvs_step *pvs_push(struct pvs_steps *s, struct pt_regs *regs)
{
	struct pvs_step *step;

	if (s->depth == PVS_DEPTH)
		return NULL;
	if (s->depth)
		pvs_count(PVS_NESTED);

	step = &s->step[s->depth];
	/* Ours first, filled afterwards: an NMI takes the next one. */
	WRITE_ONCE(s->depth, s->depth + 1);
	barrier();
	step->sp = regs->sp;
	step->ip = regs->ip;
	step->revealed = true;

	return step;
}
NOKPROBE_SYMBOL(pvs_push);

static bool pvs_add_page(struct pvs_step *step, unsigned long addr,
			 struct pv_shadow_range *range, bool write)
{
	if (step->nr == PVS_PAGES)
		return false;

	step->addr[step->nr] = addr;
	step->range[step->nr] = range;
	/* Listed before it is revealed, so that an NMI hides it. */
	barrier();
	WRITE_ONCE(step->nr, step->nr + 1);
	barrier();

	return pvs_reveal(addr, write);
}
NOKPROBE_SYMBOL(pvs_add_page);

/* Make this CPU see an operand; false if the reference does not allow it. */
static bool pvs_add_operand(struct pvs_step *step, unsigned long addr,
			    unsigned int width, bool write)
{
	unsigned long last = addr + width - 1;
	struct pv_shadow_range *range;

	for (;; addr = (addr & PAGE_MASK) + PAGE_SIZE) {
		range = addr >= TASK_SIZE_MAX ? pvs_trapped(addr) : NULL;
		if (range) {
			if (!pvs_add_page(step, addr, range, write))
				return false;
		} else if (!pvs_ref_permits(&pvs_tree, addr,
					    write ? X86_PF_WRITE : 0)) {
			return false;
		}
		if ((addr & PAGE_MASK) == (last & PAGE_MASK))
			return true;
	}
}
NOKPROBE_SYMBOL(pvs_add_operand);

static u64 pvs_device_read(unsigned long addr, unsigned int width)
{
	switch (width) {
	case 1:
		return READ_ONCE(*(u8 *)addr);
	case 2:
		return READ_ONCE(*(u16 *)addr);
	case 4:
		return READ_ONCE(*(u32 *)addr);
	default:
		return READ_ONCE(*(u64 *)addr);
	}
}
NOKPROBE_SYMBOL(pvs_device_read);

static void pvs_device_write(unsigned long addr, unsigned int width, u64 value)
{
	switch (width) {
	case 1:
		WRITE_ONCE(*(u8 *)addr, value);
		break;
	case 2:
		WRITE_ONCE(*(u16 *)addr, value);
		break;
	case 4:
		WRITE_ONCE(*(u32 *)addr, value);
		break;
	default:
		WRITE_ONCE(*(u64 *)addr, value);
		break;
	}
}
NOKPROBE_SYMBOL(pvs_device_write);

/* What is about to run; an EXEC is stepped, as what is unknown is. */
static void pvs_step_decode(struct pvs_step *step, const struct pt_regs *regs)
{
	unsigned int len = MAX_INSN_SIZE;
	u8 text[MAX_INSN_SIZE];

	memset(text, 0, sizeof(text));
	/* The instruction is there; what follows it on the next page may not be. */
	if (copy_from_kernel_nofault(text, (void *)regs->ip, len)) {
		len = min_t(unsigned int, len,
			    PAGE_SIZE - offset_in_page(regs->ip));
		if (copy_from_kernel_nofault(text, (void *)regs->ip, len))
			len = 0;
	}
	pvs_decode(&step->insn, text, len, regs->ip);
	if (step->insn.type == PVS_INSN_EXEC)
		step->insn.type = PVS_INSN_UNKNOWN;
	if (step->insn.type != PVS_INSN_UNKNOWN)
		pvs_resolve(&step->insn, regs, &step->ops);
}
NOKPROBE_SYMBOL(pvs_step_decode);

/*
 * Complete the instruction here. It must be one that is known, and its operands
 * in the kernel half: a user page may have to be faulted in first.
 *
 * Return: false if it has to be stepped instead, with no operand touched.
 */
static bool pvs_emulate(struct pvs_step *step, struct pt_regs *regs)
{
	const struct pvs_insn *insn = &step->insn;
	const struct pvs_operands *ops = &step->ops;
	bool reads = insn->type != PVS_INSN_STORE;
	bool writes = insn->type != PVS_INSN_LOAD;
	unsigned long to = insn->type == PVS_INSN_MOVS ? ops->dst : ops->addr;
	u64 value = ops->value;

	if (insn->type == PVS_INSN_UNKNOWN || insn->width > sizeof(value) ||
	    (reads && ops->addr < TASK_SIZE_MAX) ||
	    (writes && to < TASK_SIZE_MAX) ||
	    (regs->flags & X86_EFLAGS_TF)) /* someone waits for the trap */
		return false;

	if ((reads && !pvs_add_operand(step, ops->addr, insn->width, false)) ||
	    (writes && !pvs_add_operand(step, to, insn->width, true))) {
		pvs_step_hide(step);
		WRITE_ONCE(step->nr, 0);
		barrier();
		step->revealed = true;
		return false;
	}

	if (reads)
		value = pvs_device_read(ops->addr, insn->width);
	if (writes)
		pvs_device_write(to, insn->width, value);
	pvs_step_hide(step);

	if (reads)
		pvs_report_parts(PV_SHADOW_READ, step->ip, ops->addr,
				 insn->width, value);
	if (writes)
		pvs_report_parts(PV_SHADOW_WRITE, step->ip, to, insn->width,
				 value);
	pvs_complete(insn, regs, value);
	pvs_count(PVS_EMULATED);

	return true;
}
NOKPROBE_SYMBOL(pvs_emulate);

/* Let the processor run the instruction and tell us when it has. */
static void pvs_step_arm(struct pvs_step *step, struct pt_regs *regs)
{
	step->flags = regs->flags & (X86_EFLAGS_TF | X86_EFLAGS_IF);
	step->armed = true;
	regs->flags |= X86_EFLAGS_TF;
	regs->flags &= ~X86_EFLAGS_IF;

	/* A debugger's wish to stop at branches only; the debug trap restores it. */
	if (test_thread_flag(TIF_BLOCKSTEP)) {
		u64 debugctl;

		rdmsrl(MSR_IA32_DEBUGCTLMSR, debugctl);
		wrmsrl(MSR_IA32_DEBUGCTLMSR, debugctl & ~DEBUGCTLMSR_BTF);
	}
}
NOKPROBE_SYMBOL(pvs_step_arm);

static void pvs_step_disarm(struct pvs_step *step, struct pt_regs *regs)
{
	regs->flags &= ~(X86_EFLAGS_TF | X86_EFLAGS_IF);
	regs->flags |= step->flags;
}
NOKPROBE_SYMBOL(pvs_step_disarm);

/* The instruction will not complete: as if it had not been armed. */
static void pvs_step_abort(struct pvs_steps *s, struct pt_regs *regs)
{
	pvs_step_disarm(pvs_top(s), regs);
	if (test_thread_flag(TIF_BLOCKSTEP)) {
		u64 debugctl;

		rdmsrl(MSR_IA32_DEBUGCTLMSR, debugctl);
		wrmsrl(MSR_IA32_DEBUGCTLMSR, debugctl | DEBUGCTLMSR_BTF);
	}
	pvs_pop(s);
	pvs_count(PVS_ABORTED);
}
NOKPROBE_SYMBOL(pvs_step_abort);

static bool pvs_on_debug_stack(unsigned long sp)
{
	unsigned long top = __this_cpu_ist_top_va(DB);

	return sp <= top && sp > top - EXCEPTION_STKSZ;
}
NOKPROBE_SYMBOL(pvs_on_debug_stack);

/*
 * An access that can be neither emulated nor stepped, for its debug trap would
 * overwrite the one that is being handled, or for want of room on the stack. It
 * is let through, reported without value and counted. The page stays visible to
 * this CPU until the end of the NMI or of the debug trap, or the next fault.
 */
static void pvs_miss(struct pvs_steps *s, struct pt_regs *regs,
		     unsigned long addr, struct pv_shadow_range *range)
{
	struct pvs_step step = {
		.ip = regs->ip,
		.addr[0] = addr,
		.range[0] = range,
	};

	pvs_count(PVS_MISSED);
	pvs_step_decode(&step, regs);
	pvs_report_unknown(&step, 0);

	if (s->missed_ip != regs->ip || s->nr_missed == PVS_PAGES)
		pvs_hide_missed(s);
	s->missed_ip = regs->ip;
	s->missed[s->nr_missed] = addr;
	/* Listed before it is revealed, so that an NMI hides it. */
	barrier();
	WRITE_ONCE(s->nr_missed, s->nr_missed + 1);
	barrier();
	pvs_reveal(addr, false);
}
NOKPROBE_SYMBOL(pvs_miss);

/* A further fault of the instruction that is being stepped. */
static bool pvs_step_more(struct pvs_steps *s, struct pvs_step *step,
			  struct pt_regs *regs, unsigned long addr,
			  struct pv_shadow_range *range, bool write)
{
	unsigned int i;

	for (i = 0; i < step->nr; i++)
		if ((step->addr[i] & PAGE_MASK) == (addr & PAGE_MASK))
			break;
	if (i == step->nr && pvs_add_page(step, addr, range, write))
		return true;

	/*
	 * It is not allowed to do what it does: as if we had not been there. Or
	 * the page was untrapped and trapped again meanwhile: then it faults again.
	 */
	pvs_step_abort(s, regs);
	return pvs_ref_permits(&pvs_tree, addr, write ? X86_PF_WRITE : 0);
}
NOKPROBE_SYMBOL(pvs_step_more);

static bool pvs_in_operand(unsigned long addr, unsigned long start,
			   unsigned int width)
{
	return addr - start < width;
}
NOKPROBE_SYMBOL(pvs_in_operand);

/* A trapped access by kernel code. */
static bool pvs_begin(struct pvs_steps *s, struct pt_regs *regs,
		      unsigned long error_code, unsigned long addr,
		      struct pv_shadow_range *range)
{
	bool no_step = s->no_step || s->debug || pvs_on_debug_stack(regs->sp);
	struct pvs_insn *insn;
	struct pvs_step *step;

	/* What would be refused natively is refused natively. */
	if (!pvs_ref_permits(&pvs_tree, addr, error_code & ~X86_PF_PROT))
		return false;

	step = pvs_push(s, regs);
	if (!step) {
		pvs_miss(s, regs, addr, range);
		return true;
	}

	insn = &step->insn;
	pvs_step_decode(step, regs);
	if (!pvs_in_operand(addr, step->ops.addr, insn->width) &&
	    !(insn->type == PVS_INSN_MOVS &&
	      pvs_in_operand(addr, step->ops.dst, insn->width)))
		insn->type = PVS_INSN_UNKNOWN;

	if ((insn->type == PVS_INSN_MOVS || no_step) &&
	    pvs_emulate(step, regs)) {
		pvs_pop(s);
		return true;
	}

	if (no_step) {
		pvs_pop(s);
		pvs_miss(s, regs, addr, range);
		return true;
	}

	/* Stepped, it shows no value. */
	if (insn->type == PVS_INSN_MOVS)
		insn->type = PVS_INSN_UNKNOWN;

	if (!pvs_add_page(step, addr, range, error_code & X86_PF_WRITE)) {
		pvs_pop(s);
		return false;
	}
	pvs_step_arm(step, regs);
	return true;
}
NOKPROBE_SYMBOL(pvs_begin);

/**
 * __pv_shadow_fault - a page fault, before anybody else hears of it
 * @regs:	registers
 * @error_code: why
 * @addr:	where
 *
 * Interrupts off, any context that can fault. Takes no lock, allocates nothing.
 *
 * Return: true if the faulting code is to go on with @regs; false if the fault is
 * not ours, and all is as if we had not been there.
 */
bool __pv_shadow_fault(struct pt_regs *regs, unsigned long error_code,
		       unsigned long addr)
{
	struct pv_shadow_range *range = NULL;
	struct pvs_steps *s;
	struct pvs_step *step;
	bool same;

	if (!pvs_cpu_on())
		return false;

	s = this_cpu_ptr(&pvs_steps);
	if (s->missed_ip != regs->ip)
		pvs_hide_missed(s);

	step = pvs_top(s);
	same = step && step->armed && step->ip == regs->ip &&
	       step->sp == regs->sp && (regs->flags & X86_EFLAGS_TF);

	if (addr >= TASK_SIZE_MAX && !user_mode(regs))
		range = pvs_trapped(addr);

	if (range) {
		if (same)
			return pvs_step_more(s, step, regs, addr, range,
					     error_code & X86_PF_WRITE);
		return pvs_begin(s, regs, error_code, addr, range);
	}

	/*
	 * The instruction faults on something else as well. The kernel deals with
	 * that as it would have, and then it starts anew.
	 */
	if (same)
		pvs_step_abort(s, regs);

	if (!pvs_fix_copy(addr, error_code))
		return false;
	pvs_count(PVS_RESYNCS);
	return true;
}
NOKPROBE_SYMBOL(__pv_shadow_fault);

/* Has the instruction run to its end, or did a fixup take it elsewhere? */
static bool pvs_step_completed(const struct pvs_step *step,
			       const struct pt_regs *regs)
{
	const struct pvs_insn *insn = &step->insn;

	if (insn->type == PVS_INSN_UNKNOWN)
		return true;
	if (regs->ip == step->ip + insn->len)
		return true;
	return insn->rep && regs->ip == step->ip;
}
NOKPROBE_SYMBOL(pvs_step_completed);

static void pvs_step_report(const struct pvs_step *step,
			    const struct pt_regs *regs)
{
	const struct pvs_insn *insn = &step->insn;
	unsigned int i;

	switch (insn->type) {
	case PVS_INSN_LOAD:
		pvs_report_parts(PV_SHADOW_READ, step->ip, step->ops.addr,
				 insn->width, pvs_loaded_value(insn, regs));
		break;
	case PVS_INSN_STORE:
		pvs_report_parts(PV_SHADOW_WRITE, step->ip, step->ops.addr,
				 insn->width, step->ops.value);
		break;
	default:
		for (i = 0; i < step->nr; i++)
			pvs_report_unknown(step, i);
		break;
	}
}
NOKPROBE_SYMBOL(pvs_step_report);

/**
 * __pv_shadow_debug - a debug trap of kernel code, before anybody else hears of it
 * @regs: registers
 * @dr6:  what the trap was for; what was ours is removed
 * @irqs_on: set if the code goes on with interrupts enabled, of which lockdep has
 *	  not heard since the fault disabled them
 *
 * Return: true if it was for nothing else.
 */
bool __pv_shadow_debug(struct pt_regs *regs, unsigned long *dr6, bool *irqs_on)
{
	struct pvs_steps *s = this_cpu_ptr(&pvs_steps);
	struct pvs_step *step = pvs_top(s);

	s->debug = true;
	if (!step || !step->armed || !(*dr6 & DR_STEP))
		return false;

	/* Hidden first, so that what the client's code touches is seen as well. */
	pvs_step_hide(step);
	step->armed = false;

	if (pvs_step_completed(step, regs)) {
		pvs_count(PVS_STEPPED);
		pvs_step_report(step, regs);
	} else {
		pvs_count(PVS_ABORTED);
	}
	pvs_step_disarm(step, regs);
	if (regs->flags & X86_EFLAGS_IF)
		*irqs_on = true;
	pvs_pop(s);

	/* Somebody else was stepping the same instruction. */
	if (regs->flags & X86_EFLAGS_TF)
		return false;

	*dr6 &= ~DR_STEP;
	return !*dr6;
}
NOKPROBE_SYMBOL(__pv_shadow_debug);

/**
 * __pv_shadow_debug_exit - a debug trap of kernel code was handled
 */
void __pv_shadow_debug_exit(void)
{
	struct pvs_steps *s = this_cpu_ptr(&pvs_steps);

	pvs_hide_missed(s);
	s->debug = false;
}
NOKPROBE_SYMBOL(__pv_shadow_debug_exit);

/**
 * __pv_shadow_nmi_enter - an NMI's handlers are about to run
 * @regs: what it interrupted
 */
void __pv_shadow_nmi_enter(struct pt_regs *regs)
{
	struct pvs_steps *s = this_cpu_ptr(&pvs_steps);
	struct pvs_step *step = pvs_top(s);

	if (step)
		pvs_hide_all(step);
	pvs_hide_missed(s);

	/*
	 * There is one debug stack, and a debug trap starts at its top. If we
	 * interrupted the handling of one, the handlers must not cause another.
	 */
	s->no_step = !user_mode(regs) && pvs_on_debug_stack(regs->sp);
}
NOKPROBE_SYMBOL(__pv_shadow_nmi_enter);

/**
 * __pv_shadow_nmi_exit - an NMI's handlers have run
 */
void __pv_shadow_nmi_exit(void)
{
	struct pvs_steps *s = this_cpu_ptr(&pvs_steps);
	struct pvs_step *step = pvs_top(s);
	unsigned int i;

	pvs_hide_missed(s);
	s->no_step = false;

	if (step && step->revealed)
		for (i = 0; i < step->nr; i++)
			pvs_reveal(step->addr[i], false);
}
NOKPROBE_SYMBOL(__pv_shadow_nmi_exit);

/**
 * pvs_steps_idle - is this CPU completing no access
 *
 * In an interrupt that is no NMI.
 */
bool pvs_steps_idle(void)
{
	const struct pvs_steps *s = this_cpu_ptr(&pvs_steps);
	unsigned int i;

	for (i = 0; i < PVS_DEPTH; i++)
		if (s->step[i].nr || s->step[i].armed || s->step[i].ip)
			return false;

	return !s->depth && !s->nr_missed && !s->no_step && !s->debug;
}

/**
 * pvs_steps_reset - this CPU is about to run on its roots
 *
 * An NMI or a debug trap may have begun while nobody traced, or not have ended.
 */
void pvs_steps_reset(void)
{
	struct pvs_steps *s = this_cpu_ptr(&pvs_steps);

	s->no_step = false;
	s->debug = false;
}
