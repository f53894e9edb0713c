// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the page fault of a trapped access to its completion.
 *
 * What the instruction does is done here if one of the engines can (engine.c).
 * Otherwise it is single-stepped with the page revealed to this CPU only.
 * From the fault to the debug trap interrupts are off, so that nothing but an NMI
 * or a fault of the instruction itself comes between. NMIs hide the page while
 * their handlers run, and what those handlers touch is completed on top of what
 * was under way: instructions being completed form a stack, per CPU.
 */
#include <linux/init.h>
#include <linux/jump_label.h>
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/string.h>
#include <linux/thread_info.h>
#include <linux/uaccess.h>

#include <asm/cpu_entry_area.h>
#include <asm/debugreg.h>
#include <asm/msr.h>
#include <asm/text-patching.h>
#include <asm/trap_pf.h>
#include <asm/trapnr.h>

#include "../../mm/stats.h"
#include "../../mm/trap.h"
#include "../../mm/user.h"
#include "../../pvops/root.h"
#include "cache.h"
#include "compare.h"
#include "decode.h"
#include "describe.h"
#include "engine.h"
#include "exec.h"
#include "fault.h"
#include "step.h"
#include "ustep.h"

/**
 * struct pvs_missed - pages revealed to an instruction of which nobody tells when it has run
 * @ip:       the instruction
 * @addr:     where it faulted, one in each page
 * @nr:       number of pages
 * @revealed: they are revealed; those that an NMI interrupted not while it is handled
 */
struct pvs_missed {
	unsigned long	ip;
	unsigned long	addr[PVS_PAGES];
	unsigned int	nr;
	bool		revealed;
};

/**
 * struct pvs_steps - the stack of them
 * @depth:   how many
 * @nmi:     an NMI is being handled
 * @no_step: ... that interrupted the debug stack, where another debug trap would
 *	     destroy the frame of the one that is being handled
 * @debug:   a debug trap is being handled, perhaps from another stack by now
 * @step:    the stack
 * @does:    of each step that is unknown: what it does, if a client asks
 * @missed:  without an NMI, and of an NMI's handlers
 */
struct pvs_steps {
	unsigned int		depth;
	bool			nmi;
	bool			no_step;
	bool			debug;
	struct pvs_step		step[PVS_DEPTH];
	struct pvs_described	does[PVS_DEPTH];
	struct pvs_missed	missed[2];
};

static DEFINE_PER_CPU(struct pvs_steps, pvs_steps);

/* Two looks at the clock for each access are paid for by those who want them. */
static DEFINE_STATIC_KEY_FALSE(pvs_timed);

/**
 * pv_shadow_timed_get - have the durations of accesses measured
 *
 * As a tracepoint calls it when it gets its first user. Sleeps.
 *
 * Return: 0
 */
int pv_shadow_timed_get(void)
{
	static_branch_inc(&pvs_timed);
	return 0;
}

/**
 * pv_shadow_timed_put - undo pv_shadow_timed_get()
 */
void pv_shadow_timed_put(void)
{
	static_branch_dec(&pvs_timed);
}

/**
 * pvs_time_start - an instruction faulted
 * @step: it
 *
 * No clocksource: that may be the traced device.
 */
void pvs_time_start(struct pvs_step *step)
{
	step->duration = 0;
	step->start = static_branch_unlikely(&pvs_timed) ? sched_clock() : 0;
}
NOKPROBE_SYMBOL(pvs_time_start);

/**
 * pvs_time_end - it has been done
 * @step: it
 */
void pvs_time_end(struct pvs_step *step)
{
	/* Not if it was switched on meanwhile, nor if the clock was set back. */
	if (static_branch_unlikely(&pvs_timed) && step->start)
		step->duration = max_t(s64, sched_clock() - step->start, 0);
}
NOKPROBE_SYMBOL(pvs_time_end);

static __always_inline struct pvs_missed *pvs_missed(struct pvs_steps *s)
{
	return &s->missed[s->nmi];
}

static struct pvs_step *pvs_top(struct pvs_steps *s)
{
	return s->depth ? &s->step[s->depth - 1] : NULL;
}
NOKPROBE_SYMBOL(pvs_top);

/* What the one on top does, if it is unknown. */
static struct pvs_described *pvs_does(struct pvs_steps *s)
{
	return &s->does[s->depth - 1];
}
NOKPROBE_SYMBOL(pvs_does);

static void pvs_report(struct pv_shadow_range *range,
		       const struct pv_shadow_access *access)
{
	if (!range->client->accessed)
		return;
	pvs_count(PVS_EVENTS);
	if (unlikely(access->dir == PV_SHADOW_UNKNOWN)) {
		pvs_count(PVS_UNKNOWN);
		if (access->engine == PV_SHADOW_MISSED)
			pvs_count(PVS_MISSED);
	}
	range->client->accessed(range, access);
}
NOKPROBE_SYMBOL(pvs_report);

/* Whose a page is that was revealed to the instruction, or NULL. */
static struct pv_shadow_range *pvs_range_of(const struct pvs_step *step,
					    unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < step->nr; i++)
		if (!((addr ^ step->addr[i]) & PAGE_MASK))
			return step->range[i];
	return NULL;
}
NOKPROBE_SYMBOL(pvs_range_of);

/* The part of an access that lies in one page. */
static __always_inline void pvs_report_part(const struct pvs_step *step,
					    enum pv_shadow_dir dir, unsigned long addr,
					    u64 value, const void *data,
					    unsigned int width,
					    struct pv_shadow_range *range,
					    enum pv_shadow_engine engine)
{
	struct pv_shadow_access access = {
		.addr = addr,
		.ip = step->ip,
		.value = value,
		.duration = step->duration,
		.user = step->fault.user,
		.width = width,
		.engine = engine,
		.dir = dir,
	};

	if (width < sizeof(u64))
		access.value &= BIT_ULL(8 * width) - 1;
	else if (width > sizeof(u64))
		access.data = data;
	if (!range)
		range = pvs_range_of(step, addr);
	if (range)
		pvs_report(range, &access);
}

/* An access across a page boundary; no operand is wider than a page. */
static noinline void pvs_report_two(const struct pvs_step *step, enum pv_shadow_dir dir,
				    unsigned long addr, const void *data,
				    struct pv_shadow_range *range,
				    enum pv_shadow_engine engine)
{
	unsigned int first = PAGE_SIZE - offset_in_page(addr);
	unsigned int rest = step->insn->width - first;
	u64 value = 0;

	pvs_report_part(step, dir, addr, *(const u64 *)data, data, first, range, engine);
	memcpy(&value, data + first, min(rest, sizeof(u64)));
	pvs_report_part(step, dir, addr + first, value, data + first, rest, range, engine);
}
NOKPROBE_SYMBOL(pvs_report_two);

/*
 * One event for each trapped page that the access has a part of: those of @range,
 * or of the step without. What @data points to has room for 8 bytes at least.
 */
static void pvs_report_parts(const struct pvs_step *step, enum pv_shadow_dir dir,
			     unsigned long addr, const void *data,
			     struct pv_shadow_range *range,
			     enum pv_shadow_engine engine)
{
	unsigned int width = step->insn->width;

	if (range && !range->client->accessed)
		return;
	if (likely(width <= PAGE_SIZE - offset_in_page(addr)))
		pvs_report_part(step, dir, addr, *(const u64 *)data, data, width,
				range, engine);
	else
		pvs_report_two(step, dir, addr, data, range, engine);
}
NOKPROBE_SYMBOL(pvs_report_parts);

/* Nothing is known but where it was. */
static void pvs_report_unknown(const struct pvs_insn *insn, unsigned long ip,
			       unsigned long addr, struct pv_shadow_range *range,
			       enum pv_shadow_engine engine, u64 duration)
{
	struct pv_shadow_access access = {
		.addr = addr,
		.ip = ip,
		.duration = duration,
		.dir = PV_SHADOW_UNKNOWN,
		.value = insn->bytes,
		.engine = engine,
	};

	/* Unless it was untrapped meanwhile: the client expects no more then. */
	if (range && pvs_still_traps(range, addr))
		pvs_report(range, &access);
}
NOKPROBE_SYMBOL(pvs_report_unknown);

/**
 * pvs_report_result - tell of what the handler did
 * @step: the instruction
 */
void pvs_report_result(const struct pvs_step *step)
{
	const struct pvs_access *read = &step->result.read;
	const struct pvs_access *write = &step->result.write;
	enum pv_shadow_engine engine = step->engine;

	pvs_count(engine == PV_SHADOW_EMULATE ? PVS_EMULATED : PVS_XOL);
	/* Neither direction nor value would be the whole truth. */
	if (read->made && !read->known) {
		pvs_report_unknown(step->insn, step->ip, read->addr, read->range,
				   engine, step->duration);
		return;
	}
	if (read->made && read->range)
		pvs_report_parts(step, PV_SHADOW_READ, read->addr, read->data,
				 read->range, engine);
	if (write->made && write->range)
		pvs_report_parts(step, PV_SHADOW_WRITE, write->addr, write->data,
				 write->range, engine);
}
NOKPROBE_SYMBOL(pvs_report_result);

/**
 * pvs_hide_all - hide an instruction's pages from this CPU
 * @step: it
 */
void pvs_hide_all(const struct pvs_step *step)
{
	unsigned int i;

	for (i = 0; i < step->nr; i++)
		pvs_hide(step->addr[i]);
}
NOKPROBE_SYMBOL(pvs_hide_all);

static noinline void pvs_hide_listed(struct pvs_missed *missed)
{
	unsigned int i;

	/* An NMI that comes now still hides them, but does not reveal them again. */
	WRITE_ONCE(missed->revealed, false);
	barrier();
	for (i = 0; i < missed->nr; i++)
		pvs_hide(missed->addr[i]);
	barrier();
	WRITE_ONCE(missed->nr, 0);
}
NOKPROBE_SYMBOL(pvs_hide_listed);

/* What was let through has run by now, or is listed again. */
static __always_inline void pvs_hide_missed(struct pvs_missed *missed)
{
	if (unlikely(missed->nr))
		pvs_hide_listed(missed);
}

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

	if (step->revealed)
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
	pvs_time_start(step);

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

/* Nobody knows what it is: one access, of a size that is not known. */
static void pvs_before_unknown(const struct pt_regs *regs, unsigned long addr,
			       const struct pv_shadow_range *range, bool write)
{
	struct pv_shadow_operands what = {
		.regs = regs,
		.ip = regs->ip,
		.read = addr,
		.write = addr,
		.writes = write,
		.reads = !write,
	};

	if (unlikely(range->client->before))
		range->client->before(&what);
}
NOKPROBE_SYMBOL(pvs_before_unknown);

/* What an instruction that no engine knows does, before it or after it. */
static void pvs_tell_all(struct pvs_described *does, const struct pt_regs *regs,
			 unsigned long ip, const struct pv_shadow_client *client, bool after)
{
	unsigned int i;

	for (i = 0; i < does->nr; i++) {
		struct pv_shadow_operands *what = &does->operand[i];

		what->regs = regs;
		what->ip = ip;
		if (!after)
			client->before(what);
		else if (what->size)
			client->after(what);
	}
}
NOKPROBE_SYMBOL(pvs_tell_all);

/*
 * The instruction is going to be made by the processor itself, a page of it being @range's:
 * for clients that want to know before. It is described where it faults first: by the next
 * time a gather has changed its mask.
 */
static void pvs_before_step(const struct pvs_step *step, struct pvs_described *does,
			    const struct pt_regs *regs, unsigned long addr,
			    const struct pv_shadow_range *range, bool write)
{
	struct pv_shadow_operands what;
	u64 text[2];

	if (likely(!range->client->before))
		return;
	if (step->insn->type != PVS_INSN_UNKNOWN) {
		pvs_describe(&what, step->insn, &step->ops, regs, 1);
		range->client->before(&what);
		return;
	}
	if (!does->nr) {
		pvs_read_text(text, regs->ip);
		pvs_describe_any(does, (const u8 *)text, sizeof(text), regs);
	}
	if (pvs_described_at(does, addr)) {
		pvs_tell_all(does, regs, regs->ip, range->client, false);
	} else {
		does->nr = 0;
		pvs_before_unknown(regs, addr, range, write);
	}
}
NOKPROBE_SYMBOL(pvs_before_step);

/* The processor has made it: what was read can be looked at. */
static void pvs_after_step(const struct pvs_step *step, struct pvs_described *does,
			   const struct pt_regs *regs)
{
	const struct pv_shadow_client *client = step->range[0]->client;
	struct pv_shadow_operands what;
	struct pt_regs at;
	unsigned int i;

	for (i = 1; i < step->nr && !client->after; i++)
		client = step->range[i]->client;
	if (likely(!client->after))
		return;
	/* Who unwinds from there needs its stack. */
	at = *regs;
	at.sp = step->sp;
	if (step->insn->type == PVS_INSN_UNKNOWN) {
		/* Not if a fixup has taken it elsewhere. */
		if (regs->ip == step->ip || regs->ip == step->ip + step->insn->len)
			pvs_tell_all(does, &at, step->ip, client, true);
		return;
	}
	pvs_describe(&what, step->insn, &step->ops, &at, 1);
	what.ip = step->ip;
	client->after(&what);
}
NOKPROBE_SYMBOL(pvs_after_step);

/**
 * pvs_branches_only - a debugger's wish to stop at branches only
 * @on: it holds; not while we step. The debug trap's own code restores it
 *
 * Return: true if it held, and the processor knows of it.
 */
bool pvs_branches_only(bool on)
{
	u64 debugctl, held;

	if (likely(!test_thread_flag(TIF_BLOCKSTEP)))
		return false;
	rdmsrl(MSR_IA32_DEBUGCTLMSR, debugctl);
	held = debugctl & DEBUGCTLMSR_BTF;
	debugctl &= ~DEBUGCTLMSR_BTF;
	wrmsrl(MSR_IA32_DEBUGCTLMSR, debugctl | (on ? DEBUGCTLMSR_BTF : 0));
	return held;
}
NOKPROBE_SYMBOL(pvs_branches_only);

/* Let the processor run the instruction and tell us when it has. */
static void pvs_step_arm(struct pvs_step *step, struct pt_regs *regs)
{
	step->flags = regs->flags & (X86_EFLAGS_TF | X86_EFLAGS_IF);
	step->armed = true;
	regs->flags |= X86_EFLAGS_TF;
	regs->flags &= ~X86_EFLAGS_IF;

	pvs_branches_only(false);
}
NOKPROBE_SYMBOL(pvs_step_arm);

static void pvs_step_disarm(struct pvs_step *step, struct pt_regs *regs)
{
	regs->flags &= ~(X86_EFLAGS_TF | X86_EFLAGS_IF);
	regs->flags |= step->flags;
}
NOKPROBE_SYMBOL(pvs_step_disarm);

/*
 * No longer being stepped. Hidden first, so that what the client's code touches is seen
 * as well.
 */
static void pvs_step_end(struct pvs_step *step, struct pt_regs *regs)
{
	pvs_step_hide(step);
	step->armed = false;
	pvs_time_end(step);
	pvs_step_disarm(step, regs);
}
NOKPROBE_SYMBOL(pvs_step_end);

/**
 * pvs_step_report_unknown - tell that the processor did something
 * @step: the instruction
 */
void pvs_step_report_unknown(const struct pvs_step *step)
{
	unsigned int i;

	for (i = 0; i < step->nr; i++)
		pvs_report_unknown(step->insn, step->ip, step->addr[i], step->range[i],
				   PV_SHADOW_STEP, step->duration);
}
NOKPROBE_SYMBOL(pvs_step_report_unknown);

/*
 * The instruction will not complete: as if it had not been armed. But what it made of
 * its accesses before it faulted was made, @part.
 */
static void pvs_step_abort(struct pvs_steps *s, struct pt_regs *regs, bool part)
{
	struct pvs_step *step = pvs_top(s);

	pvs_step_end(step, regs);
	pvs_branches_only(true);
	if (part)
		pvs_step_report_unknown(step);
	pvs_hide_missed(pvs_missed(s));
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
 * this CPU, but not to an NMI that comes, until the end of the NMI, of the debug trap or
 * of the access in whose report it was, or the next trapped access elsewhere.
 */
static void pvs_miss(struct pvs_steps *s, struct pt_regs *regs,
		     unsigned long addr, struct pv_shadow_range *range)
{
	struct pvs_missed *missed = pvs_missed(s);
	unsigned long all[PVS_PAGES];
	struct pvs_insn insn;
	unsigned int i, nr = 0;

	/* Those it has been let through to already, which the report may hide. */
	if (missed->ip == regs->ip && missed->nr < PVS_PAGES)
		for (i = 0; i < missed->nr; i++)
			if ((missed->addr[i] ^ addr) & PAGE_MASK)
				all[nr++] = missed->addr[i];
	all[nr++] = addr;

	pvs_before_unknown(regs, addr, range, true);
	pvs_decode_at(&insn, regs->ip);
	pvs_report_unknown(&insn, regs->ip, addr, range, PV_SHADOW_MISSED, 0);

	pvs_hide_missed(missed);
	missed->ip = regs->ip;
	for (i = 0; i < nr; i++)
		missed->addr[i] = all[i];
	/* Listed before they are revealed, so that an NMI hides them. */
	barrier();
	WRITE_ONCE(missed->nr, nr);
	WRITE_ONCE(missed->revealed, true);
	barrier();
	for (i = 0; i < nr; i++)
		pvs_reveal(all[i], false);
}
NOKPROBE_SYMBOL(pvs_miss);

/* A further fault of the instruction that is being stepped. */
static bool pvs_step_more(struct pvs_steps *s, struct pvs_step *step,
			  struct pt_regs *regs, unsigned long addr,
			  struct pv_shadow_range *range, bool write)
{
	unsigned int i, nr = step->nr;

	for (i = 0; i < nr; i++)
		if ((step->addr[i] & PAGE_MASK) == (addr & PAGE_MASK))
			break;
	pvs_before_step(step, pvs_does(s), regs, addr, range, write);
	if (i == nr && pvs_permits(addr, write ? X86_PF_WRITE : 0) &&
	    pvs_add_page(step, addr, range, write))
		return true;
	/* An NMI may have revealed one that we could not. */
	pvs_step_hide(step);
	WRITE_ONCE(step->nr, nr);

	/*
	 * It is not allowed to do what it does: as if we had not been there. Or
	 * the page was untrapped and trapped again meanwhile: then it faults again.
	 */
	pvs_step_abort(s, regs, !step->known && (i == nr || nr > 1));
	return pvs_permits(addr, write ? X86_PF_WRITE : 0);
}
NOKPROBE_SYMBOL(pvs_step_more);

static bool pvs_in_operand(unsigned long addr, unsigned long start,
			   unsigned int width)
{
	return addr - start < width;
}
NOKPROBE_SYMBOL(pvs_in_operand);

/* What the next pop would get, or the last push put there. Return: can that be told? */
static bool pvs_stack_top(struct pt_regs *regs, u64 *value)
{
	if (unlikely(user_mode(regs)))
		return !copy_from_user_nofault(value, (void __user *)regs->sp,
					       sizeof(*value));
	/* To KASAN it may be anything. */
	*value = READ_ONCE_NOCHECK(*(unsigned long *)regs->sp);
	return true;
}
NOKPROBE_SYMBOL(pvs_stack_top);

/* Do it here, if that can be. Return: has it been done? */
static __always_inline bool pvs_do(struct pvs_step *step, struct pvs_decoded *decoded,
				   unsigned int depth, struct pt_regs *regs)
{
	const struct pvs_insn *insn = &decoded->insn;
	unsigned long addr = step->fault.addr;
	bool compare;

	step->insn = insn;
	step->known = false;
	step->compare = false;
	if (insn->type == PVS_INSN_UNKNOWN)
		return false;

	pvs_resolve(insn, regs, &step->ops);
	if (insn->pop && !pvs_stack_top(regs, &step->ops.value))
		return false;
	if (!pvs_in_operand(addr, step->ops.addr, insn->width) &&
	    !(insn->type == PVS_INSN_MOVS &&
	      pvs_in_operand(addr, step->ops.dst, insn->width)))
		return false;
	/* Stepped, the others show no value. */
	step->known = insn->type == PVS_INSN_LOAD || insn->type == PVS_INSN_STORE;

	compare = unlikely(step->fault.range->memory) &&
		  pvs_compare_begin(depth, &step->fault, insn, &step->ops, regs);
	step->engine = pvs_engine_run(&step->fault, decoded, &step->ops, regs,
				      &step->result);
	if (step->engine == PV_SHADOW_STEP) {
		if (unlikely(step->result.read.made))
			pvs_report_unknown(insn, step->ip, addr, step->fault.range,
					   PV_SHADOW_XOL, 0);
		return false;
	}
	if (unlikely(compare)) {
		pvs_compare_again(depth, insn, regs);
		step->compare = true;
		return false;
	}

	pvs_time_end(step);
	pvs_report_result(step);
	return true;
}

/* What is refused natively is refused natively, and for the reason that it would be. */
static bool pvs_allowed(unsigned long *cause, unsigned long addr)
{
	enum pvs_verdict verdict = pvs_verdict(addr, *cause & ~X86_PF_PROT);

	if (verdict == PVS_DENIED || verdict == PVS_DENIED_BY_KEY)
		*cause |= X86_PF_PROT;
	if (verdict == PVS_DENIED_BY_KEY)
		*cause |= X86_PF_PK;
	return verdict == PVS_PERMITTED;
}
NOKPROBE_SYMBOL(pvs_allowed);

/* A trapped access by kernel code. @cause and @where may become another fault's. */
static bool pvs_begin(struct pvs_steps *s, struct pt_regs *regs,
		      unsigned long *cause, unsigned long *where,
		      struct pv_shadow_range *range)
{
	bool no_step = s->no_step || s->debug || pvs_on_debug_stack(regs->sp);
	unsigned long error_code = *cause, addr = *where, fault;
	struct pvs_step *step;

	/* Text that must not be read. */
	if (unlikely(error_code & X86_PF_INSTR) &&
	    !pvs_permits(addr, error_code & ~X86_PF_PROT))
		return false;

	step = pvs_push(s, regs);
	if (!step) {
		if (!pvs_permits(addr, error_code & ~X86_PF_PROT))
			return false;
		pvs_miss(s, regs, addr, range);
		return true;
	}

	step->fault.addr = addr;
	step->fault.range = range;
	step->fault.no_step = no_step;
	step->fault.user = false;
	/* What the handler would do in the second mapping asks nobody. */
	if (unlikely(range->mm) && !pvs_allowed(cause, addr)) {
		pvs_pop(s);
		return false;
	}
	if (pvs_do(step, pvs_cache_get(s->depth - 1, step->ip), s->depth - 1, regs)) {
		pvs_pop(s);
		/* For want of room, while this was told of. */
		pvs_hide_missed(pvs_missed(s));
		return true;
	}

	/* What would be refused natively is refused natively. */
	if (!pvs_permits(addr, error_code & ~X86_PF_PROT)) {
		pvs_pop(s);
		return false;
	}

	/* Somebody put a probe there meanwhile: it is to fire, and to begin anew. */
	if (unlikely(step->insn->bytes >> 16 == INT3_INSN_OPCODE)) {
		pvs_pop(s);
		return true;
	}

	/*
	 * The processor would read the device first, and once more when the kernel has
	 * dealt with the fault, and the first time nobody would know of.
	 */
	fault = pvs_user_fault(step->insn, &step->ops, regs);
	if (unlikely(fault != PVS_NOWHERE)) {
		pvs_pop(s);
		*cause = X86_PF_WRITE;
		*where = fault;
		return false;
	}

	if (no_step) {
		pvs_pop(s);
		pvs_miss(s, regs, addr, range);
		return true;
	}

	pvs_does(s)->nr = 0;
	pvs_before_step(step, pvs_does(s), regs, addr, range, error_code & X86_PF_WRITE);
	if (!pvs_add_page(step, addr, range, error_code & X86_PF_WRITE)) {
		pvs_pop(s);
		return false;
	}
	pvs_step_arm(step, regs);
	return true;
}
NOKPROBE_SYMBOL(pvs_begin);

/* Text that cannot be read: it is gone, or may only be executed. */
static struct pvs_decoded pvs_no_text;

/* A trapped access by user mode. @cause and @where may become another fault's. */
static noinline bool pvs_begin_user(struct pvs_steps *s, struct pt_regs *regs,
				    unsigned long *cause, unsigned long *where,
				    struct pv_shadow_range *range)
{
	struct pvs_decoded *decoded = NULL;
	unsigned long addr = *where;
	struct pvs_step *step;
	bool done;

	/* It gets the signal that it would have got. */
	if (!pvs_allowed(cause, addr))
		return false;
	if (pvs_user_continues(regs))
		return pvs_user_add(addr, range);

	step = pvs_push(s, regs);
	/* User mode interrupts nothing. */
	if (WARN_ON_ONCE(!step))
		return false;
	step->fault.addr = addr;
	step->fault.range = range;
	step->fault.no_step = false;
	step->fault.user = true;
	if (user_64bit_mode(regs) && !(*cause & X86_PF_INSTR))
		decoded = pvs_cache_get_user(s->depth - 1, step->ip);
	step->result.other = PVS_NOWHERE;
	done = pvs_do(step, decoded ?: &pvs_no_text, s->depth - 1, regs);
	if (!done && step->result.other != PVS_NOWHERE) {
		/* The kernel deals with that, and then it starts anew. */
		*where = step->result.other;
		*cause = X86_PF_USER | (step->result.other_write ? X86_PF_WRITE : 0);
		pvs_allowed(cause, *where);
		pvs_pop(s);
		return false;
	}
	/* Somebody put a probe there meanwhile: it is to fire, and to begin anew. */
	if (!done && step->insn->bytes >> 16 == INT3_INSN_OPCODE) {
		pvs_pop(s);
		return true;
	}
	if (!done) {
		pvs_user_begin(step);
		pvs_user_add(addr, range);
	}
	pvs_pop(s);
	return true;
}
NOKPROBE_SYMBOL(pvs_begin_user);

/* Where this CPU faulted last on what tables of Linux's own map. */
static DEFINE_PER_CPU(unsigned long, pvs_beside);

/* Most faults are at user addresses, and few of these in the way of our copies. */
static enum pvs_place pvs_fault_place(unsigned long addr)
{
	enum pvs_place place = PVS_COPIED;
	struct pvs_user *user;

	if (addr < TASK_SIZE_MAX) {
		user = pvs_root_user();
		place = user ? pvs_user_place(user, addr) : PVS_BESIDE;
	}
	this_cpu_write(pvs_beside, place == PVS_BESIDE ? addr : 0);
	return place;
}
NOKPROBE_SYMBOL(pvs_fault_place);

/*
 * Between the fault and our look an NMI may have filled in what was missing, or another CPU
 * have taken a copy away. The kernel finds nothing wrong and has the access made once more,
 * as we do; but of an access that is not to fault it would make an error.
 */
static bool pvs_fixed_meanwhile(struct pt_regs *regs, unsigned long addr,
				unsigned long error_code)
{
	return !user_mode(regs) && addr < TASK_SIZE_MAX && faulthandler_disabled() &&
	       !(error_code & X86_PF_INSTR) && pvs_user_open(regs) &&
	       pvs_verdict(addr, error_code) == PVS_PERMITTED;
}
NOKPROBE_SYMBOL(pvs_fixed_meanwhile);

/*
 * Most faults: of a process or for one, while nothing of any process is ours. Who makes copies
 * of user tables counts himself before a root leads there, and while one still does the root
 * is not in step. Interrupts off.
 */
static __always_inline bool pvs_fault_is_nobodys(struct pt_regs *regs, unsigned long error_code,
						 unsigned long addr)
{
	if (addr >= TASK_SIZE_MAX || pvs_users_exist() || !pvs_root_in_step(addr))
		return false;
	if (user_mode(regs)) {
		if (unlikely(this_cpu_read(pv_shadow_user_step)))
			pvs_user_aborted(!(error_code & X86_PF_INSTR));
		return true;
	}
	/* The kernel's, but for a step's, and where pvs_fixed_meanwhile() may have to look. */
	return !this_cpu_read(pvs_steps.depth) && !faulthandler_disabled();
}

/*
 * Return: true if the faulting code is to go on with @regs. If not @error_code and @addr may
 * have become those of another fault, which the instruction makes as well.
 */
static bool pvs_fault(struct pt_regs *regs, unsigned long *error_code, unsigned long *addr)
{
	unsigned long where = *addr;
	struct pv_shadow_range *range = NULL;
	enum pvs_place place;
	struct pvs_steps *s;
	struct pvs_step *step;
	bool same;

	if (!pvs_cpu_on())
		return false;

	s = this_cpu_ptr(&pvs_steps);
	step = pvs_top(s);
	same = step && step->armed && step->ip == regs->ip &&
	       step->sp == regs->sp && (regs->flags & X86_EFLAGS_TF);

	/* Not for what is in tables, in whosever. */
	if (unlikely(*error_code & (X86_PF_SGX | X86_PF_RMP))) {
		if (same)
			pvs_step_abort(s, regs, pvs_step_in_parts(step));
		else if (user_mode(regs))
			pvs_user_aborted(true);
		return false;
	}

	place = pvs_fault_place(where);
	if (place == PVS_COPIED && (where < TASK_SIZE_MAX || !user_mode(regs)))
		range = pvs_faulted(where, *error_code);

	if (unlikely(range && range->mm)) {
		if (user_mode(regs))
			return pvs_begin_user(s, regs, error_code, addr, range);
		if (!pvs_user_open(regs)) {
			*error_code |= X86_PF_PROT;
			return false;
		}
	}
	if (range) {
		/* Not for a fault of our own while we look at the instruction. */
		if (pvs_missed(s)->ip != regs->ip)
			pvs_hide_missed(pvs_missed(s));
		if (same)
			return pvs_step_more(s, step, regs, where, range,
					     *error_code & X86_PF_WRITE);
		return pvs_begin(s, regs, error_code, addr, range);
	}

	/*
	 * The instruction faults on something else as well. The kernel deals with
	 * that as it would have, and then it starts anew. One that has several operands
	 * may have accessed the device before; if two of its pages faulted it has been tried.
	 */
	if (same)
		pvs_step_abort(s, regs, pvs_step_in_parts(step) &&
					(step->nr > 1 || !(*error_code & X86_PF_INSTR)));
	else if (user_mode(regs))
		pvs_user_aborted(!(*error_code & X86_PF_INSTR));

	return (place == PVS_COPIED ? pvs_fix_copy(where, *error_code) : pvs_fix_root(where)) ||
	       pvs_fixed_meanwhile(regs, where, *error_code);
}
NOKPROBE_SYMBOL(pvs_fault);

/* Apart, for what has its address taken takes others time. */
static noinline struct pv_shadow_trap pvs_fault_at(struct pt_regs *regs, unsigned long error_code,
						   unsigned long addr)
{
	if (pvs_fault(regs, &error_code, &addr))
		error_code = PV_SHADOW_DONE;
	return (struct pv_shadow_trap){ .error_code = error_code, .addr = addr };
}
NOKPROBE_SYMBOL(pvs_fault_at);

/**
 * __pv_shadow_fault - a page fault, before anybody else hears of it
 * @regs:	registers
 * @error_code: why
 * @addr:	where
 *
 * Interrupts off, any context that can fault. Takes no lock, allocates nothing.
 *
 * Return: the error code PV_SHADOW_DONE if the faulting code is to go on with @regs. If not
 * the fault is not ours, and all is as if we had not been there; it may be another one
 * then, which the instruction makes as well.
 */
struct pv_shadow_trap __pv_shadow_fault(struct pt_regs *regs, unsigned long error_code,
					unsigned long addr)
{
	if (likely(pvs_fault_is_nobodys(regs, error_code, addr)))
		return (struct pv_shadow_trap){ .error_code = error_code, .addr = addr };
	return pvs_fault_at(regs, error_code, addr);
}
NOKPROBE_SYMBOL(__pv_shadow_fault);

/**
 * __pv_shadow_faulted - the kernel has dealt with a page fault
 * @addr: where it was
 *
 * Interrupts off. The access is going to be made once more, as a rule: that is not to
 * fault for this CPU's copies. Sets no dirty bit that the kernel has not set.
 */
void __pv_shadow_faulted(unsigned long addr)
{
	struct pvs_user *user;

	if (!pvs_users_exist() || addr >= TASK_SIZE_MAX || this_cpu_read(pvs_beside) == addr)
		return;
	user = pvs_root_user();
	if (user && pvs_user_fill(user, addr, X86_PF_USER))
		pvs_count(PVS_FILLED);
}
NOKPROBE_SYMBOL(__pv_shadow_faulted);

/* Has the instruction run to its end, or did a fixup take it elsewhere? */
static bool pvs_step_completed(const struct pvs_step *step,
			       const struct pt_regs *regs)
{
	const struct pvs_insn *insn = step->insn;

	if (!step->known)
		return true;
	if (regs->ip == step->ip + insn->len ||
	    insn->reg == offsetof(struct pt_regs, ip))
		return true;
	return insn->rep && regs->ip == step->ip;
}
NOKPROBE_SYMBOL(pvs_step_completed);

/**
 * pvs_step_report - tell of what the processor did
 * @step: the instruction
 * @regs: registers, as they are after it
 */
void pvs_step_report(const struct pvs_step *step,
			    struct pt_regs *regs)
{
	const struct pvs_insn *insn = step->insn;
	u64 value = step->ops.value;

	if (!step->known) {
		pvs_step_report_unknown(step);
		return;
	}

	if (insn->type == PVS_INSN_LOAD && insn->reg != PVS_NO_REG)
		value = pvs_loaded_value(insn, regs);
	else if (insn->type == PVS_INSN_LOAD && !pvs_stack_top(regs, &value))
		value = 0;
	pvs_report_parts(step, insn->type == PVS_INSN_LOAD ? PV_SHADOW_READ :
			 PV_SHADOW_WRITE, step->ops.addr, &value, NULL,
			 PV_SHADOW_STEP);
}
NOKPROBE_SYMBOL(pvs_step_report);

/**
 * __pv_shadow_int3 - a breakpoint of kernel code, before anybody else hears of it
 * @regs: registers
 * @irqs_on: set if the code goes on with interrupts enabled, of which lockdep has
 *	  not heard since the fault disabled them
 *
 * Whoever put it there did so between our fault and the instruction. It did not run:
 * as if it had not been armed, or its probe's handler would have it run elsewhere
 * and the debug trap that follows would not know it again.
 */
void __pv_shadow_int3(struct pt_regs *regs, bool *irqs_on)
{
	struct pvs_steps *s = this_cpu_ptr(&pvs_steps);
	struct pvs_step *step = pvs_top(s);

	if (likely(!step || !step->armed || step->sp != regs->sp ||
		   step->ip + INT3_INSN_SIZE != regs->ip))
		return;

	pvs_step_abort(s, regs, false);
	if (regs->flags & X86_EFLAGS_IF)
		*irqs_on = true;
}
NOKPROBE_SYMBOL(__pv_shadow_int3);

/* Exceptions that enable interrupts, if they were on, before they tell of themselves */
static bool pvs_die_enables(const struct die_args *args, unsigned long why)
{
	return why == DIE_GPF || (why == DIE_TRAP && (args->trapnr == X86_TRAP_MF ||
						      args->trapnr == X86_TRAP_XF));
}
NOKPROBE_SYMBOL(pvs_die_enables);

/*
 * What runs out of line made an exception: an instruction that the processor does not
 * know, of user mode. It is to be made where the instruction stands, by stepping it.
 * On the stack is pvs_exec()'s result.
 */
static void pvs_exec_fixup(struct pt_regs *regs)
{
	*(unsigned long *)regs->sp = 0;
	regs->ip = (unsigned long)pvs_exec_return;
}
NOKPROBE_SYMBOL(pvs_exec_fixup);

/*
 * The instruction that is being stepped made another exception of the kernel's: as a
 * rule an oops follows. It is to find the registers as it would have, and this CPU the
 * page hidden. By now a kprobe may have put its own address for the instruction's; but
 * nothing else runs with the stack pointer of a step.
 */
static int pvs_die(struct notifier_block *nb, unsigned long why, void *data)
{
	const struct die_args *args = data;
	struct pt_regs *regs = args->regs;
	struct pvs_steps *s;
	struct pvs_step *step;
	unsigned long flags;

	if (why != DIE_TRAP && why != DIE_GPF && why != DIE_OOPS)
		return NOTIFY_DONE;

	if (why != DIE_OOPS && !user_mode(regs) && pvs_cache_is_code(regs->ip)) {
		pvs_exec_fixup(regs);
		return NOTIFY_STOP;
	}

	local_irq_save(flags);
	s = this_cpu_ptr(&pvs_steps);
	step = pvs_top(s);
	if (step && step->armed && step->sp == regs->sp) {
		pvs_step_abort(s, regs, true);
		if (pvs_die_enables(args, why))
			flags |= regs->flags & X86_EFLAGS_IF;
	}
	local_irq_restore(flags);

	return NOTIFY_DONE;
}
NOKPROBE_SYMBOL(pvs_die);

static struct notifier_block pvs_die_nb = {
	.notifier_call = pvs_die,
	/* Before those who look at the registers. */
	.priority = INT_MAX,
};

static int __init pvs_die_init(void)
{
	return pv_shadow_installed() ? register_die_notifier(&pvs_die_nb) : 0;
}
core_initcall(pvs_die_init);

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
	/*
	 * It is the step's as well if the reason is gone: kgdb clears DR6 when it lets the
	 * CPUs go that it held in an NMI, which may have come before the trap's first
	 * instruction.
	 */
	if (!step || !step->armed ||
	    !(*dr6 ? *dr6 & DR_STEP : regs->flags & X86_EFLAGS_TF))
		return false;

	pvs_step_end(step, regs);
	if (!pvs_step_completed(step, regs)) {
		pvs_count(PVS_ABORTED);
	} else if (unlikely(step->compare)) {
		pvs_compare_end(s->depth - 1, step->insn, regs);
		pvs_report_result(step);
	} else {
		pvs_count(PVS_STEPPED);
		pvs_after_step(step, pvs_does(s), regs);
		pvs_step_report(step, regs);
	}
	if (regs->flags & X86_EFLAGS_IF)
		*irqs_on = true;
	/* What the clients' code was let through with is over, others' begins. */
	pvs_hide_missed(pvs_missed(s));
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

	pvs_hide_missed(pvs_missed(s));
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
	unsigned int i;

	if (step)
		pvs_hide_all(step);
	for (i = 0; i < s->missed[false].nr; i++)
		pvs_hide(s->missed[false].addr[i]);
	pvs_user_hide();
	s->nmi = true;

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

	pvs_hide_missed(&s->missed[true]);
	s->nmi = false;
	s->no_step = false;

	if (s->missed[false].revealed)
		for (i = 0; i < s->missed[false].nr; i++)
			pvs_reveal(s->missed[false].addr[i], false);
	if (step && step->revealed)
		for (i = 0; i < step->nr; i++)
			pvs_reveal(step->addr[i], false);
	pvs_user_reveal();
	/* A debug trap in the NMI restored it. */
	if (step && step->armed)
		pvs_branches_only(false);
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
		if (s->step[i].nr || s->step[i].revealed || s->step[i].armed || s->step[i].ip)
			return false;

	return !s->depth && !s->missed[false].nr && !s->missed[true].nr && !s->nmi &&
	       !s->no_step && !s->debug && pvs_user_idle();
}

/**
 * pvs_steps_reset - this CPU is about to run on its roots
 *
 * An NMI or a debug trap may have begun while nobody traced, or not have ended.
 */
void pvs_steps_reset(void)
{
	struct pvs_steps *s = this_cpu_ptr(&pvs_steps);

	s->nmi = false;
	s->no_step = false;
	s->debug = false;
}

/**
 * pvs_steps_leave - this CPU is about to leave its roots
 *
 * Interrupts off. Its copies are used again when it comes back.
 */
void pvs_steps_leave(void)
{
	struct pvs_steps *s = this_cpu_ptr(&pvs_steps);

	pvs_hide_missed(&s->missed[false]);
	pvs_hide_missed(&s->missed[true]);
}
