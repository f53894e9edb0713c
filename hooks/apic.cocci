// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/kernel/apic/apic.c
//
// With CONFIG_PV_SHADOW_TCG the local APIC is an x2APIC, that is, written by WRMSR.
// QEMU's TCG now and then loses a write to a local APIC that is memory while another
// CPU changes the memory map, which is what finding out a BAR's size does: with an end
// of interrupt lost, the CPU gets no interrupts any more.

@@
@@
 try_to_enable_x2apic(...)
 {
	<...
-	!x86_init.hyper.x2apic_available()
+	!IS_ENABLED(CONFIG_PV_SHADOW_TCG) && !x86_init.hyper.x2apic_available()
	...>
 }
