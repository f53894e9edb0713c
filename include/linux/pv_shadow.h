/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Per-CPU shadow page tables for tracing: what clients and the hooked places of
 * the kernel see of them.
 */
#ifndef _LINUX_PV_SHADOW_H
#define _LINUX_PV_SHADOW_H

#include <linux/jump_label.h>
#include <linux/stdarg.h>
#include <linux/types.h>

#include <asm/pgtable_types.h>

struct mm_struct;
struct pt_regs;
struct pv_shadow_range;
struct pvs_alias;
struct pvs_user;
struct vm_area_struct;

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
 * struct pv_shadow_client - who wants to know of accesses
 * @name:     for messages
 * @accessed: called once for each access, after it was completed, on the CPU
 *	      that made it. Interrupts are off and it may be an NMI-like context:
 *	      it must not take a lock that another context can hold, nor touch
 *	      memory that may be trapped.
 */
struct pv_shadow_client {
	const char *name;
	void (*accessed)(struct pv_shadow_range *range,
			 const struct pv_shadow_access *access);
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
	struct mm_struct		*mm;
	phys_addr_t			phys;
	pgprot_t			prot;
	struct pvs_alias		*alias;
	struct pvs_user			*user;
};

#ifdef CONFIG_PV_SHADOW

DECLARE_STATIC_KEY_FALSE(pv_shadow_key);

bool pv_shadow_installed(void);
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

/* The hooked places: hooks/ puts these calls there. */

bool __pv_shadow_fault(struct pt_regs *regs, unsigned long *error_code,
		       unsigned long *addr);
void __pv_shadow_faulted(unsigned long addr);
bool __pv_shadow_debug(struct pt_regs *regs, unsigned long *dr6, bool *irqs_on);
void __pv_shadow_debug_exit(void);
void __pv_shadow_int3(struct pt_regs *regs, bool *irqs_on);
unsigned long __pv_shadow_hardware_cr3(unsigned long cr3);
void __pv_shadow_nmi_enter(struct pt_regs *regs);
void __pv_shadow_nmi_exit(void);
void __pv_shadow_flush_range(unsigned long start, unsigned long end);
void __pv_shadow_flush_mm(struct mm_struct *mm, unsigned long start, unsigned long end,
			  bool tables);
void __pv_shadow_user_exit(struct pt_regs *regs);
void __pv_shadow_user_entry(struct pt_regs *regs);
bool __pv_shadow_user_debug(struct pt_regs *regs, unsigned long *dr6);
void __pv_shadow_pgd_changed(const void *pgd);
void __pv_shadow_cpu_resumed(void);
void __pv_shadow_switch(const struct task_struct *next);
void __pv_shadow_renamed(const struct task_struct *task);
void pv_shadow_cpu_alive(void);
void pv_shadow_cpu_dead(void);

/*
 * Page fault, first thing: true if it was ours and the access is to go on. If not, it
 * may have become the fault on another operand of the instruction.
 */
static __always_inline bool pv_shadow_fault(struct pt_regs *regs,
					    unsigned long *error_code,
					    unsigned long *addr)
{
	return static_branch_unlikely(&pv_shadow_key) &&
	       __pv_shadow_fault(regs, error_code, addr);
}

/* Page fault, last thing: the kernel has dealt with it. Interrupts off. */
static __always_inline void pv_shadow_faulted(unsigned long addr)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_faulted(addr);
}

/* Debug trap of kernel code: true if nobody else is to hear of it. */
static __always_inline bool pv_shadow_debug(struct pt_regs *regs,
					    unsigned long *dr6, bool *irqs_on)
{
	return static_branch_unlikely(&pv_shadow_key) &&
	       __pv_shadow_debug(regs, dr6, irqs_on);
}

/* The last thing of each debug trap of kernel code. */
static __always_inline void pv_shadow_debug_exit(void)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_debug_exit();
}

/* Breakpoint of kernel code, first thing. */
static __always_inline void pv_shadow_int3(struct pt_regs *regs, bool *irqs_on)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_int3(regs, irqs_on);
}

/* For those who load CR3 behind our back: what @cr3 is to the hardware. */
static __always_inline unsigned long pv_shadow_hardware_cr3(unsigned long cr3)
{
	if (static_branch_unlikely(&pv_shadow_key))
		return __pv_shadow_hardware_cr3(cr3);
	return cr3;
}

/* Around the handlers of an NMI, so that none sees a revealed page. */
static __always_inline void pv_shadow_nmi_enter(struct pt_regs *regs)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_nmi_enter(regs);
}

static __always_inline void pv_shadow_nmi_exit(void)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_nmi_exit();
}

/* Before the kernel flushes kernel addresses from the TLBs of all CPUs. */
static __always_inline void pv_shadow_flush_range(unsigned long start,
						  unsigned long end)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_flush_range(start, end);
}

/*
 * Before the kernel flushes user addresses from TLBs, and makes that known: before
 * inc_mm_tlb_gen(). @tables are freed as well.
 */
static __always_inline void pv_shadow_flush_mm(struct mm_struct *mm, unsigned long start,
					       unsigned long end, bool tables)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_flush_mm(mm, start, end, tables);
}

/* The last thing on the way to user mode, interrupts off ... */
static __always_inline void pv_shadow_user_exit(struct pt_regs *regs)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_user_exit(regs);
}

/* ... and the first thing on the way back, but for NMIs. */
static __always_inline void pv_shadow_user_entry(struct pt_regs *regs)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_user_entry(regs);
}

/* Debug trap of user mode: true if nobody else is to hear of it. */
static __always_inline bool pv_shadow_user_debug(struct pt_regs *regs, unsigned long *dr6)
{
	return static_branch_unlikely(&pv_shadow_key) &&
	       __pv_shadow_user_debug(regs, dr6);
}

/* A pgd was changed by memcpy(). */
static __always_inline void pv_shadow_pgd_changed(const void *pgd)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_pgd_changed(pgd);
}

/* After a CPU woke up and loaded an address space. */
static __always_inline void pv_shadow_cpu_resumed(void)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_cpu_resumed();
}

/* Right before a CPU switches tasks. */
static __always_inline void pv_shadow_switch(const struct task_struct *next)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_switch(next);
}

/* After a task's name or number changed. */
static __always_inline void pv_shadow_renamed(const struct task_struct *task)
{
	if (static_branch_unlikely(&pv_shadow_key))
		__pv_shadow_renamed(task);
}

#else /* !CONFIG_PV_SHADOW */

static inline bool pv_shadow_installed(void)
{
	return false;
}

static inline bool pv_shadow_fault(struct pt_regs *regs,
				   unsigned long *error_code,
				   unsigned long *addr)
{
	return false;
}

static inline void pv_shadow_faulted(unsigned long addr)
{
}

static inline bool pv_shadow_debug(struct pt_regs *regs, unsigned long *dr6,
				   bool *irqs_on)
{
	return false;
}

static inline void pv_shadow_debug_exit(void) { }
static inline void pv_shadow_int3(struct pt_regs *regs, bool *irqs_on) { }

static inline unsigned long pv_shadow_hardware_cr3(unsigned long cr3)
{
	return cr3;
}

static inline void pv_shadow_nmi_enter(struct pt_regs *regs) { }
static inline void pv_shadow_nmi_exit(void) { }
static inline void pv_shadow_flush_range(unsigned long start, unsigned long end)
{
}

static inline void pv_shadow_flush_mm(struct mm_struct *mm, unsigned long start,
				      unsigned long end, bool tables)
{
}

static inline void pv_shadow_user_exit(struct pt_regs *regs) { }
static inline void pv_shadow_user_entry(struct pt_regs *regs) { }

static inline bool pv_shadow_user_debug(struct pt_regs *regs, unsigned long *dr6)
{
	return false;
}

static inline void pv_shadow_pgd_changed(const void *pgd) { }
static inline void pv_shadow_cpu_resumed(void) { }
static inline void pv_shadow_switch(const struct task_struct *next) { }
static inline void pv_shadow_renamed(const struct task_struct *task) { }
static inline void pv_shadow_cpu_alive(void) { }
static inline void pv_shadow_cpu_dead(void) { }

#endif /* CONFIG_PV_SHADOW */

#ifdef CONFIG_PV_SHADOW_MMIOTRACE
bool pv_shadow_mmiotrace(void);
void pv_shadow_ioremap(resource_size_t phys, unsigned long size,
		       void __iomem *addr);
void pv_shadow_iounmap(unsigned long addr);
int pv_shadow_mmiotrace_vprintk(const char *fmt, va_list args) __printf(1, 0);
void pv_shadow_user_map(struct vm_area_struct *vma, unsigned long addr,
			unsigned long pfn, unsigned long size, pgprot_t prot);
void pv_shadow_user_copy(struct vm_area_struct *to, struct vm_area_struct *from);
void pv_shadow_user_move(struct mm_struct *mm, unsigned long from, unsigned long to,
			 unsigned long size);
void pv_shadow_user_unmap(struct mm_struct *mm, unsigned long start, unsigned long end);
#else
static inline bool pv_shadow_mmiotrace(void)
{
	return false;
}

static inline void pv_shadow_ioremap(resource_size_t phys, unsigned long size,
				     void __iomem *addr)
{
}

static inline void pv_shadow_iounmap(unsigned long addr) { }

static inline int pv_shadow_mmiotrace_vprintk(const char *fmt, va_list args)
{
	return 0;
}

static inline void pv_shadow_user_map(struct vm_area_struct *vma, unsigned long addr,
				      unsigned long pfn, unsigned long size, pgprot_t prot)
{
}

static inline void pv_shadow_user_copy(struct vm_area_struct *to,
				       struct vm_area_struct *from)
{
}

static inline void pv_shadow_user_move(struct mm_struct *mm, unsigned long from,
				       unsigned long to, unsigned long size)
{
}

static inline void pv_shadow_user_unmap(struct mm_struct *mm, unsigned long start,
					unsigned long end)
{
}
#endif /* CONFIG_PV_SHADOW_MMIOTRACE */

#endif /* _LINUX_PV_SHADOW_H */
