// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvmguest RUNS [PROBE [STOP]]: for each CPU that it may use a process and in it a guest that
 * counts in steps of 7 in memory and tells each value by port I/O, RUNS times; each process
 * goes from CPU to CPU. Whatever CR3 a VM exit loads stays until somebody else runs:
 * PROBE is cr3probe's file, to be read right after an exit. Into STOP, tracing_on of an
 * instance that traces KVM, 0 is written when a value is wrong.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CODE	0x1000
#define DATA	0x2000
#define MEMORY	0x10000
#define PORT	0x10

static const uint8_t code[] = {
	0x89, 0x04,		/* next: mov %ax, (%si) */
	0xef,			/* out %ax, %dx */
	0x05, 0x07, 0x00,	/* add $7, %ax */
	0xeb, 0xf8,		/* jmp next */
};

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

/* Is this CPU's own root in CR3? */
static int own_root(int probe)
{
	char text[256];
	ssize_t n = pread(probe, text, sizeof(text) - 1, 0);

	if (n <= 0)
		fail("probe");
	text[n] = 0;
	if (strstr(text, " own 1 "))
		return 1;
	fputs(text, stdout);
	return 0;
}

/*
 * What there is to be known of the first value that is wrong: one exit that is lost, or made
 * twice, makes all that follow wrong by the same; a store that went elsewhere is there.
 */
static void tell_wrong(int vcpu, const uint8_t *memory, uint16_t told, int stop)
{
	struct kvm_regs regs;
	unsigned int at;
	uint16_t word;

	if (stop >= 0 && write(stop, "0", 1) != 1)
		perror("tracing_on");
	if (ioctl(vcpu, KVM_GET_REGS, &regs))
		fail("KVM_GET_REGS");
	printf("rip 0x%llx rax 0x%llx rdx 0x%llx rsi 0x%llx, what was told is at",
	       regs.rip, regs.rax, regs.rdx, regs.rsi);
	for (at = 0; at < MEMORY - 1; at++) {
		memcpy(&word, memory + at, 2);
		if (word == told && told)
			printf(" 0x%x", at);
	}
	printf(".\n");
}

static int run_guest(int index, const int *cpus, int nr_cpus, unsigned long runs, int probe,
		     int stop)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };
	unsigned long n, wrong = 0, foreign = 0;
	struct kvm_sregs sregs;
	struct kvm_regs regs = {
		.rip = CODE, .rsi = DATA, .rdx = PORT, .rflags = 2,
	};
	struct kvm_run *run;
	struct timespec now;
	int kvm, vm, vcpu, len;
	uint8_t *memory;

	pin(cpus[index]);
	kvm = open("/dev/kvm", O_RDWR);
	if (kvm < 0)
		fail("/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		fail("KVM_CREATE_VM");
	/* Only old VMX wants it. */
	ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000);
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	memcpy(memory + CODE, code, sizeof(code));
	region.userspace_addr = (uintptr_t)memory;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
		fail("KVM_SET_USER_MEMORY_REGION");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		fail("KVM_CREATE_VCPU");
	len = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		fail("mmap of the vcpu");
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		fail("KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
		fail("KVM_SET_REGS");

	for (n = 0; n < runs; n++) {
		uint16_t want = 7 * n, told, stored;

		if (n % 256 == 255)
			pin(cpus[(index + n / 256) % nr_cpus]);
		if (ioctl(vcpu, KVM_RUN, 0))
			fail("KVM_RUN");
		if (probe >= 0 && n % 16 == 0)
			foreign += !own_root(probe);
		if (run->exit_reason != KVM_EXIT_IO) {
			printf("exit reason %u in run %lu\n", run->exit_reason, n);
			return 1;
		}
		memcpy(&told, (uint8_t *)run + run->io.data_offset, 2);
		memcpy(&stored, memory + DATA, 2);
		if (run->io.port != PORT || run->io.size != 2 || told != want || stored != want) {
			if (!wrong++)
				tell_wrong(vcpu, memory, told, stop);
			if (wrong < 4)
				printf("kvmguest %d: run %lu on CPU %d: %u bytes to port 0x%x, told %u, stored %u, want %u\n",
				       index, n, sched_getcpu(), run->io.size, run->io.port,
				       told, stored, want);
		}
		/* The clock is what is traced. */
		if (n % 8 == 0)
			clock_gettime(CLOCK_MONOTONIC, &now);
	}
	printf("kvmguest %d: %lu runs, %lu wrong, %lu with another root\n",
	       index, n, wrong, foreign);

	return wrong || foreign;
}

int main(int argc, char **argv)
{
	unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000;
	int probe = -1, stop = -1, status, bad = 0, nr_cpus = 0, i;
	int cpus[CPU_SETSIZE];
	cpu_set_t set;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2) {
		probe = open(argv[2], O_RDONLY);
		if (probe < 0)
			fail(argv[2]);
	}
	if (argc > 3) {
		stop = open(argv[3], O_WRONLY);
		if (stop < 0)
			fail(argv[3]);
	}
	if (sched_getaffinity(0, sizeof(set), &set))
		fail("sched_getaffinity");
	for (i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			cpus[nr_cpus++] = i;
	for (i = 0; i < nr_cpus; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (!pid)
			exit(run_guest(i, cpus, nr_cpus, runs, probe, stop));
	}
	while (wait(&status) > 0)
		bad |= status;

	return !!bad;
}
