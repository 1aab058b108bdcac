#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Builds the wheel, installs it into an empty environment outside the checkout, runs the demo there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
checkout=$PWD

say "Building the wheel into dist/"
rm -rf dist
.venv/bin/python -m build --wheel --no-isolation --outdir dist . >/dev/null
wheel=$(echo "$checkout"/dist/tamizdat-*.whl)

outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
say "Installing it into an empty environment outside the checkout"
"$checkout/.venv/bin/uv" venv --quiet --python "$checkout/.venv/bin/python" "$outside/venv"
uv_sync "$outside/venv" requirements/run.txt
.venv/bin/uv pip install --quiet --python "$outside/venv/bin/python" --no-deps --offline "$wheel"

say "Running tamizdat demo --once --json there"
cd "$outside"
env -u PYTHONPATH -u DJANGO_SETTINGS_MODULE ./venv/bin/tamizdat demo --dir newsroom --once --json >report.json
./venv/bin/python - <<'PY'
import json
import tamizdat
report = json.load(open("report.json"))
assert report["ok"] is True and report["stories"] > 0 and report["verified"] is True, report
assert "site-packages" in tamizdat.__file__, tamizdat.__file__
print(f"The wheel works: {report['stories']} stories, {report['pages']} pages, {report['seconds']} s")
PY
