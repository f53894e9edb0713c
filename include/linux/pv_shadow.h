/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Per-CPU shadow page tables for tracing: what clients see of them. What the hooked
 * places of the kernel call is in <linux/pv_shadow_hooks.h>.
 */
#ifndef _LINUX_PV_SHADOW_H
#define _LINUX_PV_SHADOW_H

#include <linux/types.h>

#include <asm/pgtable_types.h>

struct mm_struct;
struct pt_regs;
struct pv_shadow_range;
struct pvs_alias;
struct pvs_user;
struct task_struct;

enum pv_shadow_dir {
	PV_SHADOW_READ,
	PV_SHADOW_WRITE,
	/* The instruction is none that the decoder knows: no width, no value. */
	PV_SHADOW_UNKNOWN,
};

/* How an access was completed. */
enum pv_shadow_engine {
	PV_SHADOW_STEP,		/* by the instruction itself, single-stepped */
	PV_SHADOW_EMULATE,	/* by the fault handler */
	PV_SHADOW_XOL,		/* ... with the instruction's help, out of line */
	PV_SHADOW_MISSED,	/* let through: nothing is known of it */
};

/**
 * struct pv_shadow_access - one access to a trapped page, or the part of it
 *			     that lies in that page
 * @addr:   virtual address of the first byte
 * @ip:	    the instruction
 * @value:  what was read or written, little endian, up to 8 bytes of it; for
 *	    PV_SHADOW_UNKNOWN the first three bytes of the instruction, the first
 *	    one highest
 * @data:   all of it, if it is more than 8 bytes, else NULL
 * @duration: from the fault to the end of the access, in ns; 0 if not measured
 * @user:   made in user mode
 * @width:  bytes, 0 if unknown
 * @engine: enum pv_shadow_engine
 * @dir:    direction
 */
struct pv_shadow_access {
	unsigned long		addr;
	unsigned long		ip;
	u64			value;
	const void		*data;
	u64			duration;
	bool			user;
	u8			width;
	u8			engine;
	enum pv_shadow_dir	dir;
};

/**
 * struct pv_shadow_operands - what an instruction does to memory; of one that has more than
 *			       an operand that it reads and one that it writes, one of them
 * @regs:   registers: before @before as they are before it, after @after as it leaves them
 * @ip:	    the instruction
 * @read:   first address of what it reads, if @reads
 * @write:  first address of what it writes, if @writes
 * @size:   bytes of each; 0 if that is not known
 * @reads:  it does
 * @writes: it does
 * @copies: it writes just what it reads, if it reads
 */
struct pv_shadow_operands {
	const struct pt_regs	*regs;
	unsigned long		ip;
	unsigned long		read;
	unsigned long		write;
	unsigned int		size;
	bool			reads;
	bool			writes;
	bool			copies;
};

/**
 * struct pv_shadow_client - who wants to know of accesses
 * @name:     for messages
 * @accessed: called once for each access, after it was completed, on the CPU
 *	      that made it. Interrupts are off and it may be an NMI-like context:
 *	      it must not take a lock that another context can hold, nor touch
 *	      memory that may be trapped. Or NULL.
 * @before:   called before an instruction accesses memory of the client's; or NULL. In the
 *	      same context, for each of several operands. The instruction may be begun anew,
 *	      and then this is called anew.
 * @after:    called when it has; together with @before. Not if the size is not known.
 */
struct pv_shadow_client {
	const char *name;
	void (*accessed)(struct pv_shadow_range *range,
			 const struct pv_shadow_access *access);
	void (*before)(const struct pv_shadow_operands *ops);
	void (*after)(const struct pv_shadow_operands *ops);
};

/**
 * struct pv_shadow_range - addresses that a client traps
 * @client: who traps them
 * @start:  first address; the whole page it is in is trapped
 * @end:    address behind the last one
 * @writes_only: reads need not be reported, and cost nothing; after a change
 *	    pv_shadow_retrap() what is trapped
 * @memory: what is there is memory: an access may be made, taken back and made once
 *	    more, as it is for the engine "compare"
 * @direct: the direct map: its pages are hidden by pvs_direct_hide(), and what an
 *	    instruction does there may be done for several of its elements at once
 * @mm:	    for user addresses: whose they are; it is in use while one of them is trapped
 * @phys:   likewise: physical address of the first page
 * @prot:   likewise: the memory type
 * @alias:  private
 * @user:   private
 *
 * Embedded in a structure of the client's own.
 */
struct pv_shadow_range {
	const struct pv_shadow_client	*client;
	unsigned long			start;
	unsigned long			end;
	bool				writes_only;
	bool				memory;
	bool				direct;
	struct mm_struct		*mm;
	phys_addr_t			phys;
	pgprot_t			prot;
	struct pvs_alias		*alias;
	struct pvs_user			*user;
};

int pv_shadow_start(void);
void pv_shadow_stop(void);
int pv_shadow_trap(struct pv_shadow_range *range, unsigned long start,
		   unsigned long end);
void pv_shadow_retrap(struct pv_shadow_range *range, unsigned long start,
		      unsigned long end);
void pv_shadow_untrap(struct pv_shadow_range *range, unsigned long start,
		      unsigned long end);
void pv_shadow_synchronize(void);
void pv_shadow_choose_tasks(bool (*chosen)(const struct task_struct *task));
bool pv_shadow_is_root(int cpu, unsigned long pa);
int pv_shadow_timed_get(void);
void pv_shadow_timed_put(void);

#endif /* _LINUX_PV_SHADOW_H */
