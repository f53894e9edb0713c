// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses that a device sees as the instruction's own: as wide, and one, whatever the
 * compiler would prefer.
 */
#include <linux/cpufeature.h>
#include <linux/kprobes.h>
#include <linux/types.h>

#include "decode.h"
#include "device.h"

/*
 * One access of 16, 32 or 64 bytes takes a vector register, and all of them belong
 * to the interrupted code. It is saved with as much of it as the load clears.
 */
static void pvs_copy_vector(void *to, const void *from, unsigned int width)
{
	u8 saved[PVS_MAX_WIDTH];

	if (width == 16)
		asm volatile("movups %%xmm0, (%2)\n\t"
			     "movups (%1), %%xmm0\n\t"
			     "movups %%xmm0, (%0)\n\t"
			     "movups (%2), %%xmm0"
			     : : "r" (to), "r" (from), "r" (saved) : "memory");
	else if (width == 32 && !boot_cpu_has(X86_FEATURE_AVX512F))
		asm volatile("vmovups %%ymm0, (%2)\n\t"
			     "vmovups (%1), %%ymm0\n\t"
			     "vmovups %%ymm0, (%0)\n\t"
			     "vmovups (%2), %%ymm0"
			     : : "r" (to), "r" (from), "r" (saved) : "memory");
	else if (width == 32)
		asm volatile("vmovups %%zmm0, (%2)\n\t"
			     "vmovups (%1), %%ymm0\n\t"
			     "vmovups %%ymm0, (%0)\n\t"
			     "vmovups (%2), %%zmm0"
			     : : "r" (to), "r" (from), "r" (saved) : "memory");
	else
		asm volatile("vmovups %%zmm0, (%2)\n\t"
			     "vmovups (%1), %%zmm0\n\t"
			     "vmovups %%zmm0, (%0)\n\t"
			     "vmovups (%2), %%zmm0"
			     : : "r" (to), "r" (from), "r" (saved) : "memory");
}
NOKPROBE_SYMBOL(pvs_copy_vector);

/**
 * pvs_device_read - one access, of exactly that width
 * @to:    where the bytes go; room for 8 at least
 * @addr:  where they are
 * @width: how many: a power of two, 64 at most
 *
 * Any context. All vector registers stay what they are.
 */
void pvs_device_read(void *to, unsigned long addr, unsigned int width)
{
	u64 value = 0;

	switch (width) {
	case 1:
		asm volatile("movb (%1), %b0" : "+q" (value) : "r" (addr) : "memory");
		break;
	case 2:
		asm volatile("movw (%1), %w0" : "+r" (value) : "r" (addr) : "memory");
		break;
	case 4:
		asm volatile("movl (%1), %k0" : "=r" (value) : "r" (addr) : "memory");
		break;
	case 8:
		asm volatile("movq (%1), %0" : "=r" (value) : "r" (addr) : "memory");
		break;
	default:
		pvs_copy_vector(to, (void *)addr, width);
		return;
	}
	*(u64 *)to = value;
}
NOKPROBE_SYMBOL(pvs_device_read);

/**
 * pvs_device_write - one access, of exactly that width
 * @addr:  where the bytes go
 * @from:  where they are; 8 at least can be read there
 * @width: how many: a power of two, 64 at most
 *
 * Any context. All vector registers stay what they are.
 */
void pvs_device_write(unsigned long addr, const void *from, unsigned int width)
{
	u64 value = *(const u64 *)from;

	switch (width) {
	case 1:
		asm volatile("movb %b0, (%1)" : : "q" (value), "r" (addr) : "memory");
		break;
	case 2:
		asm volatile("movw %w0, (%1)" : : "r" (value), "r" (addr) : "memory");
		break;
	case 4:
		asm volatile("movl %k0, (%1)" : : "r" (value), "r" (addr) : "memory");
		break;
	case 8:
		asm volatile("movq %0, (%1)" : : "r" (value), "r" (addr) : "memory");
		break;
	default:
		pvs_copy_vector((void *)addr, from, width);
		break;
	}
}
NOKPROBE_SYMBOL(pvs_device_write);
