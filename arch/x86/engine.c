// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fault handler's own ways to do what an instruction does, without running it
 * where it stands. Which access the device sees is decided here: one for each
 * operand, of the operand's width, in the second mapping of the range.
 *
 * emulate: moves are done in C.
 *
 * xol: any other instruction with one operand in memory runs out of line, on a
 * bounce buffer. The operand is read into the buffer first and written from there
 * afterwards, so that every value is known and nothing that the decoder might have
 * got wrong about the instruction can reach the device but the width. Were the
 * code's operand the device itself, a value that only sets flags would never be
 * seen. A locked instruction is the exception: it is one access to the device and
 * cannot be made of two, so that it gets the second mapping for its operand.
 */
#define pr_fmt(fmt) "pv_shadow: " fmt

#include <linux/compiler.h>
#include <linux/cpufeature.h>
#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/pv_shadow.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/debugreg.h>
#include <asm/special_insns.h>
#include <asm/trap_pf.h>

#include "../../mm/alias.h"
#include "../../mm/stats.h"
#include "../../mm/trap.h"
#include "../../pvops/root.h"
#include "device.h"
#include "engine.h"
#include "exec.h"

enum pvs_engine {
	PVS_ENGINE_AUTO,
	PVS_ENGINE_EMULATE,
	PVS_ENGINE_XOL,
	PVS_ENGINE_STEP,
	PVS_ENGINE_COMPARE,	/* auto, and what it does in memory is done once more */
	PVS_NR_ENGINES
};

static const char *const pvs_engine_names[] = {
	[PVS_ENGINE_AUTO]	= "auto",
	[PVS_ENGINE_EMULATE]	= "emulate",
	[PVS_ENGINE_XOL]	= "xol",
	[PVS_ENGINE_STEP]	= "step",
	[PVS_ENGINE_COMPARE]	= "compare",
};

/* Any value is right at any time: each access takes one look. */
static enum pvs_engine pvs_engine;

/**
 * pvs_engine_set - choose the engine that is tried first; what it cannot do is
 *		    stepped
 * @name: "auto", "emulate", "xol", "step" or "compare"
 *
 * Return: 0 or -EINVAL.
 */
int pvs_engine_set(const char *name)
{
	int engine = match_string(pvs_engine_names, PVS_NR_ENGINES, name);

	if (engine < 0) {
		pr_err("there is no engine '%s'; there are: auto, emulate, xol, step, compare\n",
		       name);
		return engine;
	}
	WRITE_ONCE(pvs_engine, engine);
	return 0;
}

/**
 * pvs_engine_compares - shall instructions be done by two engines
 */
bool pvs_engine_compares(void)
{
	return READ_ONCE(pvs_engine) == PVS_ENGINE_COMPARE;
}
NOKPROBE_SYMBOL(pvs_engine_compares);

/**
 * pvs_engine_show - print the engines there are, the chosen one in brackets
 * @m: where
 */
void pvs_engine_show(struct seq_file *m)
{
	enum pvs_engine engine = READ_ONCE(pvs_engine), i;

	for (i = 0; i < PVS_NR_ENGINES; i++)
		seq_printf(m, i == engine ? "%s[%s]" : "%s%s", i ? " " : "",
			   pvs_engine_names[i]);
	seq_putc(m, '\n');
}

/*
 * Where the handler itself can make an access: in the second mapping if it is to a
 * trapped page. It has to be in the kernel half, for a user page may have to be
 * faulted in first, and within one range, for it has to be one access.
 *
 * Whether it is trapped is decided here, once: from now on the handler's own access
 * would fault, and be reported by that fault.
 */
static bool pvs_place(const struct pvs_fault *fault, unsigned long addr,
		      unsigned int width, bool write, struct pvs_access *access,
		      unsigned long *place)
{
	unsigned long last = addr + width - 1;
	bool two = (addr ^ last) & PAGE_MASK;
	struct pv_shadow_range *range = fault->range;

	access->addr = addr;
	if ((addr ^ fault->addr) & PAGE_MASK) {
		if (addr < TASK_SIZE_MAX || last < addr)
			return false;
		range = pvs_trapped(addr);
	}
	if (unlikely(two) && pvs_trapped(last) != range)
		return false;

	access->range = range;
	if (likely(range)) {
		*place = pvs_alias_of(range, addr, write);
		return *place && (likely(!two) || pvs_alias_of(range, last, write));
	}

	*place = addr;
	return pvs_ref_permits(&pvs_tree, addr, write ? X86_PF_WRITE : 0) &&
	       (!two || pvs_ref_permits(&pvs_tree, last, write ? X86_PF_WRITE : 0));
}
NOKPROBE_SYMBOL(pvs_place);

static bool pvs_is_user(unsigned long addr, unsigned int width)
{
	return addr < TASK_SIZE_MAX && TASK_SIZE_MAX - addr >= width;
}
NOKPROBE_SYMBOL(pvs_is_user);

/* May the interrupted code access user memory, as far as it has a say in it? */
static bool pvs_user_open(const struct pt_regs *regs)
{
	return !cpu_feature_enabled(X86_FEATURE_SMAP) ||
	       (regs->flags & X86_EFLAGS_AC);
}
NOKPROBE_SYMBOL(pvs_user_open);

/* Can a byte be written? It keeps its value. */
static bool pvs_user_writable(unsigned long addr)
{
	u8 __user *byte = (u8 __user *)addr;
	u8 old = 0;

	pagefault_disable();
	__uaccess_begin_nospec();
	unsafe_try_cmpxchg_user(byte, &old, 0, fault);
	user_access_end();
	pagefault_enable();
	return true;
fault:
	user_access_end();
	pagefault_enable();
	return false;
}
NOKPROBE_SYMBOL(pvs_user_writable);

/**
 * pvs_user_fault - will an instruction fault on what it writes to user memory
 * @insn: the instruction
 * @ops:  its operands
 * @regs: registers
 *
 * Interrupts off, or NMI.
 *
 * Return: the address where it will, or 0.
 */
unsigned long pvs_user_fault(const struct pvs_insn *insn,
			     const struct pvs_operands *ops,
			     const struct pt_regs *regs)
{
	unsigned long last = ops->dst + insn->width - 1;

	if (insn->type != PVS_INSN_MOVS || !pvs_is_user(ops->dst, insn->width) ||
	    !pvs_user_open(regs))
		return 0;
	if (!pvs_user_writable(ops->dst))
		return ops->dst;
	if (((ops->dst ^ last) & PAGE_MASK) && !pvs_user_writable(last))
		return last & PAGE_MASK;
	return 0;
}
NOKPROBE_SYMBOL(pvs_user_fault);

/* What movdir64b reads; nothing says that it does so in one. */
static void pvs_copy_words(void *to, unsigned long addr)
{
	unsigned int done;

	for (done = 0; done < PVS_MAX_WIDTH; done += sizeof(u64))
		pvs_device_read(to + done, addr + done, sizeof(u64));
}
NOKPROBE_SYMBOL(pvs_copy_words);

static void pvs_made(struct pvs_access *access, bool known)
{
	access->known = known;
	access->made = true;
}
NOKPROBE_SYMBOL(pvs_made);

/* Return: false if it has to be stepped, with no operand touched. */
static bool pvs_emulate(const struct pvs_fault *fault,
			const struct pvs_insn *insn,
			const struct pvs_operands *ops, struct pt_regs *regs,
			struct pvs_result *result)
{
	unsigned long to = insn->type == PVS_INSN_MOVS ? ops->dst : ops->addr;
	unsigned long from_place, to_place;
	u64 *data = (u64 *)result->write.data;

	if ((insn->reads &&
	     !pvs_place(fault, ops->addr, insn->width, false, &result->read,
			&from_place)) ||
	    (insn->writes &&
	     !pvs_place(fault, to, insn->width, true, &result->write, &to_place)))
		return false;
	if (insn->aligned && (to & (insn->width - 1)))
		return false;

	*data = ops->value;
	if (insn->reads) {
		if (insn->direct)
			pvs_copy_words(result->read.data, from_place);
		else
			pvs_device_read(result->read.data, from_place, insn->width);
		pvs_made(&result->read, true);
		if (insn->writes)
			memcpy(data, result->read.data, insn->width);
	}
	if (insn->writes) {
		if (insn->direct)
			movdir64b((void *)to_place, data);
		else
			pvs_device_write(to_place, data, insn->width);
		pvs_made(&result->write, true);
	}
	pvs_complete(insn, regs, *(u64 *)result->read.data);

	return true;
}
NOKPROBE_SYMBOL(pvs_emulate);

/* The same. */
static bool pvs_xol(const struct pvs_fault *fault, struct pvs_decoded *decoded,
		    const struct pvs_operands *ops, struct pt_regs *regs,
		    struct pvs_result *result)
{
	const struct pvs_insn *insn = &decoded->insn;
	struct pt_regs before;
	unsigned long place;
	const void *code;
	bool known;

	if ((insn->aligned && (ops->addr & (insn->width - 1))) ||
	    !pvs_place(fault, ops->addr, insn->width, insn->writes, &result->read,
		       &place))
		return false;
	code = pvs_cache_code(decoded);
	if (!code)
		return false;

	if (insn->locked) {
		before = *regs;
		pvs_exec(code, regs, insn->exec_base, place - ops->offset);
		known = pvs_locked_values(insn, &before, regs,
					  (u64 *)result->read.data,
					  (u64 *)result->write.data);
	} else {
		if (insn->reads) {
			pvs_device_read(result->read.data, place, insn->width);
			memcpy(result->write.data, result->read.data,
			       insn->width);
		}
		pvs_exec(code, regs, insn->exec_base,
			 (unsigned long)result->write.data - ops->offset);
		if (insn->writes)
			pvs_device_write(place, result->write.data, insn->width);
		known = true;
	}

	if (insn->writes) {
		result->write.addr = result->read.addr;
		result->write.range = result->read.range;
		pvs_made(&result->write, known);
	}
	if (insn->reads)
		pvs_made(&result->read, known);
	pvs_complete(insn, regs, 0);

	return true;
}
NOKPROBE_SYMBOL(pvs_xol);

/* May a breakpoint wait for an access to these pages? Its kind does not matter. */
static bool pvs_watched(unsigned long addr, unsigned int width)
{
	unsigned long watched;
	int i;

	if (likely(!hw_breakpoint_active()))
		return false;
	for (i = 0; i < HBP_NUM; i++) {
		get_debugreg(watched, i);
		watched &= PAGE_MASK;
		if (watched == (addr & PAGE_MASK) ||
		    watched == ((addr + width - 1) & PAGE_MASK))
			return true;
	}
	return false;
}
NOKPROBE_SYMBOL(pvs_watched);

/**
 * pvs_engine_run - do what an instruction does
 * @fault:   the fault that it made; not by fetching it
 * @decoded: the instruction
 * @ops:     its operands
 * @regs:    registers, left as it leaves them
 * @result:  what it did
 *
 * Interrupts off, or NMI. @ops->addr and, of MOVS, @ops->dst may be trapped or not.
 *
 * Return: the engine that did it, or PV_SHADOW_STEP if it has to be stepped, with
 * nothing touched.
 */
int pvs_engine_run(const struct pvs_fault *fault, struct pvs_decoded *decoded,
		   const struct pvs_operands *ops, struct pt_regs *regs,
		   struct pvs_result *result)
{
	const struct pvs_insn *insn = &decoded->insn;
	enum pvs_engine engine = fault->no_step ? PVS_ENGINE_AUTO : READ_ONCE(pvs_engine);

	result->read.made = false;
	result->write.made = false;

	if (insn->stepped)
		return PV_SHADOW_STEP;
	/* Stepped, a movs would show no value. */
	if (engine == PVS_ENGINE_STEP && insn->type != PVS_INSN_MOVS)
		return PV_SHADOW_STEP;
	/* Does somebody wait for the debug trap behind it, or for the operand's? */
	if ((regs->flags & X86_EFLAGS_TF) ||
	    (!fault->no_step && (pvs_watched(ops->addr, insn->width) ||
			  (insn->type == PVS_INSN_MOVS && pvs_watched(ops->dst, insn->width)))))
		return PV_SHADOW_STEP;

	switch (insn->type) {
	case PVS_INSN_LOAD:
	case PVS_INSN_STORE:
	case PVS_INSN_MOVS:
		if (engine != PVS_ENGINE_XOL &&
		    pvs_emulate(fault, insn, ops, regs, result))
			return PV_SHADOW_EMULATE;
		break;
	case PVS_INSN_EXEC:
		if (engine != PVS_ENGINE_EMULATE &&
		    pvs_xol(fault, decoded, ops, regs, result))
			return PV_SHADOW_XOL;
		break;
	case PVS_INSN_UNKNOWN:
		break;
	}

	return PV_SHADOW_STEP;
}
NOKPROBE_SYMBOL(pvs_engine_run);
