# Two commands: `make demo` runs the main job, `make test` passes the tests.
# Each sets up what it needs in .venv from the locked dependencies.
# The first Python on the path that is new enough and can make environments.
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13; do \
  $$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
  2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=
NAME ?= door
# A process for each core. Each begins with a part of the modules, so that what a module
# needs is made in few of them, and helps another when it is through.
PARALLEL := --numprocesses=logical --dist=worksteal
CHOSEN := -m "not thorough"
NODE := tests/clients/node
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header pyproject.toml

.PHONY: demo test test-all lint bench openapi conformance measure-pages elements-page locks clean \
  node-clients spark

demo: $(VENV)/run
	$(BIN)/catchment demo $(ARGS)

# What needs Chromium, Spark, the clients for Node or the shared inputs skips by name
# where they are absent.
# Numpy's own threads would only be in the way of a process for each core.
test: export OPENBLAS_NUM_THREADS := 1
test: lint
	$(BIN)/python -m pytest $(PARALLEL) $(CHOSEN) $(ARGS)

# The same, with what takes minutes, browser tests and all: a test that skips has failed.
test-all: export CI := true
test-all: CHOSEN :=
test-all: node-clients spark test

# Clients written in JavaScript that the hub is tested with.
node-clients: $(NODE)/node_modules

# PySpark comes as source only, and needs Java to run.
spark: $(VENV)/spark

lint: $(VENV)/dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy app tests
	$(BIN)/lint-imports

bench: $(VENV)/dev
	$(BIN)/python -m bench.$(NAME) $(ARGS)

# The frozen document and the Python client; run it after a change of the interface.
openapi: $(VENV)/dev
	$(BIN)/python -m openapi.freeze

# The page of each measure, from its definition; run it after a change of the library.
measure-pages: $(VENV)/run
	$(BIN)/catchment measure pages docs/measures

# What becomes of every element, from the table of decisions; run it after a change there.
elements-page: $(VENV)/run
	$(BIN)/catchment elements > docs/privacy/elements.md

# The page of what the doors conform to, from the tests that show it.
conformance: $(VENV)/dev
	$(BIN)/python -m pytest --quiet --conformance=docs/conformance.md

# What runs is what was tested: the one lock is held to the other's versions.
locks:
	$(LOCK) --extra dev --extra engines --extra noise --output-file requirements-dev.lock
	$(LOCK) --constraint requirements-dev.lock --output-file requirements.lock
	$(LOCK) --constraint requirements-dev.lock --extra spark \
	  --output-file requirements-spark.lock

clean:
	rm -rf $(VENV) var build $(NODE)/node_modules

$(NODE)/node_modules: $(NODE)/package-lock.json
	cd $(NODE) && npm ci --no-audit --no-fund --loglevel=error
	touch $@

$(VENV)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/run: requirements.lock pyproject.toml openapi/python/pyproject.toml | $(VENV)/python
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --editable . --editable openapi/python
	touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/run
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	touch $@

$(VENV)/spark: requirements-spark.lock $(VENV)/run
	$(PIP) install --require-hashes --requirement requirements-spark.lock
	touch $@
