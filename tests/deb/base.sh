#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
#
# base.sh KOI.deb     make .build/deb/base.tar: a minimal Debian, and in the cache of its apt all that KOI.deb
#                     and what docs/quick-start.md installs beside it depend on, so that tests install them
#                     without a network
#
# The release is this machine's, from the mirrors that its apt has. Nothing is done when all is there. Exit
# code 77, and the reason in .build/deb/missing: it cannot be had here. Nothing is mounted for others to see,
# and the work is done in memory: however this ends, nothing is left of it.
set -u

[ "${1:-}" ] || { echo "usage: base.sh KOI.deb" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || { echo "base.sh: needs root" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$(dirname "$here")")/.build/deb
log=$out/log
deb=$(realpath "$1")
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive

cannot() {
	rm -f "$out/base.tar" "$out/stamp"
	echo "$*" >"$out/missing"
	echo "base.sh: $* (log: $log)" >&2
	exit 77
}

die() {
	echo "base.sh: $*; the log is $log" >&2
	exit 1
}

# Debian's own mirrors of this release, one a line: address, suite, component.
mirrors() {
	apt-get indextargets --format '$(ORIGIN)|$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		sed -n "s/^\(Debian\)\?|\(http[^ ]* $release\(-updates\|-security\)\? main\)\$/\2/p" | sort -u
}

in_root() {
	timeout 120 chroot "$root" "$@" >>"$log" 2>&1
}

# In a mount namespace of its own.
make_base() {
	local root=$out/root mirror include=
	mirror=$(sed -n "s/^\([^ ]*\) $release main$/\1/p" <<<"$mirrors" | head -n 1)
	[[ $mirrors == *https:* ]] && include=--include=ca-certificates
	mkdir -p "$root"
	mount -t tmpfs -o mode=0755 none "$root" || cannot "this machine lets nobody mount"
	timeout 240 debootstrap --variant=minbase $include "$release" "$root" "$mirror" >>"$log" 2>&1 ||
		cannot "debootstrap $release from $mirror fails: $(grep -E '^[EW]:' "$log" | tail -n 1)"
	sed 's/^/deb /' <<<"$mirrors" >"$root/etc/apt/sources.list"
	# Nothing of it has to outlive a power failure.
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/koi-test"
	# No service is started, and who wanted one is on record.
	printf '#!/bin/sh\necho "$@" >>/policy.log\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 0755 "$root/usr/sbin/policy-rc.d"
	cp "$deb" "$root/koi.deb"
	in_root apt-get clean
	in_root apt-get -q -o Acquire::Retries=3 update || cannot "apt-get update fails in a new Debian $release"
	in_root apt-get -q -s install /koi.deb || die "$(basename "$deb") cannot be installed"
	in_root apt-get -q -y -o Acquire::Retries=3 --no-install-recommends --download-only install /koi.deb \
		dpdk driverctl ||
		cannot "what koi depends on cannot be fetched"
	rm -f "$root/koi.deb" "$root/policy.log"
	tar -C "$root" --one-file-system --numeric-owner -cf "$out/base.tar.new" . || die "tar fails"
}

mkdir -p "$out" || exit 1
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mirrors=$(mirrors)
stamp=$({ echo "$mirrors"; dpkg-deb -f "$deb" Depends Recommends; cat "$0"; } | sha256sum)
[ -e "$out/base.tar" ] && [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ] && exit 0

if [ "${2:-}" != inside ]; then
	: >"$log"
	[ -n "$release" ] || cannot "this Debian has no name in /etc/os-release"
	grep -q " $release main\$" <<<"$mirrors" || cannot "apt has no mirror of Debian $release"
	command -v debootstrap >/dev/null || cannot "there is no debootstrap: tests/setup.sh deb"
	echo "base.sh: making a Debian $release to install koi in"
	unshare --mount --propagation private "$0" "$deb" inside
	code=$?
	rmdir "$out/root"
	[ "$code" -eq 0 ] || exit "$code"
	mv "$out/base.tar.new" "$out/base.tar" && echo "$stamp" >"$out/stamp" && rm -f "$out/missing"
	exit
fi
make_base
