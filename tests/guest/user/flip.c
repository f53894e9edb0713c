// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that access a BAR while another thread makes others of them, which the
 * processor does not know: nobody but the process may notice.
 *
 * flip BAR SECONDS
 */
#define _GNU_SOURCE
#include <err.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bar.h"

/* What is there now and then, at the address in rax; the first one is good. */
static const struct {
	uint8_t good[16], bad[16];
} flips[] = {
	{ "\x3e\xd1\x20\xc3", "\xf0\xd1\x20\xc3" },			/* lock shl */
	{ "\x48\x8b\x08\xc3", "\x0f\x0b\x08\xc3" },			/* ud2 */
	{ "\xc5\xf8\x58\x00\xc3", "\xc5\xf0\x51\x00\xc3" },		/* a reserved vvvv */
	{ "\x48\x03\x08\xc3", "\xf0\x03\x08\xc3" },			/* lock add to a register */
	{ "\x0f\xae\x10\xc3", "\x0f\xae\x28\xc3" },			/* ldmxcsr, xrstor */
	{ "\x89\x08\xc3", "\x8b\x08\xc3" },				/* a store, a load */
	{ "\x0f\x58\x00\xc3", "\x0f\xc7\x08\xc3" },			/* addps, cmpxchg8b */
	{ "\xf3\xa5\x90\xc3", "\xf3\xa4\x90\xc3" },
};

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define FLIPS		ARRAY_SIZE(flips)

static uint8_t *text;
static volatile uint8_t *bar;
static atomic_bool done;
static __thread sigjmp_buf out;
static atomic_ulong runs, signals;

static void on_signal(int sig)
{
	signals++;
	siglongjmp(out, sig);
}

static void *execute(void *data)
{
	unsigned long n = (unsigned long)data;

	while (!done) {
		unsigned long i = n++ % FLIPS, cx = 1;
		void *si = (void *)bar, *di = (void *)(bar + 64);

		if (!sigsetjmp(out, 1))
			asm volatile("subq $128, %%rsp; call *%3; addq $128, %%rsp"
				     : "+c"(cx), "+S"(si), "+D"(di)
				     : "r"(text + i * 64), "a"(bar)
				     : "rdx", "memory", "cc", "xmm0", "xmm1");
		runs++;
	}
	return NULL;
}

static void *flip(void *data)
{
	unsigned long n = 0, i;

	while (!done) {
		i = n / 2 % FLIPS;
		memcpy(text + i * 64, n % 2 ? flips[i].good : flips[i].bad, 16);
		n += 1 + rand() % 3;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[3];
	unsigned int i;

	if (argc < 3)
		errx(1, "usage: flip BAR SECONDS");
	bar = map_bar(argv[1], NULL, 4096);
	text = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (text == MAP_FAILED)
		err(1, "mmap");
	for (i = 0; i < FLIPS; i++)
		memcpy(text + i * 64, flips[i].good, 16);
	signal(SIGILL, on_signal);
	signal(SIGSEGV, on_signal);
	signal(SIGFPE, on_signal);
	signal(SIGTRAP, on_signal);
	for (i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, i ? execute : flip, (void *)(uintptr_t)i))
			errx(1, "no thread");
	sleep(atoi(argv[2]));
	done = true;
	for (i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	printf("flip: %lu runs, %lu signals\n", runs, signals);
	return !runs || !signals;
}
