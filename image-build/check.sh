#!/bin/bash
# Refuses a tree with something in it that a box must not have.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

faults=0
refuse() {
    [ -z "$2" ] && return
    echo "image: $1: $(head -n 8 <<<"$2" | paste -sd' ')" >&2
    faults=1
}
below() { find "$tree" -xdev "$@" -printf '/%P\n'; }

# By the image's own users and groups: this machine's are others.
unowned() {
    local ids
    ids=$(cut -d: -f3 "$tree/etc/passwd" | sed 's/$/ user/'; cut -d: -f3 "$tree/etc/group" | sed 's/$/ group/')
    find "$tree" -path "$tree/proc" -prune -o -printf '%U %G /%P\n' |
        awk 'NR == FNR { known[$2 $1]; next } !("user" $1 in known) || !("group" $2 in known) { print $3 }' <(echo "$ids") -
}

refuse 'a compiler or its like' "$(below -type f -o -type l | grep -E '/bin/([a-z0-9_]+-linux-gnu-)?(gcc|cc|c89|c99|g\+\+|cpp|clang|tcc|ld|as|make|dkms|ar)(-[0-9.]+)?$' || true)"
refuse 'source lists or packages of apt' "$(below -path '*/etc/apt*' -o -path '*/var/lib/apt/*' -o -name 'apt-get' -o -name '*.deb')"
refuse 'pip, its cache, or headers' "$(below -path '*/pip-*.dist-info' -o -path '*/.cache/*' -o -path '*/usr/include/*.h')"
refuse 'something on the data partition' "$(find "$tree/var" "$tree/run" "$tree/tmp" -mindepth 1 -printf '/%P\n')"
refuse 'files without an owner' "$(unowned)"
refuse 'a password or a key' "$(awk -F: '$2 !~ /^[!*]/ { print $1 }' "$tree/etc/shadow")$(below -name 'ssh_host_*' -o -name '*.key')"
refuse 'the folder it was built in' "$(grep -rlF --exclude-dir=proc "$checkout/" "$tree/opt" "$tree/etc" "$tree/usr/lib/systemd" 2>/dev/null || true)"
refuse 'set-uid programs' "$(below -perm /6000 -type f)"
refuse 'no DAHDI drivers' "$([ -n "$(below -name dahdi.ko)" ] || echo 'dahdi.ko is missing')"
exit $faults
