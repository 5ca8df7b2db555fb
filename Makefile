# `make book` and `make test` work on a fresh machine with Python 3.11+, git and make: the environment is set up on the way.
# The first of these that runs and is new enough (a name on the PATH alone may be a shim that does not run).
PYTHON ?= $(shell for name in python3.12 python3.11 python3.13 python3; do \
  $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: book serve test test-fast check calibrate release bench reproduce mutants faults

book: $(READY)
	$(BIN)/memory-wall build

serve: $(READY)
	$(BIN)/memory-wall serve

test: $(READY)
	$(BIN)/python -m pytest -q

# Equations, tables, claims, model, prose: no site, no browser, no command. Under a minute on two cores.
test-fast: $(READY)
	$(BIN)/python -m pytest -q -m "not (site or browser or slow)"

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/memory-wall check

bench: $(READY)
	$(BIN)/memory-wall build
	$(BIN)/python scripts/bench_pages.py
	$(BIN)/python scripts/bench_model.py
	$(BIN)/python scripts/bench_build.py

reproduce: $(READY)
	$(BIN)/python scripts/reproduce.py

# Changes one thing at a time and runs the tests of its subject: at most an hour on two cores.
mutants: $(READY)
	$(BIN)/python scripts/mutants.py

# Interrupts, starves and damages builds, and feeds them what nobody should: at most 20 minutes.
faults: $(READY)
	$(BIN)/python scripts/faults.py

calibrate: $(READY)
	$(BIN)/python -m analysis.model.calibration

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo 'Python 3.11 to 3.13 is needed: install it, or set PYTHON=…'; exit 1; }
	$(PYTHON) scripts/setup.py $(VENV)
	touch $@

release: $(READY)
	$(BIN)/memory-wall release --edition "$(EDITION)"
