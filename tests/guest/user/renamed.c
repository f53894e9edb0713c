// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that reads a file again and again, while another one gives it names.
 *
 * renamed FILE <NAMES: a line each; ends with them
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *rename_it(void *unused)
{
	char path[64], name[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", getpid());
	while (fgets(name, sizeof(name), stdin)) {
		fd = open(path, O_WRONLY);
		if (fd < 0 || write(fd, name, strcspn(name, "\n")) < 0)
			perror(path);
		close(fd);
	}
	exit(0);
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	pthread_t thread;
	char buf[8];

	if (fd < 0 || pthread_create(&thread, NULL, rename_it, NULL))
		return 2;
	while (read(fd, buf, sizeof(buf)) >= 0)
		;
	return 1;
}
