// SPDX-License-Identifier: GPL-2.0-only
// files: kernel/sched/core.c fs/exec.c
//
// Tasks are chosen by number and by name, and a CPU has the tables that its task is to
// have.

@@
@@
#include <linux/sched/wake_q.h>
+#include <linux/pv_shadow_hooks.h>

@@
@@
#include <linux/user_events.h>
+#include <linux/pv_shadow_hooks.h>

@@
identifier rq, prev, next;
@@
 prepare_task_switch(struct rq *rq, struct task_struct *prev, struct task_struct *next)
 {
	...
	prepare_arch_switch(next);
+	pv_shadow_switch(next);
 }

@@
identifier tsk;
@@
 __set_task_comm(struct task_struct *tsk, ...)
 {
	...
	task_unlock(tsk);
+	pv_shadow_renamed(tsk);
	...
 }

@@
identifier me;
statement S;
@@
 begin_new_exec(...)
 {
	<...
	retval = de_thread(me);
	if (retval)
		S
+	/* The leader's number is its own now. */
+	pv_shadow_renamed(me);
	...>
 }
