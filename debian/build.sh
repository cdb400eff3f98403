#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
#
# build.sh        build the Debian packages of this tree: build-deb/*.deb
#
# In a copy of the files that git knows, as they are now. The version is that of meson.build: as it is where
# HEAD has its tag (v0.1.0), 0.1.0+N.gHASH for what came N commits later, 0.1.0~gitN.HASH as long as there
# is no such tag, each larger than the one before; "+dirty" says that something is not committed.
# Tests are not run here. All of the work's output is in build-deb/log.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/build-deb
src=$out/src
log=$out/log

die() {
	echo "build.sh: $*" >&2
	exit 1
}

git() {
	command git -c safe.directory='*' -C "$root" "$@"
}

# Sets version, and date when git knows it.
find_version() {
	local base described
	base=$(sed -n "s/^ *version: '\([0-9.]*\)',$/\1/p" "$root/meson.build")
	[ -n "$base" ] || die "meson.build tells no version"
	version=$base
	date=
	[ -e "$root/.git" ] || return
	if described=$(git describe --tags --long --match "v$base" 2>/dev/null); then
		described=${described#"v$base-"}
		[ "${described%%-*}" = 0 ] || version=$base+${described/-/.}
	else
		version=$base~git$(git rev-list --count HEAD).$(git rev-parse --short HEAD)
	fi
	[ -z "$(git status --porcelain --untracked-files=no)" ] || version=$version+dirty
	date=$(git log -1 --format=%cD)
}

copy_files() {
	mkdir -p "$src" || die "cannot make $src"
	if [ -e "$root/.git" ]; then
		git ls-files -z | (cd "$root" && xargs -0 -r ls -d 2>/dev/null) |
			tar -C "$root" -cf - --no-recursion -T - | tar -C "$src" -xf -
	else
		tar -C "$root" --exclude='./build*' --exclude='./.build*' -cf - . | tar -C "$src" -xf -
	fi
}

# What is at the top of debian/changelog is the version of the package, and its date that of all files.
add_version() {
	local who
	[ -n "$date" ] || return
	who=$(sed -n 's/^Maintainer: //p' "$src/debian/control")
	{
		printf 'koi (%s) unstable; urgency=medium\n\n' "$version"
		printf '  * Built from git.\n\n -- %s  %s\n\n' "$who" "$date"
		cat "$root/debian/changelog"
	} >"$src/debian/changelog"
}

rm -rf "$out" || exit 1
find_version
copy_files
add_version
# debhelper gives the build a home of its own; without this it would find nothing that was compiled before.
if command -v ccache >/dev/null; then
	CCACHE_DIR=$(ccache --get-config cache_dir)
	export CCACHE_DIR
fi
DEB_BUILD_OPTIONS="nocheck parallel=$(nproc) ${DEB_BUILD_OPTIONS:-}"
export DEB_BUILD_OPTIONS
(cd "$src" && dpkg-buildpackage -b -us -uc) >"$log" 2>&1 || {
	tail -n 40 "$log" >&2
	die "the packages cannot be built; the whole log is $log"
}
rm -rf "$src"
cd "$root" && ls -1 build-deb/*.deb
