#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Runs two commands beside each other: scripts/beside.sh FIRST -- SECOND…
# What FIRST says is kept until SECOND is over, so that the two can be read; both have to succeed.
set -euo pipefail

first=$1
[ "${2:-}" = -- ] && [ $# -gt 2 ] || { echo "Use: $0 FIRST -- SECOND…" >&2; exit 2; }
shift 2
said=$(mktemp)
"$first" >"$said" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null || true; rm -f "$said"' EXIT
ended=0
"$@" || ended=$?
first_ended=0
wait "$beside" || first_ended=$?
cat "$said"
[ "$first_ended" -eq 0 ] || exit "$first_ended"
exit "$ended"
