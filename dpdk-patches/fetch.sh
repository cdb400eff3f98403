#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
#
# fetch.sh     unpack the source package of the DPDK that is installed, and print its folder
#
# It comes from the mirrors that apt has for this machine; nothing of apt's own state changes, and
# nothing is done when it is there. Exit code 77, and the reason on stderr: it cannot be had.
set -u

out=$(dirname "$(cd "$(dirname "$0")" && pwd)")/.build/dpdk-source
log=$out/log

cannot() {
	echo "$* (log: $log)" >&2
	exit 77
}

# The lists of the machine, read as lists of sources.
source_lists() {
	local f
	mkdir -p "$out/apt/parts" "$out/apt/lists/partial" "$out/apt/cache/archives/partial"
	rm -f "$out/apt/parts"/*
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -e "$f" ] && sed -n 's/^deb\(-src\)\?[[:blank:]]/deb-src /p' "$f" |
			sort -u >"$out/apt/parts/$(basename "$f" .list).list"
	done
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -e "$f" ] && sed 's/^Types:.*/Types: deb-src/' "$f" >"$out/apt/parts/$(basename "$f")"
	done
}

apt() {
	apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$out/apt/parts" \
		-o Dir::State::lists="$out/apt/lists" -o Dir::Cache="$out/apt/cache" \
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 "$@" >>"$log" 2>&1
}

mkdir -p "$out" || exit 1
: >"$log"
version=$(dpkg-query -W -f '${source:Version}' libdpdk-dev 2>>"$log") ||
	cannot "libdpdk-dev is not installed"
source=$out/dpdk-$version
if [ ! -e "$source/.complete" ]; then
	echo "fetching the source of dpdk $version" >&2
	rm -rf "$source" "$out/download"
	mkdir -p "$out/download"
	source_lists
	# One list that fails may be one that is not needed.
	apt update || echo "some lists could not be fetched" >>"$log"
	(cd "$out/download" && apt --only-source --download-only source "dpdk=$version") ||
		cannot "the source package of dpdk $version could not be fetched"
	dpkg-source --no-check --no-copy -x "$out"/download/dpdk_*.dsc "$source" >>"$log" 2>&1 ||
		cannot "the source package of dpdk $version could not be unpacked"
	rm -rf "$out/download" "$out/apt"
	touch "$source/.complete"
fi
echo "$source"
