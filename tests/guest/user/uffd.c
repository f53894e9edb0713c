// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in the same 2M as a mapped BAR whose faults a thread of the process handles: what
 * is missing is put there, what is write-protected is told of before it is written to.
 *
 * uffd BAR SECONDS THREADS
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/userfaultfd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bar.h"
#include "thread.h"

#define PAGE	4096UL
#define PAGES	512UL
#define WORDS	(PAGE / 8)
#define BAR	256UL		/* four pages of the device */

static uint8_t *area;
static int uffd;
static unsigned int nr_threads;
static unsigned int version[PAGES];
static atomic_uint told[PAGES];
static atomic_bool done;
static atomic_ulong accesses, missing, protected, kernels;
static atomic_int bad;

static uint64_t *page_at(unsigned long page)
{
	return (uint64_t *)(area + page * PAGE);
}

static uint64_t word(unsigned long page, unsigned int k)
{
	return ((uint64_t)page << 40 | (uint64_t)version[page] << 16 | k) * 0x9e3779b97f4a7c15;
}

static void wrong(const char *what, unsigned long page)
{
	if (atomic_fetch_add(&bad, 1) < 10)
		printf("%s: page %lu\n", what, page);
}

static void fill(uint64_t *p, unsigned long page)
{
	unsigned int k;

	for (k = 0; k < WORDS; k++)
		p[k] = word(page, k);
}

static void protect(unsigned long page, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (uintptr_t)page_at(page), .len = PAGE },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	if (ioctl(uffd, UFFDIO_WRITEPROTECT, &wp))
		err(1, "UFFDIO_WRITEPROTECT");
}

/* Who faulted waits, and nobody else uses the page: its version is what it was. */
static void *handle(void *unused)
{
	static uint64_t content[WORDS] __attribute__((aligned(4096)));
	struct uffdio_copy copy = { .src = (uintptr_t)content, .len = PAGE };
	struct uffd_msg msg;
	unsigned long page;

	while (read(uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		page = (msg.arg.pagefault.address - (uintptr_t)area) / PAGE;
		if (msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
			told[page]++;
			protected++;
			protect(page, false);
			continue;
		}
		fill(content, page);
		copy.dst = (uintptr_t)page_at(page);
		/* Every other one is told of once more when it is written to. */
		copy.mode = page % 2 ? UFFDIO_COPY_MODE_WP : 0;
		if (ioctl(uffd, UFFDIO_COPY, &copy))
			err(1, "UFFDIO_COPY");
		missing++;
	}
	return unused;
}

static void check(unsigned long page)
{
	volatile uint64_t *p = page_at(page);
	unsigned int k;

	for (k = 0; k < WORDS; k += 31)
		if (p[k] != word(page, k)) {
			wrong("lost", page);
			return;
		}
}

/* The kernel's own accesses fault as well. */
static void check_by_kernel(unsigned long page, int *pipe)
{
	uint64_t have[8];

	if (write(pipe[1], page_at(page), sizeof(have)) != sizeof(have) ||
	    read(pipe[0], have, sizeof(have)) != sizeof(have))
		err(1, "pipe");
	if (have[7] != word(page, 7))
		wrong("lost for the kernel", page);
	kernels++;
}

static void write_told(unsigned long page)
{
	unsigned int before = told[page];

	protect(page, true);
	check(page);
	version[page]++;
	fill(page_at(page), page);
	if (told[page] == before)
		wrong("written, and not told of", page);
}

static void *use(void *data)
{
	volatile uint32_t *bar = (volatile uint32_t *)page_at(BAR);
	struct thread *t = data;
	unsigned long page;
	int pipes[2];

	if (pipe(pipes))
		err(1, "pipe");
	while (!done) {
		bar[t->nr] = t->random;
		if (bar[t->nr] != (uint32_t)t->random)
			wrong("BAR", BAR);
		accesses += 2;
		page = next(t) % (PAGES / nr_threads) * nr_threads + t->nr;
		if (page >= BAR && page < BAR + 4)
			continue;
		switch (next(t) % 4) {
		case 0:
			madvise(page_at(page), PAGE, MADV_DONTNEED);
			check_by_kernel(page, pipes);
			break;
		case 1:
			madvise(page_at(page), PAGE, MADV_DONTNEED);
			break;
		case 2:
			/* There, so that it can be protected. */
			check(page);
			write_told(page);
			break;
		}
		check(page);
	}
	return NULL;
}

static void watch(unsigned long from, unsigned long to)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)page_at(from), .len = (to - from) * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
	};

	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		err(1, "UFFDIO_REGISTER");
}

int main(int argc, char **argv)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct thread *t, handler;
	unsigned int i;

	if (argc < 4)
		errx(1, "usage: uffd BAR SECONDS THREADS");
	nr_threads = atoi(argv[3]);
	area = map_memory(PAGES * PAGE);
	map_bar(argv[1], page_at(BAR), 4 * PAGE);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		err(1, "userfaultfd");
	watch(0, BAR);
	watch(BAR + 4, PAGES);

	start_thread(&handler, 0, 1, handle);
	t = calloc(nr_threads, sizeof(*t));
	for (i = 0; i < nr_threads; i++)
		start_thread(&t[i], i, 0x9e3779b97f4a7c15 * (i + 1), use);
	sleep(atoi(argv[2]));
	done = true;
	for (i = 0; i < nr_threads; i++)
		pthread_join(t[i].id, NULL);
	printf("uffd: %lu accesses, %lu missing, %lu protected, %lu by the kernel, %d wrong\n",
	       accesses, missing, protected, kernels, bad);
	return bad != 0;
}
