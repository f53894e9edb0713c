// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in the same 2M as a mapped BAR: whatever the kernel does to it, not a byte of it
 * is lost, what is written counts as written, and the BAR is accessed all the while.
 *
 * beside BAR SECONDS BAR-THREADS MEMORY-THREADS [swap]: with "swap" nobody asks what was
 * written to, for then the kernel maps nothing writable that is clean, as it does what was
 * swapped in for a read
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bar.h"
#include "thread.h"

#define PAGE	4096UL
#define BARS	2		/* each 2M that has the BAR in its middle */
#define PAGES	((BARS + 1) * 512)	/* behind them is one without */
#define WORDS	(PAGE / 8)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

static uint8_t *area;
static unsigned int version[PAGES];
static unsigned int nr_memory;
static atomic_bool done;
static bool asks;
static atomic_int bad;
static atomic_ulong accesses, rounds, dirtied, moved, collapsed;

static void wrong(const char *what, unsigned long where, uint64_t have, uint64_t want)
{
	if (atomic_fetch_add(&bad, 1) < 10)
		printf("%s %lu: 0x%lx, not 0x%lx\n", what, where, have, want);
}

static bool is_bar(unsigned int page)
{
	return page < BARS * 512 && page % 512 >= 256 && page % 512 < 260;
}

/* Every 8th is like others, so that there is something to merge. */
static uint64_t word(unsigned int page, unsigned int v, unsigned int k)
{
	if (!v)
		return 0;
	if (page % 8 == 7)
		return 0x1234567 + k;
	return ((uint64_t)page << 40 | (uint64_t)v << 16 | k) * 0x9e3779b97f4a7c15;
}

static uint64_t *page_at(unsigned int page)
{
	return (uint64_t *)(area + page * PAGE);
}

static void write_page(unsigned int page)
{
	uint64_t *p = page_at(page);
	unsigned int k, v = ++version[page];

	for (k = 0; k < WORDS; k++)
		p[k] = word(page, v, k);
}

static void check_page(unsigned int page, unsigned int from, unsigned int step)
{
	volatile uint64_t *p = page_at(page);
	unsigned int k;

	for (k = from; k < WORDS; k += step)
		if (p[k] != word(page, version[page], k)) {
			wrong("page", page, p[k], word(page, version[page], k));
			return;
		}
}

static void *access_bar(void *data)
{
	struct thread *t = data;

	while (!done) {
		unsigned int first = next(t) % 2 ? 256 : 768;
		volatile uint32_t *p = (volatile uint32_t *)page_at(first) + t->nr * 64 +
				       next(t) % 64;
		uint32_t value = next(t);

		*p = value;
		if (*p != value)
			wrong("BAR", p - (uint32_t *)page_at(first), *p, value);
		accesses += 2;
		/* The device's log is to stay small. */
		usleep(200);
	}
	return NULL;
}

/* Written since the last look? Swapped out or not. */
static int soft_dirty(int pagemap, unsigned int page)
{
	uint64_t entry;

	if (pread(pagemap, &entry, 8, ((uintptr_t)area / PAGE + page) * 8) != 8)
		return -1;
	return entry >> 55 & 1;
}

/*
 * A page that is being moved while clear_refs looks at it is writable when it comes back,
 * and what is written to it does not count, natively either. Who moves a page tells who
 * traces that when it is back.
 */
#define MOVES "/sys/kernel/tracing/instances/beside"

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_TRUNC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "%s", file);
	close(fd);
}

static void watch_moves(void)
{
	if (mkdir(MOVES, 0700))
		err(1, "%s", MOVES);
	put(MOVES "/buffer_size_kb", "256");
	put(MOVES "/events/migrate/remove_migration_pte/enable", "1");
	put(MOVES "/events/thp/remove_migration_pmd/enable", "1");
}

static bool was_moved(unsigned int page)
{
	uintptr_t at = (uintptr_t)page_at(page);
	char line[512], pte[64], pmd[64];
	FILE *f = fopen(MOVES "/trace", "r");
	bool found = false;

	if (!f)
		err(1, "%s", MOVES "/trace");
	snprintf(pte, sizeof(pte), "remove_migration_pte: addr=%lx,", at);
	snprintf(pmd, sizeof(pmd), "remove_migration_pmd: addr=%lx,", at & -(2UL << 20));
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, pte) || strstr(line, pmd);
	fclose(f);
	return found;
}

static void look_at_dirty(struct thread *t, unsigned int page)
{
	static int pagemap = -1, clear = -1;
	static bool unknown;
	int dirty;

	if (pagemap < 0) {
		pagemap = open("/proc/self/pagemap", O_RDONLY);
		clear = open("/proc/self/clear_refs", O_WRONLY);
		/* Everything is, at first. Or the kernel does not know. */
		unknown = soft_dirty(pagemap, page) != 1;
		watch_moves();
	}
	if (unknown)
		return;
	put(MOVES "/trace", "");
	page_at(page)[0] = word(page, version[page], 0);
	if (pwrite(clear, "4", 1, 0) != 1)
		return;
	check_page(page, 0, 64);
	page_at(page)[next(t) % WORDS] = 0;
	write_page(page);
	dirty = soft_dirty(pagemap, page);
	if (!dirty && was_moved(page)) {
		moved++;
		return;
	}
	if (dirty != 1)
		wrong("written, but not dirty: page", page, dirty, 1);
	dirtied++;
}

static void child(unsigned int first)
{
	unsigned int page;
	int before = bad;

	for (page = first; page < PAGES; page += nr_memory * 4)
		if (!is_bar(page))
			check_page(page, 0, 37);
	_exit(bad != before);
}

static void *use_memory(void *data)
{
	struct thread *t = data;
	unsigned int i, page, len;
	uint8_t *p;
	int status;
	pid_t pid;

	while (!done) {
		page = next(t) % (PAGES / nr_memory) * nr_memory + t->nr;
		if (is_bar(page))
			continue;
		p = (uint8_t *)page_at(page);
		switch (next(t) % 16) {
		case 0:
			madvise(p, PAGE, MADV_PAGEOUT);
			break;
		case 1:
			madvise(p, PAGE, MADV_COLD);
			break;
		case 2:
			madvise(p, PAGE, MADV_DONTNEED);
			version[page] = 0;
			break;
		case 3:
			mprotect(p, PAGE, PROT_READ);
			check_page(page, 0, 7);
			mprotect(p, PAGE, PROT_READ | PROT_WRITE);
			break;
		case 4:
			/* Everything around it, whosever it is. */
			len = 1 + next(t) % 64;
			for (i = 0; i < len && page + i < PAGES && !is_bar(page + i); i++)
				;
			madvise(p, i * PAGE, next(t) % 2 ? MADV_PAGEOUT : MADV_COLD);
			break;
		case 5:
			/* It makes everything read-only. */
			if (t->nr || !asks)
				break;
			pid = fork();
			if (!pid)
				child(t->nr);
			if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
				wrong("child", page, status, 0);
			break;
		case 6:
			/* A page that is merged is not, natively either. */
			if (asks && !t->nr && page % 8 != 7)
				look_at_dirty(t, page);
			break;
		case 7:
			madvise(area + (next(t) % BARS << 21), 256 * PAGE,
				next(t) % 2 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
			break;
		case 8:
			/* A table of Linux's that the copies lead to becomes a huge page. */
			if (!(next(t) % 4) && !madvise(page_at(BARS * 512), 512 * PAGE, MADV_COLLAPSE))
				collapsed++;
			break;
		default:
			if (next(t) % 2)
				write_page(page);
			break;
		}
		check_page(page, next(t) % 16, 16);
		rounds++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int i, nr_bar;
	struct thread *t;

	if (argc < 5)
		errx(1, "usage: beside BAR SECONDS BAR-THREADS MEMORY-THREADS [swap]");
	asks = argc < 6;
	nr_bar = atoi(argv[3]);
	nr_memory = atoi(argv[4]);
	area = map_memory(PAGES * PAGE);
	for (i = 256; i < BARS * 512; i += 512)
		map_bar(argv[1], page_at(i), 4 * PAGE);
	for (i = 0; i < BARS * 512; i += 512)
		madvise(page_at(i), 256 * PAGE, MADV_MERGEABLE);
	for (i = 0; i < PAGES; i++)
		if (!is_bar(i))
			write_page(i);

	t = calloc(nr_bar + nr_memory, sizeof(*t));
	for (i = 0; i < nr_bar + nr_memory; i++)
		start_thread(&t[i], i < nr_bar ? i : i - nr_bar, 0x9e3779b97f4a7c15 * (i + 1),
			     i < nr_bar ? access_bar : use_memory);
	sleep(atoi(argv[2]));
	done = true;
	for (i = 0; i < nr_bar + nr_memory; i++)
		pthread_join(t[i].id, NULL);
	for (i = 0; i < PAGES; i++)
		if (!is_bar(i))
			check_page(i, 0, 1);
	rmdir(MOVES);
	printf("beside: %lu accesses, %lu rounds, %lu times dirty, %lu moved, %lu times huge, %d wrong\n",
	       accesses, rounds, dirtied, moved, collapsed, bad);
	return bad != 0;
}
