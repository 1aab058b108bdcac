#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Writes the lock files in requirements/ anew from pyproject.toml: every version pinned, every file hashed.
# Give it uv's options, for example: scripts/lock.sh --upgrade-package django
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
common=(--universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet "$@")
"$uv" pip compile "${common[@]}" pyproject.toml --extra postgres -o requirements/run.txt
"$uv" pip compile "${common[@]}" pyproject.toml --extra postgres --group dev -c requirements/run.txt -o requirements/dev.txt
# What the Django-free parts and their tests need: the environment in which nothing of Django can be imported by accident.
printf 'altcha\nbabel\nbrotli\nclick\ncryptography\ncss-inline\nflufl.bounce\ngranian\nidna\ninscriptis\njinja2\nlxml\nmarkdown-it-py\nmrml\nmsgspec\nnh3\nobstore\npillow\npyrage\npython-multipart\nsecuresystemslib[crypto]\nstripe>=16.1,<17\ntrafilatura\ntuf\nurllib3\n' |
    "$uv" pip compile "${common[@]}" - --group core-test -c requirements/run.txt -o requirements/core-test.txt
# What makes an environment: uv itself, and what builds the project.
"$uv" pip compile "${common[@]}" --group bootstrap -c requirements/dev.txt -o requirements/bootstrap.txt
