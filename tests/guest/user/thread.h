/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread of a test's program, with random numbers of its own.
 */
#ifndef _THREAD_H
#define _THREAD_H

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

#endif /* _THREAD_H */
