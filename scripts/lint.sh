#!/usr/bin/env bash
# Everything that is checked without running anything: format, lints, documentation, dependencies, layers, scripts of the page.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup-build.sh

tools="${XDG_CACHE_HOME:-$HOME/.cache}/roundtable/tools"
export PATH="$tools/bin:$PATH"
if ! command -v cargo-deny >/dev/null; then
    echo "Installing cargo-deny into $tools"
    env -u CARGO_TARGET_DIR cargo install --locked --root "$tools" cargo-deny@0.20.2
fi

cargo fmt --all --check
# Advisories need a database from the network: `cargo deny check advisories` looks at them.
cargo deny --log-level error check bans licenses sources
scripts/layers.sh
cargo clippy --workspace --all-targets --locked -- --deny warnings
# Private items are documented too, so that links to them lead somewhere.
RUSTDOCFLAGS="--deny warnings --allow rustdoc::private-intra-doc-links" cargo doc --workspace --no-deps --locked --document-private-items

if command -v node >/dev/null; then
    find assets/web -name '*.js' -not -name '*.min.js' -print | while read -r module; do
        node --input-type=module --check <"$module" || { echo "in $module" >&2; exit 1; }
    done
else
    echo "Node.js is missing: the page's modules are not checked."
fi
