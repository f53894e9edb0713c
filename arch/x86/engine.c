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

#include <linux/cache.h>
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
#include <linux/thread_info.h>
#include <linux/uaccess.h>

#include <asm/debugreg.h>
#include <asm/special_insns.h>
#include <asm/trap_pf.h>

#include "../../mm/alias.h"
#include "../../mm/stats.h"
#include "../../mm/trap.h"
#include "../../pvops/root.h"
#include "describe.h"
#include "device.h"
#include "engine.h"
#include "exec.h"

/* All exceptions of vector instructions; a pending one of x87's. */
#define PVS_MXCSR_MASKS	0x1f80
#define PVS_FSW_PENDING	0x80

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

/**
 * pvs_user_open - may the interrupted code access user memory
 * @regs: registers
 *
 * As far as it has a say in it.
 */
bool pvs_user_open(const struct pt_regs *regs)
{
	return !cpu_feature_enabled(X86_FEATURE_SMAP) ||
	       (regs->flags & X86_EFLAGS_AC);
}
NOKPROBE_SYMBOL(pvs_user_open);

/* Can a byte be written? It keeps its value. */
static bool pvs_user_writable(unsigned long addr)
{
	u8 __user *byte = (u8 __user *)addr;
	bool done = false;
	u8 old = 0;

	pagefault_disable();
	__uaccess_begin_nospec();
	unsafe_try_cmpxchg_user(byte, &old, 0, fault);
	done = true;
fault:
	user_access_end();
	pagefault_enable();
	return done;
}
NOKPROBE_SYMBOL(pvs_user_writable);

/* Where an operand that is to be written cannot be, or PVS_NOWHERE. */
static unsigned long pvs_user_unwritable(unsigned long addr, unsigned int width)
{
	unsigned long last = addr + width - 1;

	if (!pvs_user_writable(addr))
		return addr;
	if (((addr ^ last) & PAGE_MASK) && !pvs_user_writable(last))
		return last & PAGE_MASK;
	return PVS_NOWHERE;
}
NOKPROBE_SYMBOL(pvs_user_unwritable);

/**
 * pvs_user_fault - will an instruction fault on what it writes to user memory
 * @insn: the instruction
 * @ops:  its operands
 * @regs: registers
 *
 * Interrupts off, or NMI.
 *
 * Return: the address where it will, or PVS_NOWHERE.
 */
unsigned long pvs_user_fault(const struct pvs_insn *insn,
			     const struct pvs_operands *ops,
			     const struct pt_regs *regs)
{
	if (insn->type != PVS_INSN_MOVS || !pvs_is_user(ops->dst, insn->width) ||
	    !pvs_user_open(regs) || pvs_trapped(ops->dst))
		return PVS_NOWHERE;
	return pvs_user_unwritable(ops->dst, insn->width);
}
NOKPROBE_SYMBOL(pvs_user_fault);

/* Has the client something to do before and after an access? */
static bool pvs_asks(const struct pv_shadow_range *range)
{
	return range && range->client->before;
}
NOKPROBE_SYMBOL(pvs_asks);

/* Whom to ask: the owner of an operand. There is no more than one who wants to be. */
static const struct pv_shadow_client *pvs_asker(const struct pvs_insn *insn,
						const struct pvs_result *result)
{
	if (insn->writes && insn->type != PVS_INSN_EXEC && pvs_asks(result->write.range))
		return result->write.range->client;
	if ((insn->reads || insn->type == PVS_INSN_EXEC) && pvs_asks(result->read.range))
		return result->read.range->client;
	return NULL;
}
NOKPROBE_SYMBOL(pvs_asker);

/* All of it is memory that the handler may access as it likes, or nobody's. */
static bool pvs_is_direct(const struct pv_shadow_range *range)
{
	return !range || range->direct;
}
NOKPROBE_SYMBOL(pvs_is_direct);

static unsigned long pvs_elements_left(unsigned long addr, unsigned int width)
{
	return (PAGE_SIZE - offset_in_page(addr)) / width;
}
NOKPROBE_SYMBOL(pvs_elements_left);

/* How many elements of a string instruction on memory can be done in one go. */
static unsigned int pvs_elements(const struct pvs_insn *insn, const struct pvs_operands *ops,
				 const struct pt_regs *regs)
{
	unsigned long n = regs->cx;

	if (!insn->rep || insn->addr_size != sizeof(long) || insn->type == PVS_INSN_LOAD ||
	    (regs->flags & X86_EFLAGS_DF))
		return 1;
	n = min(n, pvs_elements_left(ops->addr, insn->width));
	if (insn->type == PVS_INSN_MOVS)
		n = min(n, pvs_elements_left(ops->dst, insn->width));
	/* One across the end of a page is one. */
	return max(n, 1UL);
}
NOKPROBE_SYMBOL(pvs_elements);

#define PVS_REP(insn, suffix) ({							\
	asm volatile("rep " insn suffix							\
		     : "+D" (to), "+S" (from), "+c" (count) : "a" (value) : "memory");	\
})

/* Elements of a movs or stos, as the instruction itself does them: they may overlap. */
static void pvs_string(const struct pvs_insn *insn, unsigned long to, unsigned long from,
		       u64 value, unsigned long count)
{
	bool movs = insn->type == PVS_INSN_MOVS;

	switch (insn->width) {
	case 1:
		if (movs)
			PVS_REP("movs", "b");
		else
			PVS_REP("stos", "b");
		break;
	case 2:
		if (movs)
			PVS_REP("movs", "w");
		else
			PVS_REP("stos", "w");
		break;
	case 4:
		if (movs)
			PVS_REP("movs", "l");
		else
			PVS_REP("stos", "l");
		break;
	case 8:
		if (movs)
			PVS_REP("movs", "q");
		else
			PVS_REP("stos", "q");
		break;
	}
}
NOKPROBE_SYMBOL(pvs_string);

/* What movdir64b reads; nothing says that it does so in one. */
static void pvs_copy_words(void *to, unsigned long addr)
{
	unsigned int done;

	for (done = 0; done < PVS_MAX_WIDTH; done += sizeof(u64))
		pvs_device_read(to + done, addr + done, sizeof(u64));
}
NOKPROBE_SYMBOL(pvs_copy_words);

/* What a move reads. */
static void pvs_read(const struct pvs_insn *insn, void *data, unsigned long place)
{
	if (insn->direct)
		pvs_copy_words(data, place);
	else
		pvs_device_read(data, place, insn->width);
}
NOKPROBE_SYMBOL(pvs_read);

/* What it writes. */
static void pvs_write(const struct pvs_insn *insn, unsigned long place, const void *data)
{
	if (insn->direct)
		movdir64b((void *)place, data);
	else
		pvs_device_write(place, data, insn->width);
}
NOKPROBE_SYMBOL(pvs_write);

static void pvs_made(struct pvs_access *access, bool known)
{
	access->known = known;
	access->made = true;
}
NOKPROBE_SYMBOL(pvs_made);

/* An operand across a page boundary is of one range or of none. */
static bool pvs_range_at(unsigned long addr, unsigned int width,
			 struct pv_shadow_range **range)
{
	unsigned long last = addr + width - 1;

	*range = pvs_trapped(addr);
	return !((addr ^ last) & PAGE_MASK) || pvs_trapped(last) == *range;
}
NOKPROBE_SYMBOL(pvs_range_at);

/* Of what user mode may do to all of an operand: where not, or PVS_NOWHERE. */
static unsigned long pvs_user_denied(unsigned long addr, unsigned int width, bool write)
{
	unsigned long last = addr + width - 1;
	unsigned long need = X86_PF_USER | (write ? X86_PF_WRITE : 0);

	if (!pvs_permits(addr, need))
		return addr;
	if (((addr ^ last) & PAGE_MASK) && !pvs_permits(last, need))
		return last & PAGE_MASK;
	return PVS_NOWHERE;
}
NOKPROBE_SYMBOL(pvs_user_denied);

/*
 * Move an operand between user memory and @data as the instruction would, in one access:
 * other threads may look, and it may be a device that nobody traces. But that of movdir64b
 * in 8.
 */
#define pvs_user_move(data, user, type, store)					\
do {										\
	if (store)								\
		unsafe_put_user(*(type *)(data), (type __user *)(user), fault);	\
	else									\
		unsafe_get_user(*(type *)(data), (type __user *)(user), fault);	\
} while (0)

/* Return: false if it faults, for Linux's tables have changed meanwhile. */
static bool pvs_user_access(void *data, unsigned long addr, unsigned int width, bool store)
{
	bool done = false;
	unsigned int i;

	pagefault_disable();
	__uaccess_begin_nospec();
	switch (width) {
	case 1:
		pvs_user_move(data, addr, u8, store);
		break;
	case 2:
		pvs_user_move(data, addr, u16, store);
		break;
	case 4:
		pvs_user_move(data, addr, u32, store);
		break;
	default:
		for (i = 0; i < width; i += sizeof(u64))
			pvs_user_move(data + i, addr + i, u64, store);
	}
	done = true;
fault:
	user_access_end();
	pagefault_enable();
	return done;
}
NOKPROBE_SYMBOL(pvs_user_access);

/*
 * A move of user mode with one operand in its own memory, which the kernel may have to
 * bring in. Return: false if it has to be stepped, or @result->other tells of a fault;
 * then the device was not accessed.
 */
static bool pvs_emulate_user(const struct pvs_insn *insn, const struct pvs_operands *ops,
			     struct pt_regs *regs, struct pvs_result *result)
{
	struct pv_shadow_range *from, *to;
	unsigned long place, memory;

	if (!pvs_range_at(ops->addr, insn->width, &from) ||
	    !pvs_range_at(ops->dst, insn->width, &to) || !from == !to)
		return false;

	place = from ? pvs_alias_of(from, ops->addr, false) : pvs_alias_of(to, ops->dst, true);
	if (!place || (insn->aligned && (ops->dst & (insn->width - 1))))
		return false;
	/* Before the device is read, for that must not be done twice. */
	memory = from ? ops->dst : ops->addr;
	result->other = pvs_user_denied(memory, insn->width, from);
	result->other_write = from;
	if (result->other != PVS_NOWHERE)
		return false;

	if (from) {
		result->read.addr = ops->addr;
		result->read.range = from;
		pvs_read(insn, result->read.data, place);
		pvs_made(&result->read, true);
		/* Unmapped by another thread meanwhile: it is restarted. */
		if (!pvs_user_access(result->read.data, memory, insn->width, true))
			return true;
	} else {
		/* Changed meanwhile: it is stepped, and faults. */
		if (!pvs_user_access(result->write.data, memory, insn->width, false))
			return false;
		result->write.addr = ops->dst;
		result->write.range = to;
		pvs_write(insn, place, result->write.data);
		pvs_made(&result->write, true);
	}
	pvs_complete(insn, regs, 0);
	return true;
}
NOKPROBE_SYMBOL(pvs_emulate_user);

/* Is all of an operand the user's, and may he access what of it is trapped? */
static bool pvs_user_operand(unsigned long addr, unsigned int width, bool write)
{
	unsigned long need = X86_PF_USER | (write ? X86_PF_WRITE : 0);
	unsigned long last = addr + width - 1;

	if (!pvs_is_user(addr, width))
		return false;
	if (pvs_trapped(addr) && !pvs_permits(addr, need))
		return false;
	return !((addr ^ last) & PAGE_MASK) || !pvs_trapped(last) || pvs_permits(last, need);
}
NOKPROBE_SYMBOL(pvs_user_operand);

/* Would the processor take the instruction for one at all, as far as we use the same? */
static bool pvs_user_has(const struct pvs_insn *insn)
{
	if (insn->direct)
		return boot_cpu_has(X86_FEATURE_MOVDIR64B);
	return insn->width <= 16 ||
	       boot_cpu_has(insn->width == 32 ? X86_FEATURE_AVX : X86_FEATURE_AVX512F);
}
NOKPROBE_SYMBOL(pvs_user_has);

/*
 * May the handler do what an instruction of user mode does? All that it touches must be
 * the user's, and nothing may happen that would have been an exception there. What was
 * read of it may be another one than what faulted.
 */
static bool pvs_user_may(const struct pvs_insn *insn, const struct pvs_operands *ops,
			 const struct pt_regs *regs)
{
	bool movs = insn->type == PVS_INSN_MOVS;
	u32 mxcsr;
	u16 fsw;

	if (!pvs_user_operand(ops->addr, insn->width, !movs && insn->writes) ||
	    (movs && !pvs_user_operand(ops->dst, insn->width, true)) ||
	    (regs->flags & X86_EFLAGS_AC) || !pvs_user_has(insn))
		return false;
	if (insn->type != PVS_INSN_EXEC)
		return true;
	/* A lock across two lines may be an exception, and is told of by the processor. */
	if (insn->locked && (ops->addr ^ (ops->addr + insn->width - 1)) & -L1_CACHE_BYTES)
		return false;
	/* Its registers have to be there, and all their exceptions masked. */
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		return false;
	asm volatile("stmxcsr %0" : "=m" (mxcsr));
	asm volatile("fnstsw %0" : "=m" (fsw));
	return (mxcsr & PVS_MXCSR_MASKS) == PVS_MXCSR_MASKS && !(fsw & PVS_FSW_PENDING);
}
NOKPROBE_SYMBOL(pvs_user_may);

/*
 * A movs of kernel code between user memory and some that is the direct map's, as when
 * it copies from or to the user. Return: false if it has to be stepped, for the kernel may
 * have to bring the user's page in; what was copied by then is copied once more.
 */
static bool pvs_copy_user(const struct pvs_fault *fault, const struct pvs_insn *insn,
			  const struct pvs_operands *ops, struct pt_regs *regs,
			  struct pvs_result *result)
{
	bool from = pvs_is_user(ops->addr, insn->width);
	unsigned long user = from ? ops->addr : ops->dst;
	struct pvs_access *access = from ? &result->write : &result->read;
	const struct pv_shadow_client *client;
	struct pv_shadow_operands what;
	unsigned int n, size;
	unsigned long place;

	if (!pvs_user_open(regs) || !insn->string ||
	    !pvs_place(fault, from ? ops->dst : ops->addr, insn->width, from, access, &place))
		return false;
	n = pvs_elements(insn, ops, regs);
	size = n * insn->width;
	if (!pvs_is_user(user, size) || pvs_trapped(user) || pvs_trapped(user + size - 1))
		return false;

	client = pvs_asks(access->range) ? access->range->client : NULL;
	if (client) {
		pvs_describe(&what, insn, ops, regs, n);
		what.reads = !from;
		what.writes = from;
		client->before(&what);
	}
	if (from ? copy_from_user_nofault((void *)place, (void __user *)user, size) :
		   copy_to_user_nofault((void __user *)user, (void *)place, size))
		return false;
	pvs_skip(insn, regs, n - 1);
	pvs_complete(insn, regs, 0);
	return true;
}
NOKPROBE_SYMBOL(pvs_copy_user);

/* Return: false if it has to be stepped, with no operand touched. */
static bool pvs_emulate(const struct pvs_fault *fault,
			const struct pvs_insn *insn,
			const struct pvs_operands *ops, struct pt_regs *regs,
			struct pvs_result *result)
{
	unsigned long to = insn->type == PVS_INSN_MOVS ? ops->dst : ops->addr;
	unsigned long from_place, to_place;
	u64 *data = (u64 *)result->write.data;
	const struct pv_shadow_client *client;
	struct pv_shadow_operands what;
	unsigned int n = 1;

	if ((insn->reads &&
	     !pvs_place(fault, ops->addr, insn->width, false, &result->read,
			&from_place)) ||
	    (insn->writes &&
	     !pvs_place(fault, to, insn->width, true, &result->write, &to_place)))
		return false;
	if (insn->aligned && (to & (insn->width - 1)))
		return false;

	client = pvs_asker(insn, result);
	if (unlikely(client)) {
		if ((!insn->reads || pvs_is_direct(result->read.range)) &&
		    (!insn->writes || pvs_is_direct(result->write.range)))
			n = pvs_elements(insn, ops, regs);
		pvs_describe(&what, insn, ops, regs, n);
		client->before(&what);
	}
	if (unlikely(n > 1)) {
		pvs_string(insn, to_place, insn->reads ? from_place : 0, ops->value, n);
		pvs_skip(insn, regs, n - 1);
		pvs_complete(insn, regs, 0);
		return true;
	}

	*data = ops->value;
	if (insn->reads) {
		pvs_read(insn, result->read.data, from_place);
		pvs_made(&result->read, true);
		if (insn->writes)
			memcpy(data, result->read.data, insn->width);
	}
	if (insn->writes) {
		pvs_write(insn, to_place, data);
		pvs_made(&result->write, true);
	}
	pvs_complete(insn, regs, *(u64 *)result->read.data);
	if (unlikely(client))
		client->after(&what);

	return true;
}
NOKPROBE_SYMBOL(pvs_emulate);

/* The same. */
static bool pvs_xol(const struct pvs_fault *fault, struct pvs_decoded *decoded,
		    const struct pvs_operands *ops, struct pt_regs *regs,
		    struct pvs_result *result)
{
	const struct pvs_insn *insn = &decoded->insn;
	const struct pv_shadow_client *client;
	struct pv_shadow_operands what;
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

	client = pvs_asker(insn, result);
	if (unlikely(client)) {
		pvs_describe(&what, insn, ops, regs, 1);
		client->before(&what);
	}
	/* In memory it is to be what it is to an NMI: one access. */
	if (insn->locked || (result->read.range && result->read.range->direct)) {
		before = *regs;
		if (!pvs_exec(code, regs, insn->exec_base, place - ops->offset))
			return false;
		known = pvs_locked_values(insn, &before, regs,
					  (u64 *)result->read.data,
					  (u64 *)result->write.data);
	} else {
		if (insn->reads) {
			pvs_device_read(result->read.data, place, insn->width);
			memcpy(result->write.data, result->read.data,
			       insn->width);
		}
		if (!pvs_exec(code, regs, insn->exec_base,
			      (unsigned long)result->write.data - ops->offset)) {
			/* But the device has been read, if it was to be. */
			result->read.made = insn->reads;
			return false;
		}
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
	if (unlikely(client))
		client->after(&what);

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
 * nothing touched; unless @result->read.made, for nothing.
 */
int pvs_engine_run(const struct pvs_fault *fault, struct pvs_decoded *decoded,
		   const struct pvs_operands *ops, struct pt_regs *regs,
		   struct pvs_result *result)
{
	const struct pvs_insn *insn = &decoded->insn;
	enum pvs_engine engine = fault->no_step ? PVS_ENGINE_AUTO : READ_ONCE(pvs_engine);

	result->read.made = false;
	result->write.made = false;

	if (insn->stepped || (fault->user && !pvs_user_may(insn, ops, regs)))
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
	case PVS_INSN_MOVS:
		if (fault->user)
			return pvs_emulate_user(insn, ops, regs, result) ?
			       PV_SHADOW_EMULATE : PV_SHADOW_STEP;
		if (unlikely(fault->range->direct) &&
		    (pvs_is_user(ops->addr, insn->width) || pvs_is_user(ops->dst, insn->width)))
			return pvs_copy_user(fault, insn, ops, regs, result) ?
			       PV_SHADOW_EMULATE : PV_SHADOW_STEP;
		fallthrough;
	case PVS_INSN_LOAD:
	case PVS_INSN_STORE:
		/* As above */
		if ((engine != PVS_ENGINE_XOL || insn->type == PVS_INSN_MOVS) &&
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
