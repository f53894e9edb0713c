/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that hit before, decoded, and memory to run them in.
 */
#ifndef _PV_SHADOW_CACHE_H
#define _PV_SHADOW_CACHE_H

#include <linux/types.h>

#include "decode.h"

/* Accesses being completed on one CPU: of a task or interrupt, its #MC, an NMI, its #MC. */
#define PVS_DEPTH	4

/**
 * struct pvs_decoded - an instruction that hit
 * @ip:	   where; 0 if the entry is free
 * @text:  what stands there, and what follows it
 * @ready: its code is written
 * @insn:  what it does
 */
struct pvs_decoded {
	unsigned long	ip;
	u64		text[2];
	bool		ready;
	struct pvs_insn	insn;
};

void pvs_cache_enlarge(void);
int pvs_cache_alloc(void);
void pvs_cache_free(void);
struct pvs_decoded *pvs_cache_get(unsigned int depth, unsigned long ip);
bool pvs_cache_is_code(unsigned long ip);
struct pvs_decoded *pvs_cache_get_user(unsigned int depth, unsigned long ip);
void *pvs_cache_code(struct pvs_decoded *decoded);

void pvs_read_text(u64 *text, unsigned long ip);
void pvs_decode_at(struct pvs_insn *insn, unsigned long ip);

#endif /* _PV_SHADOW_CACHE_H */
