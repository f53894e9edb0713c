# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the tests that boot a guest.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TOP=$PWD
export LC_ALL=C
# shellcheck disable=SC2034
COMPARE=$TOP/tests/oracle/compare
# shellcheck disable=SC2034
CMB=nvme,serial=0,cmb_size_mb=1
failures=0
vm_status=0

mkdir -p "$TOP/build/test-logs"
work=$(mktemp -d "$TOP/build/test-logs/work.XXXXXX")
# What is kept of a failure is kept of what was ended before it could tell, too.
cleanup()
{
	local rc=$?

	if [ $rc != 0 ] && [ $rc != 77 ] && [ -n "${KEEP:-}" ]; then
		echo "# kept: $work"
	else
		rm -rf "$work"
	fi
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

pass()
{
	echo "ok - $1"
}

# not_ok NAME [REMARK]
not_ok()
{
	echo "not ok - $1${2:+ ($2)}"
	failures=$((failures + 1))
}

finish()
{
	[ "$failures" = 0 ]
	exit
}

# many N: so many, or a tenth of them where the kernel is one for debugging: it takes an
# hour for what takes another one minutes, of which printing the log is the most.
many()
{
	case ${DEBUG:-0} in 0 | '') echo "$1" ;; *) echo $(($1 / 10)) ;; esac
}

# has_kmemcheck: DEBUG=1 has KASAN instead.
has_kmemcheck()
{
	[ "${DEBUG:-0}" != 1 ]
}

# program NAME [OPTION]...: build user/NAME.c for the guest; it is $work/NAME
program()
{
	gcc -static -O2 -Wall "${@:2}" -o "$work/$1" "tests/guest/user/$1.c"
}

# qemu_crashed STATUS DIR: seldom: it looks a device up in a table that another CPU
# replaces when it maps a BAR. It is killed by SIGSEGV, or aborts itself, and nothing
# has been tested then. Or, with --accel nested, the native kernel died that was the
# host of the tested one.
qemu_crashed()
{
	[ "$1" = 123 ] || return
	grep -Eq '^vm: qemu failed \(status 139\)$|iotlb_to_section: Assertion|^vm: the guest of TCG failed:$' "$2/err"
}

# vm NAME OPTION...: scripts/vm with our modules, helpers and a /share that is
# $work/NAME; COMMAND is read from stdin, and the helpers in guest.sh are there.
# What it prints goes to $work/NAME/out and to the log, prefixed.
vm()
{
	local dir=$work/$1 rc again
	shift
	mkdir -p "$dir"
	{
		echo '. /guest.sh'
		echo "many() { echo \$((\$1 * $(many 10) / 10)); }"
		cat
	} >"$dir/command"
	for again in 1 2 ''; do
		rc=0
		scripts/vm --modules --share "$dir" --add tests/guest/guest.sh --add "$dir/command:command" \
			--console "$dir/console" "$@" -- 'sh /command' >"$dir/out" 2>"$dir/err" || rc=$?
		sed 's/^/# guest: /' "$dir/out" "$dir/err"
		{ [ -n "$again" ] && qemu_crashed $rc "$dir"; } || break
		echo "# QEMU crashed; once more"
		find "$dir" -mindepth 1 ! -name command -delete
	done
	# What the kernel said last, of a guest that did not end by itself
	if [ $rc = 124 ] && [ -f "$dir/console" ]; then
		tail -n 30 "$dir/console" | sed 's/^/# console: /'
	fi
	# A later run in the same directory is not to find these.
	rm -f "$dir/command"
	vm_status=$rc
	return $rc
}

# with_libs DIR PROGRAM...: put programs of this machine, and the shared libraries
# that they need, into DIR, for --add DIR:.
with_libs()
{
	local dir=$1 file
	shift
	for file in "$@" $(ldd "$@" | grep -oE '/[^ :]+ \(0x' | sed 's/ (0x//' | sort -u); do
		mkdir -p "$dir${file%/*}"
		cp -L "$file" "$dir$file"
	done
}

# compare_log NAME REGION RECORD [PHYS]: NAME's /share/log against the record
compare_log()
{
	local out
	if out=$("$COMPARE" --log "$work/$1/log" --oracle "$3" --region "$2" ${4:+--phys "$4"}); then
		pass "$1: $2: $(tail -n 1 <<<"$out")"
	else
		printf '%s\n' "$out" | sed 's/^/# /'
		not_ok "$1: $2" "$(tail -n 1 <<<"$out")"
	fi
}

# within_record NAME LOG RECORD PHYS: of the device whose registers' addresses begin
# with PHYS (0xfed00, say) the log has on each CPU what stands in the record in this
# order, without a gap; what comes before and after it was not traced.
within_record()
{
	local out
	if out=$(python3 - "$2" "$3" "$4" 2>&1 <<-'EOP'
		import re, sys
		log, rec = {}, {}
		for l in open(sys.argv[1], errors="replace"):
		    f = l.split()
		    if l[:2] in ("R ", "W ") and f[4].startswith(sys.argv[3]):
		        log.setdefault(int(f[8][4:]), []).append((f[0], int(f[1]), int(f[4], 16), int(f[5], 16)))
		for l in open(sys.argv[2]):
		    m = re.match(r"memory_region_ops_(\w+) cpu (\d+) .* addr (\S+) value (\S+) size (\d+)", l)
		    n = int(m[5])
		    rec.setdefault(int(m[2]), []).append((m[1][0].upper(), n, int(m[3], 16), int(m[4], 16) & (1 << 8 * n) - 1))
		total = 0
		for cpu, events in sorted(log.items()):
		    have = rec.get(cpu, [])
		    n = len(events)
		    if not any(have[i:i + n] == events for i in range(len(have) - n + 1) if have[i] == events[0]):
		        sys.exit(f"cpu {cpu}: the {n} events of the log are no part of the record's {len(have)}")
		    total += n
		if not total:
		    sys.exit("the log has no events of it")
		print(f"{total} events on {len(log)} CPUs")
	EOP
	); then
		pass "$1: the record has what was logged: $out"
	else
		not_ok "$1: log and record" "$out"
	fi
}

# results NAME: pass on the results that vm NAME's guest printed; none is a status
# other than 0
results()
{
	local line n=0
	while IFS= read -r line; do
		case $line in
		'ok - '*) pass "$1: ${line#ok - }"; n=$((n + 1)) ;;
		'not ok - '*) not_ok "$1: ${line#not ok - }"; n=$((n + 1)) ;;
		'skip - '*) echo "skip - $1: ${line#skip - }"; n=$((n + 1)) ;;
		esac
	done <"$work/$1/out"
	[ $n -gt 0 ]
}

# guest_ok NAME: what vm NAME's guest did
guest_ok()
{
	results "$1" || not_ok "$1" "the guest reported nothing"
}

# guest_failed NAME: the same after a vm that failed, which is one failure more
guest_failed()
{
	results "$1" || :
	not_ok "$1" "guest: status $vm_status"
}
