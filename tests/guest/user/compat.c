// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process of 32 bits that maps a BAR: what it reads is what it wrote.
 *
 * compat BAR COUNT [flip]: while another thread takes the BAR away, and gives it back
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>

#include "bar.h"

#define ACCESS(insn, type)							\
	do {									\
		type have_, want_ = (type)(i * 0x9e3779b9U);			\
		asm volatile(insn " %1, %0" : "=m"(*(volatile type *)p) : "q"(want_)); \
		asm volatile(insn " %1, %0" : "=q"(have_) : "m"(*(volatile type *)p)); \
		bad += have_ != want_;						\
	} while (0)

static volatile int done;
static volatile unsigned int faults;

static void *flip(void *bar)
{
	while (!done) {
		mprotect(bar, 4 * 4096, PROT_NONE);
		mprotect(bar, 4 * 4096, PROT_READ | PROT_WRITE);
		usleep(100);
	}
	return NULL;
}

/* It is made once more. */
static void on_fault(int sig)
{
	(void)sig;
	faults++;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	unsigned int i, n, bad = 0, count;
	uint32_t buf[4] = {}, *from, *to;
	uint8_t *bar;

	if (argc < 3)
		errx(1, "usage: compat BAR COUNT");
	count = atoi(argv[2]);
	bar = map_bar(argv[1], NULL, 4 * 4096);
	if (argc > 3) {
		signal(SIGSEGV, on_fault);
		if (pthread_create(&thread, NULL, flip, bar))
			errx(1, "no thread");
	}
	for (i = 0; i < count; i++) {
		uint8_t *p = bar + i % 0x1000 * 4;

		ACCESS("movb", uint8_t);
		ACCESS("movw", uint16_t);
		ACCESS("movl", uint32_t);
		/* In 64 bits this byte begins another instruction. */
		asm volatile("movl $0x12345678, %%eax; incl %%eax; movl %%eax, %0"
			     : "=m"(*(volatile uint32_t *)p) : : "eax");
		bad += *(volatile uint32_t *)p != 0x12345679;
		from = (uint32_t *)p;
		to = buf;
		n = 1;
		asm volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
		bad += buf[0] != 0x12345679;
	}
	if (argc > 3) {
		done = 1;
		pthread_join(thread, NULL);
		if (!faults)
			bad++;
	}
	printf("compat: %u rounds, %u wrong, %u faults\n", count, bad, faults);
	return bad != 0;
}
