/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vector and x87 registers as they are, whoever they belong to.
 */
#ifndef _PV_SHADOW_VECTORS_H
#define _PV_SHADOW_VECTORS_H

#include <linux/bits.h>
#include <linux/cpufeature.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>

#include <asm/cpuid.h>
#include <asm/fpu/xcr.h>

/* Bytes of x87, SSE, AVX and AVX-512 as XSAVE stores them. */
#define PVS_VECTORS_SIZE	2688
#define PVS_VECTORS_LEGACY	0x03
#define PVS_VECTORS_ALL		0xe7

/**
 * pvs_vectors_mask - what there is to be saved and loaded
 * @size: bytes that it takes
 *
 * Return: XSAVE's mask; 0 if there is FXSAVE only.
 */
static inline u64 pvs_vectors_mask(unsigned int *size)
{
	u32 len, offset, ecx, edx;
	unsigned int i;
	u64 mask;

	*size = 512;
	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return 0;

	*size = 576;
	mask = xgetbv(XCR_XFEATURE_ENABLED_MASK) & PVS_VECTORS_ALL;
	for (i = 2; i < 8; i++) {
		if (!(mask & BIT(i)))
			continue;
		cpuid_count(0xd, i, &len, &offset, &ecx, &edx);
		if (offset + len > PVS_VECTORS_SIZE) {
			*size = 576;
			return mask & PVS_VECTORS_LEGACY;
		}
		*size = max(*size, offset + len);
	}
	return mask;
}

/* @to: PVS_VECTORS_SIZE bytes, on a multiple of 64, zeroed once. */
static __always_inline void pvs_vectors_save(void *to, u64 mask)
{
	if (mask)
		asm volatile("xsave64 (%0)" : : "r" (to), "a" ((u32)mask),
			     "d" ((u32)(mask >> 32)) : "memory");
	else
		asm volatile("fxsave64 (%0)" : : "r" (to) : "memory");
}

static __always_inline void pvs_vectors_load(const void *from, u64 mask)
{
	if (mask)
		asm volatile("xrstor64 (%0)" : : "r" (from), "a" ((u32)mask),
			     "d" ((u32)(mask >> 32)) : "memory");
	else
		asm volatile("fxrstor64 (%0)" : : "r" (from) : "memory");
}

/**
 * pvs_vectors_differ - where two states differ
 * @a:	  one
 * @b:	  another
 * @size: as pvs_vectors_mask() has it
 *
 * The addresses of the last x87 instruction are no part of it, nor is what has no
 * meaning.
 *
 * Return: offset of the 8 bytes that do first, or -1.
 */
static __always_inline int pvs_vectors_differ(const u8 *a, const u8 *b,
					      unsigned int size)
{
	unsigned int i;

	if (memcmp(a, b, 6))
		return 0;
	if (memcmp(a + 24, b + 24, 4))
		return 24;
	for (i = 32; i < size; i += 8) {
		if (i == 416)
			i = 576;
		if (i < size && memcmp(a + i, b + i, 8))
			return i;
	}
	return -1;
}

#endif /* _PV_SHADOW_VECTORS_H */
