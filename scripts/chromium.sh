#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes sure of what the tests need from Debian: Chromium, which the browser tests drive (where it can
# be had, that without windows: it takes half the time); Java, which checks HTML; hledger, which reads
# our books; nginx, Caddy, an SSH server and rsync, which are mirrors in the tests; Postfix, which is a
# relay. None of these servers is left running: the tests start their own, on the loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
PATH=$PATH:/usr/sbin

missing=()
services=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
serve() { command -v "$1" >/dev/null || { missing+=("$2"); services+=("$3"); }; }
need chromium chromium
need java default-jre-headless
need hledger hledger
need rsync rsync
need ssh openssh-client
serve nginx nginx-light nginx
serve caddy caddy caddy
serve sshd openssh-server ssh
serve postfix postfix postfix
[ ${#missing[@]} = 0 ] || install "${missing[@]}"
command -v chromium-headless-shell >/dev/null || (install chromium-headless-shell) ||
    say "The tests go on with the whole Chromium, which takes them some minutes longer"
if [ ${#services[@]} != 0 ] && [ -d /run/systemd/system ]; then
    as_root systemctl disable --quiet --now "${services[@]}"
fi
