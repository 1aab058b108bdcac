#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Runs a command whose temporary files lie in memory, where there is plenty of it, and takes them
# away after it: the tests make a million small files, and a busy disk makes them wait for minutes.
set -euo pipefail

shared=/dev/shm
enough_kb=$((6 * 1024 * 1024))
free_kb=$(df --output=avail "$shared" 2>/dev/null | tail -1 || echo 0)
memory_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
if [ "$(stat -f -c %T "$shared" 2>/dev/null)" != tmpfs ] || [ ! -w "$shared" ] ||
    [ "$free_kb" -lt "$enough_kb" ] || [ "$memory_kb" -lt "$enough_kb" ]; then
    exec "$@"
fi
TMPDIR=$(mktemp -d "$shared/tamizdat-tests.XXXXXX")
export TMPDIR
chmod 711 "$TMPDIR" # A database that a test starts runs as somebody else.
trap 'rm -rf "$TMPDIR"' EXIT
"$@"
