#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
#
# setup.sh PURPOSE...   install the Debian packages of tests/packages that are missing
# setup.sh peers        unpack ucarp, keepalived and prometheus below .build/peers; nothing is installed
# setup.sh guest        unpack QEMU, a kernel and busybox below .build/guest; nothing is installed. Where
#                       that fails the reason is left in .build/guest/missing, and it is no error
#
# Does nothing, and needs no network, when everything is there.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
log=$root/.build/setup.log
peers=$root/.build/peers
guest=$root/.build/guest

die() {
	echo "setup: $*" >&2
	exit 1
}

apt() {
	local try
	for try in 1 2 3; do
		DEBIAN_FRONTEND=noninteractive apt-get -y -q \
			-o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 \
			-o Dpkg::Options::=--force-confold "$@" >>"$log" 2>&1 && return 0
		sleep $((try * 2))
	done
	tail -n 12 "$log" >&2
	die "apt-get $1 failed three times; the whole log is $log. Is there a network and a Debian mirror in /etc/apt/sources.list?"
}

updated=no
update_once() {
	[ "$updated" = yes ] && return
	apt update
	updated=yes
}

installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_purposes() {
	local missing=() package purpose want
	while read -r package purpose; do
		case $package in '' | '#'*) continue ;; esac
		for want in "$@"; do
			if [ "$purpose" = "$want" ] && ! installed "$package"; then
				missing+=("$package")
			fi
		done
	done <"$here/packages"
	[ ${#missing[@]} -eq 0 ] && return
	[ "$(id -u)" -eq 0 ] || die "needs root to install: ${missing[*]}"
	echo "setup: installing ${missing[*]}"
	update_once
	apt install --no-install-recommends "${missing[@]}"
}

# Download a package with all that it needs and this machine has not: to $dir/debs.
download_with_libraries() {
	local dir=$1 name=$2
	[ "$(id -u)" -eq 0 ] || die "needs root to download $name"
	mkdir -p "$dir/debs/partial"
	update_once
	apt install --download-only --no-install-recommends -o Dir::Cache::archives="$dir/debs" "$name"
}

# Unpack everything in $dir/debs to $dir.
unpack_debs() {
	local dir=$1 deb
	for deb in "$dir"/debs/*.deb; do
		[ -e "$deb" ] || die "nothing was downloaded to $dir"
		dpkg-deb -x "$deb" "$dir" >>"$log" 2>&1 || die "cannot unpack $deb"
	done
	rm -rf "$dir/debs"
	touch "$dir/.complete"
}

# A daemon's package would start it as a service: it is unpacked instead, libraries included.
unpack_peer() {
	local name=$1 dir=$peers/$1
	[ -e "$dir/.complete" ] && return
	[ -x "/usr/sbin/$name" ] && return
	echo "setup: unpacking $name"
	rm -rf "$dir"
	download_with_libraries "$dir" "$name"
	unpack_debs "$dir"
}

# Prometheus for the alerts' tests: one program, without the pages that its package is for most of its size.
unpack_prometheus() (
	local dir=$peers/prometheus
	[ -e "$dir/.complete" ] && exit 0
	[ -x /usr/bin/promtool ] && [ -x /usr/bin/prometheus ] && exit 0
	echo "setup: unpacking prometheus"
	rm -rf "$dir"
	mkdir -p "$dir/debs"
	update_once
	cd "$dir/debs" || die "cannot enter $dir/debs"
	apt download prometheus
	unpack_debs "$dir"
)

# A machine to run koi in, with PCI devices. A kernel's package would make an initramfs and set up the
# boot loader, so it comes alone; its name holds a version, which a package without one leads to.
unpack_guest() {
	local dir=$guest/root kernel
	[ -e "$dir/.complete" ] && return
	[ "$(dpkg --print-architecture)" = amd64 ] || die "the guest is made for amd64"
	echo "setup: unpacking QEMU and a kernel for the guest"
	rm -rf "$guest"
	download_with_libraries "$dir" qemu-system-x86
	kernel=$(apt-cache depends --important linux-image-cloud-amd64 |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$kernel" ] || die "apt knows no package linux-image-cloud-amd64"
	cd "$dir/debs" || die "cannot enter $dir/debs"
	apt download "$kernel" busybox-static
	unpack_debs "$dir"
}

command -v apt-get >/dev/null || die "this is not Debian: see tests/packages for what is needed"
mkdir -p "$root/.build"
: >"$log"
[ $# -gt 0 ] || die "usage: setup.sh build|lab|check|lint|deb|fuzz|bench|drivers|matrix|peers|guest..."

purposes=()
for arg in "$@"; do
	case $arg in
	build | lab | check | lint | deb | fuzz | bench | drivers | matrix) purposes+=("$arg") ;;
	peers | guest) ;;
	*) die "unknown purpose $arg" ;;
	esac
done
[ ${#purposes[@]} -gt 0 ] && install_purposes "${purposes[@]}"
for arg in "$@"; do
	if [ "$arg" = peers ]; then
		unpack_peer ucarp
		unpack_peer keepalived
		unpack_prometheus || exit 1
	fi
	if [ "$arg" = guest ]; then
		mkdir -p "$guest"
		if (unpack_guest) 2>"$log.guest"; then
			rm -f "$guest/missing" "$log.guest"
		else
			cat "$log.guest" >&2
			mkdir -p "$guest"
			tail -n 1 "$log.guest" >"$guest/missing"
		fi
	fi
done
exit 0
