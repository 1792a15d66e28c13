#!/usr/bin/env bash
# Installs what the tests need, beyond what building needs. Does nothing, quickly, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh
scripts/setup-build.sh

tools="${XDG_CACHE_HOME:-$HOME/.cache}/roundtable/tools"
export PATH="$tools/bin:$PATH"

packages=(
    # A display, software rendering, a hand on the mouse, pictures of the screen.
    xvfb xauth mesa-vulkan-drivers libvulkan1 xdotool imagemagick
    # A sound server and speech.
    pulseaudio pulseaudio-utils espeak-ng sox
    # Browsers and their drivers, a TURN server.
    chromium chromium-driver firefox-esr coturn
    # Networks of our own.
    iproute2
    # Names in many scripts.
    fonts-noto-core fonts-noto-cjk
    # Clients in Python.
    python3-venv
)
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
ensure_packages "${packages[@]}"

# Installs a Rust program into the cache unless it is there or on the path.
ensure_tool() {
    if ! command -v "$1" >/dev/null; then
        echo "Installing $1 into $tools"
        env -u CARGO_TARGET_DIR cargo install --locked --root "$tools" "$1@$2"
    fi
}
ensure_tool cargo-nextest 0.9.143
ensure_tool geckodriver 0.37.1

# Runs a command unless it has been run with the same version of a file: ensure_from FILE FOLDER COMMAND…
ensure_from() {
    local stamp="$2/.installed-from" sum
    sum=$(cksum <"$1")
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$sum" ]; then
        "${@:3}"
        echo "$sum" >"$stamp"
    fi
}

install_javascript() {
    npm ci --prefix e2e/js --no-audit --no-fund </dev/null
}
ensure_from e2e/js/package-lock.json e2e/js/node_modules install_javascript

install_python() {
    python3 -m venv e2e/python/.venv
    e2e/python/.venv/bin/pip install --quiet --disable-pip-version-check --requirement e2e/python/requirements.txt
}
ensure_from e2e/python/requirements.txt e2e/python/.venv install_python
