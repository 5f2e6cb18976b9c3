#!/bin/bash
# The tree of a root slot from Debian's packages: build/image/tree, and build/image/packages.tsv (name, version, architecture, SHA-256 of
# each package file). Usage: rootfs.sh DAHDI-FOLDER (what modules.sh printed)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

dahdi_folder=$(realpath "$1")
kernel=$(kernel_name)
rm -rf --one-file-system "$tree"
mkdir -p "$out" "$cache"

# Unpacking and configuring takes longest; what came of it is kept for as long as neither what is asked for nor apt's lists change.
key=$({
    cat "$here"/{packages.txt,excluded-paths.txt,rootfs.sh,common.sh} "$dahdi_folder/Packages"
    find /var/lib/apt/lists -maxdepth 1 -name '*Release' -exec sha256sum {} + | sort
} | sha256sum | cut -d' ' -f1)
kept=$cache/debian
if [ "$(cat "$kept.key" 2>/dev/null)" = "$key" ]; then
    mkdir -p "$tree"
    tar -C "$tree" --numeric-owner --xattrs -xpf "$kept.tar"
    cp "$kept.tsv" "$out/packages.tsv"
    exit
fi
rm -f "$kept.key"

packages=$(sed 's/#.*//; s/ //g; /^$/d' "$here/packages.txt" | paste -sd,)
options=()
while read -r pattern; do
    case $pattern in
    '' | '#'*) ;;
    +*) options+=("--dpkgopt=path-include=${pattern#+}") ;;
    *) options+=("--dpkgopt=path-exclude=$pattern") ;;
    esac
done <"$here/excluded-paths.txt"

# The initrd is made once, by settle.sh, not by each package that asks for one.
export INITRD=No DEBIAN_FRONTEND=noninteractive
strap --source="deb [trusted=yes] copy:$dahdi_folder ./" --variant=essential --include="$packages,linux-image-$kernel,careline-dahdi-modules" "${options[@]}" \
    --customize-hook="APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-cache dumpavail >'$out/index.txt'" "$tree"

# Of what is installed, its package file's hash as apt has checked it.
awk -v RS= -F'\n' '{ delete field
    for (at = 1; at <= NF; at++) if (match($at, /^(Package|Version|Architecture|SHA256): /)) field[substr($at, 1, RLENGTH - 2)] = substr($at, RLENGTH + 1)
    print field["Package"] "\t" field["Version"] "\t" field["Architecture"] "\t" field["SHA256"] }' "$out/index.txt" >"$out/index.tsv"
chroot "$tree" dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\n' | sort >"$out/installed.tsv"
awk -F'\t' 'FNR == NR { hash[$1 FS $2 FS $3] = $4; next } { key = $1 FS $2 FS $3; print key FS hash[key] }' \
    "$out/index.tsv" "$out/installed.tsv" >"$out/packages.tsv"
unknown=$(awk -F'\t' '$4 == "" { print $1 }' "$out/packages.tsv" | paste -sd' ')
[ -z "$unknown" ] || fail "no hash is known of: $unknown"

tar -C "$tree" --numeric-owner --xattrs -cf "$kept.tar" .
cp "$out/packages.tsv" "$kept.tsv"
echo "$key" >"$kept.key"
