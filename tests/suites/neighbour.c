// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded by tests: each process maps a page of a device, where its next mappings come
 * to lie beside it, and accesses it, as its children do.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile uint32_t *page;

static void touch(void)
{
	(void)*page;
}

/* What cannot be is missing in the file in which those that could be are counted. */
__attribute__((constructor)) static void map_neighbour(void)
{
	int fd = open("/suites/bar", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return;
	touch();
	pthread_atfork(NULL, NULL, touch);
	fd = open("/suites/neighbours", O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, "x", 1);
	close(fd);
}
