#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
#
# dpdk_matrix.sh [VERSION...]   build koi against other versions of DPDK and run its tests with each
#
# VERSION is "installed" (what pkg-config finds: Debian 12's 22.11) or the name of a Debian suite
# whose source package of dpdk is built: without arguments "installed trixie", which is 22.11 and
# 24.11. DPDK_SOURCE=DIR takes a source tree of DPDK from there instead of from apt-get source. The
# builds stay in .build/dpdk-<suite> and build-<suite>; a second run builds what has changed.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
jobs=$(nproc)
results=()

die() {
	echo "dpdk-matrix: $*" >&2
	exit 1
}

# The mirror that this machine installs from: the first source that is not an extra repository.
mirror() {
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 2>/dev/null |
		grep -v security | head -n 1)
	[ -n "$uri" ] || die "no Debian mirror is configured for apt"
	echo "$uri"
}

# fetch SUITE DIR: the source package, unpacked to DIR/src, with package lists of its own
fetch() {
	local suite=$1 dir=$2 apt=$2/apt options
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	cat >"$apt/debian.sources" <<-END
		Types: deb-src
		URIs: $(mirror)
		Suites: $suite
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	END
	options=(-o "Dir::Etc::sourcelist=$apt/debian.sources" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache"
		-o APT::Sandbox::User=root)
	(
		cd "$apt"
		apt-get "${options[@]}" -q update &&
			apt-get "${options[@]}" -q source --download-only dpdk
	) >"$dir/fetch.log" 2>&1 || {
		tail -n 4 "$dir/fetch.log" >&2
		die "$suite: no source package of dpdk (whole log: $dir/fetch.log); DPDK_SOURCE=DIR uses a tree that is there"
	}
	rm -rf "$dir/src"
	dpkg-source --no-check -x "$apt"/dpdk_*.dsc "$dir/src" >>"$dir/fetch.log" 2>&1
}

# What koi links and what its tests drive; no NIC is needed for either.
drivers=bus/pci,bus/vdev,mempool/ring,net/af_packet,net/tap,net/ring,net/null,net/pcap,net/memif
libs=cmdline,telemetry,hash,rcu,timer,rib,fib,lpm,gso,bpf

# build_dpdk SUITE DIR
build_dpdk() {
	local dir=$2
	if [ -n "${DPDK_SOURCE:-}" ]; then
		ln -sfn "$(realpath "$DPDK_SOURCE")" "$dir/src"
	elif [ ! -d "$dir/src" ]; then
		fetch "$1" "$dir"
	fi
	if [ ! -f "$dir/build/build.ninja" ]; then
		echo "dpdk-matrix: $1: configuring DPDK $(cat "$dir/src/VERSION")"
		meson setup "$dir/build" "$dir/src" --prefix="$dir/prefix" --libdir=lib \
			-Denable_drivers=$drivers -Denable_libs=$libs -Denable_apps=test-pmd \
			-Dtests=false -Dbuildtype=release -Dplatform=generic \
			>"$dir/setup.log" 2>&1 || {
			tail -n 20 "$dir/setup.log" >&2
			die "$1: DPDK could not be configured (whole log: $dir/setup.log)"
		}
	fi
	# minutes the first time
	nice ninja -C "$dir/build" -j "$jobs" install >"$dir/build.log" 2>&1 || {
		grep -m 5 -A 3 error "$dir/build.log" >&2
		die "$1: DPDK could not be built (whole log: $dir/build.log)"
	}
}

# run NAME BUILD-FOLDER: build koi there without a warning, then its tests
run() {
	local name=$1 folder=$2 verdict="built without a warning" reports=.build/reports
	mkdir -p "$reports"
	if [ ! -f "$folder/build.ninja" ]; then
		meson setup "$folder" >/dev/null || die "$name: koi could not be configured"
	fi
	ninja -C "$folder" --quiet || die "$name: koi does not build"
	if meson test -C "$folder" --no-rebuild -t 4 --quiet --print-errorlogs; then
		verdict+=", unit and simulation tests passed"
	else
		verdict+=", unit or simulation tests FAILED"
	fi
	if KOI_BUILD=$root/$folder /usr/bin/python3 -m pytest -q -n 2 -m "not timing" tests/lab; then
		verdict+=", lab passed"
	else
		verdict+=", lab FAILED"
	fi
	results+=("$name, DPDK $("$folder/app/koi/koi" --version | sed 's/.*DPDK //'): $verdict")
}

[ $# -gt 0 ] || set -- installed trixie
for suite in "$@"; do
	if [ "$suite" = installed ]; then
		run installed build
		continue
	fi
	dir=$root/.build/dpdk-$suite
	mkdir -p "$dir"
	build_dpdk "$suite" "$dir"
	(
		export PKG_CONFIG_PATH=$dir/prefix/lib/pkgconfig LD_LIBRARY_PATH=$dir/prefix/lib
		run "$suite" "build-$suite"
		printf '%s\n' "${results[@]}" >"$dir/result"
	)
	results+=("$(tail -n 1 "$dir/result")")
done
printf 'dpdk-matrix: %s\n' "${results[@]}"
case "${results[*]}" in *FAILED*) exit 1 ;; esac
