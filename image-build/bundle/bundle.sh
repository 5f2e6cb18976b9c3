#!/bin/bash
# A signed update of a slot. Usage: bundle.sh SLOT.ext4 VERSION OUTPUT.raucb
# Needs rauc, squashfs-tools, openssl. The keys: see keys.sh; CARELINE_KEYS_DIR is where they are.
# SOURCE_DATE_EPOCH dates it (default: the last commit).
set -euo pipefail

slot=$(realpath "$1") version=$2 output=$(realpath -m "$3")
here=$(dirname "$(realpath "$0")")
root=$here/../..
keys=${CARELINE_KEYS_DIR:-$root/build/keys}
compatible=$(sed -n 's/^compatible=//p' "$here/../rauc/system.conf")
schema=$("${PYTHON:-$root/.venv/bin/python}" -c 'from appliance.store.migrations import STEPS; print(len(STEPS))')
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}

"$here/keys.sh" "$keys"
content=$(mktemp -d "$(dirname "$output")/bundle.XXXXXX")
trap 'rm -rf "$content"' EXIT
ln "$slot" "$content/rootfs.ext4" 2>/dev/null || cp --sparse=always "$slot" "$content/rootfs.ext4"
# `build` carries the version of the store, so that a box can tell before it installs whether its data can go along.
cat >"$content/manifest.raucm" <<END
[update]
compatible=$compatible
version=$version
build=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%dT%H%M).schema$schema

[bundle]
format=${CARELINE_BUNDLE_FORMAT:-verity}

[image.rootfs]
filename=rootfs.ext4
END
rm -f "$output"
rauc bundle --cert "${CARELINE_UPDATE_CERT:-$keys/signer.pem}" --key "${CARELINE_UPDATE_KEY:-$keys/signer.key}" --keyring "$keys/ca.pem" \
    --mksquashfs-args='-comp zstd -Xcompression-level 3 -processors 2' "$content" "$output"
echo "bundle: $output ($(du -h --apparent-size "$output" | cut -f1), version $version, store of version $schema)"
