// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map a BAR and access it from user mode: mapper BAR MODE THREADS COUNT [SEED]
 *
 * MODE is one of these. Each thread has a part of its own of the BAR's first page, and
 * knows what it has to read there; the pages next to the BAR's are memory, which each
 * thread writes to and checks as well.
 *
 * plain: moves of all kinds and widths, and other instructions
 * moves: moves of general registers only
 * roam:  plain, and threads go from CPU to CPU
 * x87:   what only the processor can do
 * probed: moves with uprobes on them
 * large: plain, with all of 2M of the BAR mapped
 * churn: plain, while another thread maps, unmaps, moves and protects the memory beside
 *	  and pages of the BAR, and forks processes that access the BAR and exit, or execute
 *	  this program anew while another thread of theirs is at it
 * once:  what such a process does then: map the BAR, access it a few times, and exit
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bar.h"
#include "thread.h"

#define PAGE	4096UL
#define NEIGHBOURS	64

static volatile uint8_t *bar;
static uint8_t *near_bar;
static volatile unsigned long count;	/* 0 to end it: SIGTERM */
static const char *name, *mode;
static atomic_int bad;

static void wrong(const struct thread *t, const char *what, uint64_t have, uint64_t want)
{
	if (atomic_fetch_add(&bad, 1) < 10)
		printf("thread %u: %s: 0x%lx, not 0x%lx\n", t->nr, what, have, want);
}

#define LOAD(insn, type, constraint)						\
	({ type v_; asm volatile(insn : constraint(v_) : "m"(*(volatile type *)p)); v_; })

/* One access, or two: what is written is read back by another kind of instruction. */
static void plain(struct thread *t, volatile uint8_t *p, uint64_t value)
{
	uint64_t have, want = value;

	switch (next(t) % (strcmp(mode, "moves") ? 8 : 5)) {
	case 0:
		asm volatile("movb %b1, %0" : "=m"(*p) : "q"(value));
		have = LOAD("movzbl %1, %k0", uint8_t, "=r") & 0xff;
		want &= 0xff;
		break;
	case 1:
		asm volatile("movw %w1, %0" : "=m"(*(volatile uint16_t *)p) : "r"(value));
		have = LOAD("movw %1, %w0", uint16_t, "=r");
		want &= 0xffff;
		break;
	case 2:
		asm volatile("movl %k1, %0" : "=m"(*(volatile uint32_t *)p) : "r"(value));
		have = LOAD("movl %1, %k0", uint32_t, "=r");
		want &= 0xffffffff;
		break;
	case 3:
		asm volatile("movq %1, %0" : "=m"(*(volatile uint64_t *)p) : "r"(value));
		have = LOAD("movq %1, %0", uint64_t, "=r");
		break;
	case 4: {
		/* From memory to the device and back. */
		uint64_t from = value, to = 0;
		void *s = &from, *d = (void *)p;
		unsigned long n = 2;

		asm volatile("rep movsl" : "+S"(s), "+D"(d), "+c"(n) : : "memory");
		s = (void *)p;
		d = &to;
		n = 1;
		asm volatile("rep movsq" : "+S"(s), "+D"(d), "+c"(n) : : "memory");
		have = to;
		break;
	}
	case 5:
		asm volatile("movq %1, %%xmm1; movq %%xmm1, %0"
			     : "=m"(*(volatile uint64_t *)p) : "r"(value) : "xmm1");
		asm volatile("movq %1, %%xmm2; movq %%xmm2, %0" : "=r"(have)
			     : "m"(*(volatile uint64_t *)p) : "xmm2");
		break;
	case 6: {
		void *d = (void *)p;
		unsigned long n = 2;

		asm volatile("rep stosl" : "+D"(d), "+c"(n) : "a"(value) : "memory");
		have = LOAD("movq %1, %0", uint64_t, "=r");
		want = (uint32_t)value * 0x100000001UL;
		break;
	}
	default:
		asm volatile("movl %k1, %0" : "=m"(*(volatile uint32_t *)p) : "r"(value));
		asm volatile("addl $5, %0" : "+m"(*(volatile uint32_t *)p));
		have = LOAD("movl %1, %k0", uint32_t, "=r");
		want = (uint32_t)(value + 5);
		break;
	}
	if (have != want)
		wrong(t, "read back", have, want);
}

static void x87(struct thread *t, volatile uint8_t *p, uint64_t value)
{
	uint64_t have = 0;

	asm volatile("movq %1, %0" : "=m"(*(volatile uint64_t *)p) : "r"(value));
	asm volatile("fildq %1; fistpq %0" : "=m"(have) : "m"(*(volatile uint64_t *)p));
	if (have != value)
		wrong(t, "fild", have, value);
}

/* Instructions with a uprobe on them: the kernel has their copies stepped elsewhere. */
static struct {
	const char *insn;
	int fd;
} probe[2];

__attribute__((noinline)) static void probed(struct thread *t, volatile uint8_t *p,
					     uint64_t value)
{
	uint64_t have;

	asm volatile(".globl probed_store, probed_load\n"
		     "probed_store: movq %2, %0\n"
		     "probed_load: movq %0, %1\n"
		     : "+m"(*(volatile uint64_t *)p), "=&r"(have) : "r"(value));
	if (have != value)
		wrong(t, "probed", have, value);
}

extern const char probed_store[], probed_load[], __ehdr_start[];

static void probe_all(void)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .inherit = 1 };
	unsigned int i;
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "r");

	if (!f || fscanf(f, "%u", &attr.type) != 1)
		errx(1, "no uprobes");
	fclose(f);
	attr.uprobe_path = (uintptr_t)"/proc/self/exe";
	probe[0].insn = probed_store;
	probe[1].insn = probed_load;
	for (i = 0; i < 2; i++) {
		/* Linked to one address, where the file stands as it is. */
		attr.probe_offset = probe[i].insn - __ehdr_start;
		probe[i].fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
		if (probe[i].fd < 0)
			err(1, "uprobe");
	}
}

static void probes_hit(uint64_t want)
{
	struct thread none = {};
	uint64_t hits = 0;
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (read(probe[i].fd, &hits, sizeof(hits)) != sizeof(hits) || hits != want)
			wrong(&none, "hits", hits, want);
}

static void access_by(struct thread *t, volatile uint8_t *p, uint64_t value)
{
	if (!strcmp(mode, "x87"))
		x87(t, p, value);
	else if (!strcmp(mode, "probed"))
		probed(t, p, value);
	else
		plain(t, p, value);
}

/* Another thread does to the memory beside what processes do. */
static atomic_bool done;

static void child(unsigned long n)
{
	volatile uint32_t *p = (volatile uint32_t *)(bar + 0xf00);
	uint32_t value = n * 0x9e3779b1;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		p[i] = value + i;
		if (p[i] != value + i)
			_exit(1);
	}
	_exit(0);
}

static void *access_on(void *unused)
{
	volatile uint32_t *p = (volatile uint32_t *)(bar + 0xf40);

	for (;;)
		(*p)++;
	return unused;
}

/* Whatever that thread is doing at the moment. */
static void execute(unsigned long n)
{
	char number[32];
	pthread_t other;

	if (pthread_create(&other, NULL, access_on, NULL))
		_exit(2);
	usleep(n % 2000);
	snprintf(number, sizeof(number), "%lu", n);
	execl("/proc/self/exe", "mapper", name, "once", "1", number, NULL);
	_exit(3);
}

/* The BAR's last page is given up and mapped again. */
static void unmap_last(struct thread *t, uint32_t value)
{
	volatile uint32_t *p = (volatile uint32_t *)(bar + 3 * PAGE);
	char part[256];

	*p = value;
	munmap((void *)p, PAGE);
	snprintf(part, sizeof(part), "%s@%lx", name, 3 * PAGE);
	map_bar(part, (void *)p, PAGE);
	if (*p != value)
		wrong(t, "unmapped BAR", *p, value);
}

static void *churn(void *data)
{
	struct thread *t = data;
	uint8_t *beside = near_bar + (NEIGHBOURS + 16) * PAGE, *p, *moved = near_bar + 300 * PAGE;
	unsigned long n;
	int status;
	pid_t pid;

	for (n = 0; !done; n++) {
		unsigned int pages = 1 + next(t) % 64, i;

		p = mmap(beside, pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (p == MAP_FAILED)
			err(1, "mmap");
		for (i = 0; i < pages; i++)
			*(uint64_t *)(p + i * PAGE) = n + i;
		mprotect(p, PAGE * (pages / 2), PROT_READ);
		for (i = 0; i < pages; i++)
			if (*(uint64_t *)(p + i * PAGE) != n + i)
				wrong(t, "protected", *(uint64_t *)(p + i * PAGE), n + i);
		mprotect(p, PAGE * pages, PROT_READ | PROT_WRITE);
		if (next(t) % 2)
			madvise(p, pages * PAGE / 2, MADV_PAGEOUT);
		if (mremap(p, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   moved) == MAP_FAILED)
			err(1, "mremap");
		for (i = 0; i < pages; i++)
			if (*(uint64_t *)(moved + i * PAGE) != n + i)
				wrong(t, "moved", *(uint64_t *)(moved + i * PAGE), n + i);
		munmap(moved + PAGE * (pages / 2), PAGE * (pages - pages / 2));
		/* The BAR's third page, where nobody else is: there and back. */
		if (mremap((void *)(bar + 2 * PAGE), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   near_bar + 400 * PAGE) == MAP_FAILED)
			err(1, "mremap of the BAR");
		*(volatile uint32_t *)(near_bar + 400 * PAGE) = n;
		if (mremap(near_bar + 400 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   (void *)(bar + 2 * PAGE)) == MAP_FAILED)
			err(1, "mremap of the BAR");
		if (*(volatile uint32_t *)(bar + 2 * PAGE) != (uint32_t)n)
			wrong(t, "moved BAR", *(volatile uint32_t *)(bar + 2 * PAGE), n);
		mprotect((void *)(bar + 2 * PAGE), PAGE, PROT_READ);
		(void)*(volatile uint32_t *)(bar + 2 * PAGE);
		mprotect((void *)(bar + 2 * PAGE), PAGE, PROT_READ | PROT_WRITE);
		*(volatile uint32_t *)(bar + 2 * PAGE) = n;

		if (!strchr(name, '@') && !strchr(name, '='))
			unmap_last(t, n);

		pid = fork();
		if (!pid && n % 4 == 3)
			execute(n);
		if (!pid)
			child(n);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			wrong(t, "child", status, 0);
	}
	printf("mapper: %lu rounds of churn\n", n);
	return NULL;
}

static void *run(void *data)
{
	struct thread *t = data;
	uint8_t *mine = near_bar + t->nr * 8;
	uint64_t sum[NEIGHBOURS] = {};
	unsigned long i;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(t->nr % sysconf(_SC_NPROCESSORS_ONLN), &set);
	if (strcmp(mode, "roam"))
		sched_setaffinity(0, sizeof(set), &set);

	for (i = 0; i < count; i++) {
		uint64_t value = next(t);
		unsigned int n = next(t) % NEIGHBOURS;
		uint64_t *word = (uint64_t *)(mine + n * PAGE);

		access_by(t, bar + t->nr * 256 + next(t) % 31 * 8, value);
		if (*word != sum[n])
			wrong(t, "memory", *word, sum[n]);
		*word = sum[n] += value;
	}
	return NULL;
}

static void stop(int sig)
{
	count = 0;
	(void)sig;
}

int main(int argc, char **argv)
{
	unsigned int threads, i;
	struct thread *t, extra = {};
	uint64_t seed;
	uint8_t *area;
	size_t size;

	if (argc < 5)
		errx(1, "usage: mapper BAR MODE THREADS COUNT [SEED]");
	name = argv[1];
	mode = argv[2];
	if (!strcmp(mode, "once")) {
		bar = map_bar(name, NULL, 4 * PAGE);
		child(strtoul(argv[4], NULL, 0));
	}
	threads = atoi(argv[3]);
	count = strtoul(argv[4], NULL, 0);
	signal(SIGTERM, stop);

	/* One area, so that the BAR's pages share a table with memory. */
	area = map_memory(6UL << 20);
	size = strcmp(mode, "large") ? 4 * PAGE : 2UL << 20;
	bar = map_bar(name, area, size);
	near_bar = area + size;
	if (!strcmp(mode, "probed"))
		probe_all();

	t = calloc(threads, sizeof(*t));
	seed = (argc > 5 ? strtoul(argv[5], NULL, 0) : 1) * 0x9e3779b97f4a7c15;
	for (i = 0; i < threads; i++)
		start_thread(&t[i], i, seed + i + 1, run);
	if (!strcmp(mode, "churn"))
		start_thread(&extra, threads, 4711, churn);
	for (i = 0; i < threads; i++)
		pthread_join(t[i].id, NULL);
	done = true;
	if (extra.id)
		pthread_join(extra.id, NULL);
	if (!strcmp(mode, "probed"))
		probes_hit(threads * strtoul(argv[4], NULL, 0));
	printf("mapper: %s, %u threads, %s each, %d wrong\n", mode, threads, argv[4], bad);
	return bad != 0;
}
