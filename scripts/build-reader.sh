#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Builds what readers run. The built files are committed, so only who changes them needs Node.
#
#   scripts/build-reader.sh          build into src/tamizdat/theme/reader
#   scripts/build-reader.sh check    types, and that the committed files are what is built
#   scripts/build-reader.sh tests    build the tests and the conformance client (reader/.build)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

built=src/tamizdat/theme/reader
need="Node 20 or newer is needed to build the reader. Run: apt-get install -y nodejs npm   (as root), then this again."

has_node() { command -v node >/dev/null && command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; }

packages() {
    local stamp=node_modules/.tamizdat wanted
    wanted=$(sha256sum package-lock.json)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    say "Installing the reader's locked packages"
    # No script of a package is run.
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error ||
        stop "The locked packages could not be installed." "Is the package registry reachable? Behind a mirror, set npm_config_registry and run this again."
    echo "$wanted" >"$stamp"
}

if ! has_node; then
    [ "${1:-}" = check ] || stop "$need"
    say "SKIPPED: that the committed reader is what is built (no Node 20 here; CI checks it)"
    exit 0
fi
cd reader
packages
case "${1:-}" in
"") node build.mjs "../$built" ;;
tests) node build.mjs --tests ;;
check)
    node_modules/.bin/tsc -p .
    again=$(mktemp -d)
    trap 'rm -rf "$again"' EXIT
    node build.mjs "$again"
    diff -rq "../$built" "$again" ||
        stop "The reader in $built is not what reader/src builds." "Run: make reader   and commit what it writes."
    ;;
*) stop "$1 is nothing this script does." "Read its first lines." ;;
esac
