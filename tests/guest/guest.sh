# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the tests' commands in the guest begin with (busybox sh).

T=/sys/kernel/tracing
D=/sys/kernel/debug/pv_shadow
bad=0

ok()
{
	echo "ok - $1"
}

# not_ok NAME [REMARK]
not_ok()
{
	echo "not ok - $1${2:+ ($2)}"
	bad=$((bad + 1))
}

# skip NAME (REASON)
skip()
{
	echo "skip - $1"
}

# check NAME COMMAND...: the result is COMMAND's status
check()
{
	_name=$1
	shift
	if "$@"; then ok "$_name"; else not_ok "$_name"; fi
}

die()
{
	echo "not ok - $*"
	exit 1
}

# trace_on [KIB]: with that much buffer for each CPU
trace_on()
{
	echo "${1:-16384}" >$T/buffer_size_kb || die "no trace buffer of $1 KiB"
	echo mmiotrace >$T/current_tracer || die "the tracer does not start"
}

# trace_off [FILE]: read the trace into FILE first
trace_off()
{
	[ -z "${1:-}" ] || cat $T/trace >"$1" || die "cannot read the trace"
	echo nop >$T/current_tracer || die "the tracer does not stop"
}

# hammer [PARAMETER=VALUE]...: one run; status 1 if it found something wrong
hammer()
{
	modprobe hammer "$@" || return 1
	dmesg | grep 'hammer: ' | tail -n 1 | sed 's/.*hammer: /hammer: /'
	rmmod hammer
}

# network DEV: up, and somebody answers; status 1 if nobody does
network()
{
	ip addr add 10.0.2.15/24 dev "$1"
	ip link set "$1" up
	n=0
	until ping -c 1 -W 1 10.0.2.2 >/dev/null; do
		n=$((n + 1))
		[ $n -lt 60 ] || return 1
	done
}

# quiet_hotplug: before CPUs are taken offline. 6.12 counts the scheduler's fair server,
# which a timer starts, as a running task; if that happens on a CPU that is just being
# taken down the kernel warns that it was not vacated, with tracing or without.
quiet_hotplug()
{
	for _f in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do
		echo 0 >$_f || die "no fair server to switch off"
	done
}

# memory_blocks: how many there are, all of them in use. One look: what comes after it would be
# counted without being in use yet.
memory_blocks()
{
	_states=$(cat /sys/devices/system/memory/memory[0-9]*/state 2>/dev/null)
	case $_states in
	*offline*) echo not ;;
	*) echo "$_states" | wc -l ;;
	esac
}

# plug MIB: memory, which tests/guest/dimms has the host plug in. pull: take it off again,
# and out. Status 1 if that does not happen within a minute.
plug()
{
	_had=$(ls -d /sys/devices/system/memory/memory[0-9]*)
	_blocks=$(memory_blocks)
	touch /share/plug
	wait_memory $((_blocks + $1 / 128)) plug
}

pull()
{
	for _b in /sys/devices/system/memory/memory[0-9]*; do
		case "$_had" in *"$_b"*) continue ;; esac
		# Who uses a page at the moment keeps it, natively as well.
		_n=0
		until echo offline >$_b/state; do
			_n=$((_n + 1))
			[ $_n -lt 60 ] || { echo "$_b stays online"; return 1; }
			sleep 1
		done 2>/dev/null
	done
	touch /share/pull
	wait_memory $_blocks pull
}

wait_memory()
{
	_n=0
	while [ $(memory_blocks) != $1 ] || [ -e /share/$2 ]; do
		_n=$((_n + 1))
		[ $_n -lt 600 ] || { echo "$2: $(memory_blocks) blocks, not $1"; return 1; }
		usleep 100000
	done
}

# hammer_loop COUNT, stop_hammer: run after run in the background
hammer_loop()
{
	rm -f /tmp/stop-hammer
	(
		while [ ! -e /tmp/stop-hammer ]; do
			modprobe hammer count=$1
			rmmod hammer
		done
	) >/dev/null 2>&1 &
	hammer_pid=$!
}

stop_hammer()
{
	touch /tmp/stop-hammer
	wait $hammer_pid
}

# verify_loop, verified: look every second in the background; what it found
verify_loop()
{
	rm -f /tmp/stop-verify /tmp/verify
	(
		n=0
		while [ ! -e /tmp/stop-verify ]; do
			n=$((n + 1))
			verify_ok >>/tmp/verify || :
			sleep 1
		done
		echo $n >/tmp/verify-count
	) &
	verify_pid=$!
}

verified()
{
	touch /tmp/stop-verify
	wait $verify_pid
	echo "verify: $(cat /tmp/verify-count) times"
	[ ! -s /tmp/verify ] || { head -n 20 /tmp/verify; return 1; }
}

stat_of()
{
	sed -n "s/^$1 //p" $D/stats
}

verify_ok()
{
	# One reading: a second one may find it gone.
	verify=$(cat $D/verify)
	[ "$verify" = ok ] || { echo "$verify" | head -n 20 | sed 's/^/verify: /'; return 1; }
}

# check_leaks: where the kernel has kmemleak it has lost sight of nothing
check_leaks()
{
	_leaks=/sys/kernel/debug/kmemleak
	[ ! -e $_leaks ] || check "no leaks" no_leaks
}

no_leaks()
{
	echo scan >$_leaks || return 1
	# It does not tell of what is younger than 5 s, nor of what it finds once.
	sleep 6
	echo scan >$_leaks || return 1
	cat $_leaks >/tmp/leaks
	[ ! -s /tmp/leaks ] || { head -n 60 /tmp/leaks; return 1; }
}

cpus()
{
	grep -c ^processor /proc/cpuinfo
}
