/* SPDX-License-Identifier: GPL-2.0-only */
#define UNWIND_HINT_FUNC
.macro UNWIND_HINT type sp_reg sp_offset
.endm
