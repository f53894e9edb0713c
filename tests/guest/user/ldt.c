// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local descriptor tables that come and go: with page-table isolation the kernel maps
 * each into an entry of the pgd of its own, in both halves, when the first descriptor
 * is written, and takes it away with the address space.
 *
 * ldt ROUNDS: each round is a process that writes a descriptor, reads through it,
 * changes it, and leaves the same to a child. Status 1 if a value was wrong.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_desc(unsigned int entry, const void *base)
{
	struct user_desc desc = {
		.entry_number = entry,
		.base_addr = (unsigned int)(unsigned long)base,
		.limit = 4095,
		.seg_32bit = 1,
		.useable = 1,
	};

	return syscall(SYS_modify_ldt, 0x11, &desc, sizeof(desc));
}

static unsigned int read_through(unsigned int entry)
{
	unsigned short selector = entry << 3 | 7;
	unsigned int value;

	asm volatile("mov %1, %%gs\n\tmov %%gs:0, %0\n\tmov %2, %%gs"
		     : "=r" (value) : "r" (selector), "r" ((unsigned short)0) : "memory");
	return value;
}

static int turn(unsigned int *page, unsigned int entry, unsigned int value)
{
	int i;

	*page = value;
	if (write_desc(entry, page))
		return 1;
	for (i = 0; i < 20; i++) {
		if (read_through(entry) != value)
			return 1;
		sched_yield();
	}
	return 0;
}

static int round_of(unsigned int n)
{
	unsigned int *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int status = 1;
	pid_t pid;

	/* The last of 8192 entries needs 16 pages. */
	if (page == MAP_FAILED || turn(page, 0, n) || turn(page + 1024, 8191, ~n))
		return 1;
	pid = fork();
	if (!pid)
		_exit(read_through(0) != n || turn(page, 8191, n + 1));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return !!status || read_through(8191) != ~n;
}

int main(int argc, char **argv)
{
	unsigned int n, rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 100;
	int status;
	pid_t pid;

	for (n = 1; n <= rounds; n++) {
		pid = fork();
		if (!pid)
			_exit(round_of(n));
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
			printf("ldt: round %u: status %x\n", n, status);
			return 1;
		}
	}
	printf("ldt: %u rounds\n", rounds);
	return 0;
}
