// SPDX-License-Identifier: GPL-2.0-only
/*
 * Secret memory that comes and goes: each page leaves the kernel's direct map and
 * comes back.
 *
 * secret ROUNDS: status 1 if memory was not what was written, 2 if there is none.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGES	24

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	size_t size = PAGES * 4096, i;

	while (rounds-- > 0) {
		int fd = syscall(SYS_memfd_secret, 0);
		unsigned int *p;

		if (fd < 0 || ftruncate(fd, size)) {
			perror("memfd_secret");
			return 2;
		}
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED) {
			perror("mmap");
			return 2;
		}
		for (i = 0; i < size / sizeof(*p); i += 97)
			p[i] = i * 2654435761u + rounds;
		for (i = 0; i < size / sizeof(*p); i += 97)
			if (p[i] != (unsigned int)(i * 2654435761u + rounds))
				return 1;
		munmap(p, size);
		close(fd);
	}
	return 0;
}
