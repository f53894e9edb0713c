// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/mm/tlb.c arch/x86/include/asm/tlbflush.h arch/x86/mm/pgtable.c
//
// What the copies of user tables hold is dropped before Linux makes it known that there
// is something to flush. Where it clears the accessed bit it does not flush; then it is
// dropped from the copies only.

@@
identifier mm, start, end, stride_shift, freed_tables;
@@
 flush_tlb_mm_range(struct mm_struct *mm, unsigned long start, unsigned long end,
		    unsigned int stride_shift, bool freed_tables)
 {
	...
+	if (pv_shadow_flush_mm(mm, start, end, freed_tables))
+		stride_shift = PAGE_SHIFT;
	cpu = get_cpu();
	...
 }

@@
@@
#include <asm/processor-flags.h>
+#include <linux/pv_shadow_hooks.h>

@@
identifier mm, uaddr;
@@
 arch_tlbbatch_add_pending(..., struct mm_struct *mm, unsigned long uaddr)
 {
+	pv_shadow_flush_mm(mm, uaddr, uaddr + PAGE_SIZE, false);
	inc_mm_tlb_gen(mm);
	...
 }

@@
@@
#include <asm/pgalloc.h>
+#include <linux/pv_shadow_hooks.h>

@@
identifier vma, addr, ret;
@@
 ptep_test_and_clear_young(struct vm_area_struct *vma, unsigned long addr, ...)
 {
	...
+	if (ret)
+		pv_shadow_flush_mm(vma->vm_mm, addr, addr + PAGE_SIZE, false);
	return ret;
 }

@@
identifier vma, addr, ret;
@@
 pmdp_test_and_clear_young(struct vm_area_struct *vma, unsigned long addr, ...)
 {
	...
+	if (ret)
+		pv_shadow_flush_mm(vma->vm_mm, addr & PMD_MASK, (addr & PMD_MASK) + PMD_SIZE,
+				   false);
	return ret;
 }

@@
identifier vma, addr, ret;
@@
 pudp_test_and_clear_young(struct vm_area_struct *vma, unsigned long addr, ...)
 {
	...
+	if (ret)
+		pv_shadow_flush_mm(vma->vm_mm, addr & PUD_MASK, (addr & PUD_MASK) + PUD_SIZE,
+				   false);
	return ret;
 }
