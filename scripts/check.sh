#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# What CI checks besides tests: style, types, layers, locks, migrations.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
bin=.venv/bin

say "Lock files against pyproject.toml"
$bin/python scripts/check_lock.py
say "Style (ruff)"
$bin/ruff check --quiet
$bin/ruff format --check --quiet || stop "Some files are not formatted." "Run: .venv/bin/ruff format"
say "Types (mypy --strict)"
$bin/mypy
say "Layers (import-linter)"
$bin/lint-imports --no-logo 2>/dev/null || $bin/lint-imports
say "The reader (TypeScript): types, and the committed files built anew"
scripts/build-reader.sh check
say "Migrations"
DJANGO_SETTINGS_MODULE=tamizdat.desk.settings.checks $bin/django-admin makemigrations --check --dry-run ||
    stop "The models changed and no migration says so." "Run: .venv/bin/tamizdat desk makemigrations"
DJANGO_SETTINGS_MODULE=tamizdat.desk.settings.checks $bin/django-admin check
