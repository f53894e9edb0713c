// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmemcheck: what becomes of what was loaded, told from the text behind the load.
 */
#include <kunit/test.h>
#include <linux/ptrace.h>

#include "../../mm/kmemcheck/kmemcheck.h"

/*
 * Text that is only read. It begins with the load; rdi is 0x1000, rsi 0x2000, all others
 * are 0x3000.
 */
#define TEXT(name, code)						\
	extern const u8 flow_##name[];					\
	asm(".pushsection .rodata\n"					\
	    "flow_" #name ":\n"						\
	    code "\n"							\
	    ".popsection\n")

TEXT(test, "mov (%rdi), %eax\n test %eax, %eax\n jne 1f\n 1: ret");
TEXT(compare, "movzbl 3(%rdi), %eax\n cmp $2, %al\n je 1f\n 1: ret");
TEXT(address, "mov (%rdi), %rax\n mov (%rax), %rcx\n ret");
TEXT(returned, "mov (%rdi), %rax\n ret");
TEXT(argument, "mov (%rdi), %rdi\n call 1f\n 1: ret");
TEXT(added, "mov (%rdi), %rax\n add %rcx, %rax\n mov %rax, (%rsi)\n ret");
TEXT(masked, "mov (%rdi), %eax\n and $4, %eax\n jne 1f\n 1: ret");
TEXT(copy, "mov 8(%rdi), %rax\n mov %rax, 16(%rsi)\n xor %eax, %eax\n ret");
TEXT(copy_index, "mov 8(%rdi), %rax\n mov %rax, 16(%rsi,%rcx,2)\n xor %eax, %eax\n ret");
TEXT(copy_moved, "mov 8(%rdi), %rax\n add $8, %rsi\n mov %rax, (%rsi)\n xor %eax, %eax\n ret");
TEXT(copy_used, "mov (%rdi), %rax\n mov %rax, (%rsi)\n test %rax, %rax\n je 1f\n 1: ret");
TEXT(copy_nop, "mov (%rdi), %rax\n nopl 0(%rax,%rax,1)\n mov %rax, (%rsi)\n xor %eax, %eax\n ret");
TEXT(copy_relative, "mov (%rdi), %rbp\n mov flow_test(%rip), %rcx\n mov %rbp, (%rsi)\n"
		    "xor %ebp, %ebp\n ret");
TEXT(copy_other, "mov (%rdi), %rdx\n mov %rdx, %rax\n mov %rax, (%rsi)\n xor %eax, %eax\n"
		 "xor %edx, %edx\n ret");
TEXT(copy_mixed, "mov (%rdi), %rax\n or $1, %rax\n mov %rax, (%rsi)\n xor %eax, %eax\n ret");
TEXT(copy_jump, "mov (%rdi), %rax\n jmp 1f\n int3\n 1: mov %rax, (%rsi)\n xor %eax, %eax\n ret");
TEXT(field, "movzbl 4(%rdi), %eax\n and $0xf8, %eax\n or $2, %eax\n mov %al, 4(%rdi)\n ret");
TEXT(field_other, "movzbl 4(%rdi), %eax\n and $1, %ecx\n and $0xfe, %eax\n or %eax, %ecx\n"
		  "mov %cl, 4(%rdi)\n xor %eax, %eax\n ret");
TEXT(field_elsewhere, "movzbl 4(%rdi), %eax\n and $0xf8, %eax\n add $8, %rdi\n"
		      "mov %al, 4(%rdi)\n xor %eax, %eax\n ret");
TEXT(field_tested, "movzbl 4(%rdi), %eax\n mov %eax, %ecx\n or $1, %eax\n mov %al, 4(%rdi)\n"
		   "test $2, %cl\n jne 1f\n 1: ret");
TEXT(overwritten, "mov (%rdi), %eax\n mov $5, %eax\n ret");
TEXT(cleared, "mov (%rdi), %eax\n xor %eax, %eax\n ret");
TEXT(memory, "cmpl $0, (%rdi)\n jne 1f\n 1: ret");
TEXT(conditional, "mov (%rdi), %eax\n and $1, %eax\n cmovne %ecx, %edx\n ret");
TEXT(carry, "mov (%rdi), %eax\n shr $1, %eax\n adc $0, %ecx\n xor %eax, %eax\n ret");

TEXT(copy_cmov, "mov 4(%rdi), %eax\n cmp $3, %edx\n cmovg (%rdi), %eax\n mov %eax, (%rsi)\n"
		"xor %eax, %eax\n ret");
TEXT(copy_high, "mov 1(%rdi), %ah\n mov %ax, (%rsi)\n xor %eax, %eax\n ret");
TEXT(copy_half, "mov 1(%rdi), %al\n mov %cl, %ah\n mov %ax, (%rsi)\n xor %eax, %eax\n ret");
TEXT(copy_byte, "mov 1(%rdi), %al\n mov %al, (%rsi)\n xor %eax, %eax\n ret");
TEXT(copy_set, "mov (%rdi), %eax\n mov $5, %al\n mov %eax, (%rsi)\n xor %eax, %eax\n ret");
TEXT(copy_wider, "movzbl (%rdi), %eax\n mov %eax, (%rsi)\n xor %eax, %eax\n ret");
TEXT(cmov_false, "cmove (%rdi), %rax\n ret");
TEXT(cmov_true, "cmovne (%rdi), %rax\n mov %rax, (%rsi)\n xor %eax, %eax\n ret");
TEXT(cmov_used, "cmovne (%rdi), %rax\n test %rax, %rax\n jne 1f\n 1: ret");
TEXT(vector, "mov (%rdi), %rax\n vpor (%rax), %xmm0, %xmm0\n xor %eax, %eax\n ret");
TEXT(copy_unknown, "mov (%rdi), %rax\n mov %rax, (%rsi)\n lock incl (%rsi)\n cpuid\n ret");
TEXT(copy_down, "mov -8(%rdi), %rax\n mov %rax, -16(%rsi)\n xor %eax, %eax\n ret");
TEXT(copy_far, "mov (%rdi), %rax\n mov %rax, -0x1000(%rsi)\n xor %eax, %eax\n ret");
TEXT(own_address, "mov 8(%rsi,%rax), %rax\n mov %rax, (%rsi)\n xor %eax, %eax\n ret");
TEXT(in_rax, "mov (%rdi), %eax\n call 1f\n 1: ret");
TEXT(pointer, "mov (%rdi), %rax\n call *%rax\n ret");
TEXT(inverted, "mov (%rdi), %eax\n not %eax\n test %eax, %eax\n je 1f\n 1: ret");
TEXT(negated, "mov (%rdi), %eax\n neg %eax\n mov %eax, (%rsi)\n ret");

static const struct flow_case {
	const char *name;
	const u8 *text;
	enum kmemcheck_flow flow;
	unsigned long store;
} flow_cases[] = {
#define CASE(name, flow, store) { #name, flow_##name, KMEMCHECK_##flow, store }
	CASE(test, USED, 0), CASE(compare, USED, 0), CASE(address, USED, 0),
	CASE(returned, USED, 0), CASE(argument, USED, 0), CASE(added, USED, 0),
	CASE(masked, USED, 0), CASE(copy_used, USED, 0), CASE(field_tested, USED, 0),
	CASE(memory, USED, 0), CASE(conditional, USED, 0), CASE(carry, USED, 0),
	CASE(in_rax, USED, 0), CASE(pointer, USED, 0), CASE(inverted, USED, 0),
	CASE(negated, USED, 0), CASE(copy_unknown, COPIED, 0x2000),
	CASE(copy_down, COPIED, 0x1ff0), CASE(copy_far, COPIED, 0x1000),
	CASE(own_address, COPIED, 0x2000),
	CASE(copy, COPIED, 0x2010), CASE(copy_index, COPIED, 0x8010),
	CASE(copy_moved, COPIED, 0), CASE(copy_nop, COPIED, 0x2000),
	CASE(copy_relative, COPIED, 0x2000), CASE(copy_other, COPIED, 0x2000),
	CASE(copy_mixed, COPIED, 0), CASE(copy_jump, COPIED, 0x2000),
	CASE(field_elsewhere, COPIED, 0), CASE(field, UNUSED, 0),
	CASE(field_other, UNUSED, 0), CASE(overwritten, UNUSED, 0),
	CASE(cleared, UNUSED, 0), CASE(copy_cmov, COPIED, 0), CASE(copy_high, COPIED, 0),
	CASE(copy_half, COPIED, 0), CASE(copy_byte, COPIED, 0x2000), CASE(copy_set, COPIED, 0),
	CASE(copy_wider, COPIED, 0), CASE(cmov_false, UNUSED, 0),
	CASE(cmov_true, COPIED, 0x2000), CASE(cmov_used, USED, 0), CASE(vector, USED, 0),
};

static void flow_test_cases(struct kunit *test)
{
	struct pt_regs regs = {
		.ax = 0x3000, .bx = 0x3000, .cx = 0x3000, .dx = 0x3000,
		.si = 0x2000, .di = 0x1000, .bp = 0x3000,
	};
	struct kmemcheck_store store;
	const struct flow_case *c;

	for (c = flow_cases; c < flow_cases + ARRAY_SIZE(flow_cases); c++) {
		store = (struct kmemcheck_store){};
		KUNIT_EXPECT_EQ_MSG(test, kmemcheck_follow((unsigned long)c->text, &regs, &store),
				    c->flow, "%s", c->name);
		if (c->flow != KMEMCHECK_COPIED)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, store.known, c->store != 0, "%s", c->name);
		if (c->store)
			KUNIT_EXPECT_EQ_MSG(test, store.addr, c->store, "%s", c->name);
	}
}

TEXT(or_memory, "orb $1, (%rdi)");
TEXT(lock_bts, "lock btsl $3, (%rdi)");
TEXT(xchg, "xchg %eax, (%rdi)");
TEXT(bt, "btl $3, (%rdi)");
TEXT(inc, "incl (%rdi)");
TEXT(add_memory, "addl $1, (%rdi)");
TEXT(cmpxchg, "lock cmpxchg %ecx, (%rdi)");

static void flow_test_bits(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, kmemcheck_sets_bits((unsigned long)flow_or_memory));
	KUNIT_EXPECT_TRUE(test, kmemcheck_sets_bits((unsigned long)flow_lock_bts));
	KUNIT_EXPECT_TRUE(test, kmemcheck_sets_bits((unsigned long)flow_xchg));
	KUNIT_EXPECT_FALSE(test, kmemcheck_sets_bits((unsigned long)flow_bt));
	KUNIT_EXPECT_FALSE(test, kmemcheck_sets_bits((unsigned long)flow_inc));
	KUNIT_EXPECT_FALSE(test, kmemcheck_sets_bits((unsigned long)flow_add_memory));
	KUNIT_EXPECT_FALSE(test, kmemcheck_sets_bits((unsigned long)flow_cmpxchg));
}

static struct kunit_case flow_test_list[] = {
	KUNIT_CASE(flow_test_cases),
	KUNIT_CASE(flow_test_bits),
	{}
};

static struct kunit_suite flow_test_suite = {
	.name = "pv_shadow_flow",
	.test_cases = flow_test_list,
};

kunit_test_suite(flow_test_suite);
MODULE_DESCRIPTION("Test of kmemcheck's look ahead");
MODULE_LICENSE("GPL");
