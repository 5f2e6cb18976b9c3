#!/bin/bash
# The file system of a slot from the tree, build/image/root.ext4. No mount, no loop device; the same tree makes the same bytes.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

size_mib=768
root=$out/root.ext4
uuid=$(cat "$here/root.uuid")
export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH

# One time for all: when a checkout was made must not show.
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
rm -f "$root"
mke2fs -q -t ext4 -m 0 -L careline-root -U "$uuid" -E "hash_seed=$uuid" -O ^has_journal -N 32768 -d "$tree" "$root" "${size_mib}M" >/dev/null ||
    fail 'the tree does not fit into a slot'

# When an inode was changed is the one time that nobody can set in the tree: it is set in the file system.
used_inodes() {
    dumpe2fs "$root" 2>/dev/null | awk '
        /^Inode count:/ { count = $3 }
        /^  Free inodes: / { sub(/^  Free inodes: */, ""); n = split($0, ranges, /, */)
            for (i = 1; i <= n; i++) if (split(ranges[i], ends, "-")) for (at = ends[1]; at <= (ends[2] ? ends[2] : ends[1]); at++) free[at] = 1 }
        END { for (at = 11; at <= count; at++) if (!(at in free)) print at }'
}
when=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S)
{
    echo "sif <2> ctime $when"
    used_inodes | sed "s/.*/sif <&> ctime $when/"
} | debugfs -w -f /dev/stdin "$root" >"$out/debugfs.log" 2>&1 || fail "times were not set: see $out/debugfs.log"
