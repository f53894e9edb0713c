// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that reads a file again and again, while the first one gives it names.
 *
 * renamed FILE <NAMES: a line each; ends with them
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int file;
static _Atomic pid_t reader;

static void *read_it(void *unused)
{
	char buf[8];

	reader = gettid();
	while (read(file, buf, sizeof(buf)) >= 0)
		;
	exit(1);
}

static void rename_it(void)
{
	char path[64], name[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", reader);
	while (fgets(name, sizeof(name), stdin)) {
		fd = open(path, O_WRONLY);
		if (fd < 0 || write(fd, name, strcspn(name, "\n")) < 0)
			perror(path);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	pthread_t thread;

	file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	if (file < 0 || pthread_create(&thread, NULL, read_it, NULL))
		return 2;
	while (!reader)
		usleep(1000);
	rename_it();
	return 0;
}
