/* SPDX-License-Identifier: GPL-2.0-only */
/* Segments' bases: not those of the program. */
#define MSR_FS_BASE	1
#define MSR_GS_BASE	2

static inline unsigned long __rdmsr(unsigned int msr)
{
	return msr * 0x123456789000;
}
