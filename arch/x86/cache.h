/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that hit before, decoded, and memory to run them in.
 */
#ifndef _PV_SHADOW_CACHE_H
#define _PV_SHADOW_CACHE_H

struct pvs_decoded;
struct pvs_insn;

/* Accesses being completed on one CPU: of a task or interrupt, its #MC, an NMI, its #MC. */
#define PVS_DEPTH	4

int pvs_cache_alloc(void);
void pvs_cache_free(void);
struct pvs_decoded *pvs_cache_get(unsigned int depth, unsigned long ip);
const struct pvs_insn *pvs_cache_insn(const struct pvs_decoded *decoded);
void *pvs_cache_code(struct pvs_decoded *decoded);

void pvs_decode_at(struct pvs_insn *insn, unsigned long ip);

#endif /* _PV_SHADOW_CACHE_H */
