#!/bin/bash
# The version of what is built here: the package's, and which commit of which day. A work tree that is changed says so.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"
number=$(sed -n 's/^version = "\(.*\)"/\1/p' "$checkout/pyproject.toml")
echo "$number+$(git -C "$checkout" log -1 --date=format:%Y%m%d --format=%cd.%h)"
