# `make book` and `make test` work on a fresh machine with Python 3.11+, git and make: the environment is set up on the way.
# The first of these that runs and is new enough (a name on the PATH alone may be a shim that does not run).
PYTHON ?= $(shell for name in python3.12 python3.11 python3.13 python3; do \
  $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
# What readers need, and what tests and checks need besides: two marks in one environment.
READY := $(VENV)/.ready
DEVELOP := $(VENV)/.develop

# Kept in __pycache__, whatever the shell says: the tests start Python hundreds of times, and it would compile all anew each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: book serve develop lock test test-fast test-long test-alone coverage check calibrate release bench reproduce mutants faults

book: $(READY)
	$(BIN)/memory-wall build

serve: $(READY)
	$(BIN)/memory-wall serve

# What tests and checks need, and what fits the calibrated model anew.
develop: $(DEVELOP)

# Every test, once: the fast ones are counted on the way, those that take long run in as many processes as there are cores.
test: coverage test-long test-alone

PYTEST := -m pytest -q -n auto --dist loadfile --no-loadscope-reorder
# Equations, tables, claims, model, prose: no site, no browser, no command. Under a minute on two cores.
test-fast: $(DEVELOP)
	$(BIN)/python $(PYTEST) -m "not (site or browser or slow or alone or long)"

# The same and those that compute for long, and what they run of the rooms that compute, against a floor for each.
coverage: $(DEVELOP)
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run $(PYTEST) -m "not (site or browser or slow or alone)"
	$(BIN)/python scripts/covered.py

# Whole books, the browser, commands; then what shares a machine with nobody.
test-long: $(DEVELOP)
	$(BIN)/python $(PYTEST) -m "(site or browser or slow) and not alone"
test-alone: $(DEVELOP)
	$(BIN)/python -m pytest -q -m alone

check: $(DEVELOP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/memory-wall check

bench: $(DEVELOP)
	$(BIN)/memory-wall build
	$(BIN)/python scripts/bench_pages.py
	$(BIN)/python scripts/bench_model.py
	$(BIN)/python scripts/bench_build.py
	$(BIN)/python scripts/bench_large.py
	$(BIN)/python scripts/bench_sweep.py

reproduce: $(DEVELOP)
	$(BIN)/python scripts/reproduce.py

# Changes one thing at a time and runs the tests of its subject: at most an hour on two cores.
mutants: $(DEVELOP)
	$(BIN)/python scripts/mutants.py

# Interrupts, starves and damages builds, and feeds them what nobody should: at most 20 minutes.
faults: $(DEVELOP)
	$(BIN)/python scripts/faults.py

calibrate: $(DEVELOP)
	$(BIN)/python -m analysis.model.calibration

# The lock files, from pyproject.toml; versions stay unless UPGRADE=--upgrade. Needs uv.
lock: $(READY)
	$(BIN)/python scripts/lock.py $(UPGRADE)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo 'Python 3.11 to 3.13 is needed: install it, or name it: make book PYTHON=python3.12'; exit 1; }
	@$(PYTHON) scripts/setup.py $(VENV)
	@touch $@

$(DEVELOP): $(READY) requirements-dev.lock
	@$(BIN)/python scripts/setup.py $(VENV) --develop
	@touch $@

release: $(READY)
	$(BIN)/memory-wall release --edition "$(EDITION)" $(if $(FROM),--from "$(FROM)")
