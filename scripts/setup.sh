#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Sets up .venv from the lock files. Needs Python 3.11 or newer and a way to the package index.
# Nothing is done when nothing changed since the last time.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

python=${PYTHON:-python3}
stamp=.venv/.tamizdat-setup
wanted=$({ cat requirements/bootstrap.txt requirements/dev.txt pyproject.toml scripts/setup.sh; pwd; } | sha256sum)
if [ -x .venv/bin/tamizdat ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

need_python "$python"
if [ ! -x .venv/bin/python ]; then
    say "Making an environment in .venv"
    make_venv "$python" .venv
fi
say "Installing what is locked in requirements/ (every file checked by its hash)"
# What is there already is left alone, so that a changed lock file costs only its changes.
if ! same_version uv; then
    [ -x .venv/bin/pip ] || .venv/bin/python -m ensurepip --upgrade >/dev/null
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt ||
        stop "The installer could not be fetched." "Is the package index reachable? Behind a mirror, set PIP_INDEX_URL and run this again."
fi
uv_sync .venv requirements/dev.txt requirements/bootstrap.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --offline --editable .
echo "$wanted" >"$stamp"
say "Ready: .venv/bin/tamizdat"
