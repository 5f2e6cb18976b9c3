#!/bin/bash
# The DAHDI drivers for the packaged kernel, compiled once and kept in build/cache as a small package. It takes the place of dahdi-dkms, so
# that the image needs no compiler. Prints the folder it is in, which apt can read as a source of packages.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

kernel=$(kernel_name)
[ -n "$kernel" ] || fail 'apt knows no linux-image-amd64: run apt-get update'
kernel_version=$(candidate "linux-image-$kernel")
dahdi_version=$(candidate dahdi-dkms)
name=careline-dahdi-modules
version="${dahdi_version//:/+}+linux${kernel_version//[^0-9A-Za-z.+~]/+}"
folder=$cache/${name}_$version

# Those that another step (the line lab) compiled on this machine are as good, if kernel and drivers are the very same.
compiled_here() {
    local built=/lib/modules/$kernel/updates/dkms
    [ -e "$built/dahdi.ko" ] || return 1
    [ "$(dpkg-query -W -f '${Version}' "linux-headers-$kernel" 2>/dev/null)" = "$kernel_version" ] || return 1
    [ "$(dpkg-query -W -f '${Version}' dahdi-dkms 2>/dev/null)" = "$dahdi_version" ] || return 1
    cp "$built"/*.ko "$1"
}

# DKMS's name for the sources is the packager's: not always the package's version.
compile() {
    # shellcheck disable=SC2016
    local install='chroot "$1" sh -c '\''dkms install --no-depmod -m dahdi -v "$(sed -n "s/^PACKAGE_VERSION=//p" /usr/src/dahdi-*/dkms.conf | tr -d \")" -k "$0"'\'
    echo "image: compiling DAHDI $dahdi_version for kernel $kernel, once" >&2
    strap --variant=apt --include="linux-headers-$kernel,dahdi-dkms" --format=null \
        --customize-hook="$install $kernel" \
        --customize-hook="sync-out /lib/modules/$kernel/updates/dkms $1" /dev/null >&2 || fail 'the DAHDI drivers could not be compiled'
}

pack() {
    local content=$1/content
    # oslec wants symbols that Debian's kernel does not have.
    rm -f "$1/ko/dahdi_echocan_oslec.ko"
    install -D -m 644 -t "$content/lib/modules/$kernel/updates/dahdi" "$1"/ko/*.ko
    mkdir -p "$content/DEBIAN"
    cat >"$content/DEBIAN/control" <<END
Package: $name
Version: $version
Architecture: amd64
Maintainer: Careline
Provides: dahdi-dkms
Description: DAHDI kernel modules for Linux $kernel
END
    find "$content" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    mkdir "$1/source"
    dpkg-deb --root-owner-group -Zxz --build "$content" "$1/source/$name.deb" >/dev/null
    {
        dpkg-deb --field "$1/source/$name.deb"
        echo "Filename: ./$name.deb"
        echo "Size: $(stat -c %s "$1/source/$name.deb")"
        echo "SHA256: $(sha256sum "$1/source/$name.deb" | cut -d' ' -f1)"
    } >"$1/source/Packages"
    mkdir -p "$cache"
    mv "$1/source" "$folder"
}

if [ ! -e "$folder" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/ko"
    compiled_here "$work/ko" || compile "$work/ko"
    pack "$work"
fi
echo "$folder"
