# The index of work. Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test quick lint types docs snapshots fuzz bench clean

help:              ## show this list
	@grep -hE '^[a-z]+: .*##|^[a-z]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

$(VENV)/run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@

demo: $(VENV)/run  ## set up, scan the example project (booby-trapped, inert), clean poisoned texts and images
	@$(BIN)/toadstone scan examples/project || test $$? -eq 1
	@$(BIN)/toadstone clean examples/mail/train.parquet -o $(VENV)/kept.parquet --quarantine $(VENV)/quarantine.parquet || test $$? -eq 1
	@$(BIN)/python examples/mail/before_after.py $(VENV)/kept.parquet
	@$(BIN)/toadstone clean examples/digits/train.npz -o $(VENV)/kept.npz --quarantine $(VENV)/quarantine.npz || test $$? -eq 1
	@$(BIN)/python examples/digits/before_after.py $(VENV)/kept.npz

test: $(VENV)/dev  ## set up, then run everything that must hold: linters, types, layers, docs, all tests
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m tools.pages --check
	$(BIN)/python -m pytest -n 2

quick: $(VENV)/dev ## only the fast tests
	$(BIN)/python -m pytest -n 2 -m "not slow"

docs: $(VENV)/dev  ## write the generated pages anew (checks, command line, formats)
	$(BIN)/python -m tools.pages

snapshots: $(VENV)/dev ## accept changed expected outputs in the tests
	$(BIN)/python -m pytest --inline-snapshot=fix

fuzz: $(VENV)/dev  ## a million hostile inputs over all readers
	$(BIN)/python -m benchmarks.fuzz --inputs 1000000

bench: $(VENV)/dev ## corpora, peers, scoreboard (hours, gigabytes; see benchmarks/README.md)
	$(BIN)/python -m benchmarks.scoreboard

clean:             ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
