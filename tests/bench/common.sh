# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the scripts here: boot a guest that measures. BENCH_IMAGE is another image
# than the built one.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source-path=SCRIPTDIR
. scripts/common.sh
image=${BENCH_IMAGE:-$IMAGE}
mkdir -p "$BUILD"
work=$(mktemp -d "$BUILD/bench-work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM INT HUP
rounds=${ROUNDS:-7}
count=${COUNT:-20000}

# ivshmem N SIZE: QEMU's options for so many devices whose BAR is memory of that size
ivshmem()
{
	local i

	for ((i = 0; i < $1; i++)); do
		# With eight functions each, from the third slot on
		echo "--qemu -object --qemu memory-backend-ram,id=m$i,size=$2,share=on --device" \
			"ivshmem-plain,memdev=m$i$([ "$1" = 1 ] || printf ',addr=0x%x.%d,multifunction=on' $((3 + i / 8)) $((i % 8)))"
	done
}

# guest NAME VM-OPTION...: run what is on stdin, after guest.sh; what it prints goes to
# $work/NAME
guest()
{
	local name=$1
	shift
	{
		echo "count=$count rounds=$rounds"
		cat tests/bench/guest.sh -
	} >"$work/command"
	scripts/vm --image "$image" --modules --add "$work/command:command" --timeout 1800 "$@" \
		-- 'sh /command' >"$work/$name" || { cat "$work/$name"; exit 1; }
}

# program NAME: build NAME.c for the guest; it is $work/NAME
program()
{
	gcc -static -O2 -Wall -pthread -o "$work/$1" "tests/bench/$1.c"
}
