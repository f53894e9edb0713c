// SPDX-License-Identifier: GPL-2.0-only
// files: arch/x86/kernel/alternative.c arch/x86/kernel/kprobes/core.c
// files: arch/x86/kernel/kprobes/opt.c
//
// With CONFIG_PV_SHADOW_TCG patched text is written once more when all CPUs have
// synchronized. QEMU's TCG drops what it translated before it stores what replaces it:
// another CPU can translate the old text once more in between, and keep that. It is
// what Linux takes care of on all machines, but that old text may be run until the
// next store, not until the next serializing instruction. With the second store it is
// dropped for good: all that can be translated by then is the new text.
//
// Who is just about to run it does so before the next interrupt: all CPUs synchronize once
// more. Where the old text is a breakpoint, both have to come before the trap handler
// forgets it.

@@
expression addr, opcode, len;
@@
 text_poke(addr, opcode, len);
 text_poke_sync();
+if (IS_ENABLED(CONFIG_PV_SHADOW_TCG)) {
+	text_poke(addr, opcode, len);
+	text_poke_sync();
+}

@@
identifier tp, nr_entries, i;
@@
 text_poke_bp_batch(struct text_poke_loc *tp, unsigned int nr_entries)
 {
	...
	unsigned int i;
	<...
+	for (i = 0; IS_ENABLED(CONFIG_PV_SHADOW_TCG) && i < nr_entries; i++)
+		text_poke(text_poke_addr(&tp[i]), text_poke_addr(&tp[i]), INT3_INSN_SIZE);
+	if (IS_ENABLED(CONFIG_PV_SHADOW_TCG))
+		text_poke_sync();
	if (!atomic_dec_and_test(&bp_desc.refs))
		atomic_cond_read_acquire(&bp_desc.refs, !VAL);
	...>
 }
