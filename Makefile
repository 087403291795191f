# What a person does with a checkout. Needs make, a POSIX shell and Python 3.11 or newer; everything else comes from
# the lock. Paths are relative throughout, so a checkout may live in a folder with a space in its name.
# `make demo DEMO=folder` takes another folder, `make test ARGS='-k hold'` runs a part of the tests. To measure what tests
# reach doubles their time, so that belongs to the full depth.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test lint bench lock clean

BIN := .venv/bin
DEMO := demo-run
ARGS :=

# PYTHON=… on the command line or in the environment overrides the search.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: .venv/installed  ## make .venv with everything in it, and .venv/bin/retention

.venv/installed: requirements.lock requirements-interop.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found." \
		"Install one, or name it: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is not a working Python 3.11 or newer. Name another: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@rm -rf .venv
	@# Debian's python3 comes without ensurepip; there the pip of the system fills the environment from outside.
	@set -e; if "$(PYTHON)" -c 'import ensurepip' 2>/dev/null; then \
		"$(PYTHON)" -m venv .venv; \
		set -- $(BIN)/python -m pip; \
	elif "$(PYTHON)" -m pip --version >/dev/null 2>&1; then \
		"$(PYTHON)" -m venv --without-pip .venv; \
		set -- "$(PYTHON)" -m pip --python $(BIN)/python; \
	else \
		echo "$(PYTHON) has neither ensurepip nor pip. On Debian: apt install python3-venv" >&2; exit 1; \
	fi; \
	set -- "$$@" --disable-pip-version-check --quiet install; \
	echo "installing what requirements.lock names into .venv"; \
	"$$@" --require-hashes -r requirements.lock; \
	"$$@" --require-hashes --no-deps --ignore-requires-python -r requirements-interop.lock; \
	"$$@" --no-deps --no-build-isolation -e .
	@touch $@

# Only a folder that this rule made is removed: the default one, or one that carries its mark.
demo: setup  ## run the narrated demo in demo-run
	@test ! -e "$(DEMO)" || test "$(DEMO)" = demo-run || test -e "$(DEMO)/.made-by-make" || { \
		echo "$(DEMO) was not made by 'make demo'; remove it yourself or name another: make demo DEMO=folder" >&2; exit 1; }
	@rm -rf -- "$(DEMO)"
	@status=0; $(BIN)/retention demo --directory "$(DEMO)" || status=$$?; \
	test ! -d "$(DEMO)" || touch "$(DEMO)/.made-by-make"; exit $$status

COVERAGE := $(if $(filter full all,$(DEPTH)),--cov --cov-report=term)
test: setup  ## run every test; with DEPTH=full policy, purge, audit and upstream must be covered to the last branch
	$(BIN)/python -m pytest -n auto --dist worksteal $(or $(strip $(ARGS)),$(COVERAGE))

lint: setup  ## check style, types, room borders, dead code and the lock
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src tests benchmarks alembic
	$(BIN)/lint-imports
	$(BIN)/vulture
	@! grep -nE '://|^-' requirements.lock requirements-interop.lock || { echo "a lock names an address" >&2; exit 1; }

bench: setup  ## measure speed and memory
	$(BIN)/python -m benchmarks $(ARGS)

# Hashes of every platform's files go in, addresses stay out: settings of this machine for indexes are not read.
# Pins stay as they are where they still fit; `make lock ARGS=--upgrade` moves them all.
lock:  ## write requirements.lock anew from pyproject.toml
	"$(PYTHON)" -m venv .lock
	.lock/bin/python -m pip --disable-pip-version-check --quiet install uv
	env -u UV_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS .lock/bin/uv --no-config pip compile pyproject.toml --quiet \
		--universal --python-version 3.11 --all-extras --group dev --generate-hashes --no-annotate --no-header \
		--output-file requirements.lock $(ARGS)
	rm -rf .lock

clean:  ## remove what make made
	rm -rf .venv .lock demo-run build dist .coverage .coverage.* htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
