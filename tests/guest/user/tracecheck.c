// SPDX-License-Identifier: GPL-2.0-only
/*
 * tracecheck [COUNTER] <trace: whether the sequence numbers of each CPU are without
 * a gap, and what is read from the physical address COUNTER, a register of 4 bytes
 * that counts up, never steps back on a CPU. Only a loss at a CPU's beginning is
 * let through: that is what a small buffer has overwritten.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CPUS 64

static struct cpu {
	unsigned long events;
	unsigned long reads;
	unsigned long long seq;
	unsigned int value;
} cpus[MAX_CPUS];

int main(int argc, char **argv)
{
	unsigned long long counter = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	unsigned long gaps = 0, back = 0;
	static char line[1024];
	unsigned int i;

	while (fgets(line, sizeof(line), stdin)) {
		char *cpu_text = strstr(line, " cpu=");
		unsigned long long seq, addr, value;
		char *seq_text = strstr(line, " seq=");
		struct cpu *c;
		char *p;
		int n;

		if (!cpu_text || !seq_text)
			continue;
		i = strtoul(cpu_text + 5, NULL, 10);
		if (i >= MAX_CPUS) {
			printf("wrong CPU: %s", line);
			return 1;
		}
		c = &cpus[i];
		seq = strtoull(seq_text + 5, NULL, 10);
		if (c->events && seq != c->seq + 1 && gaps++ < 5)
			printf("after seq=%llu: %s", c->seq, line);
		c->seq = seq;
		c->events++;

		/* R WIDTH TIME MAP PHYS VALUE ... */
		if (strncmp(line, "R 4 ", 4))
			continue;
		for (p = line + 4, n = 0; n < 2 && p; n++) {
			p = strchr(p, ' ');
			p += !!p;
		}
		if (!p)
			continue;
		addr = strtoull(p, &p, 16);
		if (addr != counter)
			continue;
		value = strtoull(p, NULL, 16);
		/* It may wrap. */
		if (c->reads && (int)((unsigned int)value - c->value) < 0 && back++ < 5)
			printf("counter 0x%x before: %s", c->value, line);
		c->value = value;
		c->reads++;
	}
	for (i = 0; i < MAX_CPUS; i++)
		if (cpus[i].events)
			printf("cpu %u events %lu reads %lu last %llu\n", i, cpus[i].events,
			       cpus[i].reads, cpus[i].seq);
	printf("gaps %lu back %lu\n", gaps, back);

	return gaps || back;
}
