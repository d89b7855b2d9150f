# `make demo` and `make test` need nothing but make and Python 3.11 or newer.

PYTHON ?= python3
BIN := .venv/bin
export RAY_USAGE_STATS_ENABLED := 0

.PHONY: demo test check clean help

help:
	@echo "make demo    real Airflow, Dagster and Prefect, and what swarm finds in them"
	@echo "make test    every test; installs what it needs first"
	@echo "make check   lint, types and unit tests: the inner loop"

.venv/ready: pyproject.toml
	@echo "==> making .venv with swarm and its tools (about 1 minute)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "swarm needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --editable . --group dev
	@touch $@

demo: .venv/ready
	@$(BIN)/swarm demo

check: .venv/ready
	@echo "==> lint"
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet . && $(BIN)/lint-imports --no-cache >/dev/null || \
		{ $(BIN)/ruff format --check .; $(BIN)/ruff check .; $(BIN)/lint-imports --no-cache; exit 1; }
	@echo "==> types"
	@$(BIN)/mypy
	@echo "==> unit, property and simulation tests"
	@$(BIN)/pytest -q -n 2 tests/unit tests/property tests/simulation

SLOW := tests/e2e tests/chaos tests/integration tests/actors tests/contract

# There the servers of several tests share the cores. What fails beside the others is run once more
# by itself; both outcomes are printed, and the second one counts.
test: check
	@echo "==> contract, actors, chaos, integration and end-to-end tests (real servers)"
	@sh tests/install_debian.sh
	@$(BIN)/pytest -q -n 2 --dist loadscope --no-loadscope-reorder --durations=25 --durations-min=5 $(SLOW) || \
		{ test $$? -eq 1 && echo "==> what failed, once more by itself" && \
		$(BIN)/pytest -q --last-failed --last-failed-no-failures none $(SLOW); }

clean:
	rm -rf .venv .lab
