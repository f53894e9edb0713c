/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process measures: the picoseconds of one of many turns, several times.
 */
#ifndef _ROUNDS_H
#define _ROUNDS_H

#include <stdio.h>
#include <time.h>

static inline void run_rounds(void (*run)(unsigned long i), unsigned long count,
			      unsigned int rounds)
{
	struct timespec t[2];
	unsigned int round;
	unsigned long i;

	for (round = 0; round <= rounds; round++) {
		clock_gettime(CLOCK_MONOTONIC, &t[0]);
		for (i = 0; i < count; i++)
			run(i);
		clock_gettime(CLOCK_MONOTONIC, &t[1]);
		/* The first is to warm up. */
		if (round)
			printf("%s%.0f", round > 1 ? " " : "",
			       ((t[1].tv_sec - t[0].tv_sec) * 1e9 + t[1].tv_nsec - t[0].tv_nsec) *
			       1000 / count);
	}
	printf("\n");
}

#endif /* _ROUNDS_H */
