# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the tests that compare the selftests of a native and a traced boot,
# behind tests/guest/common.sh.
#
# SELFTESTS=PATTERN	takes only the tests whose 'suite/name' matches (grep -E)
# SELFTESTS_APPEND=ARG	one more parameter for the traced boot (to see a difference)
# SELFTESTS_KEEP=DIR	keeps what both boots printed there
# NEIGHBOUR=yes		has each of their processes map a device beside its memory, in both

# QEMU's far return in user mode reads the stack with the kernel's rights (7.2's
# helper_lret_protected), and with SMAP that is an oops of the native kernel.
SUITE_VM=(--smp 4 --mem 3072 --append clearcpuid=smap --device edu --device "$CMB,addr=0x10" --add build/suites/root:. --allow-reports)

# boot NAME SET TIMEOUT OPTION...; what to do before and after is read from stdin
boot()
{
	local name=$1 set=$2 limit=$3 rc=0
	shift 3
	{
		cat
		if [ -n "${NEIGHBOUR:-}" ]; then
			cat <<-'EOT'
			bar=/sys/bus/pci/devices/0000:00:10.0/resource2
			chmod 666 $bar && ln -s $bar /suites/bar || exit 1
			: >/suites/neighbours && chmod 666 /suites/neighbours
			EOT
		fi
		echo "suites $set '${SELFTESTS:-.}'"
		if [ -n "${NEIGHBOUR:-}" ]; then
			cat <<-'EOT'
			n=$(wc -c </suites/neighbours)
			check "programs with a neighbour: $n" [ $n -ge $(wc -l </share/results/results) ]
			EOT
		fi
	} | vm "$name" "${SUITE_VM[@]}" --timeout "$limit" "$@" || rc=$?
	sed -nE "s/^((ok|not ok|skip) - )/\\1selftests: $name: /p" "$work/$name/out"
	if grep -q '^not ok - ' "$work/$name/out"; then failures=$((failures + 1)); fi
	if [ $rc != 0 ]; then not_ok "selftests: $name boot" "status $rc"; fi
	grep -q '^runner: done' "$work/$name/out" || not_ok "selftests: $name boot" "did not come to its end"
}

# Nothing that was built is left out in silence.
all_listed()
{
	local file suite missing=

	for file in build/suites/root/selftests/*/*; do
		[ -x "$file" ] || continue
		suite=${file%/*}
		suite=${suite##*/}
		grep -qE "^$suite +\|.*[ /]${file##*/} " tests/suites/list || missing+=" $suite/${file##*/}"
	done
	if [ -z "$missing" ]; then
		pass "selftests: all that was built is listed"
	else
		not_ok "selftests: all that was built is listed" "not:$missing"
	fi
}

# selftests SET TIMEOUT: both boots and what differs
selftests()
{
	local set=$1 limit=$2 native traced

	tests/suites/build
	all_listed
	# At the same time: what one has of this machine the other has.
	(boot native "$set" "$limit"; finish) >"$work/native.said" 2>&1 <<-'EOT' &
		suites() { sh /suites/runner $1 /share/results "$2"; }
	EOT
	native=$!
	(boot traced "$set" "$limit" --append "pv_shadow_mmiotrace ${SELFTESTS_APPEND:-}"; finish) \
		>"$work/traced.said" 2>&1 <<-'EOT' &
		suites()
		{
			trace_on 16384
			# A device that is busy on all CPUs, and somebody who reads it all.
			(
				trap 'kill $!; exit 0' TERM
				while :; do
					modprobe hammer count=300
					rmmod hammer
				done
			) >/dev/null 2>&1 &
			loop=$!
			cat $T/trace_pipe >/dev/null 2>&1 &
			reader=$!
			(
				trap 'exit 0' TERM
				while :; do
					verify_ok >>/tmp.verify 2>&1
					echo done >>/tmp.verified
					sleep 1
				done
			) &
			verifier=$!
			sh /suites/runner $1 /share/results "$2"
			kill $verifier $loop
			wait $verifier $loop
			rmmod hammer 2>/dev/null
			verify_ok >>/tmp.verify
			kill $reader
			[ ! -s /tmp.verify ] || head -n 20 /tmp.verify
			check "verify, $(wc -l </tmp.verified) times" [ ! -s /tmp.verify ]
			check "a device was traced: $(stat_of events) events" [ "$(stat_of events)" -gt 10000 ]
			check "nothing missed" [ "$(stat_of missed)" = 0 ]
			check "copies were right before anybody needed them" [ "$(stat_of resyncs)" = 0 ]
			echo "lost: $(stat_of lost)"
			trace_off
		}
	EOT
	traced=$!
	wait $native || failures=$((failures + 1))
	wait $traced || failures=$((failures + 1))
	cat "$work/native.said" "$work/traced.said"
	tests/suites/compare --list tests/suites/list --set "$set" --pattern "${SELFTESTS:-.}" --vm scripts/vm \
		"$work/native/results" "$work/traced/results" || failures=$((failures + 1))
	if [ -n "${SELFTESTS_KEEP:-}" ]; then cp -r "$work/." "$SELFTESTS_KEEP/"; fi
}
