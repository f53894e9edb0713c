// SPDX-License-Identifier: GPL-2.0-only
/*
 * The widest accesses: 64 bytes stored and loaded by AVX-512, in physical memory that is
 * nobody's.
 */
#define pr_fmt(fmt) "wide: " fmt

#include <linux/cpufeature.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/string.h>

#include <asm/fpu/api.h>

static unsigned long phys;
module_param(phys, ulong, 0444);
MODULE_PARM_DESC(phys, "where");

static int __init wide_init(void)
{
	u8 from[64], to[64] = {};
	void __iomem *p;
	unsigned int i;

	if (!boot_cpu_has(X86_FEATURE_AVX512F))
		return -ENODEV;
	p = ioremap(phys, PAGE_SIZE);
	if (!p)
		return -ENOMEM;
	for (i = 0; i < sizeof(from); i++)
		from[i] = i + 1;

	kernel_fpu_begin();
	asm volatile("vmovdqu64	(%0), %%zmm0\n\t"
		     "vmovdqu64	%%zmm0, (%1)\n\t"
		     "vmovdqu64	(%1), %%zmm1\n\t"
		     "vmovdqu64	%%zmm1, (%2)"
		     : : "r" (from), "r" (p), "r" (to) : "memory");
	kernel_fpu_end();
	pr_info("%s\n", memcmp(from, to, sizeof(to)) ? "another value" : "the value");

	iounmap(p);
	return 0;
}

static void __exit wide_exit(void) { }

module_init(wide_init);
module_exit(wide_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("MMIO of 64 bytes");
