/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread of a test's program, with random numbers of its own.
 */
#ifndef _THREAD_H
#define _THREAD_H

#include <err.h>
#include <pthread.h>
#include <stdint.h>

struct thread {
	pthread_t id;
	unsigned int nr;
	uint64_t random;
};

static inline uint64_t next(struct thread *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random;
}

/* @random: not 0 */
static inline void start_thread(struct thread *t, unsigned int nr, uint64_t random,
				void *(*run)(void *t))
{
	t->nr = nr;
	t->random = random;
	if (pthread_create(&t->id, NULL, run, t))
		errx(1, "no thread");
}

#endif /* _THREAD_H */
