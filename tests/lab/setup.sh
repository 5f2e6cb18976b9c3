#!/bin/sh
# Prepares the line lab on a Debian 12 machine (or chroot): packages, DAHDI modules for the *packaged* kernel,
# guest initramfs. Needs root; safe to repeat, a second run only compares stamps. Touches the package data base, /usr/src and
# build/lab/ of the checkout; loads nothing into the running kernel.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
out=${CARELINE_LAB_DIR:-$checkout/build/lab}

packages="qemu-system-x86 linux-image-amd64 linux-headers-amd64 dahdi-dkms dahdi libtonezone-dev libpri-dev
libopenr2-dev libopenr2-bin libspandsp-dev busybox-static kmod cpio gcc make python3-venv python3-dev"

# Order matters: busybox insmod resolves no dependencies.
boot_modules="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci netfs fscache 9pnet 9pnet_virtio 9p"

fail() {
    echo "lab setup: $1" >&2
    exit 1
}

missing_packages() {
    for name in $packages; do
        # shellcheck disable=SC2016
        state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null || true)
        [ "$state" = "ii " ] || printf '%s ' "$name"
    done
}

install_packages() {
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] || fail "these packages are missing and only root can install them: $missing"
    echo "lab setup: installing $missing"
    export DEBIAN_FRONTEND=noninteractive
    # INITRD=No: the lab boots its own initramfs; Debian's takes half a minute to make and nothing would use it.
    export INITRD=No
    apt-get -q -o DPkg::Lock::Timeout=900 update
    # shellcheck disable=SC2086
    apt-get -q -y -o DPkg::Lock::Timeout=900 install --no-install-recommends $missing
}

packaged_kernel() {
    # linux-image-amd64 depends on the real kernel package; uname -r would name the host's kernel instead.
    dpkg-query -W -f '${Depends}' linux-image-amd64 | sed -n 's/.*linux-image-\([^ ,]*\).*/\1/p'
}

build_dahdi() {
    kernel=$1
    version=$(dpkg-query -W -f '${Version}' dahdi-dkms | sed 's/^[0-9]*://; s/-[^-]*$//')
    ls /lib/modules/"$kernel"/updates/dkms/dahdi.ko* >/dev/null 2>&1 || {
        echo "lab setup: building dahdi $version for kernel $kernel"
        dkms install --no-depmod -m dahdi -v "$version" -k "$kernel"
    }
    depmod "$kernel"
}

make_initramfs() {
    kernel=$1
    tree=$(mktemp -d)
    mkdir -p "$tree/bin" "$tree/mod" "$tree/root" "$tree/proc" "$tree/dev"
    cp /bin/busybox "$tree/bin/busybox"
    number=10
    for name in $boot_modules; do
        path=$(modinfo -k "$kernel" -n "$name") || fail "kernel $kernel has no module $name"
        [ "$path" = "(builtin)" ] || cp "$path" "$tree/mod/$number-$name.ko"
        number=$((number + 1))
    done
    install -m 755 "$here/init.sh" "$tree/init"
    mkdir -p "$out"
    (cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$out/initramfs.gz.new"
    mv "$out/initramfs.gz.new" "$out/initramfs.gz"
    rm -rf "$tree"
}

build_programs() {
    gcc -O2 -Wall -Wextra -Werror -o "$out/pump" "$here/pump.c"
}

install_packages
kernel=$(packaged_kernel)
[ -n "$kernel" ] || fail "linux-image-amd64 names no kernel"
stamp="$kernel $(dpkg-query -W -f '${Version}' dahdi-dkms) $(cat "$0" "$here/init.sh" "$here/pump.c" | sha256sum)"
if [ "$(cat "$out/stamp" 2>/dev/null)" != "$stamp" ]; then
    build_dahdi "$kernel"
    make_initramfs "$kernel"
    build_programs
    echo "$kernel" >"$out/kernel"
    echo "$stamp" >"$out/stamp"
fi
[ -r "/boot/vmlinuz-$kernel" ] || fail "/boot/vmlinuz-$kernel is missing: apt-get install --reinstall linux-image-$kernel"
