# Every command here works on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check lint bench docs picture faults reliability network-lab format clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-11s %s\n", $$1, $$2}'

demo: .venv/installed  ## set everything up and watch a simulated camera on http://127.0.0.1:8000/
	@exec $(BIN)/ringlight demo

test: .venv/installed-dev  ## set everything up and run every test, in a real browser too
	@sh tests/debian-packages.sh
	$(MAKE) lint
	@# Three processes, as they mostly wait: for time limits, browsers, silence.
	$(BIN)/python -m pytest -q -n 3 --dist worksteal || sh tests/once-more.sh $(BIN)/python

check: .venv/installed-dev lint  ## format, lint, types, floors, fast tests: every few minutes
	$(BIN)/python -m pytest -q -m "not browser and not program"

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed-dev  ## run the benchmarks of bench/, each with its ratio
	@sh tests/debian-packages.sh
	@for file in bench/bench_*.py; do $(BIN)/python $$file || exit 1; done

docs: .venv/installed-dev  ## build the documentation as a site into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

picture: .venv/installed-dev  ## take the README's picture of the page anew
	@sh tests/debian-packages.sh
	RINGLIGHT_TAKE_PICTURE=1 $(BIN)/python -m pytest -q tests/page -k readme

faults: .venv/installed-dev  ## write the pages about the faults, and the copy that the rooms' page has, anew
	$(BIN)/python -m ringlight.doctor.fault_docs docs/reference/faults
	$(BIN)/python -m ringlight.web.catalogue

reliability: .venv/installed-dev  ## let every fault happen to everybody, and write the page about it anew: an hour
	@sh tests/debian-packages.sh
	PYTHONPATH=tests:tests/resilience $(BIN)/python tests/chaos/fault_lab.py

network-lab: .venv/installed-dev  ## watch and call over bad networks, and write the same page anew: 20 minutes, as root
	@sh tests/debian-packages.sh
	PYTHONPATH=tests:tests/resilience $(BIN)/python tests/chaos/network_lab.py

format: .venv/installed-dev  ## let ruff put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what these commands made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache site bench/results tests/peers/node_modules

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Ringlight needs Python 3.11 or newer; \`$(PYTHON)\` is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv .venv || \
	  { echo "Python cannot make a virtual environment here. On Debian: apt-get install python3-venv" >&2; exit 2; }

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch .venv/installed $@
