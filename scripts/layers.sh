#!/usr/bin/env bash
# Checks that crates depend on those below them only: each may use the named ones of ours, and no core may reach an async runtime.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

# Prints the names of all packages that a crate is built from.
packages_of() {
    cargo tree --locked --package "$1" --edges normal,build --prefix none --format '{p}' | sort -u
}

# check CRATE RUNTIME [CRATE…]: RUNTIME is `async` where a runtime is allowed.
check() {
    local crate=$1 runtime=$2 tree ours found
    shift 2
    tree=$(packages_of "$crate")
    ours=$(sed -n 's|^\([^ ]*\) v[^ ]* (/.*|\1|p' <<<"$tree" | sort -u)
    for found in $ours; do
        case " $crate $* " in
            *" $found "*) ;;
            *) echo "$crate must not depend on $found" >&2; failed=1 ;;
        esac
    done
    if [ "$runtime" != async ] && found=$(grep -E '^(tokio|mio|async-std|smol|futures-executor) ' <<<"$tree"); then
        echo "$crate must not depend on an async runtime, but on" $found >&2
        failed=1
    fi
}

check shared      none
check signal-core none  shared
check call-core   none  shared
check media-core  none  shared
check socketio    async shared
check call-media  async shared media-core
check call-ui     none  shared media-core call-core
exit $failed
