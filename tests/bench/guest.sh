# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2046,SC2086  # words of ours
#
# What the benchmarks' commands in the guest begin with (busybox sh): they print lines for
# record. $count and $rounds are set.

T=/sys/kernel/tracing
D=/sys/kernel/debug/pv_shadow
group=event unit=ns

on()
{
	echo 0 >$T/tracing_on
	echo 16384 >$T/buffer_size_kb
	echo mmiotrace >$T/current_tracer || exit 1
	echo 1 >$T/tracing_on
}

off()
{
	echo nop >$T/current_tracer
}

# told PATTERN: the numbers of what the module said
told()
{
	dmesg | sed -n "s/.*bench: $1 \([0-9]*\)$/\1/p" | tr '\n' ' '
}

# module WHAT [PARAMETER=VALUE]...: it does that
module()
{
	_what=$1
	shift
	dmesg -c >/dev/null
	modprobe bench what=$_what count=$count rounds=$rounds "$@" || exit 1
	rmmod bench
}

# m FIGURE AT WHAT [PARAMETER=VALUE]...: the module measures
m()
{
	_line="$group $1 $2 $unit/1000"
	shift 2
	module "$@"
	echo "$_line $(told '.*per access')"
}

# u FIGURE AT BAR WHAT [COUNT]: a process does
u()
{
	echo "$group $1 $2 $unit/1000 $(/user $3 $4 ${5:-$count} $rounds || echo failed)"
}

stat_of()
{
	sed -n "s/^$1 //p" $D/stats
}

# ivshmem_bar: what processes map of it
ivshmem_bar()
{
	grep -l 0x1110 /sys/bus/pci/devices/*/device | head -n 1 | sed 's/device$/resource2/'
}
