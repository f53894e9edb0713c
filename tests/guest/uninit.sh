# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC3043 # local
#
# The drivers of uninit.c one after the other, in a guest with kmemcheck (busybox sh,
# behind guest.sh).

# What the first line of each report has to say.
cat >/tmp/drivers <<'EOT'
bug_uninit 32-bit read from uninitialized memory
bug_uninit_byte 8-bit read from uninitialized memory
bug_part_of_struct read from uninitialized memory
bug_after_free 32-bit read from freed memory
bug_memcpy 8-bit read from uninitialized memory
bug_memcpy_unaligned 8-bit read from uninitialized memory
bug_memcpy_after_free read from freed memory
bug_struct_copy 64-bit read from uninitialized memory
bug_increment 32-bit read from uninitialized memory
bug_large 8-bit read from uninitialized memory
bug_realloc 8-bit read from uninitialized memory
bug_reused 8-bit read from uninitialized memory
bug_printk 32-bit read from uninitialized memory
bug_check use of 4 bytes from uninitialized memory
bug_compare read from uninitialized memory
bug_user 24 bytes from uninitialized memory .* copied to the user
bug_put_user 32-bit read from uninitialized memory
bug_device 32-bit read from uninitialized memory
bug_dma 56 bytes from uninitialized memory .* given to a device
bug_race 64-bit read from uninitialized memory
bug_page 8-bit read from uninitialized memory
bug_constructed 64-bit read from uninitialized memory
bug_constructed_after_free 64-bit read from freed memory
bug_typesafe 64-bit read from uninitialized memory
bug_cmps 8-bit read from uninitialized memory
bug_cmps_source 8-bit read from uninitialized memory
bug_scas 8-bit read from uninitialized memory
bug_fild 32-bit read from uninitialized memory
bug_fld 64-bit read from uninitialized memory
bug_fist 32-bit read from uninitialized memory
bug_fxrstor 4096-bit read from uninitialized memory
bug_gather 32-bit read from uninitialized memory
bug_div 32-bit read from uninitialized memory
bug_rsp 64-bit read from uninitialized memory
bug_segment 32-bit read from uninitialized memory
bug_outs 8-bit read from uninitialized memory
good_init
good_zeroed
good_memset
good_memcpy
good_padding
good_bitfield
good_strings
good_vmalloc
good_random
good_unpoison
good_page
good_constructed
good_typesafe
good_cmps
good_cmps_padding
good_scas
good_x87
good_fxsave
good_gather
good_segment
good_ins
EOT

# What was found, told of or not
told() { sed -n 's/^\(reported\|repeated\|dropped\) //p' "$D/kmemcheck" | awk '{ n += $1 } END { print n }'; }
reported() { sed -n 's/^reported //p' "$D/kmemcheck"; }

# printed N: so many reports, which are printed a little later
printed()
{
	local n=0

	until [ "$(dmesg | grep -c 'kmemcheck: ---$')" -ge "$1" ] || [ $n = 200 ]; do
		usleep 100000
		n=$((n + 1))
	done
}

# headline: of the report
headline() { grep 'WARNING: kmemcheck' /tmp/log | head -n 1; }

# driver NAME WHAT: one of them; its log is added to /tmp/all
driver()
{
	local name=$1 what=$2 before found all by on

	dmesg -c >/dev/null
	all=$(told)
	before=$(reported)
	modprobe uninit test="$name" || { not_ok "$name: not done"; return; }
	case $name in
	bug_user) head -c 64 /dev/uninit >/dev/null ;;
	bug_put_user) dd if=/dev/uninit bs=8 count=1 of=/dev/null 2>/dev/null ;;
	esac
	found=$(($(reported) - before))
	printed $found
	dmesg >/tmp/log
	rmmod uninit
	cat /tmp/log >>/tmp/all

	case $name in
	good_*)
		if [ "$(told)" = "$all" ]; then
			ok "$name: nothing is reported"
		else
			not_ok "$name: nothing is reported" "$(headline)"
			cat /tmp/log
		fi
		return ;;
	esac
	if [ $found -ge 1 ] && headline | grep -q "Caught.*$what"; then
		ok "$name is found"
	else
		not_ok "$name is found" "$found: $(headline)"
		cat /tmp/log
	fi
	check "$name: the place is told" grep -q "  \($name\|race_reader\|uninit_read\)+0x.*\[uninit\]" /tmp/log
	check "$name: who allocated it is told" grep -q 'Allocated by task' /tmp/log
	case $name in
	*after_free) check "$name: who freed it is told" grep -q 'Freed by task' /tmp/log ;;
	bug_race)
		by=$(sed -n 's/.*uninit: race: allocated on CPU \([0-9]*\).*/\1/p' /tmp/log)
		on=$(sed -n 's/.*kmemcheck: CPU: \([0-9]*\) PID.*/\1/p' /tmp/log | head -n 1)
		check "both CPUs are named" grep -q "Allocated by task [0-9]* on CPU $by:" /tmp/log
		check "and are two" [ -n "$on" -a "$on" != "$by" ] ;;
	esac
}

# drivers [NAME]...: all of them, but for these
drivers()
{
	local name what

	: >/tmp/all
	while read -r name what; do
		case " $* " in *" $name "*) continue ;; esac
		[ "$name" != bug_race ] || [ "$(grep -c ^processor /proc/cpuinfo)" != 1 ] || continue
		driver "$name" "$what"
	done </tmp/drivers
}

# each_time TIMES NAME...: not now and then, but whenever it is done
each_time()
{
	local times=$1 name before

	shift
	for name in "$@"; do
		before=$(told)
		modprobe uninit test="$name" times="$times"
		rmmod uninit
		check "$name: each of $times is found" [ $(($(told) - before)) = "$times" ]
	done
}
