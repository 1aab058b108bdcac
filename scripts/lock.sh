#!/usr/bin/env bash
# Writes the lock files in requirements/ anew from pyproject.toml: every version pinned, every file hashed.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
common=(--universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet "$@")
"$uv" pip compile "${common[@]}" pyproject.toml --extra postgres -o requirements/run.txt
"$uv" pip compile "${common[@]}" pyproject.toml --extra postgres --group dev -c requirements/run.txt -o requirements/dev.txt
# What the Django-free parts and their tests need: the environment in which nothing of Django can be imported by accident.
printf 'babel\nbrotli\nclick\njinja2\nlxml\nmsgspec\nnh3\npillow\ntrafilatura\n' |
    "$uv" pip compile "${common[@]}" - --group core-test -c requirements/run.txt -o requirements/core-test.txt
