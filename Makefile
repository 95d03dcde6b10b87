# Two commands: `make demo` runs the main job, `make test` passes the tests.
# Each sets up what it needs in .venv from the locked dependencies.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=
NAME ?= door

.PHONY: demo test test-all lint bench locks openapi clean

demo: $(VENV)/run
	$(BIN)/catchment demo $(ARGS)

test: lint
	$(BIN)/python -m pytest $(ARGS)

test-all: test

lint: $(VENV)/dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy app tests
	$(BIN)/lint-imports

bench: $(VENV)/dev
	$(BIN)/python bench/$(NAME).py $(ARGS)

openapi: $(VENV)/dev
	$(BIN)/python openapi/freeze.py

locks:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) var build

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/run: requirements.lock pyproject.toml | $(VENV)/python
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --editable .
	touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/run
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	touch $@
