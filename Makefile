# Targets for people without Prefect in their fingers; the README says the same without make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CORES := -n logical --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install run serve test test-all lint format bench bench-quick compat clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP) ## make .venv and install the project with what it is developed with

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

run: $(STAMP) ## MovieLens 100k to published tables; ARGS="--edition ml-1m" for more
	$(BIN)/python -m flows.pipeline $(ARGS)

serve: $(STAMP) ## server, worker and deployments on 127.0.0.1 until Ctrl-C; ARGS="--port 4300"
	@exec $(BIN)/python -m deploy.serve $(ARGS)

test: $(STAMP) ## the tests, those on real data included
	$(BIN)/python -m pytest $(CORES)

test-all: $(STAMP) ## also the slow ones
	$(BIN)/python -m pytest $(CORES)
	$(BIN)/python -m pytest -m slow $(CORES)

lint: $(STAMP) ## ruff, ruff format --check, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## this project beside its peers, each in an environment of its own
	$(BIN)/python -m benchmarks.run $(ARGS)

bench-quick: $(STAMP) ## our variants and Surprise alone, once each
	$(BIN)/python -m benchmarks.run --quick $(ARGS)

compat: $(STAMP) ## open what is served with DuckDB 1.4 and 1.5
	$(BIN)/python scripts/compat.py $(ARGS)

clean: ## remove .venv and what tools cache; data/ is kept
	rm -rf $(VENV) .bench .mypy_cache .ruff_cache .pytest_cache *.egg-info build
