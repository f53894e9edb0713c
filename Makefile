# SPDX-License-Identifier: GPL-2.0-only
#
# pv_shadow_mmiotrace: the work is done by scripts/, this gives it names.
# (The kernel's build reads Kbuild, not this file.)

# One step after the other; the kernel's own build is parallel.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
export DEBUG T SEED HOURS MINUTES ROUND BASE

all: kernel

help:
	@echo  'make run     - build, boot, trace QEMU'\''s e1000 on 4 CPUs and compare with the device'
	@echo  'make test    - run every test (T=PATTERN: those whose path matches)'
	@echo  'make test-full - and those that take hours: all selftests, stress-ng, a soak, KVM and Hyper-V'
	@echo  'make smp-regress - a soak of everything at once, at random: HOURS=N or MINUTES=N (default:'
	@echo  '               an hour), SEED=S for the same plan again, ROUND=N for one round of it'
	@echo  'make bench   - what an event costs, against the stock tracer, against pages, devices and CPUs;'
	@echo  '               what tracing costs everybody else; kmemcheck. Tables, plots and results.tsv'
	@echo  '               are in build/bench/'
	@echo  'make bench-compare BASE=REV - is this better or worse than another revision'
	@echo  'make profile - and where it goes, by function'
	@echo  'make kernel  - the kernel: build/bzImage and build/modules'
	@echo  'make check   - sparse, Coccinelle and checkpatch on our files: no warnings'
	@echo  'make setup   - install what is missing of Debian'\''s packages (needs root)'
	@echo  'make clean   - remove build/'
	@echo  ''
	@echo  'DEBUG=1 takes the debug kernel instead: build/bzImage-debug, DEBUG=kcsan that with KCSAN'
	@echo  'scripts/vm --help says how to boot the kernel and run something in it.'

setup:
	@scripts/setup

kernel: setup
	@scripts/kernel

run: kernel
	@scripts/run-demo

test: kernel
	@tests/run

test-full: kernel
	@FULL=1 tests/run

smp-regress: kernel
	@tests/smp/regress

# All of them, also after one that missed a goal.
bench: kernel
	@DEBUG=plain scripts/kernel
	@DEBUG=xen scripts/kernel
	@bad=; for b in bench curves idle kmemcheck; do tests/bench/$$b || bad=1; done; \
		tests/bench/plot && [ -z "$$bad" ]

bench-compare: kernel
	@tests/bench/compare

profile: kernel
	@tests/bench/profile

check: kernel
	@scripts/check

clean:
	rm -rf build

.PHONY: all help setup kernel run test test-full smp-regress bench bench-compare profile check clean
