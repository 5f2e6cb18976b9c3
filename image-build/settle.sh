#!/bin/bash
# Makes a box of the bare Debian tree: our units, users, settings, the initrd; takes out what a box does not need. Usage: settle.sh VERSION
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

version=$1
kernel=$(kernel_name)
inside() { chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" "$@"; }
lines_of() { sed 's/#.*//; s/ *$//; /^$/d' "$1"; }

settings() {
    cp -R --no-preserve=ownership "$here/overlay/." "$tree/"
    install -D -m 644 -t "$tree/usr/share/careline" "$here/careline.toml"
    install -D -m 644 "$here/rauc/system.conf" "$tree/etc/rauc/system.conf"
    "$here/bundle/keys.sh" "$checkout/build/keys"
    install -D -m 644 "$checkout/build/keys/ca.pem" "$tree/etc/rauc/keyring.pem"
    sed -i "/^\(PRETTY_NAME\|IMAGE_ID\|IMAGE_VERSION\)=/d" "$tree/usr/lib/os-release"
    printf '%s\n' "PRETTY_NAME=\"Careline $version\"" IMAGE_ID=careline "IMAGE_VERSION=$version" >>"$tree/usr/lib/os-release"
    echo careline >"$tree/etc/hostname"
    printf '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 careline\n' >"$tree/etc/hosts"
    # Empty: systemd takes the one on the kernel's command line, which GRUB has from grubenv.
    : >"$tree/etc/machine-id"
    rm -f "$tree/var/lib/dbus/machine-id"
    ln -sfn ../var/etc/localtime "$tree/etc/localtime"
    rm -f "$tree/etc/timezone"
    # No clock is earlier than the image. Source: systemd(1), /usr/lib/clock-epoch
    touch -d "@$SOURCE_DATE_EPOCH" "$tree/usr/lib/clock-epoch"
    ln -sfn ../run/resolv.conf "$tree/etc/resolv.conf"
    mkdir -p "$tree"/{efi,etc/careline,etc/dahdi}
}

units() {
    install -D -m 644 -t "$tree/usr/lib/systemd/system" "$checkout"/systemd/careline*.*
    install -D -m 644 -t "$tree/usr/lib/systemd/system/careline-.service.d" "$checkout"/systemd/all/*.conf
    install -D -m 644 -t "$tree/usr/lib/sysusers.d" "$checkout"/systemd/sysusers.d/*.conf
    install -D -m 644 -t "$tree/usr/lib/tmpfiles.d" "$checkout"/systemd/tmpfiles.d/*.conf
    install -D -m 644 -t "$tree/usr/lib/udev/rules.d" "$checkout"/systemd/udev/*.rules
    inside systemd-sysusers
    local unit
    while read -r unit; do ln -sfn /dev/null "$tree/etc/systemd/system/$unit"; done < <(lines_of "$here/masked-units.txt")
    inside systemctl --quiet set-default multi-user.target
    while read -r unit; do inside systemctl --quiet enable "$unit"; done < <(lines_of "$here/enabled-units.txt")
}

initrd() {
    inside depmod "$kernel"
    rm -f "$tree"/boot/initrd*
    mkdir -p "$tree/var/tmp"
    inside mkinitramfs -o "/boot/initrd.img-$kernel" "$kernel" >"$out/initrd.log" 2>&1 || fail "no initrd: $(tail -n 5 "$out/initrd.log")"
    ln -sfn "boot/vmlinuz-$kernel" "$tree/vmlinuz"
    ln -sfn "boot/initrd.img-$kernel" "$tree/initrd.img"
    rm -f "$tree"/{vmlinuz,initrd.img}.old
}

# Python's own compiled files, told by hash and not by time: the same in every build, and not looked after at each start.
compile() {
    find "$tree/usr/lib/python3" "$tree/usr/lib/python3.11" "$tree/opt/careline" -name __pycache__ -prune -exec rm -rf {} +
    inside python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3.11 /usr/lib/python3 /opt/careline >"$out/compile.log" ||
        fail "a Python file does not compile: see $out/compile.log"
}

take_out() {
    local pattern
    # The packages' data base goes with the slot; all else of /var is the box's own and made by tmpfiles.d.
    mkdir -p "$tree/usr/lib/sysimage"
    rm -rf "$tree/usr/lib/sysimage/dpkg"
    mv "$tree/var/lib/dpkg" "$tree/usr/lib/sysimage/dpkg"
    rm -rf "$tree"/usr/lib/sysimage/dpkg/*-old
    find "$tree/var" "$tree/run" "$tree/tmp" "$tree/dev" -mindepth 1 -delete
    # shellcheck disable=SC2086 # patterns
    while read -r pattern; do rm -rf "$tree"/$pattern; done < <(lines_of "$here/removed-paths.txt")
    rm -f "$tree"/etc/{passwd,group,shadow,gshadow,subuid,subgid}-
    rm -rf "$tree"/root/.[a-z]*
    # Nobody logs in who would become somebody else.
    find "$tree" -xdev -perm /6000 -type f -exec chmod ug-s {} +
    strip --strip-unneeded "$tree"/opt/careline/drivers/*/*.so "$tree"/opt/careline/drivers/*/*/*.so
}

settings
units
initrd
take_out
compile
