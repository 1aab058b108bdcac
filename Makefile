# SPDX-License-Identifier: AGPL-3.0-or-later
# What people run. Each target says what it does, asks nothing and stops at the first error.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

python := .venv/bin/python
SIZE ?= 10000
# One more than there are processors: many tests wait for others.
jobs := $(shell echo $$(($$(nproc) + 1)))
# What scripts/test_core.sh has run already, without Django: not run a second time with it.
core := edition signed bundle mirrors drop mail giving render theme importers
# Where the tests in a browser are: to collect all others takes each process a quarter of a minute.
browser := blocking bundle e2e lying reader render
say = @printf '\033[1m── %s\033[0m\n' "$(1)"

.PHONY: help setup demo check test test-slow wheel reader conformance bench bench-build lock clean

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)

setup: ## Set up the environment in .venv (quick when nothing changed)
	@scripts/setup.sh

demo: setup ## Fill a demo newsroom in ./demo, publish it, serve desk and paper
	@$(python) -m tamizdat demo $(ARGS)

check: setup ## Style, types, layers, locks, migrations: what CI checks
	@scripts/check.sh

test: export TAMIZDAT_GATE = 1
test: setup ## Everything CI runs but the slow tests: checks and all tests
	@scripts/chromium.sh
	$(call say,Checks run beside the first tests: what they say comes after those)
	@scripts/beside.sh scripts/check.sh -- scripts/in_memory.sh scripts/test_core.sh $(core)
	$(call say,All other tests but those in a browser)
	@scripts/in_memory.sh $(python) -m pytest -n $(jobs) -m "not slow and not browser" -q $(core:%=--ignore=tests/%)
	$(call say,Tests in a browser)
	@scripts/in_memory.sh $(python) -m pytest -n $(jobs) --dist loadfile -m "browser and not slow" -q $(browser:%=tests/%)

test-slow: setup ## Faults, kill -9 at random points, long fuzzing, times behind a censor
	@scripts/chromium.sh
	$(call say,Slow tests)
	@scripts/in_memory.sh $(python) -m pytest -n $(jobs) --dist loadgroup -m slow -q --timeout 1200 -o tmp_path_retention_policy=failed

wheel: setup ## Build the wheel and run the demo from it in an empty environment
	@scripts/wheel.sh

reader: ## Build the reader's script into the theme (needs Node 20)
	@scripts/build-reader.sh

conformance: ## Run the public TUF client suite on the reader (SUITE=its checkout; see docs/reader.md)
	@scripts/build-reader.sh tests
	@reader/conformance/run $(SUITE)

bench: setup ## Measure everything (SIZE=10000; see docs/bench.md)
	@for part in build publish_one desk import_wxr verify_bytes drop; do printf '\033[1m── %s\033[0m\n' "$$part"; $(python) -m "bench.$$part" --size $(SIZE); done

bench-build: setup ## The whole paper, by Hugo and by us (SIZE=10000)
	@$(python) -m bench.build --size $(SIZE)

lock: setup ## Write the lock files anew from pyproject.toml
	@scripts/lock.sh

clean: ## Remove what the targets above made (never a newsroom)
	@rm -rf .venv .venv-core reader/node_modules reader/.build build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
