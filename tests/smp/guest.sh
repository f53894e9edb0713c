# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC2154,SC2086  # guest.sh of tests/guest is there, too; lists
#
# The words of tests/smp/plan, in the guest (busybox sh). An activity is a function that
# is called over and over again in a lane, a process of its own; status 1 is a failure.

# So many events in a segment: what takes longest is to print them.
EVENTS=$(many 60000)
EDU=0000:00:05.0 CMB=0000:00:06.0 USER=0000:00:07.0 NET=0000:00:04.0 NMI=0000:00:08.0
P=/sys/bus/pci/devices

# bar DEVICE LINE: the address, from its list of resources
bar()
{
	sed -n "$2s/ .*//p" $P/$1/resource
}

now()
{
	cut -d. -f1 /proc/uptime
}

all_cpus()
{
	sed -n 's/^processor.*: //p' /proc/cpuinfo
}

# moment: also of a lane that goes on from one segment to the next
moment()
{
	read -r _segment _began </tmp/segment
	echo "segment $_segment, second $(($(now) - _began))"
}

# note TEXT: in the log, and where it is found should the guest die: what is going on
note()
{
	echo "soak: $*" >$T/trace_marker
	echo "$(moment): $*" >>/share/notes
}

# locked COMMAND...: CPUs neither go nor come, or it is they who do
locked()
{
	until mkdir /tmp/lock 2>/dev/null; do usleep 20000; done
	"$@"
	_rc=$?
	rmdir /tmp/lock
	return $_rc
}

# What a plan is made of

# lane NAME COMMAND...: until it is stopped, but once at least
lane()
{
	_lane=$1 _turns=0
	shift
	while [ $_turns = 0 ] || [ ! -e /tmp/stop-$_lane ]; do
		"$@" >/tmp/out-$_lane 2>&1 || {
			note "failed: $_lane"
			not_ok "$(moment): $*" \
				"$(tail -n 20 /tmp/out-$_lane | tr '\n' ';')"
			return 1
		}
		_turns=$((_turns + 1))
		echo $_turns >/tmp/turns-$_lane
	done
	echo "$(moment): $*: $_turns times"
}

# ended LANE: wait for what it does
ended()
{
	[ -e /tmp/pid-$1 ] || return 0
	wait "$(cat /tmp/pid-$1)"
	case $? in
	0 | 1) ;;
	*) not_ok "$1 was killed" ;;
	esac
	rm -f /tmp/pid-$1 /tmp/stop-$1
}

start()
{
	ended $1
	note "start $*"
	lane "$@" &
	echo $! >/tmp/pid-$1
}

stop()
{
	note "stop $1"
	touch /tmp/stop-$1
}

at()
{
	while [ $(($(now) - began)) -lt $1 ]; do usleep 100000; done
}

# on N SECONDS: segment N begins. The mark is a register that nobody else reads: with it
# the record is taken apart.
on()
{
	segment=$1 seconds=$2
	devmem $(($(bar $EDU 1) + 0xf0000 + 4 * segment)) 32 >/dev/null || die "mark"
	trace_on 20480
	: >/share/windows.$segment
	events=$(stat_of events) resyncs=$(stat_of resyncs)
	began=$(now)
	echo $segment $began >/tmp/segment
	note "segment $segment"
}

off()
{
	for _l in /tmp/stop-*; do
		[ ! -e $_l ] || ended ${_l#/tmp/stop-}
	done
	_text="segment $segment: nothing missed or lost, no difference"
	check "$_text" [ "$(stat_of missed)$(stat_of lost)$(stat_of differ)" = 000 ]
	# Who is at it when a page is untraced, or shown by kmemcheck, finds his copy behind:
	# windows and checkers do that.
	_text="segment $segment: copies were right before anybody needed them"
	_n=$(($(stat_of resyncs) - resyncs))
	if [ -s /share/windows.$segment ] || [ -e /tmp/shown.$segment ]; then
		echo "segment $segment: $_n resyncs"
	else
		check "$_text" [ $_n = 0 ]
	fi
	# It is long, and what goes on beside goes on.
	renice -n -15 $$ >/dev/null
	trace_off /share/log.$segment
	renice -n 0 $$ >/dev/null
	_text="segment $segment: nothing is left when it is off"
	check "$_text" nothing_left
}

# What the tracer takes, beside what kmemcheck has from the beginning
TAKEN="traps table_pages user_table_pages root_pages"

nothing_left()
{
	_left=
	for _s in $TAKEN; do
		[ "$(stat_of $_s)" = "$(cat /tmp/first-$_s)" ] || _left="$_left $_s $(stat_of $_s)"
	done
	[ -z "$_left" ] || { echo "left:$_left"; return 1; }
}

end()
{
	for _l in /tmp/pid-*; do
		[ ! -e $_l ] || touch /tmp/stop-${_l#/tmp/pid-}
	done
	for _l in /tmp/pid-*; do
		[ ! -e $_l ] || ended ${_l#/tmp/pid-}
	done
	_n=$(cat /tmp/turns-verify)
	check "verify was ok $_n times" [ "$_n" -ge 10 ]
	check_leaks
	case $(cat /proc/cmdline) in
	*kmemcheck=*)
		# An image for debugging has KASAN instead.
		[ -e $D/kmemcheck ] || return 0
		cat $D/kmemcheck
		check "memory was watched" [ "$(sed -n 's/^hidden //p' $D/kmemcheck)" -ge 20 ] ;;
	esac
}

# What is done in lanes

# paced COMMAND...: no more often than the events of a segment allow, but once at least
paced()
{
	_room=$((EVENTS / 10 + EVENTS * ($(now) - began) / seconds))
	if [ $_turns != 0 ] && [ $(($(stat_of events) - events)) -gt $_room ]; then
		usleep 200000
	else
		"$@"
	fi
}

verify()
{
	verify_ok && sleep 1
}

# mapper WAY MODE THREADS COUNT SEED
mapper()
{
	_bar=$(bar $USER 3)
	case $1 in
	memory) _bar=/dev/mem@${_bar#0x} ;;
	*) _bar=$P/$USER/resource2 ;;
	esac
	shift
	/mapper $_bar "$@"
}

# once N: processes that map the device and exit
once()
{
	_n=0
	while [ $_n -lt $1 ]; do
		/mapper $P/$USER/resource2 once 1 $_n || return 1
		_n=$((_n + 1))
	done
}

# engines USECS ENGINE...
engines()
{
	_usecs=$1
	shift
	for _e; do
		echo $_e >$D/engine || return 1
		usleep $_usecs
	done
}

# hotplug CPU...
hotplug()
{
	locked offline_online "$@" && usleep 300000
}

offline_online()
{
	for _c; do
		echo 0 >/sys/devices/system/cpu/cpu$_c/online || return 1
	done
	for _c; do
		echo 1 >/sys/devices/system/cpu/cpu$_c/online || return 1
	done
}

# nmis COUNT: to each CPU but the first, whose handlers access a device of their own
nmis()
{
	modprobe nmihammer slot=8 what=7 count=$1 && rmmod nmihammer
}

# memory MIB: more of it, so much used, and taken away again
memory()
{
	plug 256 || return 1
	mkdir -p /tmp/more && mount -t tmpfs -o size=192M more /tmp/more || return 1
	dd if=/dev/zero of=/tmp/more/file bs=1M count=$1 2>/dev/null || :
	umount /tmp/more
	pull || return 1
	sleep 1
}

# attach DEVICE USECS [PART]: it is traced already: nothing more comes of it, and nothing less
attach()
{
	case $1 in
	edu) _dev=$EDU _bar=$(bar $EDU 1) _nr=0 ;;
	cmb) _dev=$CMB _bar=$(bar $CMB 3) _nr=2 ;;
	user) _dev=$USER _bar=$(bar $USER 3) _nr=2 ;;
	esac
	case ${3:-} in
	'') _what=$_dev ;;
	bar) _what=$_dev/$_nr ;;
	*) _what=$(printf 0x%x $((_bar + ${3%+*})))+${3#*+} ;;
	esac
	echo $_what >$D/attach || return 1
	usleep $2
	echo $_what >$D/detach || return 1
	usleep 20000
}

# filter USECS: one that lets all of them pass, set and cleared
filter()
{
	echo dev=$EDU,dev=$CMB,dev=$USER,dev=$NET,dev=$NMI >$D/filter || return 1
	usleep $1
	echo >$D/filter || return 1
	usleep 20000
}

# pings N [SECONDS]: from each CPU, an answer asks for the next
pings()
{
	_pids=
	for _c in $(all_cpus); do
		taskset -c $_c ping -A -q -c $1 -s 1000 -w ${2:-20} 10.0.2.2 >/dev/null 2>&1 &
		_pids="$_pids $!"
	done
	# A CPU may have gone, answers be late.
	wait $_pids || :
}

# net PINGS: the driver from its probe to its removal. No CPU comes or goes while a PCI
# device is probed: Linux says -EBUSY then (pci_call_probe()).
net()
{
	locked modprobe e1000 && network eth0 || return 1
	pings $1
	ip link set eth0 down && rmmod e1000
}

# traffic: the driver is there before the tracer
traffic()
{
	modprobe e1000 || die "no driver"
	network eth0 || die "no network"
	(while [ ! -e /tmp/stop-traffic ]; do pings 20 5; done) &
	echo $! >/tmp/pid-traffic
}

# marks N: by each CPU, where no driver reads
marks()
{
	for _c in $(all_cpus); do
		taskset -c $_c devmem $(($(bar $NET 1) + 0x1f000 + 4 * $1)) 32 >/dev/null || return 1
	done
}

# marked N COMMAND...: between mark N and the one after it
marked()
{
	_n=$1
	shift
	marks $_n && "$@" && marks $((_n + 1))
}

# window PINGS: the busy device is attached and detached. What is logged is all of what
# it saw in between.
window()
{
	_first=$((4 * $(cat /share/windows.* | wc -l)))
	# As many as fit into the page of the marks
	[ $_first -lt 1024 ] || { sleep 1; return 0; }
	locked marked $_first to attach $NET || return 1
	pings $1
	locked marked $((_first + 2)) to detach $NET || return 1
	echo $_first >>/share/windows.$segment
	usleep 100000
}

to()
{
	echo $2 >$D/$1
}

# stress SECONDS STRESSOR=N...
stress()
{
	_secs=$1 _args=
	shift
	for _s; do _args="$_args --${_s%=*} ${_s#*=}"; done
	mkdir -p /tmp/stress
	cd /tmp/stress && stress-ng $_args -t $_secs --oomable --vm-bytes 5% --mmap-bytes 5%
	_rc=$?
	cd /
	case $_rc in
	# 3: not possible here; 7: what it measured is worth nothing
	0 | 3 | 7) return 0 ;;
	esac
	echo "status $_rc"
	return 1
}

# modules NAME...
modules()
{
	for _m; do
		case $_m in
		zram) modprobe zram && rmmod zram zsmalloc ;;
		brd) modprobe brd rd_nr=1 && rmmod brd ;;
		uio) modprobe uio && rmmod uio ;;
		bpf) modprobe test_bpf test_range=0,20 && rmmod test_bpf ;;
		esac || return 1
		usleep 50000
	done
}

# drivers NAME...: nothing is reported of them, which scripts/vm would tell
drivers()
{
	for _d; do
		modprobe uninit test=$_d && rmmod uninit || return 1
	done
}

# checker SECONDS: kmemcheck is switched off and on
checker()
{
	sleep $1
	[ -e $D/kmemcheck ] || return 0
	read -r _segment _began </tmp/segment
	echo >/tmp/shown.$_segment
	echo 0 >/proc/sys/kernel/kmemcheck || return 1
	sleep 1
	echo 1 >/proc/sys/kernel/kmemcheck || return 1
	# Slabs that are there already are not watched: have some made anew.
	echo 2 >/proc/sys/vm/drop_caches
}

vmalloc()
{
	modprobe vmchurn && sleep 1 && rmmod vmchurn && usleep 500000
}

forks()
{
	for _i in 1 2 3 4 5 6 7 8; do (true | true) & done
	wait
	sh -c 'exec cat /proc/self/maps' >/dev/null
}

tables()
{
	cat /sys/kernel/debug/page_tables/kernel >/tmp/tables && [ -s /tmp/tables ] || return 1
	[ "$(cat /sys/kernel/debug/check_wx_pages)" = SUCCESS ]
}

ldt()
{
	/ldt 20
}

# Trace events, in an instance that goes again
events()
{
	_i=$T/instances/soak
	mkdir $_i && echo 1 >$_i/events/pv_shadow/enable || return 1
	sleep 1
	echo 0 >$_i/events/pv_shadow/enable
	cat $_i/trace >/tmp/events && rmdir $_i
}

# Not to be chosen when stress-ng has used up all memory
echo -1000 >/proc/self/oom_score_adj
cat >/share/devices <<EOT
edu edu-mmio $(bar $EDU 1) 0x100000
cmb nvme-cmb $(bar $CMB 3) 0x100000
user nvme-cmb $(bar $USER 3) 0x400000
net e1000-mmio $(bar $NET 1) 0x20000
nmi edu-mmio $(bar $NMI 1) 0x100000
EOT
for _s in $TAKEN; do stat_of $_s >/tmp/first-$_s; done
quiet_hotplug
echo 0 0 >/tmp/segment
echo 0 >/tmp/turns-verify
start verify verify
