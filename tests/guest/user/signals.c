// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process that accesses a BAR gets to see beside its values: signals, where a
 * debugger stops, what system calls on the memory return. All of it is printed, and has to
 * be the same whether the BAR is traced or not.
 *
 * signals BAR [watch]: and count data breakpoints, which TCG does not bear when the
 * instruction is single-stepped: it is taken into the kernel twice, natively as well
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "bar.h"

#define PAGE	4096UL
#define TF	0x100UL

static volatile uint8_t *bar, *memory;
static const char *what = "?";
static sigjmp_buf out;
static unsigned long start_ip, traps, flags_seen;
static uint64_t trail;

/* Nothing between its two instructions may fault: not in a red zone. */
static inline __attribute__((always_inline)) void set_flag(unsigned long flag, bool on)
{
	if (on)
		asm volatile("leaq -128(%%rsp), %%rsp; pushfq; orq %0, (%%rsp); popfq; "
			     "leaq 128(%%rsp), %%rsp" : : "r"(flag) : "cc", "memory");
	else
		asm volatile("leaq -128(%%rsp), %%rsp; pushfq; andq %0, (%%rsp); popfq; "
			     "leaq 128(%%rsp), %%rsp" : : "r"(~flag) : "cc", "memory");
}

static const char *where(const void *addr)
{
	static char text[32];
	unsigned long a = (unsigned long)addr;

	if (a - (unsigned long)bar < 8 * PAGE)
		snprintf(text, sizeof(text), "bar+0x%lx", a - (unsigned long)bar);
	else if (a - (unsigned long)memory < 8 * PAGE)
		snprintf(text, sizeof(text), "memory+0x%lx", a - (unsigned long)memory);
	else
		snprintf(text, sizeof(text), "%s", a ? "elsewhere" : "0");
	return text;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	set_flag(0x40000, false);
	printf("%s: signal %d code %d addr %s error 0x%llx trap %lld cr2 %s ip+%llu flags 0x%llx\n",
	       what, sig, info->si_code,
	       sig == SIGFPE ? "-" : where(info->si_addr), g[REG_ERR], g[REG_TRAPNO],
	       sig == SIGSEGV ? where((void *)g[REG_CR2]) : "-",
	       start_ip ? g[REG_RIP] - start_ip : 0, g[REG_EFL] & ~0x10ad5ULL);
	siglongjmp(out, 1);
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	traps++;
	flags_seen |= g[REG_EFL] & 0x300;
	trail = trail * 31 + (g[REG_RIP] - start_ip);
	(void)info;
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(sig, &sa, NULL);
}

#define TRY(name, code)								\
	do {									\
		what = name;							\
		start_ip = 0;							\
		if (!sigsetjmp(out, 1)) {					\
			code;							\
			printf("%s: no signal\n", what);			\
		}								\
	} while (0)

static uint32_t read32(volatile void *p)
{
	unsigned long ip;
	uint32_t v;

	asm volatile("leaq 1f(%%rip), %1; movq %1, %2; 1: movl %3, %0"
		     : "=&r"(v), "=&r"(ip), "=m"(start_ip) : "m"(*(volatile uint32_t *)p));
	return v;
}

static void write32(volatile void *p, uint32_t v)
{
	unsigned long ip;

	asm volatile("leaq 1f(%%rip), %0; movq %0, %1; 1: movl %3, %2"
		     : "=&r"(ip), "=m"(start_ip), "=m"(*(volatile uint32_t *)p) : "r"(v));
}

static void faults(void)
{
	void *d, *s;
	unsigned long n;

	mprotect((void *)bar, PAGE, PROT_READ);
	TRY("read of what may be read", read32(bar));
	TRY("write to what may be read", write32(bar, 1));
	mprotect((void *)bar, PAGE, PROT_NONE);
	TRY("read of nothing", read32(bar));
	TRY("write to nothing", write32(bar, 1));
	mprotect((void *)bar, PAGE, PROT_READ | PROT_WRITE);
	TRY("write again", write32(bar, 0x1234));
	TRY("run it", ((void (*)(void))bar)());
	munmap((void *)(bar + PAGE), PAGE);
	TRY("unmapped", read32(bar + PAGE));
	TRY("across the end", read32(bar + PAGE - 2));

	mprotect((void *)memory, PAGE, PROT_READ);
	TRY("move to what may be read", ({
		d = (void *)memory; s = (void *)bar; n = 2;
		asm volatile("rep movsl" : "+D"(d), "+S"(s), "+c"(n) : : "memory"); }));
	TRY("move to nowhere", ({
		d = NULL; s = (void *)bar;
		asm volatile("movsl" : "+D"(d), "+S"(s) : : "memory"); }));
	TRY("move to the kernel", ({
		d = (void *)0xffffffff81000000UL; s = (void *)bar;
		asm volatile("movsl" : "+D"(d), "+S"(s) : : "memory"); }));
	TRY("move from the kernel", ({
		s = (void *)0xffffffff81000000UL; d = (void *)bar;
		asm volatile("movsl" : "+D"(d), "+S"(s) : : "memory"); }));
	TRY("move from nowhere", ({
		s = (void *)0x8000000000000000UL; d = (void *)bar;
		asm volatile("movsl" : "+D"(d), "+S"(s) : : "memory"); }));
	munmap((void *)memory, PAGE);
	TRY("move from what is unmapped", ({
		s = (void *)memory; d = (void *)bar;
		asm volatile("movsl" : "+D"(d), "+S"(s) : : "memory"); }));
	if (mmap((void *)memory, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		err(1, "mmap");
	/* Never touched: the kernel has to bring it. */
	TRY("move to fresh memory", ({
		d = (void *)memory; s = (void *)bar; n = 4;
		asm volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory"); }));
	printf("it is 0x%x\n", *(volatile uint32_t *)memory);
}

/* Denied by a key: told as such, also where the permissions deny it, also in the kernel. */
static void keys(void)
{
	int key = pkey_alloc(0, 0);
	char buf[8] = "";
	int p[2];

	if (key < 0 || pipe(p)) {
		printf("keys: %s\n", strerror(errno));
		return;
	}
	pkey_mprotect((void *)bar, PAGE, PROT_READ | PROT_WRITE, key);
	/* A handler begins with all but the first key denied, and we leave it by a jump. */
	pkey_set(key, 0);
	TRY("key: read", read32(bar));
	TRY("key: write", write32(bar, 0x4711));
	pkey_set(key, PKEY_DISABLE_WRITE);
	TRY("key: read what must not be written", read32(bar));
	TRY("key: write what must not be written", write32(bar, 1));
	pkey_set(key, PKEY_DISABLE_ACCESS);
	TRY("key: read what must not be accessed", read32(bar));
	pkey_set(key, PKEY_DISABLE_ACCESS);
	printf("key: write from the BAR: %zd", write(p[1], (void *)bar, 8));
	printf(" %s\n", strerror(errno));
	printf("key: read to the BAR: %zd", write(p[1], buf, 8));
	printf(" %zd", read(p[0], (void *)bar, 8));
	printf(" %s\n", strerror(errno));
	pkey_mprotect((void *)bar, PAGE, PROT_READ, key);
	TRY("key: write what is read-only", write32(bar, 1));
	pkey_set(key, 0);
	TRY("key: write what is only read-only", write32(bar, 1));
	pkey_mprotect((void *)bar, PAGE, PROT_READ | PROT_WRITE, 0);
	pkey_free(key);
	TRY("key: none", write32(bar, 0x4712));
	close(p[0]);
	close(p[1]);
}

/* What may make no system call but the simplest makes its accesses. */
static void confined(void)
{
	uint32_t sum = 0;
	int status, i;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(99);
		for (i = 0; i < 16; i++) {
			*(volatile uint32_t *)(bar + 4 * i) = i;
			sum += *(volatile uint32_t *)(bar + 4 * i);
		}
		asm volatile("fildl %1; fistpl %0" : "=m"(i) : "m"(*(volatile int *)(bar + 20)));
		syscall(SYS_exit, sum + i);
	}
	waitpid(pid, &status, 0);
	printf("confined: exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));

	pid = fork();
	if (!pid) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		*(volatile uint32_t *)bar = 1;
		getppid();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("and it is confined: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* Mapped privately and written to, it is memory, of which Linux makes what it likes. */
static void private(const char *name)
{
	volatile uint8_t *p = map_bar_as(name, NULL, PAGE, MAP_PRIVATE);
	unsigned int i, differ = 0;
	pid_t pid;

	for (i = 0; i < PAGE; i += 4)
		*(volatile uint32_t *)(bar + i) = i;
	printf("private: 0x%x", *(volatile uint32_t *)(p + 512));
	p[0] = 'a';
	for (i = 4; i < PAGE; i += 4)
		differ += *(volatile uint32_t *)(p + i) != i;
	printf(", copied, %u differ, BAR 0x%x\n", differ, bar[0]);
	/* With such memory Linux refuses to. */
	pid = fork();
	if (!pid)
		_exit(0);
	printf("private: %s\n", pid < 0 ? strerror(errno) : "forked");
	mprotect((void *)p, PAGE, PROT_READ);
	TRY("private: write what is read-only", write32(p, 1));
	TRY("private: read it", read32(p));
	mprotect((void *)p, PAGE, PROT_NONE);
	TRY("private: read nothing", read32(p));
	munmap((void *)p, PAGE);
}

static void exceptions(void)
{
	uint32_t mxcsr = 0x1d80, plain = 0x1f80; /* division by zero is not masked */
	uint16_t cw = 0x37b, ncw = 0x37f;

	*(volatile uint32_t *)bar = 0;
	TRY("vector division by zero", ({
		asm volatile("ldmxcsr %0" : : "m"(mxcsr));
		asm volatile("movl $1, %%eax; cvtsi2ss %%eax, %%xmm0; divss %0, %%xmm0"
			     : : "m"(*(volatile float *)bar) : "eax", "xmm0"); }));
	asm volatile("ldmxcsr %0" : : "m"(plain));
	TRY("masked", ({
		asm volatile("movl $1, %%eax; cvtsi2ss %%eax, %%xmm0; divss %0, %%xmm0"
			     : : "m"(*(volatile float *)bar) : "eax", "xmm0"); }));
	TRY("division by zero", ({
		asm volatile("movl $1, %%eax; xorl %%edx, %%edx; divl %0"
			     : : "m"(*(volatile uint32_t *)bar) : "eax", "edx"); }));
	TRY("x87 division by zero", ({
		asm volatile("fldcw %0; fld1; fidivl %1; fwait"
			     : : "m"(cw), "m"(*(volatile int *)bar)); }));
	asm volatile("fnclex; fninit; fldcw %0" : : "m"(ncw));
	/* Pending, and then something of the vector registers' older kind. */
	TRY("x87 exception pending", ({
		asm volatile("fldcw %0; fld1; fldz; fdivrp; paddb %1, %%mm0"
			     : : "m"(cw), "m"(*(volatile uint64_t *)bar)); }));
	asm volatile("fnclex; fninit; emms");
	TRY("aligned move", ({
		asm volatile("movaps %0, %%xmm1" : : "m"(*(volatile char *)(bar + 4)) : "xmm1"); }));
	TRY("alignment check", ({
		volatile uint8_t *p = bar + 1;

		set_flag(0x40000, true);
		asm volatile("movl (%0), %%eax" : : "r"(p) : "eax");
		set_flag(0x40000, false); }));
}

/* The code that debuggers step through. */
__attribute__((noinline)) static uint64_t stepped(void)
{
	uint64_t v = 0x1122334455667788, sum = 0;
	void *d = (void *)bar, *s = (void *)memory;
	unsigned long n = 3;

	asm volatile("movq %1, (%2); addq (%2), %0; movb 1(%2), %%al; incl (%2); fildq (%2); "
		     "fistpq 8(%2); movq 8(%2), %%rax; addq %%rax, %0"
		     : "+r"(sum) : "r"(v), "r"(bar) : "rax", "memory", "cc");
	asm volatile("rep movsl" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
	asm volatile("pushq (%1); popq %%rax; addq %%rax, %0" : "+r"(sum) : "r"(bar)
		     : "rax", "memory", "cc");
	return sum;
}

static void itself(void)
{
	uint64_t sum;

	handle(SIGTRAP, on_trap);
	traps = trail = flags_seen = 0;
	start_ip = (unsigned long)stepped;
	set_flag(TF, true);
	sum = stepped();
	set_flag(TF, false);
	printf("stepping itself: %lu stops, trail 0x%lx, flags 0x%lx, sum 0x%lx\n", traps, trail,
	       flags_seen, sum);
}

static void debugged(enum __ptrace_request request, const char *name)
{
	unsigned long stops = 0, bad = 0, trail = 0;
	struct user_regs_struct regs;
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(stepped() & 0x7f);
	}
	waitpid(pid, &status, 0);
	while (WIFSTOPPED(status) && stops < 100000) {
		ptrace(PTRACE_GETREGS, pid, 0, &regs);
		if (regs.eflags & 0x200)
			stops++;
		else
			bad++;
		if (regs.rip - (unsigned long)stepped < 512)
			trail = trail * 31 + regs.rip - (unsigned long)stepped;
		/* The end. In bochs a system call that is stepped traps in the kernel. */
		if ((ptrace(PTRACE_PEEKTEXT, pid, regs.rip, 0) & 0xffff) == 0x050f)
			request = PTRACE_CONT;
		ptrace(request, pid, 0, 0);
		waitpid(pid, &status, 0);
	}
	printf("%s: trail 0x%lx, %lu without interrupts, exit %d\n", name, trail, bad,
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void watched(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_RW,
		.bp_len = HW_BREAKPOINT_LEN_4, .exclude_kernel = 1,
	};
	uint64_t hits = 0;
	int fd, i;

	attr.bp_addr = (unsigned long)bar + 16;
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (fd < 0) {
		printf("watched: %s\n", strerror(errno));
		return;
	}
	for (i = 0; i < 10; i++) {
		*(volatile uint32_t *)(bar + 16) = i;
		*(volatile uint32_t *)(bar + 24) = i;
		if (*(volatile uint32_t *)(bar + 16) != i)
			printf("watched: wrong\n");
	}
	if (read(fd, &hits, sizeof(hits)) != sizeof(hits))
		printf("watched: no count\n");
	printf("watched: %lu hits\n", hits);
	close(fd);
}

static void system_calls(void)
{
	struct iovec from = { (void *)bar, 64 }, to = { (void *)memory, 64 };
	char buf[256] = "", text[] = "sixteen bytes...";
	int p[2], fd;

	for (fd = 0; fd < 64; fd++)
		bar[fd] = fd * 3;
	if (pipe(p))
		err(1, "pipe");
	printf("write from the BAR: %zd", write(p[1], (void *)bar, 64));
	printf(" %zd", read(p[0], buf, 64));
	printf(" equal %d\n", !memcmp(buf, (void *)bar, 64));
	printf("read to the BAR: %zd", write(p[1], text, 16));
	printf(" %zd", read(p[0], (void *)(bar + 128), 16));
	printf(" equal %d\n", !memcmp(text, (void *)(bar + 128), 16));
	printf("across its end: %zd\n", write(p[1], (void *)(bar + PAGE - 8), 64));
	printf("process_vm_readv: %zd", process_vm_readv(getpid(), &to, 1, &from, 1, 0));
	printf(" %s\n", errno ? strerror(errno) : "");
	printf("path from the BAR: %d", open((char *)bar, O_RDONLY));
	printf(" %s\n", strerror(errno));
	printf("madvise: %d\n", madvise((void *)bar, PAGE, MADV_DONTNEED));
	printf("mlock: %d\n", mlock((void *)bar, PAGE));
	printf("msync: %d\n", msync((void *)bar, PAGE, MS_SYNC));
}

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(1, "usage: signals BAR");
	memory = mmap(NULL, 2UL << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memory = (uint8_t *)(((uintptr_t)memory + 0xfffff) & ~0xfffffUL);
	bar = map_bar(argv[1], (void *)(memory + 16 * PAGE), 4 * PAGE);

	setvbuf(stdout, NULL, _IONBF, 0);
	handle(SIGSEGV, on_signal);
	handle(SIGBUS, on_signal);
	handle(SIGFPE, on_signal);
	handle(SIGILL, on_signal);
	if (argc > 2)
		watched();
	itself();
	debugged(PTRACE_SINGLESTEP, "stepped");
	debugged(33 /* PTRACE_SINGLEBLOCK */, "stepped by blocks");
	system_calls();
	exceptions();
	private(argv[1]);
	keys();
	confined();
	faults();
	return 0;
}
