# `make check` is what a change must pass; `make ci` does the same in a fresh virtual environment.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# The tested versions; empty takes the newest that pyproject.toml allows.
CONSTRAINTS ?= constraints.txt
# Many tests wait for servers and processes, so one more than the cores of a small machine.
WORKERS ?= 3

.PHONY: help install check lint types test docs browser dataset-check ci mutants sample clean

help:
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/'

install: $(BIN)/instructgen-test-ready ## make a virtual environment with instructgen and its test requirements

$(BIN)/instructgen-test-ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e '.[test]'
	touch $@

check: install ## lint, types, tests, and the gates of the bundled dataset
	@# The type checker keeps one core busy and the tests wait now and then, so they go well together.
	$(MAKE) --no-print-directory -j2 lint types test
	$(MAKE) --no-print-directory dataset-check

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

test: install
	@# Tests start many processes; where Python keeps no bytecode of its own, each would compile all of it again.
	$(BIN)/python -m compileall -q instructgen
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

dataset-check: install ## build the bundled sample, replay it, and hold both against their gates
	rm -rf build/dataset-check build/dataset-replayed
	$(BIN)/instructgen build --pipeline pipelines/smoke.toml --out build/dataset-check
	$(BIN)/instructgen dataset check build/dataset-check --gates data/smoke-gates.toml
	$(BIN)/instructgen build --pipeline pipelines/smoke.toml --replay build/dataset-check/run --out build/dataset-replayed
	$(BIN)/instructgen dataset check build/dataset-replayed --against build/dataset-check --gates data/smoke-gates.toml

docs: install ## build the documentation as a site into site/, without network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

browser: ## install Chromium for the tests of pages, from Debian's packages; without it they are skipped
	@command -v chromium chromium-browser google-chrome >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
			&& { apt-get install -qq -y --no-install-recommends chromium >/dev/null 2>&1 \
				|| { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null; }; }; } \
		|| echo "no Chromium could be installed here: the tests of pages will be skipped"

ci: browser check

mutants: install ## plant known faults one by one and show that the tests catch each
	$(BIN)/python -m tests.mutants

sample: install ## draw the bundled sample again
	$(BIN)/python data/make_sample.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
