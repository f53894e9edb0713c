// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process that maps a BAR pays: user BAR WORKLOAD COUNT ROUNDS
 *
 * Prints the picoseconds of one of COUNT operations, ROUNDS times. With '-' for BAR there
 * is a page of memory in its place. It is in the middle of 2M, the others of which are
 * memory:
 *
 * read:    read the BAR
 * walk:    read and write pages of the same 2M, which are all there
 * near:    have a page of the same 2M taken away, and touch it
 * far:	    map, touch and unmap pages elsewhere
 * protect: protect and unprotect a page elsewhere, and write to it
 * call:    the cheapest system call
 * fork:    fork, and wait for the child, which exits
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../guest/user/bar.h"
#include "rounds.h"

#define PAGE	4096UL
#define HUGE	(2UL << 20)
#define AT	256		/* the BAR's page of them */
#define FAR	16		/* pages at a time elsewhere */

static volatile uint8_t *area, *elsewhere;

static void do_read(unsigned long i)
{
	(void)*(volatile uint32_t *)(area + AT * PAGE);
	(void)i;
}

static void do_walk(unsigned long i)
{
	unsigned int page;

	for (page = 0; page < AT; page++)
		area[page * PAGE + i % PAGE]++;
}

static void do_near(unsigned long i)
{
	volatile uint8_t *p = area + (i % AT) * PAGE;

	madvise((void *)p, PAGE, MADV_DONTNEED);
	*p = 1;
}

static void do_far(unsigned long i)
{
	volatile uint8_t *p = mmap(NULL, FAR * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int page;

	for (page = 0; page < FAR; page++)
		p[page * PAGE] = i;
	munmap((void *)p, FAR * PAGE);
}

static void do_protect(unsigned long i)
{
	mprotect((void *)elsewhere, PAGE, PROT_READ);
	mprotect((void *)elsewhere, PAGE, PROT_READ | PROT_WRITE);
	*elsewhere = i;
}

static void do_call(unsigned long i)
{
	syscall(SYS_getppid);
	(void)i;
}

static void do_fork(unsigned long i)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		err(1, "fork");
	(void)i;
}

static const struct {
	const char *name;
	void (*run)(unsigned long i);
} work[] = {
	{ "read", do_read }, { "walk", do_walk }, { "near", do_near }, { "far", do_far },
	{ "protect", do_protect }, { "call", do_call }, { "fork", do_fork },
};

static volatile uint8_t *memory(size_t size)
{
	uint8_t *p = map_memory(size);

	/* Whatever the system's setting: pages of 4K are what there is beside a BAR. */
	madvise(p, size, MADV_NOHUGEPAGE);
	memset(p, 1, size);
	return p;
}

int main(int argc, char **argv)
{
	unsigned int w;

	if (argc < 5)
		errx(1, "usage: user BAR WORKLOAD COUNT ROUNDS");
	for (w = 0; w < sizeof(work) / sizeof(*work) && strcmp(argv[2], work[w].name); w++)
		;
	if (w == sizeof(work) / sizeof(*work))
		errx(1, "no workload '%s'", argv[2]);
	area = memory(HUGE);
	elsewhere = memory(HUGE);
	if (strcmp(argv[1], "-"))
		map_bar(argv[1], (void *)(area + AT * PAGE), PAGE);
	do_read(0);
	run_rounds(work[w].run, strtoul(argv[3], NULL, 0), atoi(argv[4]));
	return 0;
}
