#!/bin/bash
# Builds the image twice, from nothing but the compiled DAHDI modules, and lists what differs. Ends with 0 when nothing does.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

first=$checkout/build/image-first second=$checkout/build/image-second
for each in "$first" "$second"; do
    rm -rf "$each"
    rm -f "$cache/debian.key"
    CARELINE_IMAGE_DIR=$each "$here/build.sh"
done
if cmp -s "$first/careline.img" "$second/careline.img" && cmp -s "$first/sbom.json" "$second/sbom.json"; then
    echo "image: both builds are the same, SHA-256 $(sha256sum "$first/careline.img" | cut -d' ' -f1)"
    exit
fi
echo 'image: what differs'
listed() { (cd "$1/tree" && find . -xdev \( -type f -printf '%p %m %U:%G %T@ ' -exec sha256sum {} \; -o -printf '%p %m %U:%G %T@ %l\n' \) | sed 's/  .*//' | sort); }
diff <(listed "$first") <(listed "$second") || true
cmp -s "$first/root.ext4" "$second/root.ext4" || echo "root.ext4: $(cmp -l "$first/root.ext4" "$second/root.ext4" | wc -l) bytes"
cmp -s "$first/careline.img" "$second/careline.img" || echo "careline.img: $(cmp -l "$first/careline.img" "$second/careline.img" | wc -l) bytes"
cmp "$first/sbom.json" "$second/sbom.json" || true
exit 1
