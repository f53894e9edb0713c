// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions of user mode with an operand in a BAR, and another one elsewhere.
 *
 * operands BAR push COUNT: it is pushed to a page that the kernel has to bring first, so
 *	that each push reads the BAR twice
 * operands BAR move COUNT: it is moved from the first page to the second and back
 * operands BAR gone COUNT: COUNT pages of 2M are read, and then may not be any more
 * operands BAR share COUNT: it is moved to memory at which another thread looks: of what
 *	it finds there the upper half is the same as the lower one
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

#include "bar.h"

#define PAGE	4096UL

static volatile uint8_t *bar, *memory;
static volatile int done;
static unsigned long torn;

static void push(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		volatile uint8_t *p = bar + i % 512 * 8;
		uint64_t want = i * 0x9e3779b97f4a7c15UL, have;

		*(volatile uint64_t *)p = want;
		madvise((void *)memory, PAGE, MADV_DONTNEED);
		asm volatile("movq %%rsp, %%rbx; movq %2, %%rsp; pushq (%1); movq (%%rsp), %0; "
			     "movq %%rbx, %%rsp"
			     : "=&r"(have) : "r"(p), "r"(memory + 512) : "rbx", "memory");
		if (have != want)
			errx(1, "pushed 0x%lx instead of 0x%lx", have, want);
	}
}

#define MOVS(suffix, to, from)							\
	do {									\
		volatile uint8_t *d_ = (to), *s_ = (from);			\
		asm volatile("movs" suffix : "+D"(d_), "+S"(s_) : : "memory");	\
	} while (0)

static void move(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		volatile uint8_t *p = bar + i % 500 * 8;

		MOVS("b", p + PAGE, p);
		MOVS("w", p + PAGE, p);
		MOVS("l", p + PAGE, p);
		MOVS("q", p + PAGE, p);
		MOVS("b", p, p + PAGE);
		MOVS("w", p, p + PAGE);
		MOVS("l", p, p + PAGE);
		MOVS("q", p, p + PAGE);
	}
}

static sigjmp_buf denied;

static void on_fault(int sig)
{
	siglongjmp(denied, sig);
}

static void mark(const char *text)
{
	int fd = open("/sys/kernel/tracing/instances/huge/trace_marker", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		err(1, "trace_marker");
	close(fd);
}

/* By one huge page of Linux's, as VFIO maps it */
static void gone(const char *name, unsigned int count)
{
	const size_t huge = 2UL << 20;
	volatile uint8_t *all = map_bar(name, map_memory(huge), huge);
	volatile unsigned int i, bad = 0;

	signal(SIGSEGV, on_fault);
	for (i = 0; i < count; i++)
		*(volatile uint32_t *)(all + i * PAGE);
	mark("before");
	if (mprotect((void *)all, huge, PROT_NONE))
		err(1, "mprotect");
	mark("after");
	for (i = 0; i < count; i++) {
		if (sigsetjmp(denied, 1))
			continue;
		*(volatile uint32_t *)(all + i * PAGE);
		bad++;
	}
	if (bad)
		errx(1, "%u of %u pages could still be read", bad, count);
}

static void *look(void *unused)
{
	while (!done) {
		uint32_t v = *(volatile uint32_t *)memory;

		torn += (v >> 16) != (v & 0xffff);
	}
	return unused;
}

static void share(unsigned int count)
{
	pthread_t thread;
	unsigned int i;

	if (pthread_create(&thread, NULL, look, NULL))
		errx(1, "no thread");
	for (i = 0; i < count; i++) {
		*(volatile uint32_t *)bar = (i & 0xffff) * 0x10001U;
		MOVS("l", memory, bar);
	}
	done = 1;
	pthread_join(thread, NULL);
	printf("torn: %lu\n", torn);
	if (torn)
		exit(1);
}

int main(int argc, char **argv)
{
	unsigned int count;

	if (argc < 4)
		errx(1, "usage: operands BAR push|move|gone|share COUNT");
	count = atoi(argv[3]);
	if (!strcmp(argv[2], "gone")) {
		gone(argv[1], count);
		return 0;
	}
	memory = map_memory(PAGE);
	bar = map_bar(argv[1], NULL, 2 * PAGE);
	if (!strcmp(argv[2], "push"))
		push(count);
	else if (!strcmp(argv[2], "move"))
		move(count);
	else
		share(count);
	return 0;
}
