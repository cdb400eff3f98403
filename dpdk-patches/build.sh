#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
#
# build.sh            build the patched drivers for the DPDK that is installed
# build.sh DIR        and copy them to DIR, which EAL will load plugins from
#
# They are found in .build/dpdk-patches/drivers/RELEASE. The source package comes by fetch.sh; nothing
# is done when all is there. Exit code 77, and the reason in .build/dpdk-patches/why-not: they cannot
# be built here.
set -u

here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$here")/.build/dpdk-patches
log=$out/log
to=${1:-}

die() {
	echo "dpdk-patches: $*" >&2
	exit 1
}

cannot() {
	rm -rf "$out/drivers" "$out/stamp"
	echo "$*" >"$out/why-not"
	echo "dpdk-patches: $* (log: $log)" >&2
	exit 77
}

# A copy of the files that the series touches, patched.
apply() {
	local patch file
	rm -rf "$out/patched"
	while read -r patch; do
		for file in $(sed -n 's|^+++ b/||p' "$here/$release/$patch"); do
			[ -e "$out/patched/$file" ] && continue
			mkdir -p "$(dirname "$out/patched/$file")"
			cp "$source/$file" "$out/patched/$file" || die "$patch: there is no $file"
		done
		patch -d "$out/patched" -p1 --fuzz=0 --no-backup-if-mismatch --forward \
			<"$here/$release/$patch" >>"$log" 2>&1 ||
			die "$patch does not apply to $version; the log is $log"
	done <"$here/$release/series"
}

# Each folder of drivers/ that was touched is one plugin, drivers/net/af_packet for example. What
# the installed development package leaves out of the headers comes from the source.
build() {
	local folder name files include
	rm -rf "$out/drivers"
	mkdir -p "$out/drivers/$release"
	include=$(find "$source"/lib "$source"/drivers/bus -name '*_driver.h' -printf '-I%h\n' | sort -u)
	for folder in "$out"/patched/drivers/*/*; do
		name=librte_$(basename "$(dirname "$folder")")_$(basename "$folder")
		files=$(cd "$folder" && echo "$folder"/*.c)
		# shellcheck disable=SC2086 # lists
		${CC:-cc} -shared -fPIC -O2 -g -Wall -Wextra -Werror -Wno-missing-field-initializers \
			-Wno-address-of-packed-member -Wno-packed-not-aligned \
			-DALLOW_EXPERIMENTAL_API -DALLOW_INTERNAL_API \
			-DRTE_LOG_DEFAULT_LOGTYPE="pmd.$(basename "$(dirname "$folder")").$(basename "$folder")" \
			$(pkg-config --cflags libdpdk) -I"$source/lib/eal/include" $include $files \
			-Wl,-soname,"$name.so" -Wl,--no-undefined -Wl,--as-needed \
			$(pkg-config --libs libdpdk) -lrte_bus_vdev $(pkg-config --libs libbsd) \
			-o "$out/drivers/$release/$name.so" >>"$log" 2>&1 ||
			die "$name does not build; the log is $log"
	done
}

install_to() {
	[ "$(id -u)" -eq 0 ] || die "$to is to belong to root: run as root"
	install -d -o root -g root -m 0755 "$to" || exit 1
	install -o root -g root -m 0644 "$out/drivers/$release"/*.so "$to" || exit 1
	echo "dpdk-patches: for the configuration of koi: \"eal\": [\"-d\", \"$to\", ...]"
}

mkdir -p "$out" || exit 1
: >"$log"
version=$(dpkg-query -W -f '${source:Version}' libdpdk-dev 2>>"$log") ||
	cannot "libdpdk-dev is not installed"
release=$(sed 's/^\([0-9]*\.[0-9]*\).*/\1/' <<<"$version")
[ -e "$here/$release/series" ] || cannot "there are no patches for DPDK $release"
stamp=$({ echo "$version"; ${CC:-cc} --version; cat "$0" "$here/$release"/*; } | sha256sum)

if [ ! -d "$out/drivers/$release" ] || [ "$(cat "$out/stamp" 2>/dev/null)" != "$stamp" ]; then
	rm -f "$out/stamp" "$out/why-not"
	source=$("$here/fetch.sh" 2>>"$log") || cannot "$(tail -n 1 "$log")"
	echo "dpdk-patches: building the drivers of dpdk-patches/$release for $version"
	apply
	build
	rm -rf "$out/patched"
	echo "$stamp" >"$out/stamp"
fi
[ -z "$to" ] || install_to
exit 0
