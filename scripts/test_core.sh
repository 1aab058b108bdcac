#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Runs the tests of the parts that must not need Django in an environment that has none.
# Arguments: their folders under tests/.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

stamp=.venv-core/.tamizdat-setup
wanted=$({ cat requirements/core-test.txt scripts/lib.sh; pwd; } | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    say "Setting up .venv-core, which has no Django"
    .venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv-core
    uv_sync .venv-core requirements/core-test.txt
    echo "$wanted" >"$stamp"
fi
say "Tests of the Django-free parts without Django"
[ $# -gt 0 ] || stop "Say which tests: scripts/test_core.sh edition …"
folders=("${@/#/tests/}")
if .venv-core/bin/python -c 'import django' 2>/dev/null; then
    stop ".venv-core has Django in it." "requirements/core-test.txt must not lock it."
fi
PYTHONPATH=src .venv-core/bin/python -m pytest "${folders[@]}" \
    -o addopts="--strict-markers -ra" -W "ignore::pytest.PytestConfigWarning" -n auto -m "not slow and not browser" -q -p no:cacheprovider
