// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to a device in system calls of a process that is single-stepped: where it
 * stops has to be the same whether the device is traced or not.
 *
 * steps step|block|plain FILE [COUNT]: read FILE so often
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_SINGLEBLOCK
#define PTRACE_SINGLEBLOCK 33
#endif

static char buf[8];

__attribute__((noinline)) void access_device(int fd, long count)
{
	while (count--) {
		long ret = SYS_read;

		asm volatile(".globl at_syscall\n"
			     "at_syscall: syscall\n"
			     "	.globl behind_syscall\n"
			     "behind_syscall: nop\n"
			     : "+a" (ret) : "D" (fd), "S" (buf), "d" (sizeof(buf))
			     : "rcx", "r11", "memory");
		if (ret)
			_exit(1);
	}
}

int main(int argc, char **argv)
{
	unsigned long stops = 0, trail = 0;
	struct user_regs_struct regs;
	int fd, status, request;
	long count;
	pid_t pid;

	if (argc < 3)
		return 2;
	fd = open(argv[2], O_RDONLY);
	if (fd < 0) {
		perror(argv[2]);
		return 2;
	}
	count = argc > 3 ? atol(argv[3]) : 10;
	if (!strcmp(argv[1], "plain")) {
		access_device(fd, count);
		return 0;
	}
	request = strcmp(argv[1], "block") ? PTRACE_SINGLESTEP : PTRACE_SINGLEBLOCK;

	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		access_device(fd, count);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	while (WIFSTOPPED(status)) {
		if (WSTOPSIG(status) == SIGTRAP) {
			ptrace(PTRACE_GETREGS, pid, 0, &regs);
			stops++;
			trail = trail * 31 + regs.rip;
		} else if (WSTOPSIG(status) != SIGSTOP) {
			printf("signal %d\n", WSTOPSIG(status));
			return 1;
		}
		if (ptrace(request, pid, 0, 0)) {
			perror("ptrace");
			return 1;
		}
		waitpid(pid, &status, 0);
	}
	printf("%s: %lu stops, trail %lx, status %x\n", argv[1], stops, trail, status);
	return 0;
}
