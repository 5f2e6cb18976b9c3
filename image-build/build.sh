#!/bin/bash
# Builds the box's image: build/image/careline.img, with root.ext4 (its slot), version, sbom.json and SHA256SUMS beside it.
# Needs root (packages are configured in a root tree), and what setup/packages-image.txt lists. VERSION: told in the image, else from git.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || fail 'run this as root: Debian packages are unpacked and configured'
version=${VERSION:-$("$here/version.sh")}
python=${PYTHON:-$checkout/.venv/bin/python}
mkdir -p "$out"

step() {
    local began=$SECONDS
    "${@:2}"
    echo "image: $1 ($((SECONDS - began)) s)"
}

began=$SECONDS
dahdi=$("$here/modules.sh")
step 'Debian packages' "$here/rootfs.sh" "$dahdi"
step 'the program' "$python" "$here/program.py" "$checkout" "$tree" "$version"
step 'settings, units, initrd' "$here/settle.sh" "$version"
step 'nothing in it that does not belong' "$here/check.sh"
step 'root slot' "$here/root.sh"
step 'disk' "$here/disk.py" "$out" "$here/grub.cfg"
echo "$version" >"$out/version"
"$here/sbom.py" "$out" "$version"
(cd "$out" && sha256sum careline.img root.ext4 sbom.json >SHA256SUMS)
echo "image: $out/careline.img, version $version, $(du -m "$out/careline.img" | cut -f1) MB on disk, made in $((SECONDS - began)) s"
