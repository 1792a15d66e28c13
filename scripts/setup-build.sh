#!/usr/bin/env bash
# Installs what building and running need. Does nothing, quickly, when all is there.
set -euo pipefail
. "$(dirname "$0")/packages.sh"

if ! command -v cargo >/dev/null; then
    echo "Rust is missing. Install it as https://rustup.rs says, then try again." >&2
    exit 1
fi

packages=(
    # C and C++ compilers for Opus and mozjpeg, an assembler, bindings to libvpx and V4L2.
    build-essential pkg-config cmake nasm clang libclang-dev
    # Sound, video codec.
    libasound2-dev libvpx-dev
    # What the window looks for when it opens: OpenGL, X11, the system's fonts.
    libgl1 libegl1 libgl1-mesa-dri libx11-6 libx11-xcb1 libxcursor1 libxi6 libxrandr2 libxkbcommon-x11-0 libfontconfig1
)
ensure_packages "${packages[@]}"
