/* SPDX-License-Identifier: GPL-2.0-only */
typedef struct { unsigned long pgprot; } pgprot_t;
