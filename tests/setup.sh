#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
#
# setup.sh PURPOSE...   install the Debian packages of tests/packages that are missing
# setup.sh peers        unpack ucarp and keepalived below .build/peers; nothing is installed
#
# Does nothing, and needs no network, when everything is there.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
log=$root/.build/setup.log
peers=$root/.build/peers

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

# A daemon's package would start it as a service: it is unpacked instead, libraries included.
unpack_peer() {
	local name=$1 dir=$peers/$1 work deb
	[ -e "$dir/.complete" ] && return
	[ -x "/usr/sbin/$name" ] && return
	[ "$(id -u)" -eq 0 ] || die "needs root to download $name"
	echo "setup: unpacking $name"
	rm -rf "$dir"
	work=$dir/debs
	mkdir -p "$work/partial"
	update_once
	apt install --download-only --no-install-recommends -o Dir::Cache::archives="$work" "$name"
	for deb in "$work"/*.deb; do
		[ -e "$deb" ] || die "$name was not downloaded"
		dpkg-deb -x "$deb" "$dir" >>"$log" 2>&1 || die "cannot unpack $deb"
	done
	rm -rf "$work"
	touch "$dir/.complete"
}

command -v apt-get >/dev/null || die "this is not Debian: see tests/packages for what is needed"
mkdir -p "$root/.build"
: >"$log"
[ $# -gt 0 ] || die "usage: setup.sh build|lab|check|lint|fuzz|bench|drivers|peers..."

purposes=()
for arg in "$@"; do
	case $arg in
	build | lab | check | lint | fuzz | bench | drivers) purposes+=("$arg") ;;
	peers) ;;
	*) die "unknown purpose $arg" ;;
	esac
done
[ ${#purposes[@]} -gt 0 ] && install_purposes "${purposes[@]}"
for arg in "$@"; do
	if [ "$arg" = peers ]; then
		unpack_peer ucarp
		unpack_peer keepalived
	fi
done
exit 0
