// SPDX-License-Identifier: GPL-2.0-only
// files: mm/memory.c mm/huge_memory.c mm/mremap.c
//
// Where processes get mappings of I/O memory, and lose them.

@@
@@
#include <linux/sched/sysctl.h>
+#include <linux/pv_shadow_hooks.h>

@@
@@
#include <linux/mempolicy.h>
+#include <linux/pv_shadow_hooks.h>

@@
identifier vma, addr, pfn, size, prot;
@@
 remap_pfn_range_internal(struct vm_area_struct *vma, unsigned long addr,
			  unsigned long pfn, unsigned long size, pgprot_t prot)
 {
	...
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
+	pv_shadow_user_map(vma, addr, pfn, end - addr, prot);
	...
 }

@@
identifier vma, addr, pfn, pgprot;
@@
 vmf_insert_pfn_prot(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		     pgprot_t pgprot)
 {
	...
	track_pfn_insert(...);
+	pv_shadow_user_map(vma, addr & PAGE_MASK, pfn, PAGE_SIZE, pgprot);
	...
 }

@@
identifier pfn;
@@
 vmf_insert_pfn_pmd(..., pfn_t pfn, bool write)
 {
	...
	track_pfn_insert(...);
+	if (!pfn_t_devmap(pfn))
+		pv_shadow_user_map(vma, addr, pfn_t_to_pfn(pfn), PMD_SIZE, pgprot);
	...
 }

@@
identifier pfn;
@@
 vmf_insert_pfn_pud(..., pfn_t pfn, bool write)
 {
	...
	track_pfn_insert(...);
+	if (!pfn_t_devmap(pfn))
+		pv_shadow_user_map(vma, addr, pfn_t_to_pfn(pfn), PUD_SIZE, vma->vm_page_prot);
	...
 }

@@
identifier vma, addr, pfn;
@@
 __vm_insert_mixed(struct vm_area_struct *vma, unsigned long addr, pfn_t pfn, bool mkwrite)
 {
	...
	track_pfn_insert(...);
+	if (!pfn_t_devmap(pfn))
+		pv_shadow_user_map(vma, addr & PAGE_MASK, pfn_t_to_pfn(pfn), PAGE_SIZE, pgprot);
	...
 }

@@
identifier dst_vma, src_vma;
@@
 copy_page_range(struct vm_area_struct *dst_vma, struct vm_area_struct *src_vma)
 {
	...
+	if (src_vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP))
+		pv_shadow_user_copy(dst_vma, src_vma);
	is_cow = is_cow_mapping(...);
	...
 }

@@
identifier vma, start_addr, end_addr, range, start, end;
@@
 unmap_vmas(..., struct vm_area_struct *vma, unsigned long start_addr,
	    unsigned long end_addr, ...)
 {
	struct mmu_notifier_range range;
+	struct mm_struct *mm = vma->vm_mm;
+	bool device = false;
	<...
	hugetlb_zap_begin(vma, &start, &end);
+	device |= !!(vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP));
	...>
	mmu_notifier_invalidate_range_end(&range);
+	if (device)
+		pv_shadow_user_unmap(mm, start_addr, end_addr);
 }

@@
identifier vma, old_addr, new_addr, len;
@@
 move_page_tables(struct vm_area_struct *vma, unsigned long old_addr,
		  struct vm_area_struct *new_vma, unsigned long new_addr,
		  unsigned long len, ...)
 {
	...
	old_end = old_addr + len;
+	pv_shadow_user_move(vma->vm_mm, old_addr, new_addr, len);
	...
 }
