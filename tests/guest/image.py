# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""What the guest boots: Debian's kernel, and an initramfs of busybox, koi and what koi loads.

Everything comes from .build/guest/root (tests/setup.sh guest), this machine's DPDK and the build.
The initramfs is kept below .build/guest under a name made of its contents.
"""

import contextlib
import glob
import hashlib
import os
import re
import stat
import subprocess

import lab

GUEST = os.path.join(lab.ROOT, ".build", "guest")
ROOT = os.path.join(GUEST, "root")

#: DPDK drivers that EAL finds in its plugin folder.
PLUGINS = ("bus_pci", "bus_vdev", "mempool_ring", "net_e1000", "net_virtio", "net_vmxnet3")
#: In the order of their dependencies.
MODULES = (
    "drivers/uio/uio",
    "drivers/uio/uio_pci_generic",
    "virt/lib/irqbypass",
    "drivers/vfio/vfio",
    "drivers/vfio/vfio_virqfd",
    "drivers/vfio/vfio_iommu_type1",
    "drivers/vfio/pci/vfio-pci-core",
    "drivers/vfio/pci/vfio-pci",
)

#: Process 1: bind the devices to the driver that the kernel's command line names, then carry out
#: what comes in by the second serial line. After each command its exit code follows ^D.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /run
mkdir -p /var
ln -s /run /var/run
# EAL loads no plugin below a folder that anybody may write to.
chmod 755 /
ip link set lo up
for module in /modules/*; do insmod $module; done
driver=$(sed 's/.*koi.driver=\\([^ ]*\\).*/\\1/' /proc/cmdline)
bind() {
	echo $driver >/sys/bus/pci/devices/$1/driver_override
	[ -e /sys/bus/pci/devices/$1/driver ] && echo $1 >/sys/bus/pci/devices/$1/driver/unbind
	echo $1 >/sys/bus/pci/drivers/$driver/bind
}
for device in $(sed 's/.*koi.devices=\\([^ ]*\\).*/\\1/; s/,/ /g' /proc/cmdline); do
	bind $device
done
exec 0</dev/ttyS1 1>/dev/ttyS1
stty raw -echo
printf '\\004ready\\n'
while IFS= read -r line; do
	eval "$line" 2>&1
	printf '\\004%d\\n' $?
done
poweroff -f
"""


def missing():
    """Why there is no guest here, or ""."""
    if not os.path.exists("/dev/net/tun"):
        return "this machine has no /dev/net/tun"
    if not os.path.exists(os.path.join(ROOT, ".complete")):
        try:
            with open(os.path.join(GUEST, "missing"), encoding="utf-8") as f:
                return "the guest's packages could not be had: " + f.read().strip()
        except FileNotFoundError:
            return "the guest's packages are not there: run tests/setup.sh guest"
    return ""


def kernel():
    """@return the path of the kernel"""
    return glob.glob(os.path.join(ROOT, "boot", "vmlinuz-*"))[0]


def libraries(path):
    """Everything that the loader maps for a program or a library, itself not included."""
    done = subprocess.run(
        ["ldd", path], stdout=subprocess.PIPE, text=True, timeout=20, check=True
    )
    if "not found" in done.stdout:
        raise RuntimeError(f"{path}: {done.stdout}")
    return re.findall(r"(/\S+) \(0x", done.stdout)


def files(programs):
    """@return {path in the guest: (mode, bytes)}"""
    wanted = {"/bin/" + os.path.basename(p): p for p in programs}
    folder = glob.glob("/usr/lib/*/dpdk/pmds-*")[0]
    abi = folder.rsplit("-", 1)[1]
    for plugin in PLUGINS:
        # EAL loads what ends in .so or the version of the ABI.
        path = os.path.join(folder, f"librte_{plugin}.so.{abi}")
        wanted[path] = path
    for path in list(wanted.values()):
        wanted.update({lib: lib for lib in libraries(path)})
    wanted["/bin/busybox"] = os.path.join(ROOT, "bin", "busybox")
    modules = glob.glob(os.path.join(ROOT, "lib", "modules", "*", "kernel"))[0]
    for n, module in enumerate(MODULES):
        wanted[f"/modules/{n}.ko"] = os.path.join(modules, module + ".ko")
    out = {}
    for inside, outside in wanted.items():
        real = os.path.realpath(outside)
        if inside == outside and real != outside:
            # A link, as it is here: of two copies the loader would make two libraries.
            out[inside] = (stat.S_IFLNK | 0o777, real.encode())
            inside = real
        with open(real, "rb") as f:
            out[inside] = (stat.S_IFREG | 0o755, f.read())
    out["/init"] = (stat.S_IFREG | 0o755, INIT.encode())
    return out


def cpio(contents):
    """An archive in the kernel's format, "newc", with the folders that the paths need."""
    entries = {}
    for path in ("/dev", "/proc", "/sys", "/run", "/etc", *contents):
        parent = os.path.dirname(path)
        while parent != "/":
            entries[parent] = (stat.S_IFDIR | 0o755, b"")
            parent = os.path.dirname(parent)
        entries[path] = contents.get(path, (stat.S_IFDIR | 0o755, b""))
    out = bytearray()

    def add(name, mode, data):
        name = name.encode() + b"\0"
        fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        out.extend(b"070701" + b"".join(b"%08X" % f for f in fields) + name)
        out.extend(bytes(-len(out) % 4))
        out.extend(data)
        out.extend(bytes(-len(out) % 4))

    for path in sorted(entries):
        add(path[1:], *entries[path])
    add("TRAILER!!!", 0, b"")
    return bytes(out)


def initramfs(programs):
    """@return the path of an archive with these programs; made when it is not there"""
    contents = files(programs)
    digest = hashlib.sha256()
    for path in sorted(contents):
        mode, data = contents[path]
        digest.update(f"{path} {mode} {len(data)}\n".encode() + data)
    path = os.path.join(GUEST, f"initramfs-{digest.hexdigest()[:16]}.cpio")
    if not os.path.exists(path):
        for old in glob.glob(os.path.join(GUEST, "initramfs-*")):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(old)
        # Not compressed: an emulated CPU would take seconds to expand it.
        new = os.path.join(GUEST, f"new.{os.getpid()}")
        with open(new, "wb") as f:
            f.write(cpio(contents))
        os.rename(new, path)
    return path
