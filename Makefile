# Needs Python 3.11 or newer with venv, and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := data/sample
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: help setup demo notebooks pictures docs lint check test stress spark bench ui browser clean
.DEFAULT_GOAL := help

help:  ## Show what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/ready  ## Create .venv from the lock file

$(VENV)/ready: uv.lock pyproject.toml
	test -x $(BIN)/uv || ( $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet 'uv>=0.9' )
	$(BIN)/uv sync --frozen --compile-bytecode --quiet
	touch $@

demo: setup  ## Make sample data, refresh, and compare two people
	film-assets sample $(SAMPLE)
	film-assets refresh --source $(SAMPLE)
	film-assets compare $$(python -m film_assets.sample)

notebooks: setup  ## Open the notebooks in JupyterLab, which is installed the first time
	uv run --frozen --group lab jupyter lab notebooks

pictures: demo  ## Run the notebooks on the sample and keep their charts for the README
	python -m notebooks.pictures

docs: setup  ## Write the pages on the data anew, from the declarations
	python -m docs.generate

lint: setup
	ruff check
	ruff format --check
	mypy
	lint-imports

check: lint  ## Run the checks and the fast tests, in two minutes
	pytest -m "not slow"

test: lint browser  ## Run all checks and tests, but those that only `make spark` and `make stress` run
	pytest -m "not stress and (not spark or essential)"

stress: setup browser  ## Run the longer matrices, and 2,000 mutated blobs
	pytest -m stress
	FILM_ASSETS_FUZZ=2000 pytest film_assets_tests/landing/test_fuzz.py

spark: setup  ## Run the tests on a Spark cluster of two workers, which needs Java 17
	pytest -m spark

browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
		echo "no Chromium could be installed: the tests of the web UI will be skipped, or fail in CI"

bench: setup  ## Measure builds, refreshes and look-ups in ten minutes; SCALE=1 for the real size
	python -m benchmarks everything $(if $(SCALE),--scale $(SCALE)) $(if $(ROUNDS),--rounds $(ROUNDS))

ui: setup  ## Open the Dagster web UI on http://127.0.0.1:3000
	film-assets ui

clean:  ## Delete .venv and caches; data/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
