// SPDX-License-Identifier: GPL-2.0-only
/*
 * What clients are told of instructions that no engine does: each operand's address, size
 * and direction, before the instruction and after it.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/cpufeature.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/ptrace.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/fpu/api.h>
#include <asm/insn.h>
#include <asm/msr.h>

#include "../../arch/x86/describe.h"
#include "../../arch/x86/opcodes.h"
#include "../../mm/stats.h"
#include "trapped.h"

/* Text that is only read. */
#define TEXT(name, code)						\
	extern const u8 describe_##name[];				\
	asm(".pushsection .rodata\n"					\
	    "describe_" #name ":\n"					\
	    code "\n"							\
	    ".skip 16, 0x90\n"						\
	    ".popsection\n")

/* What the registers hold then. */
#define DI	0x1000UL
#define SI	0x2000UL
#define BX	0x3000UL
#define AX	0xffff05UL
#define R8	0x700006000UL

TEXT(cmpsb, "repe cmpsb");
TEXT(cmpsl, "cmpsl");
TEXT(cmpsq, "repne cmpsq");
TEXT(cmps_fs, "fs cmpsw");
TEXT(scasb, "repne scasb");
TEXT(scasq, "fs scasq");
TEXT(insb, "rep insb");
TEXT(insl, "insl");
TEXT(outsw, "outsw");
TEXT(outsl, "rex.w outsl");
TEXT(xlat, "xlat");
TEXT(maskmovq, "maskmovq %mm1, %mm2");
TEXT(maskmovdqu, "maskmovdqu %xmm1, %xmm2");
TEXT(vmaskmovdqu, "vmaskmovdqu %xmm1, %xmm2");

TEXT(fadds, "fadds 4(%rdi)");
TEXT(flds, "flds (%rdi)");
TEXT(fsts, "fsts (%rdi)");
TEXT(fstps, "fstps (%rdi)");
TEXT(fldenv, "fldenv (%rdi)");
TEXT(fldcw, "fldcw (%rdi)");
TEXT(fnstenv, "fnstenv (%rdi)");
TEXT(fnstenvs, "data16 fnstenv (%rdi)");
TEXT(fnstcw, "fnstcw (%rdi)");
TEXT(fiaddl, "fiaddl (%rdi)");
TEXT(fildl, "fildl (%rdi,%rsi,2)");
TEXT(fisttpl, "fisttpl (%rdi)");
TEXT(fistpl, "fistpl (%rdi)");
TEXT(fldt, "fldt (%rdi)");
TEXT(fstpt, "fstpt (%rdi)");
TEXT(fmull, "fmull (%rdi)");
TEXT(fldl, "fldl (%rdi)");
TEXT(fstpl, "fstpl (%rdi)");
TEXT(frstor, "frstor (%rdi)");
TEXT(fnsave, "fnsave (%rdi)");
TEXT(fnsaves, "data16 fnsave (%rdi)");
TEXT(fnstsw, "fnstsw (%rdi)");
TEXT(fiadds, "fiadds (%rdi)");
TEXT(filds, "filds (%rdi)");
TEXT(fistps, "fistps (%rdi)");
TEXT(fbld, "fbld (%rdi)");
TEXT(fildll, "fildll (%rdi)");
TEXT(fbstp, "fbstp (%rdi)");
TEXT(fistpll, "fistpll (%rdi)");
TEXT(fld_fs, "flds %fs:8(%rdi)");
TEXT(fld_addr32, "flds (%r8d)");
TEXT(fld_relative, "flds 16(%rip)");

TEXT(fxsave, "fxsave64 (%rdi)");
TEXT(fxrstor, "fxrstor (%rdi)");
TEXT(ldmxcsr, "ldmxcsr (%rdi)");
TEXT(stmxcsr, "stmxcsr (%rdi)");
TEXT(vldmxcsr, "vldmxcsr (%rdi)");
TEXT(vstmxcsr, "vstmxcsr (%rdi)");
TEXT(xsave, "xsave64 (%rdi)");
TEXT(xsaveopt, "xsaveopt (%rdi)");
TEXT(xsavec, "xsavec (%rdi)");
TEXT(xsaves, "xsaves (%rdi)");
TEXT(xrstor, "xrstor64 (%rdi)");
TEXT(xrstors, "xrstors (%rdi)");

TEXT(mov_gs, "mov %gs:8(%rsi), %rax");
TEXT(movs_gs, "gs movsl");
TEXT(stos_gs, "gs stosb");
TEXT(lods_gs, "gs lodsb");
TEXT(push_gs, "push %gs:(%rdi)");
TEXT(add_gs, "addw $1, %gs:(%rdi)");
TEXT(add_rsp, "add 8(%rdi), %rsp");
TEXT(cmp_rsp, "cmp %rsp, (%rdi)");
TEXT(bts_rsp, "btsq %rsp, (%rdi)");
TEXT(pushw, "pushw (%rdi)");
TEXT(popw, "popw (%rdi)");

TEXT(divb, "divb (%rdi)");
TEXT(idivq, "idivq (%rdi)");
TEXT(mov_from_ds, "mov %ds, (%rdi)");
TEXT(mov_to_ds, "mov (%rdi), %ds");
TEXT(movsxd, ".byte 0x66, 0x63, 0x07");
TEXT(ljmp, "ljmpl *(%rdi)");
TEXT(lss, "lss (%rdi), %eax");
TEXT(sldt, "sldt (%rdi)");
TEXT(ltr, "ltr (%rdi)");
TEXT(verw, "verw (%rdi)");
TEXT(lar, "lar (%rdi), %eax");
TEXT(sgdt, "sgdt (%rdi)");
TEXT(lidt, "lidt (%rdi)");
TEXT(smsw, "smsw (%rdi)");
TEXT(lmsw, "lmsw (%rdi)");
TEXT(invpcid, "invpcid (%rdi), %rax");
TEXT(vmread, "vmread %rax, (%rdi)");
TEXT(vmwrite, "vmwrite (%rdi), %rax");
TEXT(vmptrld, "vmptrld (%rdi)");
TEXT(vmclear, "vmclear (%rdi)");
TEXT(vmptrst, "vmptrst (%rdi)");

TEXT(masked, "vmovdqu32 64(%rdi), %zmm0{%k1}");
TEXT(masked_store, "vmovdqu8 %ymm0, 32(%rdi){%k1}");
TEXT(broadcast, "vaddps 4(%rdi){1to16}, %zmm1, %zmm2");
TEXT(broadcast8, "vaddpd 8(%rdi){1to8}, %zmm1, %zmm2");

TEXT(nop, "nop");
TEXT(none, "nopl (%rdi)");
TEXT(clflush, "clflush (%rdi)");
TEXT(clwb, "clwb (%rdi)");
TEXT(prefetch, "prefetcht0 (%rdi)");
TEXT(invlpg, "invlpg (%rdi)");
TEXT(push, "push %rax");
TEXT(fninit, "fninit");
TEXT(faddp, "faddp");
TEXT(gather512, "vpgatherdd (%rdi,%zmm2,4), %zmm0{%k1}");
TEXT(compress, "vpcompressd %zmm0, (%rdi){%k1}");

enum { READS, WRITES, CHANGES, COPIES };

struct describe_operand {
	unsigned long	addr;
	unsigned int	size;
	unsigned int	what;
	unsigned long	to;
};

static const struct describe_case {
	const char		*name;
	const u8		*text;
	u8			segment;
	unsigned int		nr;
	struct describe_operand	operand[2];
} describe_cases[] = {
#define NONE(name)		{ #name, describe_##name, 0, 0 }
#define ONE(name, ...)		{ #name, describe_##name, 0, 1, { { __VA_ARGS__ } } }
#define ONE_IN(name, in, ...)	{ #name, describe_##name, PVS_##in, 1, { { __VA_ARGS__ } } }
#define TWO(name, a, b, size)						\
	{ #name, describe_##name, 0, 2, { { a, size, READS }, { b, size, READS } } }
	TWO(cmpsb, SI, DI, 1), TWO(cmpsl, SI, DI, 4), TWO(cmpsq, SI, DI, 8),
	ONE(scasb, DI, 1, READS), ONE(scasq, DI, 8, READS),
	ONE(insb, DI, 0, WRITES), ONE(insl, DI, 4, WRITES),
	ONE(outsw, SI, 2, READS), ONE(outsl, SI, 4, READS),
	ONE(xlat, BX + 5, 1, READS),
	ONE(maskmovq, DI, 8, WRITES), ONE(maskmovdqu, DI, 16, WRITES),
	ONE(vmaskmovdqu, DI, 16, WRITES),

	ONE(fadds, DI + 4, 4, READS), ONE(flds, DI, 4, READS), ONE(fsts, DI, 4, WRITES),
	ONE(fstps, DI, 4, WRITES), ONE(fldenv, DI, 28, READS), ONE(fldcw, DI, 2, READS),
	ONE(fnstenv, DI, 28, WRITES), ONE(fnstenvs, DI, 14, WRITES), ONE(fnstcw, DI, 2, WRITES),
	ONE(fiaddl, DI, 4, READS), ONE(fildl, DI + 2 * SI, 4, READS), ONE(fisttpl, DI, 4, WRITES),
	ONE(fistpl, DI, 4, WRITES), ONE(fldt, DI, 10, READS), ONE(fstpt, DI, 10, WRITES),
	ONE(fmull, DI, 8, READS), ONE(fldl, DI, 8, READS), ONE(fstpl, DI, 8, WRITES),
	ONE(frstor, DI, 108, READS), ONE(fnsave, DI, 108, WRITES), ONE(fnsaves, DI, 94, WRITES),
	ONE(fnstsw, DI, 2, WRITES), ONE(fiadds, DI, 2, READS), ONE(filds, DI, 2, READS),
	ONE(fistps, DI, 2, WRITES), ONE(fbld, DI, 10, READS), ONE(fildll, DI, 8, READS),
	ONE(fbstp, DI, 10, WRITES), ONE(fistpll, DI, 8, WRITES),
	ONE_IN(fld_fs, FS, DI + 8, 4, READS), ONE(fld_addr32, R8 & 0xffffffff, 4, READS),

	ONE(fxsave, DI, 512, WRITES), ONE(fxrstor, DI, 512, READS),
	ONE(ldmxcsr, DI, 4, READS), ONE(stmxcsr, DI, 4, WRITES),
	ONE(vldmxcsr, DI, 4, READS), ONE(vstmxcsr, DI, 4, WRITES),
	ONE(xsave, DI, 0, WRITES), ONE(xsaveopt, DI, 0, WRITES), ONE(xsavec, DI, 0, WRITES),
	ONE(xsaves, DI, 0, WRITES), ONE(xrstor, DI + 512, 64, READS),
	ONE(xrstors, DI + 512, 64, READS),

	ONE_IN(mov_gs, GS, SI + 8, 8, READS), ONE_IN(movs_gs, GS, SI, 4, COPIES, DI),
	ONE(stos_gs, DI, 1, WRITES), ONE_IN(lods_gs, GS, SI, 1, READS),
	ONE_IN(push_gs, GS, DI, 8, READS), ONE_IN(add_gs, GS, DI, 2, CHANGES),
	ONE(add_rsp, DI + 8, 8, READS), ONE(cmp_rsp, DI, 8, READS),
	ONE(bts_rsp, DI + 0x800, 8, CHANGES), ONE(pushw, DI, 2, READS), ONE(popw, DI, 2, WRITES),

	ONE(divb, DI, 1, READS), ONE(idivq, DI, 8, READS),
	ONE(mov_from_ds, DI, 2, WRITES), ONE(mov_to_ds, DI, 2, READS), ONE(movsxd, DI, 2, READS),
	ONE(ljmp, DI, 6, READS), ONE(lss, DI, 6, READS), ONE(sldt, DI, 2, WRITES), ONE(ltr, DI, 2, READS),
	ONE(verw, DI, 2, READS), ONE(lar, DI, 2, READS), ONE(sgdt, DI, 10, WRITES),
	ONE(lidt, DI, 10, READS), ONE(smsw, DI, 2, WRITES), ONE(lmsw, DI, 2, READS),
	ONE(invpcid, DI, 16, READS), ONE(vmread, DI, 8, WRITES), ONE(vmwrite, DI, 8, READS),
	ONE(vmptrld, DI, 8, READS), ONE(vmclear, DI, 8, READS), ONE(vmptrst, DI, 8, WRITES),

	ONE(masked, DI + 64, 64, READS), ONE(masked_store, DI + 32, 32, WRITES),
	ONE(broadcast, DI + 4, 4, READS), ONE(broadcast8, DI + 8, 8, READS),

	NONE(nop), NONE(none), NONE(clflush), NONE(clwb), NONE(prefetch), NONE(invlpg),
	NONE(push), NONE(fninit), NONE(faddp), NONE(gather512), NONE(compress),
};

static void describe(struct pvs_described *d, const u8 *text)
{
	struct pt_regs regs = {
		.ip = (unsigned long)text,
		.di = DI, .si = SI, .bx = BX, .ax = AX, .r8 = R8, .sp = 0x4000,
	};

	memset(d, 0xff, sizeof(*d));
	pvs_describe_any(d, text, MAX_INSN_SIZE, &regs);
}

static unsigned long base_of(u8 segment)
{
	if (!segment)
		return 0;
	return __rdmsr(segment == PVS_FS ? MSR_FS_BASE : MSR_GS_BASE);
}

static void describe_expect(struct kunit *test, const char *name,
			    const struct pv_shadow_operands *o,
			    const struct describe_operand *want, unsigned long base)
{
	KUNIT_EXPECT_EQ_MSG(test, o->size, want->size, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, o->reads, want->what != WRITES, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, o->writes, want->what != READS, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, o->copies, want->what == COPIES, "%s", name);
	if (o->reads)
		KUNIT_EXPECT_EQ_MSG(test, o->read, want->addr + base, "%s", name);
	if (o->writes)
		KUNIT_EXPECT_EQ_MSG(test, o->write,
				    want->what == COPIES ? want->to : want->addr + base,
				    "%s", name);
}

static void test_describe(struct kunit *test)
{
	const struct describe_case *c;
	struct pvs_described d;
	unsigned int i;

	/* The segments are this CPU's. */
	migrate_disable();
	for (c = describe_cases; c < describe_cases + ARRAY_SIZE(describe_cases); c++) {
		describe(&d, c->text);
		KUNIT_EXPECT_EQ_MSG(test, d.nr, c->nr, "%s", c->name);
		for (i = 0; i < min(d.nr, c->nr); i++)
			describe_expect(test, c->name, &d.operand[i], &c->operand[i],
					base_of(c->segment));
	}

	/* Only the first operand has the segment. */
	describe(&d, describe_cmps_fs);
	KUNIT_EXPECT_EQ(test, d.nr, 2);
	KUNIT_EXPECT_EQ(test, d.operand[0].read, SI + base_of(PVS_FS));
	KUNIT_EXPECT_EQ(test, d.operand[1].read, DI);
	KUNIT_EXPECT_EQ(test, d.operand[1].size, 2);
	migrate_enable();

	describe(&d, describe_fld_relative);
	KUNIT_EXPECT_EQ(test, d.nr, 1);
	KUNIT_EXPECT_EQ(test, d.operand[0].read, (unsigned long)describe_fld_relative + 6 + 16);
}

/* Where it may have faulted: otherwise it was not understood. */
static void test_described_at(struct kunit *test)
{
	struct pvs_described d;

	describe(&d, describe_cmpsl);
	KUNIT_EXPECT_TRUE(test, pvs_described_at(&d, SI));
	KUNIT_EXPECT_TRUE(test, pvs_described_at(&d, DI + 3));
	KUNIT_EXPECT_FALSE(test, pvs_described_at(&d, DI + 4));
	KUNIT_EXPECT_FALSE(test, pvs_described_at(&d, DI - 1));
	describe(&d, describe_xsave);
	KUNIT_EXPECT_TRUE(test, pvs_described_at(&d, DI + 700));
	KUNIT_EXPECT_FALSE(test, pvs_described_at(&d, DI - 1));
	describe(&d, describe_xrstor);
	KUNIT_EXPECT_TRUE(test, pvs_described_at(&d, DI));
	KUNIT_EXPECT_TRUE(test, pvs_described_at(&d, DI + 700));
	describe(&d, describe_nop);
	KUNIT_EXPECT_FALSE(test, pvs_described_at(&d, DI));
}

/* The mask is ymm1, the indices are ymm2. */
TEXT(gather_dd, "vpgatherdd %ymm1, 8(%rdi,%ymm2,4), %ymm0");
TEXT(gather_dd_short, "vgatherdps %xmm1, 8(%rdi,%xmm2,4), %xmm0");
TEXT(gather_qd, "vpgatherqd %xmm1, (%rdi,%ymm2,8), %xmm0");
TEXT(gather_dq, "vgatherdpd %ymm1, (%rdi,%xmm2,1), %ymm0");
TEXT(gather_qq, "vpgatherqq %ymm1, (,%ymm2,2), %ymm0");
TEXT(load_d, "vpmaskmovd 4(%rdi), %ymm1, %ymm0");
TEXT(load_q, "vpmaskmovq (%rdi), %xmm1, %xmm0");
TEXT(load_ps, "vmaskmovps (%rdi), %xmm1, %xmm0");
TEXT(store_pd, "vmaskmovpd %ymm0, %ymm1, (%rdi)");
TEXT(store_d, "vpmaskmovd %xmm0, %xmm1, (%rdi)");

static const u32 describe_mask[8] __aligned(32) = {
	BIT(31), 0x7fffffff, 0, BIT(31), 1, BIT(31), ~0U, ~0U,
};

static const u32 describe_index[8] __aligned(32) = { 3, 0, 5, -2U, 7, ~0U, 9, 0 };

static const struct elements_case {
	const char	*name;
	const u8	*text;
	unsigned int	size;
	bool		writes;
	unsigned int	nr;
	unsigned long	addr[8];
} elements_cases[] = {
#define ELEMENTS(name, size, writes, nr, ...)				\
	{ #name, describe_##name, size, writes, nr, { __VA_ARGS__ } }
	ELEMENTS(gather_dd, 4, false, 5, DI + 20, DI, DI + 4, DI + 44, DI + 8),
	ELEMENTS(gather_dd_short, 4, false, 2, DI + 20, DI),
	/* of four: 3, -2 << 32 | 5, -1 << 32 | 7, 9 */
	ELEMENTS(gather_qd, 4, false, 2, DI + 24, DI + 72),
	ELEMENTS(gather_dq, 8, false, 3, DI, DI + 5, DI - 2),
	ELEMENTS(gather_qq, 8, false, 3, 0xfffffffc0000000a, 0xfffffffe0000000e, 18),
	ELEMENTS(load_d, 4, false, 5, DI + 4, DI + 16, DI + 24, DI + 28, DI + 32),
	ELEMENTS(load_q, 8, false, 1, DI + 8),
	ELEMENTS(load_ps, 4, false, 2, DI, DI + 12),
	ELEMENTS(store_pd, 8, true, 3, DI + 8, DI + 16, DI + 24),
	ELEMENTS(store_d, 4, true, 2, DI, DI + 12),
};

static void test_describe_elements(struct kunit *test)
{
	const struct elements_case *c;
	struct pvs_described d;
	unsigned int i;

	if (!boot_cpu_has(X86_FEATURE_AVX2))
		kunit_skip(test, "this CPU has no AVX2");
	for (c = elements_cases; c < elements_cases + ARRAY_SIZE(elements_cases); c++) {
		kernel_fpu_begin();
		asm volatile("vmovdqa %0, %%ymm1\n\t"
			     "vmovdqa %1, %%ymm2"
			     : : "m" (describe_mask), "m" (describe_index));
		describe(&d, c->text);
		kernel_fpu_end();
		KUNIT_EXPECT_EQ_MSG(test, d.nr, c->nr, "%s", c->name);
		for (i = 0; i < min(d.nr, c->nr); i++) {
			KUNIT_EXPECT_EQ_MSG(test, d.operand[i].size, c->size, "%s", c->name);
			KUNIT_EXPECT_EQ_MSG(test, d.operand[i].writes, c->writes, "%s", c->name);
			KUNIT_EXPECT_EQ_MSG(test, d.operand[i].reads, !c->writes, "%s", c->name);
			KUNIT_EXPECT_EQ_MSG(test, c->writes ? d.operand[i].write :
					    d.operand[i].read, c->addr[i], "%s, %u", c->name, i);
		}
	}
}

/* Each vector register is read where it is. */
static void test_describe_vectors(struct kunit *test)
{
	/* vpmaskmovd (%rdi), %xmmN, %xmm0 */
	u8 text[MAX_INSN_SIZE] = { 0xc4, 0xe2, 0, 0x8c, 0x07 };
	u32 mask[4] = { 0, 0, BIT(31), 0 };
	struct pvs_described d;
	unsigned int n, found = 0;

	if (!boot_cpu_has(X86_FEATURE_AVX2))
		kunit_skip(test, "this CPU has no AVX2");
	for (n = 0; n < 16; n++) {
		text[2] = 1 | (~n & 15) << 3;
		kernel_fpu_begin();
#define CLEAR(n)	"vpxor %%xmm" #n ", %%xmm" #n ", %%xmm" #n "\n\t"
#define SET(n)		case n: asm volatile("vmovdqu %0, %%xmm" #n : : "m" (mask)); break
		asm volatile(CLEAR(0) CLEAR(1) CLEAR(2) CLEAR(3) CLEAR(4) CLEAR(5) CLEAR(6)
			     CLEAR(7) CLEAR(8) CLEAR(9) CLEAR(10) CLEAR(11) CLEAR(12)
			     CLEAR(13) CLEAR(14) CLEAR(15) "" ::);
		switch (n) {
		SET(0); SET(1); SET(2); SET(3); SET(4); SET(5); SET(6); SET(7);
		SET(8); SET(9); SET(10); SET(11); SET(12); SET(13); SET(14); SET(15);
		}
		describe(&d, text);
		kernel_fpu_end();
		found += d.nr == 1 && d.operand[0].read == DI + 8;
	}
	KUNIT_EXPECT_EQ(test, found, 16);
}

/**
 * struct describe_ctx - what a client was told
 * @page:    the trapped page
 * @before:  of what was going to be done
 * @after:   of what was done
 * @nr_before: so many times
 * @nr_after: likewise
 * @unknown: accesses of which the tracer would have told as unknown
 * @known:   ... as others
 */
struct describe_ctx {
	struct trapped			page;
	struct pv_shadow_operands	before[32];
	struct pv_shadow_operands	after[32];
	unsigned int			nr_before;
	unsigned int			nr_after;
	unsigned int			unknown;
	unsigned int			known;
};

static struct describe_ctx *ctx;

static void describe_before(const struct pv_shadow_operands *ops)
{
	if (ctx->nr_before < ARRAY_SIZE(ctx->before))
		ctx->before[ctx->nr_before++] = *ops;
}

static void describe_after(const struct pv_shadow_operands *ops)
{
	if (ctx->nr_after < ARRAY_SIZE(ctx->after))
		ctx->after[ctx->nr_after++] = *ops;
}

static void describe_accessed(struct pv_shadow_range *range,
			      const struct pv_shadow_access *access)
{
	pvs_count(PVS_RECORDED);
	if (access->dir == PV_SHADOW_UNKNOWN)
		ctx->unknown++;
	else
		ctx->known++;
}

static const struct pv_shadow_client describe_client = {
	.name = "kunit describe",
	.accessed = describe_accessed,
	.before = describe_before,
	.after = describe_after,
};

static void describe_suite_exit(struct kunit_suite *suite)
{
	if (!ctx)
		return;
	trapped_tear_down(&ctx->page);
	kfree(ctx);
	ctx = NULL;
}

/* Without the backend there is less to test; each case that needs it says so. */
static int describe_suite_init(struct kunit_suite *suite)
{
	int ret;

	if (!pv_shadow_installed())
		return 0;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	ret = trapped_set_up(&ctx->page, &describe_client, 1, 2);
	if (ret)
		describe_suite_exit(suite);
	return ret;
}

static void describe_begin(struct kunit *test)
{
	if (!ctx)
		kunit_skip(test, "boot with pv_shadow_mmiotrace");
	ctx->nr_before = 0;
	ctx->nr_after = 0;
	ctx->unknown = 0;
	ctx->known = 0;
}

static void describe_expect_told(struct kunit *test, unsigned int n, unsigned long addr,
				 unsigned int size, bool writes)
{
	const struct pv_shadow_operands *before = &ctx->before[n], *after = &ctx->after[n];

	KUNIT_EXPECT_EQ_MSG(test, writes ? before->write : before->read, addr, "%u", n);
	KUNIT_EXPECT_EQ_MSG(test, before->size, size, "%u", n);
	KUNIT_EXPECT_EQ_MSG(test, before->writes, writes, "%u", n);
	KUNIT_EXPECT_EQ_MSG(test, writes ? after->write : after->read, addr, "%u", n);
	KUNIT_EXPECT_EQ_MSG(test, after->size, size, "%u", n);
	KUNIT_EXPECT_EQ_MSG(test, after->writes, writes, "%u", n);
	KUNIT_EXPECT_EQ_MSG(test, after->ip, before->ip, "%u", n);
}

/* Both operands of each element, though the registers have moved on behind it. */
static void test_told_cmps(struct kunit *test)
{
	u8 zero[8] = {}, *page;
	const u8 *si = zero, *di;
	unsigned long n = 3;
	unsigned int i;

	describe_begin(test);
	page = (u8 *)ctx->page.pages;
	di = page + 16;
	asm volatile("repe cmpsb" : "+S" (si), "+D" (di), "+c" (n) : : "memory", "cc");
	KUNIT_EXPECT_EQ(test, n, 0);
	KUNIT_EXPECT_EQ(test, ctx->unknown, 3);
	KUNIT_EXPECT_EQ(test, ctx->known, 0);
	KUNIT_EXPECT_EQ(test, ctx->nr_before, 6);
	KUNIT_ASSERT_EQ(test, ctx->nr_after, 6);
	for (i = 0; i < 3; i++) {
		describe_expect_told(test, 2 * i, (unsigned long)zero + i, 1, false);
		describe_expect_told(test, 2 * i + 1, (unsigned long)page + 16 + i, 1, false);
	}
}

static void test_told_x87(struct kunit *test)
{
	u8 *page;

	describe_begin(test);
	page = (u8 *)ctx->page.pages;
	kernel_fpu_begin_mask(KFPU_387);
	asm volatile("fld1\n\t"
		     "fistpl 8(%0)\n\t"
		     "fildl 8(%0)\n\t"
		     "fstpt 16(%0)" : : "r" (page) : "memory");
	kernel_fpu_end();
	KUNIT_EXPECT_EQ(test, ctx->unknown, 3);
	KUNIT_EXPECT_EQ(test, ctx->nr_before, 3);
	KUNIT_ASSERT_EQ(test, ctx->nr_after, 3);
	describe_expect_told(test, 0, (unsigned long)page + 8, 4, true);
	describe_expect_told(test, 1, (unsigned long)page + 8, 4, false);
	describe_expect_told(test, 2, (unsigned long)page + 16, 10, true);
}

/* In two pages: the second fault comes when the first element is there already. */
static void test_told_gather(struct kunit *test)
{
	static const u32 mask[4] __aligned(16) = { BIT(31), BIT(31), 0, BIT(31) };
	static const s32 index[4] __aligned(16) = { -2, 1, 0, 3 };
	unsigned long middle;
	u32 to[4];

	describe_begin(test);
	if (!boot_cpu_has(X86_FEATURE_AVX2))
		kunit_skip(test, "this CPU has no AVX2");
	middle = ctx->page.pages + PAGE_SIZE;
	kernel_fpu_begin();
	asm volatile("vmovdqa %2, %%xmm1\n\t"
		     "vmovdqa %3, %%xmm2\n\t"
		     "vpgatherdd %%xmm1, (%1,%%xmm2,4), %%xmm0\n\t"
		     "vmovdqu %%xmm0, %0"
		     : "=m" (to) : "r" (middle), "m" (mask), "m" (index) : "memory");
	kernel_fpu_end();
	KUNIT_ASSERT_EQ(test, ctx->nr_after, 3);
	/* for each of the pages */
	KUNIT_EXPECT_EQ(test, ctx->nr_before, 6);
	describe_expect_told(test, 0, middle - 8, 4, false);
	describe_expect_told(test, 1, middle + 4, 4, false);
	describe_expect_told(test, 2, middle + 12, 4, false);
}

static void test_told_segment(struct kunit *test)
{
	unsigned long at;
	u32 value;

	describe_begin(test);
	migrate_disable();
	at = ctx->page.pages + 4 - base_of(PVS_GS);
	asm volatile("movl %%gs:(%1), %0" : "=r" (value) : "r" (at) : "memory");
	migrate_enable();
	KUNIT_EXPECT_EQ(test, value, 0);
	KUNIT_EXPECT_EQ(test, ctx->unknown, 1);
	KUNIT_EXPECT_EQ(test, ctx->nr_before, 1);
	KUNIT_ASSERT_EQ(test, ctx->nr_after, 1);
	describe_expect_told(test, 0, ctx->page.pages + 4, 4, false);
}

static struct kunit_case describe_test_cases[] = {
	KUNIT_CASE(test_describe),
	KUNIT_CASE(test_described_at),
	KUNIT_CASE(test_describe_elements),
	KUNIT_CASE(test_describe_vectors),
	KUNIT_CASE(test_told_cmps),
	KUNIT_CASE(test_told_x87),
	KUNIT_CASE(test_told_gather),
	KUNIT_CASE(test_told_segment),
	{}
};

static struct kunit_suite describe_test_suite = {
	.name = "pv_shadow_describe",
	.suite_init = describe_suite_init,
	.suite_exit = describe_suite_exit,
	.test_cases = describe_test_cases,
};

kunit_test_suite(describe_test_suite);
