// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engines against the processor: generated instructions are run on memory that
 * this CPU sees, and then on the same memory trapped. Registers, flags, vectors and
 * memory have to be equal, and each access has to be told of once.
 *
 * What an instruction's operand is, is taken from the generator; how wide it is and
 * what is done to it from the decoder, which tests/host/insn.test holds against the
 * processor.
 */
#define pr_fmt(fmt) "pv_shadow_engine: " fmt

#include <kunit/test.h>
#include <linux/cpufeature.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kcsan-checks.h>
#include <linux/kdebug.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pgtable.h>
#include <linux/pv_shadow.h>
#include <linux/pv_shadow_hooks.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/sync_core.h>
#include <linux/vmalloc.h>

#include <asm/cpuid.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/processor-flags.h>

#include "../../arch/x86/decode.h"
#include "../../arch/x86/engine.h"
#include "../../arch/x86/vectors.h"
#include "../../mm/stats.h"
#include "../../mm/trap.h"
#include "../insn/gen.h"
#include "native.h"
#include "trapped.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "pv_shadow_engine."

static ulong seed = 0x123456789abcdef;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "of the random numbers, not 0");

static uint rounds = 1;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "random choices for each opcode, size and addressing mode");

/* Text, a page of nothing, data, a page of nothing. */
#define TEXT_ORDER	1
#define TEXT_SIZE	(PAGE_SIZE << TEXT_ORDER)
#define DATA_ORDER	2
#define DATA_OFFSET	(TEXT_SIZE + PAGE_SIZE)
#define AREA_SIZE	(DATA_OFFSET + GEN_DATA_SIZE + PAGE_SIZE)

static_assert((PAGE_SIZE << DATA_ORDER) == GEN_DATA_SIZE);

#define ARITH_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)
#define MAX_EVENTS	32
#define MAX_BAD		20

/* Before the instruction, for CPUs that want it there. */
static const u8 test_endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };

/**
 * struct test_event - what a client is told, or is to be told
 * @addr:   address; of an unknown one to be told, any in the page will do
 * @dir:    direction
 * @engine: enum pv_shadow_engine
 * @width:  bytes
 * @data:   they
 */
struct test_event {
	unsigned long		addr;
	enum pv_shadow_dir	dir;
	u8			engine;
	u8			width;
	u8			data[64];
};

/**
 * struct test_state - what an instruction left
 * @regs:    registers
 * @trap:    it faulted, so: 1 + the exception's number; or 0
 * @vectors: as XSAVE stores them
 * @data:    memory
 */
struct test_state {
	struct pt_regs	regs;
	unsigned int	trap;
	u8		vectors[PVS_VECTORS_SIZE] __aligned(64);
	u8		data[GEN_DATA_SIZE];
};

/**
 * struct test_ctx - the suite's
 * @range:   what is trapped; its start is the operand's memory
 * @area:    addresses
 * @text:    text, where it can be written
 * @data:    memory, where it is not trapped
 * @trapped: it is; so that it can be undone
 * @started: the backend was, by us
 * @mask, @size: pvs_vectors_mask()
 * @has:     features of this CPU, enum gen_feature
 * @tcg:     it is QEMU's
 * @random:  state of the random numbers
 * @gen:     the generator
 * @the:     the case
 * @insn:    it decoded
 * @running: it is being run, so that faults of it are ours
 * @trap:    as in &struct test_state
 * @nr_told, @told: events
 * @nr_want, @want: those there should be
 * @start:   memory before the instruction
 * @vectors: vectors before
 * @native:  what is left of all that when the processor has done it
 * @other:   what an engine left
 * @sim:     memory, when the events that should be there have been
 * @bad:     differences
 * @done:    accesses that the handler was to make itself, of all cases
 * @count:   instructions that were counted as completed, by enum pv_shadow_engine
 * @by:      those there should be
 * @compared, @events, @faulted, @not_here, @on_sp: counts for the log
 */
struct test_ctx {
	struct pv_shadow_range	range;
	struct vm_struct	*area;
	u8			*text;
	u8			*data;
	bool			trapped;
	bool			started;
	u64			mask;
	unsigned int		size;
	bool			has[GEN_NR_FEATURES];
	bool			tcg;
	u64			random;
	struct gen		gen;
	struct gen_case		the;
	struct pvs_insn		insn;
	bool			running;
	unsigned int		trap;
	unsigned int		nr_told;
	struct test_event	told[MAX_EVENTS];
	unsigned int		nr_want;
	struct test_event	want[MAX_EVENTS];
	u8			start[GEN_DATA_SIZE];
	u8			vectors[PVS_VECTORS_SIZE] __aligned(64);
	struct test_state	native;
	struct test_state	other;
	u8			sim[GEN_DATA_SIZE];
	unsigned long		bad;
	unsigned long		done;
	long			count[PV_SHADOW_XOL + 1];
	long			by[PV_SHADOW_XOL + 1];
	unsigned long		compared;
	unsigned long		events;
	unsigned long		faulted;
	unsigned long		not_here;
	unsigned long		on_sp;
};

static struct test_ctx *ctx;

static void test_accessed(struct pv_shadow_range *range,
			  const struct pv_shadow_access *access)
{
	struct test_event *event;

	/* verify wants to know what became of each event. */
	pvs_count(PVS_RECORDED);
	if (ctx->nr_told++ >= MAX_EVENTS)
		return;
	event = &ctx->told[ctx->nr_told - 1];
	event->addr = access->addr;
	event->dir = access->dir;
	event->engine = access->engine;
	event->width = access->width;
	memset(event->data, 0, sizeof(event->data));
	if (access->data)
		memcpy(event->data, access->data, access->width);
	else
		memcpy(event->data, &access->value, sizeof(access->value));
}

static const struct pv_shadow_client test_client = {
	.name = "kunit",
	.accessed = test_accessed,
};

/* What the instruction may fault on beside the trap: an operand not aligned. */
static int test_die(struct notifier_block *nb, unsigned long val, void *data)
{
	struct die_args *args = data;

	if ((val != DIE_GPF && val != DIE_TRAP) || !ctx || !ctx->running ||
	    args->regs->ip != ctx->gen.text)
		return NOTIFY_DONE;
	ctx->trap = 1 + args->trapnr;
	args->regs->ip = (unsigned long)pvs_test_return;
	return NOTIFY_STOP;
}

static struct notifier_block test_die_nb = { .notifier_call = test_die };

static int test_map_text(pte_t *pte, unsigned long addr, void *data)
{
	unsigned long offset = addr - (unsigned long)ctx->area->addr;

	set_pte_at(&init_mm, addr, pte,
		   pfn_pte(__pa(ctx->text + offset) >> PAGE_SHIFT, PAGE_KERNEL_ROX));
	return 0;
}

static int test_map_data(pte_t *pte, unsigned long addr, void *data)
{
	unsigned long offset = addr - ctx->range.start;

	set_pte_at(&init_mm, addr, pte,
		   pfn_pte(__pa(ctx->data + offset) >> PAGE_SHIFT, PAGE_KERNEL));
	return 0;
}

static void test_find_features(bool *f)
{
	bool avx512 = boot_cpu_has(X86_FEATURE_AVX512F) &&
		      boot_cpu_has(X86_FEATURE_AVX512BW) &&
		      boot_cpu_has(X86_FEATURE_AVX512DQ) &&
		      boot_cpu_has(X86_FEATURE_AVX512VL) &&
		      (ctx->mask & 0xe0) == 0xe0;
	bool avx = boot_cpu_has(X86_FEATURE_AVX) && (ctx->mask & 4);

	f[GEN_BASE] = true;
	f[GEN_SSE3] = boot_cpu_has(X86_FEATURE_XMM3);
	f[GEN_SSSE3] = boot_cpu_has(X86_FEATURE_SSSE3);
	f[GEN_SSE41] = boot_cpu_has(X86_FEATURE_XMM4_1);
	f[GEN_SSE42] = boot_cpu_has(X86_FEATURE_XMM4_2);
	f[GEN_CX16] = boot_cpu_has(X86_FEATURE_CX16);
	f[GEN_MOVBE] = boot_cpu_has(X86_FEATURE_MOVBE);
	f[GEN_POPCNT] = boot_cpu_has(X86_FEATURE_POPCNT);
	f[GEN_LZCNT] = boot_cpu_has(X86_FEATURE_ABM);
	f[GEN_BMI1] = boot_cpu_has(X86_FEATURE_BMI1);
	f[GEN_BMI2] = boot_cpu_has(X86_FEATURE_BMI2);
	f[GEN_ADX] = boot_cpu_has(X86_FEATURE_ADX);
	f[GEN_AES] = boot_cpu_has(X86_FEATURE_AES);
	f[GEN_PCLMUL] = boot_cpu_has(X86_FEATURE_PCLMULQDQ);
	f[GEN_SHA] = boot_cpu_has(X86_FEATURE_SHA_NI);
	f[GEN_GFNI] = avx && boot_cpu_has(X86_FEATURE_GFNI);
	f[GEN_AVX] = avx;
	f[GEN_AVX2] = avx && boot_cpu_has(X86_FEATURE_AVX2);
	f[GEN_F16C] = avx && boot_cpu_has(X86_FEATURE_F16C);
	f[GEN_FMA] = avx && boot_cpu_has(X86_FEATURE_FMA);
	f[GEN_VAES] = avx && boot_cpu_has(X86_FEATURE_VAES);
	f[GEN_VPCLMUL] = avx && boot_cpu_has(X86_FEATURE_VPCLMULQDQ);
	f[GEN_AVX512] = avx512 && boot_cpu_has(X86_FEATURE_VAES);
	f[GEN_MOVDIRI] = boot_cpu_has(X86_FEATURE_MOVDIRI);
	f[GEN_MOVDIR64B] = boot_cpu_has(X86_FEATURE_MOVDIR64B);
}

static void test_set_up_vectors(void)
{
	unsigned int i;
	u64 random = 1;

	ctx->mask = pvs_vectors_mask(&ctx->size);
	/* Anything at all but what the hardware would refuse. */
	for (i = 32; i < ctx->size; i++)
		if (i < 416 || i >= 576)
			ctx->vectors[i] = gen_random(&random) >> 24;
	*(u16 *)ctx->vectors = 0x37f;
	*(u32 *)&ctx->vectors[24] = MXCSR_DEFAULT;
	if (ctx->mask)
		*(u64 *)&ctx->vectors[512] = ctx->mask;
}

static void test_tear_down(void)
{
	if (!ctx)
		return;
	if (ctx->trapped)
		pv_shadow_untrap(&ctx->range, ctx->range.start, ctx->range.end);
	if (ctx->started)
		unregister_die_notifier(&test_die_nb);
	trapped_stop(&ctx->started);
	if (ctx->area)
		free_vm_area(ctx->area);
	free_pages((unsigned long)ctx->text, TEXT_ORDER);
	free_pages((unsigned long)ctx->data, DATA_ORDER);
	vfree(ctx);
	ctx = NULL;
}

static int test_map(void)
{
	unsigned long start;

	ctx->text = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, TEXT_ORDER);
	ctx->data = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, DATA_ORDER);
	ctx->area = get_vm_area(AREA_SIZE, VM_IOREMAP);
	if (!ctx->text || !ctx->data || !ctx->area)
		return -ENOMEM;

	start = (unsigned long)ctx->area->addr;
	ctx->range.client = &test_client;
	ctx->range.start = start + DATA_OFFSET;
	ctx->range.end = ctx->range.start + GEN_DATA_SIZE;
	ctx->range.memory = true;
	return apply_to_page_range(&init_mm, start, TEXT_SIZE, test_map_text, NULL) ?:
	       apply_to_page_range(&init_mm, ctx->range.start, GEN_DATA_SIZE,
				   test_map_data, NULL);
}

/* Without the backend there is nothing to test; each case says so. */
static int test_suite_init(struct kunit_suite *suite)
{
	int ret;

	if (!pv_shadow_installed())
		return 0;

	ctx = vzalloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	test_set_up_vectors();
	test_find_features(ctx->has);
	ctx->tcg = boot_cpu_has(X86_FEATURE_HYPERVISOR) &&
		   hypervisor_cpuid_base("TCGTCGTCGTCG", 0);
	ret = test_map();
	if (ret)
		goto fail;

	ret = trapped_start(&ctx->started);
	if (ret)
		goto fail;
	register_die_notifier(&test_die_nb);

	ret = pv_shadow_trap(&ctx->range, ctx->range.start, ctx->range.end);
	if (ret)
		goto fail;
	ctx->trapped = true;
	return 0;

fail:
	test_tear_down();
	return ret;
}

static void test_suite_exit(struct kunit_suite *suite)
{
	test_tear_down();
}

static int test_init(struct kunit *test)
{
	if (!ctx)
		kunit_skip(test, "boot with pv_shadow_mmiotrace");
	return 0;
}

static void test_exit(struct kunit *test)
{
	pvs_engine_set("auto");
}

/* The counters of who completed something, from before a case on. */
static void test_count(long by)
{
	ctx->count[PV_SHADOW_EMULATE] += by * (long)pvs_stat_sum(PVS_EMULATED);
	ctx->count[PV_SHADOW_XOL] += by * (long)pvs_stat_sum(PVS_XOL);
	ctx->count[PV_SHADOW_STEP] += by * (long)pvs_stat_sum(PVS_STEPPED);
}

static void test_reveal(void)
{
	unsigned long addr;

	for (addr = ctx->range.start; addr < ctx->range.end; addr += PAGE_SIZE)
		pvs_reveal(addr, true);
}

static void test_hide(void)
{
	unsigned long addr;

	for (addr = ctx->range.start; addr < ctx->range.end; addr += PAGE_SIZE)
		pvs_hide(addr);
}

/*
 * Run the case, on memory that this CPU sees or on trapped memory, with interrupts
 * on or off. To be called from one function only: the stack pointer has to be the
 * one that the generator was told.
 */
static noinline void test_run(struct test_state *state, bool reveal, bool irqs)
{
	unsigned long flags;

	state->regs = ctx->the.regs;
	memcpy(ctx->data, ctx->start, GEN_DATA_SIZE);
	ctx->nr_told = 0;
	ctx->trap = 0;

	kernel_fpu_begin();
	local_irq_save(flags);
	if (reveal)
		test_reveal();
	if (irqs) {
		local_irq_enable();
		state->regs.flags |= X86_EFLAGS_IF;
	}
	pvs_vectors_load(ctx->vectors, ctx->mask);
	ctx->running = true;
	pvs_test_run((void *)(ctx->gen.text - sizeof(test_endbr)), &state->regs);
	ctx->running = false;
	pvs_vectors_save(state->vectors, ctx->mask);
	local_irq_disable();
	if (reveal)
		test_hide();
	local_irq_restore(flags);
	kernel_fpu_end();

	state->trap = ctx->trap;
	memcpy(state->data, ctx->data, GEN_DATA_SIZE);
}

static u8 *test_put(u8 *to, const void *from, unsigned int len)
{
	memcpy(to, from, len);
	return to + len;
}

/*
 * The text is written at one address and fetched at another. What the instruction does
 * to the stack pointer is undone: nothing that is needed is in the word it moves over.
 */
static void test_write_text(const u8 *text, unsigned int len, s8 stack)
{
	static const u8 jmp[] = { 0xff, 0x25, 0, 0, 0, 0 };	/* jmp *0(%rip) */
	const u8 lea[] = { 0x48, 0x8d, 0x64, 0x24, -stack };	/* lea -stack(%rsp), %rsp */
	u8 *p = ctx->text + (ctx->gen.text - (unsigned long)ctx->area->addr);
	const void *to = pvs_test_return;

	memcpy(p - sizeof(test_endbr), test_endbr, sizeof(test_endbr));
	p = test_put(p, text, len);
	/* Where an indirect jump may lead. */
	p = test_put(p, test_endbr, sizeof(test_endbr));
	if (stack)
		p = test_put(p, lea, sizeof(lea));
	p = test_put(p, jmp, sizeof(jmp));
	test_put(p, &to, sizeof(to));
	sync_core();
}

static void test_fail(const char *engine, const char *what)
{
	if (ctx->bad++ < MAX_BAD)
		pr_err("%s: %s: %s: %*ph (type %d, width %u%s%s)\n", engine,
		       ctx->the.name, what, ctx->the.len, ctx->the.text,
		       ctx->insn.type, ctx->insn.width,
		       ctx->insn.reads ? ", reads" : "",
		       ctx->insn.writes ? ", writes" : "");
}

/* How an event is told under an engine that was chosen. */
static enum pv_shadow_engine test_done_by(const char *engine)
{
	bool emulate = strcmp(engine, "xol") && strcmp(engine, "step");
	bool xol = strcmp(engine, "emulate") && strcmp(engine, "step");
	unsigned long addr = ctx->insn.direct ? ctx->the.dst : ctx->the.addr;

	/* Left to the processor to do; or to refuse: TCG does not always. */
	if (ctx->the.stepped)
		return PV_SHADOW_STEP;
	if (ctx->insn.aligned && (addr & (ctx->insn.width - 1)))
		return PV_SHADOW_STEP;
	switch (ctx->insn.type) {
	case PVS_INSN_LOAD:
	case PVS_INSN_STORE:
		return emulate ? PV_SHADOW_EMULATE : PV_SHADOW_STEP;
	case PVS_INSN_MOVS:
		return PV_SHADOW_EMULATE;
	default:
		return xol ? PV_SHADOW_XOL : PV_SHADOW_STEP;
	}
}

static struct test_event *test_want_one(unsigned long addr, enum pv_shadow_dir dir,
					enum pv_shadow_engine engine)
{
	struct test_event *event = &ctx->want[ctx->nr_want];

	if (ctx->nr_want == MAX_EVENTS)
		return NULL;
	ctx->nr_want++;
	memset(event, 0, sizeof(*event));
	event->addr = addr;
	event->dir = dir;
	event->engine = engine;
	return event;
}

/* An access to memory of which @from says what it is: an event for each page. */
static void test_want(unsigned long addr, enum pv_shadow_dir dir, const u8 *from,
		      enum pv_shadow_engine engine)
{
	unsigned int width = ctx->insn.width, part, done;
	struct test_event *event;

	for (done = 0; done < width; done += part) {
		part = min_t(unsigned int, width - done,
			     PAGE_SIZE - offset_in_page(addr + done));
		event = test_want_one(addr + done, dir, engine);
		if (!event)
			return;
		event->width = part;
		memcpy(event->data, from + addr + done - ctx->range.start, part);
	}
}

/* An event for each page that is not among the last ones already. */
static void test_want_unknown(unsigned int first, unsigned long addr,
			      enum pv_shadow_engine engine)
{
	unsigned long page = addr & PAGE_MASK;
	unsigned int i;

	for (; page < addr + ctx->insn.width; page += PAGE_SIZE) {
		for (i = first; i < ctx->nr_want; i++)
			if (ctx->want[i].addr == page)
				break;
		if (i == ctx->nr_want)
			test_want_one(page, PV_SHADOW_UNKNOWN, engine);
	}
}

/* One element of a string, or the only one. */
static void test_want_element(enum pv_shadow_engine engine, unsigned long addr,
			      unsigned long dst)
{
	bool move = ctx->insn.type == PVS_INSN_LOAD || ctx->insn.type == PVS_INSN_STORE;
	bool movs = ctx->insn.type == PVS_INSN_MOVS, known = false;
	unsigned int first = ctx->nr_want;
	unsigned long to = movs ? dst : addr;
	const u8 *from = ctx->native.data + (to - ctx->range.start);

	if (engine == PV_SHADOW_STEP && !move) {
		test_want_unknown(first, addr, engine);
		if (movs)
			test_want_unknown(first, dst, engine);
	} else if (ctx->insn.locked == PVS_LOCKED_OTHER) {
		test_want_one(addr & PAGE_MASK, PV_SHADOW_UNKNOWN, engine);
	} else {
		known = true;
		if (ctx->insn.reads)
			test_want(addr, PV_SHADOW_READ, ctx->sim, engine);
	}

	if (!ctx->insn.writes)
		return;
	/* Where one instruction is many elements, memory has only the last ones. */
	if (movs)
		from = ctx->sim + (addr - ctx->range.start);
	else if (ctx->the.string)
		from = (const u8 *)&ctx->the.regs.ax;
	memmove(ctx->sim + (to - ctx->range.start), from, ctx->insn.width);
	if (known)
		test_want(to, PV_SHADOW_WRITE, ctx->sim, engine);
}

/* Work out the events, and the memory that they leave. */
static void test_want_all(const char *engine)
{
	enum pv_shadow_engine by = test_done_by(engine);
	long step = ctx->the.regs.flags & X86_EFLAGS_DF ? -(long)ctx->insn.width :
							   ctx->insn.width;
	unsigned long i, n = ctx->insn.rep ? ctx->the.regs.cx : 1;

	if (by != PV_SHADOW_STEP)
		ctx->done += n;
	ctx->by[by] = n;
	ctx->nr_want = 0;
	memcpy(ctx->sim, ctx->start, GEN_DATA_SIZE);
	for (i = 0; i < n; i++)
		test_want_element(by, ctx->the.addr + i * step, ctx->the.dst + i * step);
}

static bool test_is_wanted(const struct test_event *told, struct test_event *want)
{
	if (told->dir != want->dir || told->engine != want->engine ||
	    told->width != want->width)
		return false;
	if (told->dir == PV_SHADOW_UNKNOWN)
		return (told->addr & PAGE_MASK) == want->addr;
	return told->addr == want->addr &&
	       !memcmp(told->data, want->data, sizeof(told->data));
}

/* Pages of one access come in the order in which the processor looks at them. */
static bool test_events_differ(void)
{
	unsigned int i, j;

	if (ctx->nr_told != ctx->nr_want || ctx->nr_told > MAX_EVENTS)
		return true;
	for (i = 0; i < ctx->nr_told; i++) {
		for (j = i; j < ctx->nr_want; j++) {
			if (test_is_wanted(&ctx->told[i], &ctx->want[j]))
				break;
			if (ctx->want[j].dir != PV_SHADOW_UNKNOWN)
				return true;
		}
		if (j == ctx->nr_want)
			return true;
		if (j != i)
			swap(ctx->want[i], ctx->want[j]);
	}
	return false;
}

/* What the two runs left */
static void test_compare_states(const char *engine, bool irqs)
{
	unsigned long all = ARITH_FLAGS | X86_EFLAGS_DF | X86_EFLAGS_TF | X86_EFLAGS_IF;
	struct pt_regs a = ctx->native.regs, b = ctx->other.regs;
	unsigned long flags;

	flags = (a.flags ^ b.flags ^ (irqs ? X86_EFLAGS_IF : 0)) & all;
	if (flags & ~ctx->the.undef)
		test_fail(engine, "flags");
	a.flags = 0;
	b.flags = 0;
	if (memcmp(&a, &b, sizeof(a)))
		test_fail(engine, "registers");
	if (b.sp != ctx->gen.sp)
		test_fail(engine, "stack pointer");
	if (memcmp(ctx->native.data, ctx->other.data, GEN_DATA_SIZE))
		test_fail(engine, "memory");
	if (pvs_vectors_differ(ctx->native.vectors, ctx->other.vectors, ctx->size) >= 0)
		test_fail(engine, "vectors");
	if (ctx->native.trap != ctx->other.trap)
		test_fail(engine, "fault");
	ctx->compared++;
}

static void test_compare(const char *engine, bool irqs)
{
	test_compare_states(engine, irqs);
	memset(ctx->by, 0, sizeof(ctx->by));
	/* What did not come to its end has no value to tell, but was tried by a step. */
	if (ctx->native.trap) {
		if (ctx->count[PV_SHADOW_EMULATE] || ctx->count[PV_SHADOW_XOL])
			test_fail(engine, "counters, with a fault");
		return;
	}

	test_want_all(engine);
	if (memcmp(ctx->by, ctx->count, sizeof(ctx->by)))
		test_fail(engine, "counters");
	if (memcmp(ctx->native.data, ctx->sim, GEN_DATA_SIZE))
		test_fail(engine, "memory beside the operand");
	if (test_events_differ())
		test_fail(engine, "events");
	ctx->events += ctx->nr_told;
}

/* Where it runs: at times across a page boundary. */
static unsigned long test_place_text(void)
{
	unsigned long start = (unsigned long)ctx->area->addr;
	u64 random = gen_random(&ctx->random) >> 40;

	if (random & 7)
		return start + 64 * (1 + (random >> 3) % 16);
	return start + PAGE_SIZE - (random >> 3) % 16;
}

/* Where its operand is: aligned as any wants it, or anyhow, or across a boundary. */
static unsigned long test_place_data(void)
{
	unsigned long mid = ctx->range.start + GEN_DATA_SIZE / 2;
	u64 random = gen_random(&ctx->random) >> 40;

	switch (random & 7) {
	case 0 ... 3:
		return mid - 0x200 + (random >> 3) % 0x180 / 64 * 64;
	case 4:
		return mid - 1 - (random >> 3) % 16;
	default:
		return mid - 0x200 + (random >> 3) % 0x1f0;
	}
}

static void test_generate(unsigned long target)
{
	gen_make(&ctx->gen, target, ctx->start, &ctx->the);
	pvs_decode(&ctx->insn, ctx->the.text, ctx->the.len, ctx->gen.text);
}

/*
 * What QEMU's TCG gets wrong, with tracing or without; seen in versions 7.2 and 10.0.
 * - adcx and adox leave garbage in flags;
 * - shld and shrd relative to the instruction: it forgets that there is an immediate;
 * - a locked access that is not aligned is done by a loop of its own, which loses the
 *   flags if it faults;
 * - of some vectors it reads 16 bytes where the processor would read less, or 32 where
 *   it would read 16: that is another event if it is on another page.
 *
 * Return: is the case to be left out?
 */
static bool test_avoid_tcg(unsigned long target)
{
	unsigned int reads;

	if (!ctx->tcg)
		return false;
	if (ctx->the.feature == GEN_ADX)
		return true;
	if (ctx->insn.base == PVS_NO_REG && ctx->insn.index == PVS_NO_REG &&
	    (!strcmp(ctx->the.name, "shld") || !strcmp(ctx->the.name, "shrd")))
		return true;
	if (ctx->insn.locked)
		test_generate(target & -(unsigned long)ctx->insn.width);
	reads = strstarts(ctx->the.name, "vinsert") ? 32 : 16;
	if (ctx->insn.type == PVS_INSN_EXEC && !ctx->insn.writes &&
	    offset_in_page(ctx->the.addr) + ctx->insn.width <= PAGE_SIZE &&
	    offset_in_page(ctx->the.addr) + reads > PAGE_SIZE)
		test_generate(target - reads);
	return false;
}

/* Return: is there a case to run? */
static bool test_make(void)
{
	unsigned long target = test_place_data(), to;

	ctx->gen.text = test_place_text();
	test_generate(target);
	if (ctx->the.jump) {
		to = ctx->gen.text + ctx->the.len;
		memcpy(ctx->start + ctx->the.addr - ctx->range.start, &to, sizeof(to));
	}
	if (ctx->the.sp) {
		ctx->on_sp++;
		return false;
	}
	if (!ctx->has[ctx->the.feature] || test_avoid_tcg(target)) {
		ctx->not_here++;
		return false;
	}
	if (ctx->insn.type == PVS_INSN_UNKNOWN) {
		test_fail("decoder", "unknown");
		return false;
	}
	return true;
}

static void test_begin(void)
{
	unsigned int i;

	memset(&ctx->gen, 0, sizeof(ctx->gen));
	ctx->gen.seed = seed ?: 1;
	ctx->gen.rounds = rounds;
	ctx->gen.data = ctx->range.start;
	ctx->gen.text = (unsigned long)ctx->area->addr + 64;
	ctx->gen.kernel = true;
	ctx->random = ctx->gen.seed;
	for (i = 0; i < GEN_DATA_SIZE; i++)
		ctx->start[i] = gen_random(&ctx->random) >> 24;
	ctx->bad = 0;
	ctx->done = 0;
	ctx->compared = 0;
	ctx->events = 0;
	ctx->faulted = 0;
	ctx->not_here = 0;
	ctx->on_sp = 0;

	/* What the stack pointer will be. */
	memset(&ctx->the, 0, sizeof(ctx->the));
	ctx->the.regs.flags = X86_EFLAGS_FIXED;
	test_write_text(NULL, 0, 0);
}

static void test_end(struct kunit *test, const char *engine)
{
	kunit_info(test, "%s: seed %#lx, %u opcodes: %lu cases compared, %lu of them faulted, %lu events; left out: %lu not on this CPU, %lu on the stack pointer\n",
		   engine, seed, gen_forms(), ctx->compared, ctx->faulted, ctx->events,
		   ctx->not_here, ctx->on_sp);
	KUNIT_EXPECT_EQ(test, 0, ctx->bad);
	KUNIT_EXPECT_GT(test, ctx->compared, 1000);
	KUNIT_EXPECT_GE(test, ctx->events, ctx->compared - ctx->faulted);
}

static void test_engine(struct kunit *test, const char *engine)
{
	unsigned long n = 0;
	bool irqs;

	KUNIT_ASSERT_EQ(test, 0, pvs_engine_set(engine));
	test_begin();
	test_run(&ctx->native, true, false);
	ctx->gen.sp = ctx->native.regs.sp;

	while (gen_next(&ctx->gen)) {
		if (!test_make())
			continue;
		test_write_text(ctx->the.text, ctx->the.len, ctx->the.stack);
		test_run(&ctx->native, true, false);
		if (ctx->nr_told)
			test_fail("native", "events");
		ctx->faulted += !!ctx->native.trap;
		irqs = n++ & 1;
		memset(ctx->count, 0, sizeof(ctx->count));
		test_count(-1);
		test_run(&ctx->other, false, irqs);
		test_count(1);
		test_compare(engine, irqs);
		cond_resched();
	}
	test_end(test, engine);
}

static void test_auto(struct kunit *test)
{
	test_engine(test, "auto");
}

static void test_emulate(struct kunit *test)
{
	test_engine(test, "emulate");
}

static void test_xol(struct kunit *test)
{
	test_engine(test, "xol");
}

static void test_step(struct kunit *test)
{
	test_engine(test, "step");
}

/* What only the processor can do: rdi and rsi point to trapped memory, as gs:rbx does. */
static const struct {
	const char		*name;
	u8			text[8];
	u8			len;
	u8			events;
	u16			undef;
	enum gen_feature	feature;
} test_unknowns[] = {
	{ "fninit; fldl (%rdi); fstpl (%rsi)", { 0xdb, 0xe3, 0xdd, 0x07, 0xdd, 0x1e }, 6, 2 },
	{ "fninit; fldl (%rsi); fiaddl (%rdi); fistpll (%rdi)",
	  { 0xdb, 0xe3, 0xdd, 0x06, 0xda, 0x07, 0xdf, 0x3f }, 8, 3 },
	{ "fnstcw (%rdi)", { 0xd9, 0x3f }, 2, 1 },
	{ "divl (%rdi)", { 0xf7, 0x37 }, 2, 1, ARITH_FLAGS },
	{ "idivq (%rdi)", { 0x48, 0xf7, 0x3f }, 3, 1, ARITH_FLAGS },
	{ "divb (%rsi)", { 0xf6, 0x36 }, 2, 1, ARITH_FLAGS },
	{ "cmpsb", { 0xa6 }, 1, 1 },
	{ "cmpsq", { 0x48, 0xa7 }, 2, 1 },
	{ "repe cmpsl, equal for 3", { 0xf3, 0xa7 }, 2, 4 },
	{ "repne cmpsb, to the end", { 0xf2, 0xa6 }, 2, 6 },
	{ "scasl", { 0xaf }, 1, 1 },
	{ "repne scasw", { 0x66, 0xf2, 0xaf }, 3, 6 },
	{ "outsb", { 0x6e }, 1, 1 },
	{ "rep outsb", { 0xf3, 0x6e }, 2, 6 },
	{ "mov %gs:(%rbx), %eax", { 0x65, 0x8b, 0x03 }, 3, 1 },
	{ "mov %rdx, %gs:(%rbx)", { 0x65, 0x48, 0x89, 0x13 }, 4, 1 },
	{ "addw %dx, %gs:(%rbx)", { 0x65, 0x66, 0x01, 0x13 }, 4, 1 },
	{ "add %rsp, (%rdi)", { 0x48, 0x01, 0x27 }, 3, 1 },
	{ "cmp (%rdi), %esp", { 0x3b, 0x27 }, 2, 1 },
	{ "movsxd (%rdi), %ax", { 0x66, 0x63, 0x07 }, 3, 1 },
	{ "mov %ds, (%rdi)", { 0x8c, 0x1f }, 2, 1 },
	{ "sgdt (%rdi)", { 0x0f, 0x01, 0x07 }, 3, 1 },
	{ "smsw (%rsi)", { 0x0f, 0x01, 0x26 }, 3, 1 },
	{ "lar (%rdi), %eax", { 0x0f, 0x02, 0x07 }, 3, 1 },
	{ "xlat", { 0xd7 }, 1, 1 },
	{ "vmaskmovps (%rdi), %ymm1, %ymm0", { 0xc4, 0xe2, 0x75, 0x2c, 0x07 }, 5, 1, 0, GEN_AVX },
	{ "vmaskmovpd %xmm3, %xmm2, (%rsi)", { 0xc4, 0xe2, 0x69, 0x2f, 0x1e }, 5, 1, 0, GEN_AVX },
};

static void test_unknown_one(const char *engine, unsigned int i)
{
	unsigned long at = ctx->range.start + 0x240, other = at + 0x40, n;

	memset(&ctx->the, 0, sizeof(ctx->the));
	ctx->the.name = test_unknowns[i].name;
	ctx->the.len = test_unknowns[i].len;
	memcpy(ctx->the.text, test_unknowns[i].text, ctx->the.len);
	pvs_decode(&ctx->insn, ctx->the.text, ctx->the.len, ctx->gen.text);
	ctx->the.regs.ip = ctx->gen.text;
	ctx->the.regs.flags = X86_EFLAGS_FIXED | X86_EFLAGS_CF;
	ctx->the.regs.di = at;
	ctx->the.regs.si = other;
	ctx->the.regs.bx = at - this_cpu_read(this_cpu_off);
	ctx->the.regs.ax = 0x1234;
	ctx->the.regs.cx = 6;
	if (*ctx->the.text == 0xd7) {
		ctx->the.regs.ax = 0x34;
		ctx->the.regs.bx = at - 0x34;
	}
	/* POST codes */
	if (*ctx->the.text == 0x6e || ctx->the.text[1] == 0x6e)
		ctx->the.regs.dx = 0x80;
	/* No quotient is too large. */
	ctx->start[0x240] |= 0x80;
	ctx->start[0x243] |= 0x10;
	ctx->start[0x247] |= 0x10;
	/* Equal for so long that it is the count, or not, that ends the string. */
	memcpy(ctx->start + 0x280, ctx->start + 0x240, 12);
	for (n = 0; n < 6 && ctx->the.text[0] == 0xf2; n++)
		ctx->start[0x280 + n] = ~ctx->start[0x240 + n];
	ctx->start[0x240 + 12] = ~ctx->start[0x280 + 12];
	test_write_text(ctx->the.text, ctx->the.len, 0);
	test_run(&ctx->native, true, false);
	if (ctx->nr_told || ctx->native.trap)
		test_fail("native", ctx->native.trap ? "fault" : "events");
	test_run(&ctx->other, false, true);
	ctx->the.undef = test_unknowns[i].undef;
	test_compare_states(engine, true);
	for (n = 0; n < min(ctx->nr_told, MAX_EVENTS); n++)
		if (ctx->told[n].dir != PV_SHADOW_UNKNOWN ||
		    ctx->told[n].engine != PV_SHADOW_STEP ||
		    (ctx->told[n].addr ^ at) & PAGE_MASK)
			test_fail(engine, "an event");
	if (ctx->nr_told != test_unknowns[i].events)
		test_fail(engine, "number of events");
	ctx->events += ctx->nr_told;
}

static void test_unknown(struct kunit *test)
{
	static const char * const engines[] = { "auto", "step" };
	unsigned int i, j;

	/* Each CPU has its own gs. */
	migrate_disable();
	test_begin();
	test_run(&ctx->native, true, false);
	ctx->gen.sp = ctx->native.regs.sp;
	for (j = 0; j < ARRAY_SIZE(engines); j++) {
		KUNIT_EXPECT_EQ(test, 0, pvs_engine_set(engines[j]));
		for (i = 0; i < ARRAY_SIZE(test_unknowns); i++) {
			if (ctx->has[test_unknowns[i].feature])
				test_unknown_one(engines[j], i);
			else
				ctx->not_here++;
		}
	}
	migrate_enable();
	kunit_info(test, "%lu cases, %lu events, %lu not on this CPU\n", ctx->compared,
		   ctx->events, ctx->not_here);
	KUNIT_EXPECT_EQ(test, 0, ctx->bad);
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(engines) * ARRAY_SIZE(test_unknowns),
			ctx->compared + ctx->not_here);
}

/* Two engines do everything, and nothing differs. */
static void test_compare_same(struct kunit *test)
{
	unsigned long compared = pvs_stat_sum(PVS_COMPARED);
	unsigned long differ = pvs_stat_sum(PVS_DIFFER);

	test_engine(test, "compare");
	KUNIT_EXPECT_EQ(test, ctx->done, pvs_stat_sum(PVS_COMPARED) - compared);
	KUNIT_EXPECT_EQ(test, 0, pvs_stat_sum(PVS_DIFFER) - differ);
}

/* Write to the operand, without end. */
static int test_writer(void *word)
{
	u64 n = 1;

	kcsan_disable_current();
	while (!kthread_should_stop()) {
		WRITE_ONCE(*(u64 *)word, gen_random(&n));
		cond_resched();
	}
	kcsan_enable_current();
	return 0;
}

/* What changes between the two runs is a difference. */
static void test_compare_differs(struct kunit *test)
{
	static const struct {
		const char	*name;
		u8		text[4];
		u8		len;
	} cases[] = {
		{ "mov (%rsi), %rax", { 0x48, 0x8b, 0x06 }, 3 },
		{ "add %rcx, (%rsi)", { 0x48, 0x01, 0x0e }, 3 },
		{ "cmp (%rsi), %rcx", { 0x48, 0x3b, 0x0e }, 3 },
		{ "movdqu (%rsi), %xmm0", { 0xf3, 0x0f, 0x6f, 0x06 }, 4 },
	};
	unsigned long compared, differ, until, i, n;
	struct task_struct *task;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs a second CPU");
	KUNIT_ASSERT_EQ(test, 0, pvs_engine_set("compare"));
	test_begin();
	task = kthread_run(test_writer, ctx->data + 0x100, "pvs_test_writer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	kcsan_disable_current();
	ctx->the.regs.si = ctx->range.start + 0x100;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		test_write_text(cases[i].text, cases[i].len, 0);
		compared = pvs_stat_sum(PVS_COMPARED);
		differ = pvs_stat_sum(PVS_DIFFER);
		until = jiffies + 20 * HZ;
		n = 0;
		do {
			test_run(&ctx->other, false, false);
			n++;
			cond_resched();
		} while (pvs_stat_sum(PVS_DIFFER) == differ && time_before(jiffies, until));
		KUNIT_EXPECT_EQ(test, n, pvs_stat_sum(PVS_COMPARED) - compared);
		KUNIT_EXPECT_EQ_MSG(test, 1, pvs_stat_sum(PVS_DIFFER) - differ,
				    "%s, %lu times", cases[i].name, n);
	}
	kcsan_enable_current();
	kthread_stop(task);
}

static struct kunit_case engine_test_cases[] = {
	KUNIT_CASE_SLOW(test_auto),
	KUNIT_CASE_SLOW(test_emulate),
	KUNIT_CASE_SLOW(test_xol),
	KUNIT_CASE_SLOW(test_step),
	KUNIT_CASE(test_unknown),
	KUNIT_CASE_SLOW(test_compare_same),
	KUNIT_CASE(test_compare_differs),
	{}
};

static struct kunit_suite engine_test_suite = {
	.name = "pv_shadow_engine",
	.suite_init = test_suite_init,
	.suite_exit = test_suite_exit,
	.init = test_init,
	.exit = test_exit,
	.test_cases = engine_test_cases,
};
kunit_test_suite(engine_test_suite);
