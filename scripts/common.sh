# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the scripts next to it: where things are, and how to say so.

# shellcheck disable=SC2034
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
BUILD=$TOP/build
SOURCE_PACKAGE=linux-source-6.12

# A variant is a configuration with an output directory and an image of its own.
# shellcheck disable=SC2034
case ${DEBUG:-0} in
0 | '') VARIANT= ;;
kcsan) VARIANT=-kcsan ;;
plain) VARIANT=-plain ;;
xen) VARIANT=-xen ;;
1) VARIANT=-debug ;;
*) printf '%s: DEBUG is 1, kcsan, plain or xen, not %s\n' "${0##*/}" "$DEBUG" >&2; exit 1 ;;
esac
# shellcheck disable=SC2034
{
	LINUX=$BUILD/linux
	OBJ=$LINUX/obj$VARIANT
	IMAGE=$BUILD/bzImage$VARIANT
	MODULES=$BUILD/modules$VARIANT
}

export LC_ALL=C

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}
