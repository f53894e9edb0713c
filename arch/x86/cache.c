// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that hit before, decoded, and memory to run them in.
 *
 * A driver accesses its device from few places and from these often. What one says
 * is decoded once and found again by its address, if the bytes there are still the
 * same: text that was patched, or freed and used anew, needs nobody to tell us.
 *
 * Each CPU has its own cache and each depth of nesting its own part of it, so that
 * an NMI changes nothing under the code that it interrupted, and no lock is needed.
 * The part of what is not nested has room for all of a large driver.
 */
#include <linux/execmem.h>
#include <linux/hash.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/cpuid.h>
#include <asm/insn.h>
#include <asm/tlbflush.h>

#include "../../mm/mem.h"
#include "../../mm/stats.h"
#include "cache.h"
#include "decode.h"
#include "exec.h"

/* Where an instruction may be kept, out of as many sets as these bits say. */
#define PVS_CACHE_WAYS	4
#define PVS_CACHE_BITS	7
#define PVS_NESTED_BITS	4
/* Where all of the kernel hits, not one driver. */
#define PVS_LARGE_BITS	11
/* Bytes for one instruction's code; none crosses a page. */
#define PVS_SLOT_SIZE	64

static_assert(PVS_SLOT_SIZE >= PVS_EXEC_SIZE);

static unsigned int pvs_cache_bits __ro_after_init = PVS_CACHE_BITS;

static unsigned int pvs_cache_size(void)
{
	return PVS_CACHE_WAYS * ((1U << pvs_cache_bits) +
				 ((PVS_DEPTH - 1) << PVS_NESTED_BITS));
}

/* Of one CPU: whole pages. */
static unsigned long pvs_code_bytes(void)
{
	return PAGE_ALIGN(pvs_cache_size() * PVS_SLOT_SIZE);
}

/**
 * pvs_cache_enlarge - make the caches large, when they will be made
 */
void __init pvs_cache_enlarge(void)
{
	pvs_cache_bits = PVS_LARGE_BITS;
}

static_assert(sizeof_field(struct pvs_decoded, text) >= MAX_INSN_SIZE);

/**
 * struct pvs_cache - one CPU's
 * @next:  the way that is replaced next, modulo their number
 * @code:  for each entry memory to run it in; can be executed, not written
 * @write: the pages of @code where they can be written, not executed
 * @entry: sets of PVS_CACHE_WAYS, by depth and hash of the address
 */
struct pvs_cache {
	unsigned int		next;
	u8			*code;
	u8			**write;
	struct pvs_decoded	entry[];
};

static DEFINE_PER_CPU(struct pvs_cache *, pvs_caches);
static u8 *pvs_code;

static int pvs_code_protect(pte_t *pte, unsigned long addr, void *data)
{
	set_pte_at(&init_mm, addr, pte, pfn_pte(pte_pfn(*pte), PAGE_KERNEL_ROX));
	return 0;
}

/*
 * Next to the kernel's text, so that it can jump there. The direct map's view of
 * the pages stays writable, and was never executable.
 */
static int pvs_code_alloc(void)
{
	unsigned long size = nr_cpu_ids * pvs_code_bytes();
	unsigned long addr;
	int ret;

	pvs_code = execmem_alloc(EXECMEM_KPROBES, size);
	if (!pvs_code)
		return -ENOMEM;
	memset(pvs_code, INT3_INSN_OPCODE, size);

	addr = (unsigned long)pvs_code;
	ret = apply_to_existing_page_range(&init_mm, addr, size,
					   pvs_code_protect, NULL);
	flush_tlb_kernel_range(addr, addr + size);
	return ret;
}

/**
 * pvs_cache_free - free all caches
 *
 * Nothing may be trapped. May sleep.
 */
void pvs_cache_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (per_cpu(pvs_caches, cpu))
			kvfree(per_cpu(pvs_caches, cpu)->write);
		kvfree(per_cpu(pvs_caches, cpu));
		per_cpu(pvs_caches, cpu) = NULL;
	}
	execmem_free(pvs_code);
	pvs_code = NULL;
}

/**
 * pvs_cache_alloc - make the caches of all possible CPUs
 *
 * Sleeps.
 *
 * Return: 0, or -ENOMEM and there are none.
 */
int pvs_cache_alloc(void)
{
	struct pvs_cache *cache;
	unsigned int i, pages = pvs_code_bytes() / PAGE_SIZE;
	int cpu;

	if (pvs_code_alloc())
		goto fail;

	for_each_possible_cpu(cpu) {
		cache = pvs_vzalloc(struct_size(cache, entry, pvs_cache_size()), GFP_KERNEL);
		if (!cache)
			goto fail;
		per_cpu(pvs_caches, cpu) = cache;
		cache->code = pvs_code + cpu * pvs_code_bytes();
		cache->write = pvs_vzalloc(pages * sizeof(*cache->write), GFP_KERNEL);
		if (!cache->write)
			goto fail;
		for (i = 0; i < pages; i++)
			cache->write[i] = page_address(vmalloc_to_page(cache->code +
								       i * PAGE_SIZE));
	}
	return 0;

fail:
	pvs_cache_free();
	return -ENOMEM;
}

static bool pvs_text_on_page(unsigned long ip)
{
	return offset_in_page(ip) <= PAGE_SIZE - 2 * sizeof(u64);
}
NOKPROBE_SYMBOL(pvs_text_on_page);

/**
 * pvs_read_text - read the text of an instruction
 * @text: it, and what follows it, two words
 * @ip:	  where it is
 *
 * The CPU just fetched the instruction: it is there. What follows it on the next
 * page may not be, and is not asked for unless the instruction reaches there.
 */
void pvs_read_text(u64 *text, unsigned long ip)
{
	unsigned int len = PAGE_SIZE - offset_in_page(ip);

	if (likely(pvs_text_on_page(ip))) {
		text[0] = READ_ONCE_NOCHECK(*(unsigned long *)ip);
		text[1] = READ_ONCE_NOCHECK(*(unsigned long *)(ip + sizeof(u64)));
		return;
	}

	text[0] = 0;
	text[1] = 0;
	if (copy_from_kernel_nofault(text, (void *)ip, 2 * sizeof(u64)))
		copy_from_kernel_nofault(text, (void *)ip, len);
}
NOKPROBE_SYMBOL(pvs_read_text);

/**
 * pvs_decode_at - decode an instruction, without a cache
 * @insn: result
 * @ip:	  where it is
 *
 * Any context.
 */
void pvs_decode_at(struct pvs_insn *insn, unsigned long ip)
{
	u64 text[2];

	pvs_read_text(text, ip);
	pvs_decode(insn, (const u8 *)text, sizeof(text), ip);
}
NOKPROBE_SYMBOL(pvs_decode_at);

/* The slow way to find an instruction, and the only one to decode it. */
static noinline struct pvs_decoded *pvs_cache_fill(struct pvs_cache *cache,
						   struct pvs_decoded *set,
						   unsigned long ip, const u64 *text)
{
	struct pvs_decoded *d;
	unsigned int way;

	for (way = 0; way < PVS_CACHE_WAYS; way++)
		if (set[way].ip == ip)
			break;
	if (way < PVS_CACHE_WAYS && set[way].text[0] == text[0] &&
	    set[way].text[1] == text[1])
		return &set[way];

	/* An address is in one way only. An NMI may take the same turn: no harm. */
	if (way == PVS_CACHE_WAYS)
		way = cache->next++ % PVS_CACHE_WAYS;
	d = &set[way];
	pvs_count(PVS_DECODED);
	d->ip = ip;
	d->text[0] = text[0];
	d->text[1] = text[1];
	d->ready = false;
	pvs_decode(&d->insn, (const u8 *)text, 2 * sizeof(u64), ip);

	return d;
}
NOKPROBE_SYMBOL(pvs_cache_fill);

static struct pvs_decoded *pvs_cache_set(struct pvs_cache *cache,
					 unsigned int depth, unsigned long ip)
{
	unsigned int set;

	if (likely(!depth))
		set = hash_long(ip, pvs_cache_bits);
	else
		set = (1U << pvs_cache_bits) + ((depth - 1) << PVS_NESTED_BITS) +
		      hash_long(ip, PVS_NESTED_BITS);
	return &cache->entry[set * PVS_CACHE_WAYS];
}
NOKPROBE_SYMBOL(pvs_cache_set);

/**
 * pvs_cache_get - what is the instruction that hit
 * @depth: how many others are being completed on this CPU
 * @ip:	   where it is
 *
 * Interrupts off, or NMI.
 *
 * Return: the instruction; it stays until the same depth is asked for another.
 */
struct pvs_decoded *pvs_cache_get(unsigned int depth, unsigned long ip)
{
	struct pvs_cache *cache = this_cpu_read(pvs_caches);
	struct pvs_decoded *set = pvs_cache_set(cache, depth, ip), *d;
	u64 text[2];

	/* Without a copy of the text, wherever that does not need care. */
	if (likely(pvs_text_on_page(ip)))
		for (d = set; d < set + PVS_CACHE_WAYS; d++)
			if (d->ip == ip &&
			    d->text[0] == READ_ONCE_NOCHECK(*(unsigned long *)ip) &&
			    d->text[1] == READ_ONCE_NOCHECK(*(unsigned long *)(ip + sizeof(u64))))
				return d;

	pvs_read_text(text, ip);
	return pvs_cache_fill(cache, set, ip, text);
}
NOKPROBE_SYMBOL(pvs_cache_get);

/**
 * pvs_cache_get_user - the same for an instruction of user mode
 * @depth: how many others are being completed on this CPU
 * @ip:	   where it is
 *
 * Another thread may change the text, or take it away; what has been read counts.
 *
 * Return: the instruction, or NULL if it cannot be read.
 */
struct pvs_decoded *pvs_cache_get_user(unsigned int depth, unsigned long ip)
{
	struct pvs_cache *cache = this_cpu_read(pvs_caches);
	unsigned int len = PAGE_SIZE - offset_in_page(ip);
	u64 text[2] = {};

	if (copy_from_user_nofault(text, (void __user *)ip, sizeof(text)) &&
	    (len >= sizeof(text) || copy_from_user_nofault(text, (void __user *)ip, len)))
		return NULL;
	return pvs_cache_fill(cache, pvs_cache_set(cache, depth, ip), ip, text);
}
NOKPROBE_SYMBOL(pvs_cache_get_user);

/**
 * pvs_cache_is_code - is an address in the memory where instructions are run
 * @ip: address
 *
 * Any context.
 */
bool pvs_cache_is_code(unsigned long ip)
{
	unsigned long start = (unsigned long)READ_ONCE(pvs_code);

	return start && ip - start < nr_cpu_ids * pvs_code_bytes();
}
NOKPROBE_SYMBOL(pvs_cache_is_code);

/**
 * pvs_cache_code - code that does what a cached instruction does
 * @decoded: of pvs_cache_get(), PVS_INSN_EXEC
 *
 * Context as pvs_cache_get().
 *
 * Return: what to give to pvs_exec(), or NULL.
 */
void *pvs_cache_code(struct pvs_decoded *decoded)
{
	struct pvs_cache *cache = this_cpu_read(pvs_caches);
	unsigned int at = (decoded - cache->entry) * PVS_SLOT_SIZE;
	u8 *code = cache->code + at;

	if (!decoded->ready) {
		if (!pvs_exec_emit(cache->write[at / PAGE_SIZE] + offset_in_page(at),
				   (unsigned long)code, &decoded->insn))
			return NULL;
		/*
		 * Written at one address and executed at another: this has to be
		 * serialized. Not by sync_core(), whose IRET would end an NMI.
		 */
		cpuid_eax(0);
		decoded->ready = true;
	}

	return code;
}
NOKPROBE_SYMBOL(pvs_cache_code);
