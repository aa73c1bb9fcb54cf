# The commands of the house; `make` alone lists them. Everything runs from .venv, which `make setup` fills with the tested versions.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
READY := .venv/.ready
SITE := NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict --quiet
TESTS ?= --doctest-modules --ignore=tests/attacks src tests
ATTACK ?= quick

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-bf16 attack check format bench bench-quick docs clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

setup: $(READY) ## make .venv and install multihot in it, with the versions of constraints.txt

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "multihot needs Python 3.11, 3.12 or 3.13; name one: make setup PYTHON=/path/to/python"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

demo: $(READY) ## train br, seq2seq and ocd-mtl on the embedded data, compare them and write a report: under three minutes on two cores
	$(BIN)/multihot demo

test: $(READY) ## every test but the long reproductions, and every example of the docstrings
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow" $(TESTS)

attack: $(READY) ## kills, full disks, damage and hostile files, with a table of what was survived; ATTACK=full tries much more
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --tb=line tests/attacks --attack=$(ATTACK) --attack-out=runs/attacks-$(ATTACK).json

test-bf16: $(READY) ## the tests that train, in bfloat16: none may hang on the last digits of a small training
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 -m "not slow" --precision bf16-mixed tests/training tests/experiments tests/test_sockets.py

check: $(READY) ## style, types, directions of imports, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python docs/check.py
	$(SITE)

format: $(READY) ## mend what can be mended without thinking
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## every benchmark, one after another, and a table of them; figures as JSON under runs/benchmarks
	$(BIN)/python benchmarks --out runs/benchmarks

bench-quick: $(READY) ## the same in small sizes, within three minutes: shows that they run
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks --quick --out runs/benchmarks/quick

docs: $(READY) ## write the table of components from the code, check links and commands, build the site in site/
	$(BIN)/python docs/check.py --write
	$(SITE)

clean: ## remove what the commands above made, the installation included
	rm -rf .venv site runs/benchmarks .mypy_cache .ruff_cache .pytest_cache .hypothesis
