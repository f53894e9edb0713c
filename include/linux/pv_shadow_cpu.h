/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The condition under which <asm/paravirt.h> leaves CR3 to native code. It is
 * apart from <linux/pv_shadow_hooks.h> because <asm/paravirt.h> comes before nearly
 * everything that one needs.
 */
#ifndef _LINUX_PV_SHADOW_CPU_H
#define _LINUX_PV_SHADOW_CPU_H

#include <asm/cpufeatures.h>

/* A synthetic bit, free in 6.12; it says that the backend is installed. */
#define X86_FEATURE_PV_SHADOW	(8 * 32 + 23)

#if defined(CONFIG_PV_SHADOW) && defined(CONFIG_XEN_PV)
/* Two who may want the call, and one condition: a direct call always. */
#define ALT_NOT_PV_SHADOW	ALT_NOT(X86_FEATURE_ALWAYS)
#elif defined(CONFIG_PV_SHADOW)
#define ALT_NOT_PV_SHADOW	ALT_NOT(X86_FEATURE_PV_SHADOW)
#else
#define ALT_NOT_PV_SHADOW	ALT_NOT_XEN
#endif

#endif /* _LINUX_PV_SHADOW_CPU_H */
