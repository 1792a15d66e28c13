#!/usr/bin/env bash
# Builds the programs, starts a server, opens the client in a room, and prints the link for guests. Closing the window or Ctrl-C ends both.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup-build.sh
cargo build --release --locked --package roundtable-server --package roundtable

programs="$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release"
folder=$(mktemp -d)
log="$folder/server.log"
server=
client=

# Asks a program to end, and waits until it has.
end() {
    if [ -n "$1" ] && kill -TERM "$1" 2>/dev/null; then
        wait "$1" 2>/dev/null || true
    fi
}

# Ends the client and then the server, however this script ends.
clean_up() {
    trap '' INT TERM
    end "$client"
    end "$server"
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The port if nothing answers on it, or 0: any free one.
port_or_any() {
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then echo 0; else echo "$1"; fi
}

# In the clear for this computer, where browsers need no certificate; with TLS for the network, where they do.
"$programs/roundtable-server" --listen "http://127.0.0.1:$(port_or_any 3000)" --listen "0.0.0.0:$(port_or_any 3443)" \
    --tls self-signed --log warn >"$log" </dev/null &
server=$!

# Waits for a line that the server prints when it listens, and prints the port of the last line that has the given start.
port_of() {
    for _ in $(seq 200); do
        local found
        found=$(sed -n "s|^listening on $1.*:\([0-9]*\)\$|\1|p" "$log")
        if [ -n "$found" ]; then echo "$found"; return; fi
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}
if ! port=$(port_of http://) || ! secure_port=$(port_of https://); then
    echo "The server did not start." >&2
    exit 1
fi

room=$(od -An -N5 -tx1 /dev/urandom | tr -d ' \n')
link="http://127.0.0.1:$port/room.html?id=$room"
echo
echo "Guests on this computer:    $link"
for address in $(hostname -I 2>/dev/null || true); do
    case $address in
        *:*) ;;
        *) echo "Guests in this network:     https://$address:$secure_port/room.html?id=$room" ;;
    esac
done
fingerprint=$(grep -oE '([0-9A-F]{2}:){31}[0-9A-F]{2}' "$log" | head -n 1 || true)
if [ -n "$fingerprint" ]; then
    echo "Their browsers warn of the certificate, which is this server's own. Its SHA-256 is"
    echo "  $fingerprint"
fi
echo

# In the background, so that a signal to this script is not kept waiting; Ctrl-C is how a call without a window ends.
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname)" = Darwin ]; then
    "$programs/roundtable" call "$link" &
else
    echo "There is no display, so the client runs without a window. Statistics follow each second; Ctrl-C ends the call."
    "$programs/roundtable" call "$link" --name "${USER:-Guest}" --headless \
        --camera test-pattern --microphone tone --speaker none --stats-json - &
fi
client=$!
trap 'exit 0' INT
wait "$client"
