// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers with a bug each, and as many without one: for kmemcheck.
 *
 * modprobe uninit test=NAME does one and goes, times=N: N times, with slabs of its own each
 * time. The log has a line "uninit: NAME" before it and "uninit: done" after it.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kmsan-checks.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/fpu/api.h>

static char *test = "";
module_param(test, charp, 0);
static unsigned int times = 1;
module_param(times, uint, 0);

/* What a value goes to: somebody looks at it. */
static int sink;

static noinline void use(int value)
{
	if (value)
		WRITE_ONCE(sink, READ_ONCE(sink) + 1);
}

struct record {
	u32 id;
	u8 kind;
	/* three bytes of padding */
	u64 value;
	u64 more[4];
};

/*
 * An object of a slab that is watched, which those are not that were there before: of a
 * cache of our own for each size. And one beside it, so that the slab stays when the
 * object is freed.
 */
static struct {
	struct kmem_cache *cache;
	void *beside;
	size_t size;
} caches[8];

static void *take(size_t size)
{
	char name[16];
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(caches) - 1 && caches[i].size && caches[i].size != size; i++)
		;
	if (size > PAGE_SIZE) {
		p = kmalloc(size, GFP_KERNEL);
	} else {
		if (!caches[i].cache) {
			snprintf(name, sizeof(name), "uninit-%zu", size);
			caches[i].size = size;
			caches[i].cache = kmem_cache_create_usercopy(name, size, 8, SLAB_NO_MERGE,
								     0, size, NULL);
		}
		p = kmem_cache_alloc(caches[i].cache, GFP_KERNEL);
		if (!caches[i].beside)
			caches[i].beside = kmem_cache_alloc(caches[i].cache, GFP_KERNEL);
	}
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static void give_back(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(caches) && caches[i].cache; i++) {
		kfree(caches[i].beside);
		kmem_cache_destroy(caches[i].cache);
	}
}

/* The next time it will be of a slab that is new. */
static void shrink(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(caches) && caches[i].cache; i++) {
		kfree(caches[i].beside);
		caches[i].beside = NULL;
		kmem_cache_shrink(caches[i].cache);
	}
}

/* Of caches whose objects stay what they are when they are freed. */
struct kept {
	u64 ready;
	u64 other[7];
};

static struct kmem_cache *kept_cache;
static void *kept_beside;

static void construct(void *object)
{
	struct kept *k = object;

	k->ready = 1;
}

static struct kept *take_kept(slab_flags_t flags, void (*ctor)(void *object))
{
	struct kept *k;

	kept_cache = kmem_cache_create("uninit-kept", sizeof(*k), 0, SLAB_NO_MERGE | flags, ctor);
	k = kmem_cache_alloc(kept_cache, GFP_KERNEL);
	kept_beside = kmem_cache_alloc(kept_cache, GFP_KERNEL);
	return k;
}

static void give_back_kept(void)
{
	kmem_cache_free(kept_cache, kept_beside);
	kmem_cache_destroy(kept_cache);
}

/* Bugs */

static void bug_uninit(void)
{
	int *p = take(sizeof(int) * 8);

	use(*p);
	kfree(p);
}

static void bug_uninit_byte(void)
{
	u8 *p = take(64);

	memset(p, 1, 17);
	use(READ_ONCE(p[17]));
	kfree(p);
}

static void bug_part_of_struct(void)
{
	struct record *r = take(sizeof(*r));

	r->id = 1;
	r->kind = 2;
	use(r->value & 1);
	kfree(r);
}

static void bug_after_free(void)
{
	int *p = take(96);

	memset(p, 0, 96);
	kfree(p);
	use(READ_ONCE(p[4]));
}

static void bug_memcpy(void)
{
	char *from = take(128), *to = take(128);

	memset(from, 0, 64);
	memcpy(to, from, 128);
	use(READ_ONCE(to[100]));
	kfree(from);
	kfree(to);
}

static void bug_memcpy_unaligned(void)
{
	char *from = take(64), *to = take(64);

	memset(from, 0, 64);
	memset(to, 0, 64);
	kmsan_poison_memory(from + 8, 8, GFP_KERNEL);
	memcpy(to + 1, from, 32);
	use(READ_ONCE(to[9]));
	kfree(from);
	kfree(to);
}

static void bug_memcpy_after_free(void)
{
	char *from = take(64), *to = take(64);

	memset(from, 0, 64);
	kfree(from);
	memcpy(to, from, 64);
	kfree(to);
}

/* Copied by registers, as the compiler does it, and looked at there. */
static void bug_struct_copy(void)
{
	struct record *a = take(sizeof(*a)), *b = take(sizeof(*b));

	a->id = 1;
	a->kind = 1;
	*b = *a;
	OPTIMIZER_HIDE_VAR(b);
	use(READ_ONCE(b->more[2]));
	kfree(a);
	kfree(b);
}

static void bug_increment(void)
{
	int *p = take(64);

	p[3]++;
	kfree(p);
}

static void bug_large(void)
{
	char *p = take(3 * PAGE_SIZE);

	use(READ_ONCE(p[2 * PAGE_SIZE]));
	kfree(p);
}

static void bug_realloc(void)
{
	char *p = take(64), *larger;

	memset(p, 0, 64);
	/* So much that it has pages of its own */
	larger = krealloc(p, 3 * PAGE_SIZE, GFP_KERNEL);
	OPTIMIZER_HIDE_VAR(larger);
	use(READ_ONCE(larger[150]));
	kfree(larger);
}

static void bug_reused(void)
{
	char *p = take(192);

	memset(p, 0, 192);
	kfree(p);
	p = take(192);
	use(READ_ONCE(p[50]));
	kfree(p);
}

static void bug_page(void)
{
	char *p = (char *)__get_free_page(GFP_KERNEL);

	use(READ_ONCE(p[100]));
	free_page((unsigned long)p);
}

/* The constructor has not set it. */
static void bug_constructed(void)
{
	struct kept *k = take_kept(0, construct);

	use(READ_ONCE(k->ready));
	use(READ_ONCE(k->other[3]));
	kmem_cache_free(kept_cache, k);
	give_back_kept();
}

static void bug_constructed_after_free(void)
{
	struct kept *k = take_kept(0, construct);

	kmem_cache_free(kept_cache, k);
	use(READ_ONCE(k->ready));
	give_back_kept();
}

/* Nobody has ever set it. */
static void bug_typesafe(void)
{
	struct kept *k = take_kept(SLAB_TYPESAFE_BY_RCU, NULL);

	use(READ_ONCE(k->other[3]));
	kmem_cache_free(kept_cache, k);
	give_back_kept();
}

static void bug_printk(void)
{
	int *p = take(32);

	pr_info("uninit: %d\n", READ_ONCE(*p));
	kfree(p);
}

static void bug_check(void)
{
	char *p = take(64);

	memset(p, 0, 60);
	kmsan_check_memory(p, 64);
	kfree(p);
}

static void bug_compare(void)
{
	char *a = take(64), *b = take(64);

	memset(a, 0, 64);
	use(memcmp(a, b, 64));
	kfree(a);
	kfree(b);
}

static ssize_t uninit_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	u32 __user *words = (u32 __user *)to;
	char *p = take(64);
	u32 *word = (u32 *)p;
	ssize_t ret = min_t(size_t, size, 64);

	memset(p, 'x', 40);
	if (size != 2 * sizeof(u32)) {
		if (copy_to_user(to, p, ret))
			ret = -EFAULT;
	} else if (user_access_begin(to, size)) {
		unsafe_put_user(word[0], words, fault);
		unsafe_put_user(word[15], words + 1, fault);
fault:
		user_access_end();
	}
	kfree(p);
	return ret;
}

static const struct file_operations uninit_fops = {
	.owner = THIS_MODULE,
	.read = uninit_read,
};

static struct miscdevice uninit_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "uninit",
	.fops = &uninit_fops,
};

/* The device is there until the module goes: who reads it makes the bug. */
static bool misc_registered;

static void bug_user(void)
{
	misc_registered = !misc_register(&uninit_misc);
}

/* By a store of the driver's own */
static void bug_put_user(void)
{
	bug_user();
}

static void bug_device(void)
{
	struct pci_dev *pdev = pci_get_device(0x1234, 0x11e8, NULL); /* QEMU's edu */
	void __iomem *bar;
	u32 *p = take(64);

	if (pdev && !pci_enable_device(pdev)) {
		bar = pci_iomap(pdev, 0, 0);
		writel(p[2], bar + 4);
		pci_iounmap(pdev, bar);
	} else {
		pr_err("uninit: no edu\n");
	}
	pci_dev_put(pdev);
	kfree(p);
}

static void bug_dma(void)
{
	struct pci_dev *pdev = pci_get_device(0x1234, 0x11e8, NULL);
	dma_addr_t addr;
	char *p = take(256);

	memset(p, 0, 200);
	if (pdev) {
		addr = dma_map_single(&pdev->dev, p, 256, DMA_TO_DEVICE);
		if (!dma_mapping_error(&pdev->dev, addr))
			dma_unmap_single(&pdev->dev, addr, 256, DMA_TO_DEVICE);
	} else {
		pr_err("uninit: no edu\n");
	}
	pci_dev_put(pdev);
	kfree(p);
}

/* One CPU reads a field before another one has set it. */
struct racing {
	u64 ready;
	u64 value;
	struct racing *self;
};

static struct racing *racing;

static int race_reader(void *unused)
{
	struct racing *r;

	while (!(r = READ_ONCE(racing)))
		cpu_relax();
	use(READ_ONCE(r->value) & 1);
	WRITE_ONCE(racing, NULL);
	return 0;
}

static void bug_race(void)
{
	struct task_struct *reader;
	struct racing *r;

	reader = kthread_create(race_reader, NULL, "uninit-reader");
	if (IS_ERR(reader))
		return;
	kthread_bind(reader, cpumask_any_but(cpu_online_mask, smp_processor_id()));
	wake_up_process(reader);
	r = take(sizeof(*r));
	r->ready = 1;
	/* Published too early. */
	smp_store_release(&racing, r);
	while (READ_ONCE(racing))
		cpu_relax();
	r->value = 1;
	pr_info("uninit: race: allocated on CPU %d\n", smp_processor_id());
	kfree(r);
}

/* By instructions that are single-stepped, for no engine does them. */

static bool differ(const void *a, const void *b, size_t n)
{
	bool ret;

	asm volatile("repe cmpsb" : "=@ccnz" (ret), "+D" (a), "+S" (b), "+c" (n) : : "memory");
	return ret;
}

static bool differ_words(const void *a, const void *b, size_t n)
{
	bool ret;

	asm volatile("repe cmpsq" : "=@ccnz" (ret), "+D" (a), "+S" (b), "+c" (n) : : "memory");
	return ret;
}

static size_t length(const char *s, size_t n)
{
	size_t left = n;

	asm volatile("repne scasb" : "+D" (s), "+c" (left) : "a" (0) : "memory", "cc");
	return n - left;
}

static void bug_cmps(void)
{
	char *a = take(64), *b = take(64);

	memset(a, 0, 64);
	memset(b, 0, 8);
	use(differ(a, b, 64));
	kfree(a);
	kfree(b);
}

/* It is the first operand this time. */
static void bug_cmps_source(void)
{
	char *a = take(64), *b = take(64);

	memset(a, 0, 64);
	memset(b, 0, 8);
	use(differ(b, a, 64));
	kfree(a);
	kfree(b);
}

static void bug_scas(void)
{
	char *p = take(64);

	memset(p, 1, 10);
	use(length(p, 64));
	kfree(p);
}

static void bug_fild(void)
{
	int *p = take(64), value;

	kernel_fpu_begin_mask(KFPU_387);
	asm volatile("fildl %1\n\tfistpl %0" : "=m" (value) : "m" (p[3]));
	kernel_fpu_end();
	use(value);
	kfree(p);
}

static void bug_fld(void)
{
	u64 *p = take(64);
	int value;

	kernel_fpu_begin_mask(KFPU_387);
	asm volatile("fldl %1\n\tfistpl %0" : "=m" (value) : "m" (p[3]));
	kernel_fpu_end();
	use(value);
	kfree(p);
}

/* What is behind what it stored is what it was. */
static void bug_fist(void)
{
	int *p = take(64);

	kernel_fpu_begin_mask(KFPU_387);
	asm volatile("fld1\n\tfistpl %0" : "=m" (p[3]));
	kernel_fpu_end();
	use(READ_ONCE(p[3]));
	use(READ_ONCE(p[4]));
	kfree(p);
}

/* With what the processor takes, of which nobody knows any more. */
static void bug_fxrstor(void)
{
	char *p = take(512);

	kernel_fpu_begin_mask(KFPU_387);
	asm volatile("fxsave %0" : "=m" (*(char (*)[512])p));
	kmsan_poison_memory(p, 512, GFP_KERNEL);
	asm volatile("fxrstor %0" : : "m" (*(char (*)[512])p));
	kernel_fpu_end();
	kfree(p);
}

/* Elements 1 and 3 of four. */
static const u32 gathered[4] __aligned(16) = { 0, 1U << 31, 0, 1U << 31 };

static int gather(const int *p)
{
	int to[4];

	kernel_fpu_begin();
	asm volatile("vmovdqa %2, %%xmm1\n\t"
		     "vpxor %%xmm0, %%xmm0, %%xmm0\n\t"
		     "vpsrld $29, %%xmm1, %%xmm2\n\t"
		     "vpgatherdd %%xmm1, (%1,%%xmm2,4), %%xmm0\n\t"
		     "vmovdqu %%xmm0, %0"
		     : "=m" (to) : "r" (p), "m" (gathered) : "memory");
	kernel_fpu_end();
	return to[1] | to[3];
}

static void bug_gather(void)
{
	int *p = take(64);

	memset(p, 0, 16);
	use(gather(p));
	kfree(p);
}

static void bug_div(void)
{
	u32 *p = take(64), value = 7, high = 0;

	p[3] = 1;
	kmsan_poison_memory(p + 3, sizeof(*p), GFP_KERNEL);
	asm volatile("divl %2" : "+a" (value), "+d" (high) : "m" (p[3]) : "cc");
	use(value);
	kfree(p);
}

static void bug_rsp(void)
{
	u64 *p = take(64);
	bool equal;

	asm volatile("cmpq %1, %%rsp" : "=@ccz" (equal) : "m" (p[3]));
	use(equal);
	kfree(p);
}

static unsigned long in_gs(const void *p)
{
	return (unsigned long)p - __this_cpu_read(this_cpu_off);
}

static void bug_segment(void)
{
	u32 *p = take(64);
	bool equal;

	asm volatile("cmpl $1, %%gs:(%1)" : "=@ccz" (equal) : "r" (in_gs(p + 3)) : "memory");
	use(equal);
	kfree(p);
}

/* Port 0x80 is nobody's. */
static void bug_outs(void)
{
	char *p = take(64);
	const char *from = p;

	asm volatile("outsb" : "+S" (from) : "d" (0x80) : "memory");
	kfree(p);
}

/* None */

static void good_cmps(void)
{
	char *a = take(64), *b = take(64);

	memset(a, 0, 32);
	memset(b, 0, 32);
	use(differ(a, b, 32));
	b[4] = 1;
	use(differ(a, b, 64));
	kfree(a);
	kfree(b);
}

static void good_cmps_padding(void)
{
	struct record *a = take(sizeof(*a)), *b = take(sizeof(*b));

	memset(a->more, 0, sizeof(a->more));
	memset(b->more, 0, sizeof(b->more));
	a->id = 1;
	a->kind = 2;
	a->value = 3;
	b->id = 1;
	b->kind = 2;
	b->value = 4;
	use(differ_words(a, b, sizeof(*a) / 8));
	use(differ_words(&a->value, &b->value, 5));
	kfree(a);
	kfree(b);
}

static void good_scas(void)
{
	char *p = take(64);

	strscpy(p, "it ends here", 64);
	use(length(p, 64));
	kfree(p);
}

static void good_x87(void)
{
	char *p = take(64);

	kernel_fpu_begin_mask(KFPU_387);
	asm volatile("fld1\n\tfistpl (%0)\n\t"
		     "fld1\n\tfstpl 8(%0)\n\t"
		     "fld1\n\tfstpt 16(%0)\n\t"
		     "fnstcw 32(%0)\n\t"
		     "fildl (%0)\n\tfaddl 8(%0)\n\tfldt 16(%0)\n\tfaddp\n\t"
		     "fldcw 32(%0)\n\tfistpll 40(%0)"
		     : : "r" (p) : "memory");
	kernel_fpu_end();
	use(READ_ONCE(p[40]) + READ_ONCE(p[25]) + READ_ONCE(p[33]));
	kfree(p);
}

static void good_fxsave(void)
{
	char *p = take(512);

	kernel_fpu_begin_mask(KFPU_387);
	asm volatile("fxsave %0" : "=m" (*(char (*)[512])p));
	asm volatile("fxrstor %0" : : "m" (*(char (*)[512])p));
	kernel_fpu_end();
	use(READ_ONCE(p[0]) + READ_ONCE(p[24]));
	kfree(p);
}

/* Its elements are those that are used. */
static void good_gather(void)
{
	int *p = take(64);

	p[4] = 1;
	use(gather(p));
	kfree(p);
}

static void good_segment(void)
{
	u32 *p = take(64);

	asm volatile("movl $1, %%gs:(%0)\n\t"
		     "addl $1, %%gs:(%0)" : : "r" (in_gs(p + 3)) : "memory", "cc");
	use(READ_ONCE(p[3]));
	kfree(p);
}

static void good_ins(void)
{
	char *p = take(64), *to = p;

	asm volatile("insb" : "+D" (to) : "d" (0x80) : "memory");
	use(READ_ONCE(p[0]));
	kfree(p);
}

static void good_init(void)
{
	int *p = take(64);

	p[5] = 7;
	use(READ_ONCE(p[5]));
	kfree(p);
}

static void good_page(void)
{
	char *p = (char *)__get_free_page(GFP_KERNEL);
	char *q = (char *)get_zeroed_page(GFP_KERNEL);

	memset(p, 0, 200);
	use(READ_ONCE(p[199]));
	use(READ_ONCE(q[200]));
	free_page((unsigned long)p);
	free_page((unsigned long)q);
}

/* It comes to the next one as the last one left it. */
static void good_constructed(void)
{
	struct kept *k = take_kept(0, construct);
	unsigned int i;

	k->other[3] = 1;
	for (i = 0; i < 100; i++) {
		kmem_cache_free(kept_cache, k);
		k = kmem_cache_alloc(kept_cache, GFP_KERNEL);
		use(READ_ONCE(k->ready));
		use(READ_ONCE(k->other[3]));
	}
	kmem_cache_free(kept_cache, k);
	give_back_kept();
}

/* It may be looked at until a grace period is over, whosever it is then. */
static void good_typesafe(void)
{
	struct kept *k = take_kept(SLAB_TYPESAFE_BY_RCU, NULL), *again;

	WRITE_ONCE(k->ready, 1);
	rcu_read_lock();
	kmem_cache_free(kept_cache, k);
	use(READ_ONCE(k->ready));
	again = kmem_cache_alloc(kept_cache, GFP_ATOMIC);
	use(READ_ONCE(k->ready));
	rcu_read_unlock();
	kmem_cache_free(kept_cache, again);
	give_back_kept();
}

static void good_zeroed(void)
{
	int *p = kzalloc(500, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
	use(READ_ONCE(p[100]));
	kfree(p);
}

static void good_memset(void)
{
	u64 *p = take(8192);
	int i;

	memset(p, 5, 8192);
	for (i = 0; i < 1024; i++)
		use(READ_ONCE(p[i]) & 1);
	kfree(p);
}

static void good_memcpy(void)
{
	char *from = take(256), *to = take(256);
	int i;

	memset(from, 3, 256);
	memcpy(to, from, 256);
	memmove(to + 3, to, 200);
	for (i = 0; i < 256; i++)
		use(READ_ONCE(to[i]));
	kfree(from);
	kfree(to);
}

static void good_padding(void)
{
	struct record *a = take(sizeof(*a)), *b = take(sizeof(*b));

	memset(a->more, 0, sizeof(a->more));
	a->id = 1;
	a->kind = 2;
	a->value = 3;
	*b = *a;
	OPTIMIZER_HIDE_VAR(b);
	use(READ_ONCE(b->id) + READ_ONCE(b->kind));
	kfree(a);
	kfree(b);
}

struct bits {
	unsigned int a : 3;
	unsigned int b : 5;
	unsigned int c : 1;
	u64 other;
};

static void good_bitfield(void)
{
	struct bits *p = take(sizeof(*p));

	OPTIMIZER_HIDE_VAR(p);
	p->a = 2;
	p->b = sink;
	p->c = 1;
	OPTIMIZER_HIDE_VAR(p);
	use(p->a + p->b + p->c);
	kfree(p);
}

static void good_strings(void)
{
	char *p = take(64), *q = take(64);

	strscpy(p, "unaligned and short", 64);
	use(strlen(p));
	strscpy(q, p, 64);
	use(strcmp(p, q));
	use(!!strchr(q, 'z'));
	kfree(p);
	kfree(q);
}

static void good_vmalloc(void)
{
	char *p = vmalloc(3 * PAGE_SIZE);

	OPTIMIZER_HIDE_VAR(p);
	use(READ_ONCE(p[50]));
	vfree(p);
}

static void good_random(void)
{
	u32 *p = take(64);

	get_random_bytes(p, 64);
	use(READ_ONCE(p[15]));
	kfree(p);
}

static void good_unpoison(void)
{
	int *p = take(64);

	kmsan_unpoison_memory(p, 64);
	use(READ_ONCE(p[9]));
	kfree(p);
}

static const struct {
	const char *name;
	void (*func)(void);
} tests[] = {
#define TEST(name) { #name, name }
	TEST(bug_uninit), TEST(bug_uninit_byte), TEST(bug_part_of_struct),
	TEST(bug_after_free), TEST(bug_memcpy), TEST(bug_memcpy_unaligned),
	TEST(bug_memcpy_after_free), TEST(bug_struct_copy), TEST(bug_increment),
	TEST(bug_large), TEST(bug_realloc), TEST(bug_reused), TEST(bug_printk),
	TEST(bug_check), TEST(bug_compare), TEST(bug_user), TEST(bug_put_user), TEST(bug_device),
	TEST(bug_dma), TEST(bug_race), TEST(bug_page), TEST(bug_constructed),
	TEST(bug_constructed_after_free), TEST(bug_typesafe),
	TEST(bug_cmps), TEST(bug_cmps_source), TEST(bug_scas), TEST(bug_fild), TEST(bug_fld),
	TEST(bug_fist), TEST(bug_fxrstor), TEST(bug_gather), TEST(bug_div), TEST(bug_rsp),
	TEST(bug_segment), TEST(bug_outs),
	TEST(good_cmps), TEST(good_cmps_padding), TEST(good_scas), TEST(good_x87),
	TEST(good_fxsave), TEST(good_gather), TEST(good_segment), TEST(good_ins),
	TEST(good_init), TEST(good_zeroed), TEST(good_memset), TEST(good_memcpy),
	TEST(good_padding), TEST(good_bitfield), TEST(good_strings), TEST(good_vmalloc),
	TEST(good_random), TEST(good_unpoison), TEST(good_page), TEST(good_constructed),
	TEST(good_typesafe),
};

static int __init uninit_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (strcmp(test, tests[i].name))
			continue;
		pr_info("uninit: %s\n", test);
		for (; times; times--) {
			migrate_disable();
			tests[i].func();
			migrate_enable();
			shrink();
		}
		pr_info("uninit: done\n");
		return 0;
	}
	pr_err("uninit: there is no test '%s'\n", test);
	return -EINVAL;
}

static void __exit uninit_exit(void)
{
	if (misc_registered)
		misc_deregister(&uninit_misc);
	give_back();
}

module_init(uninit_init);
module_exit(uninit_exit);
MODULE_DESCRIPTION("uses of uninitialized memory");
MODULE_LICENSE("GPL");
