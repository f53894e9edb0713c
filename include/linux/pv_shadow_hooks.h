/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Per-CPU shadow page tables for tracing: the calls that hooks/ puts into the kernel's
 * own files. Apart from <linux/pv_shadow.h> because nearly every file of the kernel
 * includes one of those.
 */
#ifndef _LINUX_PV_SHADOW_HOOKS_H
#define _LINUX_PV_SHADOW_HOOKS_H

#include <linux/jump_label.h>
#include <linux/pv_shadow_rare.h>
#include <linux/stdarg.h>
#include <linux/types.h>

#include <asm/percpu.h>
#include <asm/pgtable_types.h>

struct mm_struct;
struct pt_regs;
struct task_struct;
struct vm_area_struct;

#ifdef CONFIG_PV_SHADOW

DECLARE_STATIC_KEY_FALSE(pv_shadow_key);
DECLARE_PER_CPU(bool, pv_shadow_user_step);

/**
 * struct pv_shadow_trap - a page fault
 * @error_code: why, or PV_SHADOW_DONE
 * @addr:	where
 *
 * By value: a variable whose address is taken is in memory, also for those who never call.
 */
struct pv_shadow_trap {
	unsigned long	error_code;
	unsigned long	addr;
};

#define PV_SHADOW_DONE	~0UL

bool pv_shadow_installed(void);
struct pv_shadow_trap __pv_shadow_fault(struct pt_regs *regs, unsigned long error_code,
					unsigned long addr);
void __pv_shadow_faulted(unsigned long addr);
bool __pv_shadow_debug(struct pt_regs *regs, unsigned long *dr6, bool *irqs_on);
void __pv_shadow_debug_exit(void);
void __pv_shadow_int3(struct pt_regs *regs, bool *irqs_on);
unsigned long __pv_shadow_hardware_cr3(unsigned long cr3);
void __pv_shadow_nmi_enter(struct pt_regs *regs);
void __pv_shadow_nmi_exit(void);
void __pv_shadow_flush_range(unsigned long start, unsigned long end);
bool __pv_shadow_flush_mm(struct mm_struct *mm, unsigned long start, unsigned long end,
			  bool tables);
bool __pv_shadow_user_debug(struct pt_regs *regs, unsigned long *dr6);
void __pv_shadow_pgd_changed(const void *pgd);
void __pv_shadow_cpu_resumed(void);
void __pv_shadow_switch(const struct task_struct *next);
void __pv_shadow_renamed(const struct task_struct *task);
void pv_shadow_cpu_alive(void);
void pv_shadow_cpu_dead(void);
void pv_shadow_kexec(void);

/*
 * Page fault, first thing: true if it was ours and the access is to go on. If not, it
 * may have become the fault on another operand of the instruction.
 */
static __always_inline bool pv_shadow_fault(struct pt_regs *regs,
					    unsigned long *error_code,
					    unsigned long *addr)
{
	struct pv_shadow_trap trap;

	if (!static_branch_unlikely(&pv_shadow_key))
		return false;
	trap = __pv_shadow_fault(regs, *error_code, *addr);
	if (trap.error_code == PV_SHADOW_DONE)
		return true;
	*error_code = trap.error_code;
	*addr = trap.addr;
	return false;
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
 * inc_mm_tlb_gen(). @tables are freed as well. True if what the kernel maps with a huge page
 * may be in TLBs by pages: these are to be flushed, each of them.
 */
static __always_inline bool pv_shadow_flush_mm(struct mm_struct *mm, unsigned long start,
					       unsigned long end, bool tables)
{
	return static_branch_unlikely(&pv_shadow_key) &&
	       __pv_shadow_flush_mm(mm, start, end, tables);
}

/* The last thing on the way to user mode, interrupts off ... */
static __always_inline void pv_shadow_user_exit(void)
{
	if (static_branch_unlikely(&pv_shadow_key) &&
	    unlikely(this_cpu_read(pv_shadow_user_step)))
		pv_shadow_rare_call(__pv_shadow_user_exit);
}

/* ... and the first thing on the way back, but for NMIs. */
static __always_inline void pv_shadow_user_entry(void)
{
	if (static_branch_unlikely(&pv_shadow_key) &&
	    unlikely(this_cpu_read(pv_shadow_user_step)))
		pv_shadow_rare_call(__pv_shadow_user_entry);
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

static inline bool pv_shadow_flush_mm(struct mm_struct *mm, unsigned long start,
				      unsigned long end, bool tables)
{
	return false;
}

static inline void pv_shadow_user_exit(void) { }
static inline void pv_shadow_user_entry(void) { }

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
static inline void pv_shadow_kexec(void) { }

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

#endif /* _LINUX_PV_SHADOW_HOOKS_H */
