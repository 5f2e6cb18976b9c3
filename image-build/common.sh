# What every step of the image's build shares; sourced, not run. Steps are bash scripts that end at the first fault.
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
checkout=$(realpath "$here/..")
out=${CARELINE_IMAGE_DIR:-$checkout/build/image}
cache=$checkout/build/cache
tree=$out/tree
suite=bookworm

# Every time in the image is that of the last commit, so that the same sources make the same image.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$checkout" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC

fail() {
    echo "image: $1" >&2
    exit 1
}

# The machine's own apt set-up, taken over: its source lists as they are, and how it fetches. Whole apt.conf.d files would bring hooks for
# programs that the tree does not have.
apt_sources() {
    find /etc/apt/sources.list /etc/apt/sources.list.d -maxdepth 1 -type f \( -name '*.list' -o -name '*.sources' \) -size +0 2>/dev/null | sort
}

apt_options() {
    apt-config dump | grep -E '^Acquire::(http|https|Retries|Check-[A-Za-z-]+)\b.* ".' || true
}

# The packaged kernel's name, such as 6.1.0-56-amd64.
kernel_name() {
    apt-cache show linux-image-amd64 | sed -n 's/^Depends:.*linux-image-\([0-9][^ ,]*\).*/\1/p' | head -n 1
}

candidate() {
    apt-cache policy "$1" | sed -n 's/^ *Candidate: //p'
}

# strap OPTIONS… TARGET: a Debian root of our suite. --source=LINE among the options: one more source of packages.
strap() {
    local option options=() sources=()
    mapfile -t sources < <(apt_sources)
    [ ${#sources[@]} -gt 0 ] || fail "this machine names no package sources in /etc/apt: add them, the image's packages come from there"
    while read -r option; do options+=("--aptopt=$option"); done < <(apt_options)
    for option in "${@:1:$#-1}"; do
        case $option in
        --source=*) sources+=("${option#--source=}") ;;
        *) options+=("$option") ;;
        esac
    done
    mkdir -p "$out"
    mmdebstrap --mode=root --logfile="$out/mmdebstrap.log" "${options[@]}" "$suite" "${@: -1}" "${sources[@]}" || {
        grep -E '^(E:|W:|dpkg: |Err|Unable|  *[a-z0-9.-]+ : )' "$out/mmdebstrap.log" | tail -n 20 >&2
        fail "no Debian root was made; all that was said is in $out/mmdebstrap.log"
    }
}
