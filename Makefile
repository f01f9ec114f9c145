# Every command here works on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test long check lint bench soak compiled docs sbom picture faults reliability network-lab fuzz format clean audit constraints
MINUTES ?= 10
PINNED := $(if $(LOCKED),--constraint constraints.txt)  # make LOCKED=1: the very versions of constraints.txt

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-11s %s\n", $$1, $$2}'

demo: .venv/installed  ## set everything up and watch a simulated camera on http://127.0.0.1:8000/
	@exec $(BIN)/ringlight demo

test: .venv/installed-dev  ## set everything up and run the tests, in a real browser too; twenty minutes or more
	@sh tests/debian-packages.sh & programs=$$!; $(MAKE) lint && wait $$programs
	@# Three processes, as they mostly wait: for time limits, browsers, silence.
	$(BIN)/python -m pytest -q -n 3 --dist worksteal -m "not long" || sh tests/once-more.sh $(BIN)/python

long: .venv/installed-dev  ## the tests that take long: servers killed in turn, bad networks, the container's steps
	@sh tests/debian-packages.sh
	$(BIN)/python -m pytest -q -m long

check: .venv/installed-dev lint  ## format, lint, types, floors, fast tests: every few minutes
	$(BIN)/python -m pytest -q -m "not browser and not program and not long"

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed-dev  ## run all benchmarks, and gather them in bench/results/report.md
	@sh tests/debian-packages.sh
	$(BIN)/python bench/report.py

audit: .venv/installed-dev  ## ask which known weaknesses the installed packages have; needs the network
	@$(BIN)/python -c 'import pip_audit' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[audit]' || true
	@$(BIN)/python tests/security/audit.py

constraints: .venv/installed-dev  ## write down the versions that the tests ran with
	$(BIN)/python tests/security/constraints.py > constraints.txt

fuzz: .venv/installed-dev  ## look for input that breaks a reader of foreign bytes; MINUTES=30 sets for how long
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]' || true
	@nice -n 10 $(BIN)/python tests/fuzz/run_fuzz.py --minutes $(MINUTES) $(if $(ONLY),--only $(ONLY))

soak: .venv/installed-dev  ## run servers with everything that goes wrong for MINUTES=30; what grows or gets lost fails
	@sh tests/debian-packages.sh
	@PYTHONPATH=bench:tests:tests/chaos:tests/resilience $(BIN)/python -m soak $(if $(filter file,$(origin MINUTES)),30,$(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(TRACE),--trace)

docs: .venv/installed-dev  ## build the documentation as a site into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

compiled: .venv/installed-dev  ## write a wheel into dist/ whose rooms are compiled for this machine's kind; needs a C compiler
	HATCH_BUILD_HOOKS_ENABLE=1 $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

sbom: .venv/installed-dev  ## write dist/sbom.json: what a fresh installation of the wheel consists of
	@rm -rf dist/sbom dist/ringlight-*.whl && mkdir -p dist/sbom
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@# Without a pip of its own, which is no part of Ringlight and would be in the bill.
	$(BIN)/python -m venv --without-pip dist/sbom
	$(BIN)/python -m pip --python dist/sbom/bin/python install --quiet --disable-pip-version-check dist/ringlight-*.whl
	sh tests/packaging/sbom.sh dist/sbom/bin/python dist/sbom.json
	@rm -rf dist/sbom

picture: .venv/installed-dev  ## take the pictures of README and docs anew, from the real pages
	@sh tests/debian-packages.sh
	RINGLIGHT_TAKE_PICTURE=1 $(BIN)/python -m pytest -q tests/page/rooms/test_page_pictures.py -k Pictures

faults: .venv/installed-dev  ## write the pages about the faults, and the copy that the rooms' page has, anew
	$(BIN)/python -m ringlight.doctor.fault_docs docs/reference/faults
	$(BIN)/python -m ringlight.web.catalogue

reliability: .venv/installed-dev  ## let every fault happen to everybody, and write the page about it anew
	@sh tests/debian-packages.sh
	PYTHONPATH=tests:tests/resilience $(BIN)/python tests/chaos/fault_lab.py

network-lab: .venv/installed-dev  ## watch and call over bad networks, and write the same page anew: 20 minutes, as root
	@sh tests/debian-packages.sh
	PYTHONPATH=tests:tests/resilience $(BIN)/python tests/chaos/network_lab.py

format: .venv/installed-dev  ## let ruff put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what these commands made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache site dist .fuzz bench/results tests/peers/node_modules

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Ringlight needs Python 3.11 or newer; \`$(PYTHON)\` is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv .venv || \
	  { echo "Python cannot make a virtual environment here. On Debian: apt-get install python3-venv" >&2; exit 2; }

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PINNED) --editable .
	@touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PINNED) --editable '.[dev]'
	@touch .venv/installed $@
