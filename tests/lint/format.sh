#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
#
# Are the C files formatted as .clang-format says? usage: format.sh CLANG-FORMAT ROOT
set -eu
cd "$2"
git -c safe.directory='*' ls-files -z -- '*.c' '*.h' |
	xargs -0 -r sh -c '
		tool=$1
		shift
		for f; do
			shift
			[ ! -f "$f" ] || set -- "$@" "$f"
		done
		[ $# -eq 0 ] || exec "$tool" --dry-run -Werror --style=file "$@"
	' sh "$1"
