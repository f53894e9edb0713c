// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a system does all day, on one CPU: load WORKLOAD COUNT ROUNDS [ARGUMENT]
 *
 * Prints the picoseconds of one of COUNT turns, ROUNDS times.
 *
 * call:	    the cheapest system call
 * switch-same:	    to another thread and back
 * switch-other:    to another process and back
 * switch-threads:  likewise, and each of them has another thread, which sleeps
 * fault-anon:	    a page of anonymous memory is touched, 64 after one another
 * fault-file:	    likewise of a file, which is read; 16 of them are mapped at once
 * fault-cow:	    likewise, which is written to and copied
 * fork:	    fork, and wait for the child, which exits
 * exec:	    likewise, which executes this program first
 * mmap:	    map 16 pages, touch one, unmap them
 * pipe, socket:    a byte to another process and back
 * module:	    load and remove the module whose file is ARGUMENT
 * run:		    have sh run ARGUMENT
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rounds.h"

#define PAGE	4096UL
#define AT_ONCE	64

extern char **environ;

static const char *self, *argument;
static volatile uint8_t *area;
/* Whose turn it is; shared with the other one */
static uint32_t *turn;
static int to[2], from[2];

static void do_call(unsigned long i)
{
	(void)i;
	syscall(SYS_getppid);
}

static void futex(int op, uint32_t value)
{
	syscall(SYS_futex, turn, op, value, NULL, NULL, 0);
}

/* Give the turn away, and wait until it comes back. */
static void take_turns(uint32_t mine)
{
	__atomic_store_n(turn, !mine, __ATOMIC_SEQ_CST);
	futex(FUTEX_WAKE, 1);
	while (__atomic_load_n(turn, __ATOMIC_SEQ_CST) != mine)
		futex(FUTEX_WAIT, !mine);
}

static void *other_thread(void *unused)
{
	for (;;)
		take_turns(1);
	return unused;
}

static void *sleeper(void *unused)
{
	pause();
	return unused;
}

static void start_thread(void *(*func)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, func, NULL))
		errx(1, "no thread");
}

/* A process that goes when we do */
static int start_process(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return !pid;
}

static void do_switch(unsigned long i)
{
	(void)i;
	take_turns(0);
}

static void begin_switch_same(void)
{
	start_thread(other_thread);
}

static void begin_switch_other(void)
{
	if (start_process())
		other_thread(NULL);
}

static void begin_switch_threads(void)
{
	int child = start_process();

	start_thread(sleeper);
	if (child)
		other_thread(NULL);
}

/* A byte there and back */
static void do_bytes(unsigned long i)
{
	char byte = i;

	if (write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1)
		err(1, "a byte");
}

static void echo_bytes(void)
{
	char byte;

	while (read(to[0], &byte, 1) == 1 && write(from[1], &byte, 1) == 1)
		;
	_exit(0);
}

static void begin_pipe(void)
{
	if (pipe(to) || pipe(from))
		err(1, "pipe");
	if (start_process())
		echo_bytes();
}

static void begin_socket(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		err(1, "socketpair");
	to[1] = from[0] = pair[0];
	to[0] = from[1] = pair[1];
	if (start_process())
		echo_bytes();
}

static void begin_anon(void)
{
	area = mmap(NULL, AT_ONCE * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (area == MAP_FAILED)
		err(1, "mmap");
	madvise((void *)area, AT_ONCE * PAGE, MADV_NOHUGEPAGE);
}

static void begin_file(void)
{
	int fd = open("/tmp/load-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	static char page[PAGE];
	unsigned int n;

	for (n = 0; n < AT_ONCE; n++)
		if (write(fd, page, PAGE) != PAGE)
			err(1, "/tmp/load-file");
	area = mmap(NULL, AT_ONCE * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (area == MAP_FAILED)
		err(1, "mmap");
}

/* All pages are taken away, then they come one after the other. */
static volatile uint8_t *next_page(unsigned long i)
{
	if (i % AT_ONCE == 0)
		madvise((void *)area, AT_ONCE * PAGE, MADV_DONTNEED);
	return area + i % AT_ONCE * PAGE;
}

static void do_touch(unsigned long i)
{
	*next_page(i) = 1;
}

static void do_look(unsigned long i)
{
	(void)*next_page(i);
}

static void wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		errx(1, "a child failed");
}

static void do_fork(unsigned long i)
{
	pid_t pid = fork();

	(void)i;
	if (!pid)
		_exit(0);
	wait_for(pid);
}

static void spawn(const char *file, char **argv)
{
	pid_t pid;

	if (posix_spawn(&pid, file, NULL, NULL, argv, environ))
		errx(1, "%s", file);
	wait_for(pid);
}

static void do_exec(unsigned long i)
{
	char *argv[] = { (char *)self, NULL };

	(void)i;
	spawn(self, argv);
}

static void do_run(unsigned long i)
{
	char *argv[] = { "sh", "-c", (char *)argument, NULL };

	(void)i;
	spawn("/bin/sh", argv);
}

static void do_mmap(unsigned long i)
{
	volatile uint8_t *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*p = i;
	munmap((void *)p, 16 * PAGE);
}

static void do_module(unsigned long i)
{
	static char name[NAME_MAX];
	const char *base = strrchr(argument, '/');
	int fd = open(argument, O_RDONLY);

	(void)i;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(base + 1, "."), base + 1);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		err(1, "%s", argument);
	close(fd);
	if (syscall(SYS_delete_module, name, O_NONBLOCK))
		err(1, "%s", name);
}

static const struct {
	const char *name;
	void (*run)(unsigned long i);
	void (*begin)(void);
} work[] = {
	{ "call", do_call, NULL },
	{ "switch-same", do_switch, begin_switch_same },
	{ "switch-other", do_switch, begin_switch_other },
	{ "switch-threads", do_switch, begin_switch_threads },
	{ "fault-anon", do_touch, begin_anon },
	{ "fault-file", do_look, begin_file },
	{ "fault-cow", do_touch, begin_file },
	{ "fork", do_fork, NULL },
	{ "exec", do_exec, NULL },
	{ "mmap", do_mmap, NULL },
	{ "pipe", do_bytes, begin_pipe },
	{ "socket", do_bytes, begin_socket },
	{ "module", do_module, NULL },
	{ "run", do_run, NULL },
};

int main(int argc, char **argv)
{
	cpu_set_t first;
	unsigned int w;

	/* What exec executes */
	if (argc == 1)
		return 0;
	if (argc < 4)
		errx(1, "usage: load WORKLOAD COUNT ROUNDS [ARGUMENT]");
	for (w = 0; w < sizeof(work) / sizeof(*work) && strcmp(argv[1], work[w].name); w++)
		;
	if (w == sizeof(work) / sizeof(*work))
		errx(1, "no workload '%s'", argv[1]);
	self = argv[0];
	argument = argc > 4 ? argv[4] : "";

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		err(1, "sched_setaffinity");
	turn = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (turn == MAP_FAILED)
		err(1, "mmap");
	if (work[w].begin)
		work[w].begin();
	run_rounds(work[w].run, strtoul(argv[2], NULL, 0), atoi(argv[3]));
	return 0;
}
