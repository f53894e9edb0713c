/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to devices, of any width there is.
 */
#ifndef _PV_SHADOW_DEVICE_H
#define _PV_SHADOW_DEVICE_H

void pvs_device_read(void *to, unsigned long addr, unsigned int width);
void pvs_device_write(unsigned long addr, const void *from, unsigned int width);

#endif /* _PV_SHADOW_DEVICE_H */
