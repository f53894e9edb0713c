// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's core against the processor: each instruction is run where it is,
 * and as the fault handler would complete it. Registers, flags, vectors and memory
 * have to be equal.
 *
 * Usage: diff [rounds [seed]]
 */
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <linux/types.h>
#include <asm/processor-flags.h>

#include "decode.h"
#include "device.h"
#include "exec.h"
#include "gen.h"

#define PAGE		0x1000UL
/* Memory behind the data where nothing is. */
#define GUARD		(GEN_DATA + GEN_DATA_SIZE)
#define ALIAS		0x22000000UL
#define OUR_CODE	(GEN_TEXT + 0x800)
#define ARITH_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)
#define XSAVE_SIZE	4096
#define MAX_BAD		20

void insn_native(const void *code, struct pt_regs *regs, const void *before,
		 void *after, u64 mask);
void insn_exec(const void *code, struct pt_regs *regs, unsigned long base,
	       unsigned long addr, void *vectors, u64 mask);
void insn_call(const void *function, unsigned long a, unsigned long b,
	       unsigned long c, void *vectors, u64 mask);
extern const u8 insn_native_return[];

static struct gen_case the;
static struct pvs_insn insn;
static u8 data[GEN_DATA_SIZE], after_native[GEN_DATA_SIZE];
static u8 vectors[XSAVE_SIZE] __attribute__((aligned(64)));
static u8 vectors_native[XSAVE_SIZE] __attribute__((aligned(64)));
static u8 vectors_engine[XSAVE_SIZE] __attribute__((aligned(64)));
static u64 vector_mask;
static unsigned int vector_size;
static u64 seed = 1;
static unsigned long bad, compared, skipped, stepped, elsewhere, left;
static unsigned long by_type[PVS_INSN_EXEC + 1], locked_known;

/* Seconds that one case may take, which is nothing as a rule. */
#define PATIENCE	60

static volatile unsigned long cases;

/* What became of a run on the processor. */
static volatile bool running;
static volatile int signo;
static volatile unsigned long fault_addr;
static volatile bool page_fault;
/* It had run, and left a stack pointer to which an interrupt could not return. */
static volatile bool interrupted;

/* Now and then: is it still at the same? */
static void on_alarm(const ucontext_t *uc)
{
	static unsigned long last = -1UL;

	if (cases == last) {
		/* Not by stdio, in the midst of which it may be. */
		dprintf(STDERR_FILENO, "not ok - at case %lu, %s, for %d seconds, %sat %llx\n",
			last, the.name, PATIENCE, running ? "on the processor, " : "",
			uc->uc_mcontext.gregs[REG_RIP]);
		_exit(3);
	}
	last = cases;
}

static void on_signal(int nr, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	if (nr == SIGALRM) {
		on_alarm(uc);
		return;
	}
	if (running && !signo && uc->uc_mcontext.gregs[REG_RIP] == (long)insn_native_return)
		interrupted = true;
	/* Where it has to be an address. */
	uc->uc_mcontext.gregs[REG_RSP] = (unsigned long)uc->uc_mcontext.gregs[REG_RSP] >> 17;
	/* Ours, or one that makes the way back from the first one fault as well. */
	if (!running || signo) {
		fprintf(stderr, "not ok - signal %d at %llx, address %p, after %s\n",
			nr, uc->uc_mcontext.gregs[REG_RIP], info->si_addr,
			the.name);
		_exit(3);
	}
	signo = nr;
	page_fault = uc->uc_mcontext.gregs[REG_TRAPNO] == 14;
	fault_addr = (unsigned long)info->si_addr;
	uc->uc_mcontext.gregs[REG_RIP] = (long)insn_native_return;
}

static void fail(const char *what)
{
	unsigned int i;

	if (++bad > MAX_BAD)
		return;
	printf("# %s: %s:", the.name, what);
	for (i = 0; i < the.len; i++)
		printf(" %02x", the.text[i]);
	printf(" (type %d width %u%s%s base %u code", insn.type, insn.width,
	       insn.reads ? " reads" : "", insn.writes ? " writes" : "",
	       insn.exec_base);
	for (i = 0; i < insn.code_len; i++)
		printf(" %02x", insn.code[i]);
	printf(")\n");
}

/* Run it on the processor. Return: did it run to its end? */
static bool run_native(struct pt_regs *regs)
{
	u8 *text = (u8 *)GEN_TEXT;
	s32 rel = (long)insn_native_return - (long)(GEN_TEXT + the.len + 5);

	memcpy(text, the.text, the.len);
	text[the.len] = 0xe9;
	memcpy(text + the.len + 1, &rel, sizeof(rel));
	do {
		*regs = the.regs;
		signo = 0;
		interrupted = false;
		running = true;
		insn_native(text, regs, vectors, vectors_native, vector_mask);
		running = false;
	} while (interrupted);
	return !signo;
}

/* While the vector registers are the instruction's. */
static void device_read(void *to, unsigned long addr, unsigned int width)
{
	insn_call(pvs_device_read, (unsigned long)to, addr, width, vectors_engine,
		  vector_mask);
}

static void device_write(unsigned long addr, const void *from, unsigned int width)
{
	insn_call(pvs_device_write, addr, (unsigned long)from, width, vectors_engine,
		  vector_mask);
}

/* As the fault handler runs it. Return: false if it cannot. */
static bool run_exec(struct pt_regs *regs, const struct pvs_operands *ops)
{
	static u8 buffer[PVS_MAX_WIDTH] __attribute__((aligned(PVS_MAX_WIDTH)));
	unsigned long addr = (unsigned long)buffer;
	u64 old[2], new[2], was[2] = { 0 }, is[2] = { 0 };
	struct pt_regs before = *regs;
	unsigned int i;

	if (!pvs_exec_emit((u8 *)OUR_CODE, OUR_CODE, &insn)) {
		fail("the code cannot be reached");
		return false;
	}
	if (insn.locked) {
		addr = ops->addr - GEN_DATA + ALIAS;
		memcpy(was, (void *)addr, insn.width);
	} else {
		/* What it does not read must not matter. */
		for (i = 0; i < sizeof(buffer); i++)
			buffer[i] = gen_random(&seed);
		if (insn.reads)
			device_read(buffer, ops->addr, insn.width);
	}
	insn_exec((void *)OUR_CODE, regs, insn.exec_base, addr - ops->offset,
		  vectors_engine, vector_mask);
	if (!insn.locked) {
		if (insn.writes)
			device_write(ops->addr, buffer, insn.width);
		return true;
	}

	memcpy(is, (void *)addr, insn.width);
	if (pvs_locked_values(&insn, &before, regs, old, new)) {
		locked_known++;
		if (memcmp(old, was, sizeof(old)) || memcmp(new, is, sizeof(new)))
			fail("values of a locked instruction");
	} else if (insn.locked != PVS_LOCKED_OTHER) {
		fail("no values of a locked instruction");
	}
	return true;
}

static bool run_engine(struct pt_regs *regs)
{
	struct pvs_operands ops;
	bool first = true;
	u64 value = 0;

	*regs = the.regs;
	memcpy(vectors_engine, vectors, sizeof(vectors));
	while (regs->ip == GEN_TEXT) {
		pvs_resolve(&insn, regs, &ops);
		if (first && ops.addr != the.addr) {
			fail("address");
			return false;
		}
		if (first && insn.type == PVS_INSN_MOVS && ops.dst != the.dst) {
			fail("destination");
			return false;
		}
		first = false;
		switch (insn.type) {
		case PVS_INSN_LOAD:
			pvs_device_read(&value, ops.addr, insn.width);
			break;
		case PVS_INSN_STORE:
			if (insn.pop)
				memcpy(&ops.value, (void *)regs->sp, sizeof(u64));
			pvs_device_write(ops.addr, &ops.value, insn.width);
			break;
		case PVS_INSN_MOVS:
			memmove((void *)ops.dst, (void *)ops.addr, insn.width);
			break;
		default:
			if (!run_exec(regs, &ops))
				return false;
		}
		pvs_complete(&insn, regs, value);
		if (insn.type == PVS_INSN_LOAD &&
		    pvs_loaded_value(&insn, regs) != value)
			fail("loaded value");
	}
	return true;
}

static bool vectors_differ(void)
{
	/* Without the addresses of the last x87 instruction and reserved fields. */
	return memcmp(vectors_native, vectors_engine, 6) ||
	       memcmp(vectors_native + 24, vectors_engine + 24, 4) ||
	       memcmp(vectors_native + 32, vectors_engine + 32, 416 - 32) ||
	       memcmp(vectors_native + 576, vectors_engine + 576,
		      vector_size - 576);
}

static void compare(const struct pt_regs *native, const struct pt_regs *engine)
{
	unsigned long flags = (native->flags ^ engine->flags) &
			      (ARITH_FLAGS | X86_EFLAGS_DF) & ~the.undef;
	struct pt_regs a = *native, b = *engine;

	a.flags = 0;
	b.flags = 0;
	a.ip = GEN_TEXT + the.len;
	if (memcmp(&a, &b, sizeof(a)))
		fail("registers");
	if (flags)
		fail("flags");
	if (memcmp(after_native, (void *)GEN_DATA, GEN_DATA_SIZE))
		fail("memory");
	if (vectors_differ())
		fail("vectors");
	compared++;
	by_type[insn.type]++;
}

static void restore(void)
{
	memcpy((void *)GEN_DATA, data, sizeof(data));
}

static void decode(void)
{
	pvs_decode(&insn, the.text, the.len, GEN_TEXT);
}

/* Does the processor find the operand as wide as we do, and as aligned? */
static void check_width(const struct gen *g)
{
	struct pt_regs regs;
	bool aligned = insn.aligned && insn.width > 1;

	/* These go to where the operand's address does not say. */
	if (the.string || the.bits || insn.direct)
		return;

	gen_make(g, GUARD - insn.width, data, &the);
	decode();
	if (!run_native(&regs))
		fail("is not so wide");

	if (insn.width == 1)
		return;
	if (aligned) {
		gen_make(g, GEN_DATA_MID + insn.width / 2, data, &the);
		decode();
		/* Not every processor insists on it with sha1nexte. */
		if (the.feature != GEN_SHA &&
		    (run_native(&regs) || page_fault))
			fail("needs no alignment");
		return;
	}
	gen_make(g, GEN_DATA_MID + 1, data, &the);
	decode();
	if (!run_native(&regs))
		fail("needs alignment");
	gen_make(g, GUARD - insn.width + 1, data, &the);
	decode();
	if (run_native(&regs) || !page_fault || fault_addr < GUARD - PAGE)
		fail("is wider");
}

/* Does it write when we say so? */
static void check_direction(void)
{
	struct pt_regs regs;
	bool wrote;

	restore();
	mprotect((void *)GEN_DATA, GEN_DATA_SIZE, PROT_READ);
	wrote = !run_native(&regs);
	mprotect((void *)GEN_DATA, GEN_DATA_SIZE, PROT_READ | PROT_WRITE);
	if (wrote != insn.writes)
		fail(wrote ? "writes" : "does not write");
}

/* The engine leaves it to the processor, but has to know what it reads. */
static void check_stepped(void)
{
	struct pvs_operands ops;

	if (!insn.stepped || !insn.reads || insn.writes || insn.width != sizeof(u64))
		fail("is not stepped");
	if ((insn.reg == offsetof(struct pt_regs, ip)) != the.jump)
		fail("where its operand goes");
	pvs_resolve(&insn, &the.regs, &ops);
	if (ops.addr != the.addr)
		fail("address");
	left++;
}

static void run_case(const struct gen *g, const bool *features)
{
	struct pt_regs native, engine;
	unsigned long target = GEN_DATA_MID - 0x200;

	if (gen_random(&seed) & 0x100)
		target += gen_random(&seed) >> 55;
	else
		target += gen_random(&seed) >> 55 & ~63UL;
	gen_make(g, target, data, &the);
	decode();

	if (insn.type == PVS_INSN_UNKNOWN) {
		/* Only what has the stack pointer for an operand is refused. */
		if (!the.sp || the.move)
			fail("unknown");
		stepped++;
		return;
	}
	if (the.sp && !the.move)
		fail("the stack pointer would be another");
	if (insn.len != the.len)
		fail("length");
	if ((insn.type != PVS_INSN_EXEC) != the.move)
		fail("type");
	if (!features[the.feature]) {
		elsewhere++;
		return;
	}
	if (the.stepped) {
		check_stepped();
		return;
	}
	if (insn.stepped)
		fail("is stepped");

	restore();
	if (!run_native(&native)) {
		if (signo == SIGILL)
			fail("the processor does not know it");
		else if (page_fault || !insn.aligned ||
			 !(the.addr & (insn.width - 1)))
			fail("faults");
		else
			skipped++;
		check_width(g);
		return;
	}
	memcpy(after_native, (void *)GEN_DATA, GEN_DATA_SIZE);

	restore();
	if (run_engine(&engine))
		compare(&native, &engine);
	check_direction();
	check_width(g);
}

static bool bit(u32 leaf, u32 sub, unsigned int reg, unsigned int n)
{
	u32 r[4];

	if (!__get_cpuid_count(leaf, sub, &r[0], &r[1], &r[2], &r[3]))
		return false;
	return r[reg] >> n & 1;
}

enum { A, B, C, D };

static void find_features(bool *f)
{
	bool avx = (vector_mask & 6) == 6, avx512 = (vector_mask & 0xe6) == 0xe6;

	f[GEN_BASE] = true;
	f[GEN_SSE3] = bit(1, 0, C, 0);
	f[GEN_PCLMUL] = bit(1, 0, C, 1);
	f[GEN_SSSE3] = bit(1, 0, C, 9);
	f[GEN_FMA] = avx && bit(1, 0, C, 12);
	f[GEN_CX16] = bit(1, 0, C, 13);
	f[GEN_SSE41] = bit(1, 0, C, 19);
	f[GEN_SSE42] = bit(1, 0, C, 20);
	f[GEN_MOVBE] = bit(1, 0, C, 22);
	f[GEN_POPCNT] = bit(1, 0, C, 23);
	f[GEN_AES] = bit(1, 0, C, 25);
	f[GEN_AVX] = avx && bit(1, 0, C, 28);
	f[GEN_F16C] = avx && bit(1, 0, C, 29);
	f[GEN_BMI1] = bit(7, 0, B, 3);
	f[GEN_AVX2] = avx && bit(7, 0, B, 5);
	f[GEN_BMI2] = bit(7, 0, B, 8);
	f[GEN_ADX] = bit(7, 0, B, 19);
	f[GEN_SHA] = bit(7, 0, B, 29);
	f[GEN_AVX512] = avx512 && bit(7, 0, B, 16) && bit(7, 0, B, 17) &&
			bit(7, 0, B, 30) && bit(7, 0, B, 31) && bit(7, 0, C, 9);
	f[GEN_GFNI] = bit(7, 0, C, 8) && avx;
	f[GEN_VAES] = avx && bit(7, 0, C, 9);
	f[GEN_VPCLMUL] = avx && bit(7, 0, C, 10);
	f[GEN_MOVDIRI] = bit(7, 0, C, 27);
	f[GEN_MOVDIR64B] = bit(7, 0, C, 28);
	f[GEN_LZCNT] = bit(0x80000001, 0, C, 5);
}

static void *map(unsigned long where, unsigned long size, int prot, int fd)
{
	int flags = MAP_FIXED_NOREPLACE |
		    (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
	void *p = mmap((void *)where, size, prot, flags, fd, 0);

	if (p == (void *)where)
		return p;
	perror("mmap");
	exit(2);
}

/* What the processor makes of the fields that it does not load. */
static void normalise_vectors(void)
{
	struct pt_regs regs;

	the.len = 1;
	the.text[0] = 0x90;
	the.regs.flags = X86_EFLAGS_FIXED;
	run_native(&regs);
	memcpy(vectors, vectors_native, sizeof(vectors));
}

static void set_up(void)
{
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	struct itimerval patience = { .it_interval.tv_sec = PATIENCE,
				      .it_value.tv_sec = PATIENCE };
	static u8 stack[64 << 10];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	int fd = memfd_create("data", 0);
	u32 eax, ebx, ecx, edx;
	unsigned int i;

	if (fd < 0 || ftruncate(fd, GEN_DATA_SIZE)) {
		perror("memfd");
		exit(2);
	}
	map(GEN_DATA, GEN_DATA_SIZE, PROT_READ | PROT_WRITE, fd);
	map(ALIAS, GEN_DATA_SIZE, PROT_READ | PROT_WRITE, fd);
	map(GUARD, PAGE, PROT_NONE, -1);
	map(GEN_TEXT, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, -1);

	sigaltstack(&ss, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &patience, NULL);

	if (!bit(1, 0, C, 27)) {
		printf("# no xsave here\n");
		exit(77);
	}
	asm volatile("xgetbv" : "=a" (eax), "=d" (edx) : "c" (0));
	/* x87, SSE, AVX, AVX-512 */
	vector_mask = eax & 0xe7;
	__cpuid_count(0xd, 0, eax, ebx, ecx, edx);
	vector_size = ebx;
	if (vector_size > XSAVE_SIZE) {
		vector_size = 576;
		vector_mask &= 3;
	}

	for (i = 0; i < sizeof(data); i++)
		data[i] = gen_random(&seed) >> 24;
	/* All but control registers and the header is anything at all. */
	for (i = 32; i < vector_size; i++)
		if (i < 416 || i >= 576)
			vectors[i] = gen_random(&seed) >> 24;
	vectors[0] = 0x7f;
	vectors[1] = 0x03;
	vectors[24] = 0x80;
	vectors[25] = 0x1f;
	memcpy(vectors + 28, "\xff\xff\0\0", 4);
	memcpy(vectors + 512, &vector_mask, sizeof(vector_mask));
	normalise_vectors();
}

/* What no generator and no processor here can tell. */
static void check_known(void)
{
	static const u8 movdir64b[] = { 0x66, 0x0f, 0x38, 0xf8, 0x7e, 0x40 };
	static const u8 rep[] = { 0xf3, 0xa5 };
	struct pt_regs regs = { .si = 0x1000, .di = 0x2040, .ip = 0x5000,
				.cx = 2, .flags = X86_EFLAGS_RF | X86_EFLAGS_FIXED };
	struct pvs_operands ops;

	the.name = "known answers";
	the.len = 0;
	pvs_decode(&insn, movdir64b, sizeof(movdir64b), regs.ip);
	pvs_resolve(&insn, &regs, &ops);
	if (insn.type != PVS_INSN_MOVS || !insn.direct || insn.string ||
	    insn.width != 64 || ops.addr != 0x1040 || ops.dst != 0x2040)
		fail("movdir64b");
	pvs_complete(&insn, &regs, 0);
	if (regs.ip != 0x5006 || regs.si != 0x1000 || regs.di != 0x2040 ||
	    (regs.flags & X86_EFLAGS_RF))
		fail("movdir64b's end");

	regs.flags |= X86_EFLAGS_RF;
	pvs_decode(&insn, rep, sizeof(rep), regs.ip);
	pvs_complete(&insn, &regs, 0);
	if (regs.ip != 0x5006 || regs.cx != 1 || !(regs.flags & X86_EFLAGS_RF))
		fail("rep: not its end");
	pvs_complete(&insn, &regs, 0);
	if (regs.ip != 0x5008 || regs.cx || (regs.flags & X86_EFLAGS_RF))
		fail("rep: its end");
}

/*
 * No wider than it says, and nothing else changes. The page behind the source and the
 * destination is not there. That it is one access devices have to tell.
 */
static void check_device(unsigned int widest)
{
	static u8 buffer[2 * PVS_MAX_WIDTH] __attribute__((aligned(PVS_MAX_WIDTH)));
	unsigned int width, i;
	unsigned long addr;

	the.name = "device access";
	for (width = 1; width <= widest; width *= 2) {
		the.len = width;
		addr = GUARD - width;
		memset(buffer, 0xa5, sizeof(buffer));
		restore();
		memcpy(vectors_native, vectors, sizeof(vectors));
		memcpy(vectors_engine, vectors, sizeof(vectors));
		device_read(buffer, addr, width);
		if (memcmp(buffer, (void *)addr, width))
			fail("bytes read");
		/* A value is eight bytes. */
		for (i = width < 8 ? 8 : width; i < sizeof(buffer); i++)
			if (buffer[i] != 0xa5)
				fail("reads more");
		for (i = 0; i < sizeof(buffer); i++)
			buffer[i] = gen_random(&seed) >> 24;
		device_write(addr, buffer, width);
		if (memcmp((void *)addr, buffer, width) ||
		    memcmp((void *)GEN_DATA, data, GEN_DATA_SIZE - width))
			fail("bytes written");
		if (vectors_differ())
			fail("vectors");
	}
}

int main(int argc, char **argv)
{
	struct gen g = { .seed = 0x123456789abcdefULL,
			 .text = GEN_TEXT, .data = GEN_DATA,
			 .rounds = argc > 1 ? atoi(argv[1]) : 4 };
	bool features[GEN_NR_FEATURES] = { false };
	unsigned int i;

	if (argc > 2)
		g.seed = strtoull(argv[2], NULL, 0);
	set_up();
	find_features(features);
	while (gen_next(&g)) {
		run_case(&g, features);
		cases++;
	}
	check_known();
	check_device(features[GEN_AVX512] ? 64 : features[GEN_AVX] ? 32 : 16);

	printf("# %u opcodes, %lu cases: %lu compared (%lu loads, %lu stores, %lu movs, %lu executed),\n",
	       gen_forms(), cases, compared, by_type[PVS_INSN_LOAD],
	       by_type[PVS_INSN_STORE], by_type[PVS_INSN_MOVS],
	       by_type[PVS_INSN_EXEC]);
	printf("# %lu misaligned and refused by both, %lu with the stack pointer, %lu left to the processor, %lu not on this CPU; features missing:",
	       skipped, stepped, left, elsewhere);
	for (i = 0; i < GEN_NR_FEATURES; i++)
		if (!features[i])
			printf(" %u", i);
	printf("\n# values of %lu locked instructions told from registers\n",
	       locked_known);
	if (bad)
		printf("# %lu differences\n", bad);
	printf("%s - the engine does what the processor does\n",
	       bad ? "not ok" : "ok");
	return bad != 0;
}
