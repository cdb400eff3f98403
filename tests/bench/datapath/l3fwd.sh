#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
#
# l3fwd.sh     build DPDK's example l3fwd of the DPDK that is installed, and print its path
#
# From Debian's source package, as its Makefile builds it, in .build/l3fwd; debugging symbols for the
# profile, and receive offloads not asked for, which devices without hardware lack. Nothing is done when
# it is there. Exit code 77, and the reason on stderr: it cannot be had.
set -u

root=$(cd "$(dirname "$0")/../../.." && pwd)
out=$root/.build/l3fwd
source=$("$root/dpdk-patches/fetch.sh") || exit
built=$out/$(basename "$source")

if [ ! -x "$built/l3fwd/build/l3fwd" ]; then
	echo "building l3fwd of $(basename "$source")" >&2
	rm -rf "$built"
	mkdir -p "$built"
	cp -r "$source"/examples/{l3fwd,common} "$built"
	sed -i 's/\.offloads = RTE_ETH_RX_OFFLOAD_CHECKSUM,/.offloads = 0,/' "$built/l3fwd/main.c"
	CFLAGS=-g make -C "$built/l3fwd" shared >"$out/log" 2>&1 || {
		echo "l3fwd does not build (log: $out/log)" >&2
		exit 77
	}
fi
echo "$built/l3fwd/build/l3fwd"
