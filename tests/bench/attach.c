// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long it takes to trace what is mapped already: attach DIRECTORY WHAT ROUNDS writes
 * WHAT to the files attach and detach of DIRECTORY, and prints the nanoseconds of each:
 * a line for attach, a line for detach.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double write_text(int fd, const char *text)
{
	struct timespec t[2];

	clock_gettime(CLOCK_MONOTONIC, &t[0]);
	if (write(fd, text, strlen(text)) < 0)
		err(1, "write '%s'", text);
	clock_gettime(CLOCK_MONOTONIC, &t[1]);
	return (t[1].tv_sec - t[0].tv_sec) * 1e9 + t[1].tv_nsec - t[0].tv_nsec;
}

int main(int argc, char **argv)
{
	int fd[2], rounds, round, way;
	double *took;

	if (argc != 4 || chdir(argv[1]))
		errx(1, "usage: attach DIRECTORY WHAT ROUNDS");
	fd[0] = open("attach", O_WRONLY);
	fd[1] = open("detach", O_WRONLY);
	if (fd[0] < 0 || fd[1] < 0)
		err(1, "attach, detach");
	rounds = atoi(argv[3]);
	took = calloc(rounds, 2 * sizeof(*took));
	for (round = 0; round < rounds; round++)
		for (way = 0; way < 2; way++)
			took[2 * round + way] = write_text(fd[way], argv[2]);
	for (way = 0; way < 2; way++) {
		for (round = 0; round < rounds; round++)
			printf("%.0f ", took[2 * round + way]);
		printf("\n");
	}
	return 0;
}
