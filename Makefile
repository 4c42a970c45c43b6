# Two commands for a newcomer: `make demo` and `make test`. Everything is installed into .venv.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin
SCENARIO ?= healthy
SOURCES := bot adapters tests
SCREENS := tests/e2e/screens
# Most tests wait for real parts: four files at once, each in one process; tests/conftest.py orders
# them.
AT_ONCE := -n 4 --dist loadfile --no-loadscope-reorder
# Many tests start the bot; where no bytecode is kept, compiling it takes each two seconds more.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo serve test test-only soak check format lint types contracts lock bench bench-judge bench-slack screenshots clean

help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "canarybot needs Python 3.11 or newer, and none was found on the PATH. Install it, or say where it is: make demo PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up .venv with $(PYTHON) (once, about a minute) …"
	@$(PYTHON) -m venv .venv || { echo "The virtual environment could not be made. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: .venv/.ready  ## the whole thing on this machine: SCENARIO=logs, HEADLESS=1, PORT=3333
	@$(BIN)/canary demo --scenario $(SCENARIO) $(if $(HEADLESS),--headless) $(if $(PORT),--port $(PORT)) $(if $(WINDOW),--window $(WINDOW))

test: .venv/.ready  ## every test, on real servers (installs them where it may)
	@if .ci/servers; then $(BIN)/pytest $(AT_ONCE) $(ARGS); else \
		$(BIN)/pytest $(AT_ONCE) -m "not external_service" $(ARGS); code=$$?; \
		echo; echo "NOT RUN: the tests marked external_service, because the servers named above are missing."; \
		test -z "$$CI" || { echo "In CI that is a failure."; exit 1; }; exit $$code; fi

soak: .venv/.ready  ## faults on real parts, for as long as you like: MINUTES=60, SEED=… replays
	@PYTHONPATH=.:tests:tests/e2e $(BIN)/python -m ordeal --minutes $(or $(MINUTES),60) $(if $(SEED),--seed $(SEED))

check: .venv/.ready format-check lint types contracts  ## format, lint, types, import contracts

format: .venv/.ready  ## rewrite the sources in the house format
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix --quiet $(SOURCES)

.PHONY: format-check
format-check: .venv/.ready
	@$(BIN)/ruff format --check $(SOURCES)

lint: .venv/.ready
	@$(BIN)/ruff check $(SOURCES)

types: .venv/.ready
	@$(BIN)/mypy

contracts: .venv/.ready
	@$(BIN)/lint-imports

bench-judge: .venv/.ready  ## our judge beside its peers, into .bench: ARGS="--quick" for five minutes, ARGS=--help
	@PYTHONPATH=tests $(BIN)/python -m bench.judge --save .bench/judge.json \
		--picture .bench/judge.png --short-picture .bench/judge-short.png $(ARGS)

bench: .venv/.ready  ## what the engine carries and how quickly it acts: ARGS="--quick" for two minutes, ARGS=--help
	@PYTHONPATH=tests $(BIN)/python -m bench.engine --save .bench/engine.json $(ARGS)
	$(if $(filter-out --quick,$(ARGS)),,@PYTHONPATH=tests $(BIN)/python -m bench.slack $(ARGS))

bench-slack: .venv/.ready  ## how 1, 20 and 100 live canaries share Slack's limits: ARGS="--quick" for two minutes
	@PYTHONPATH=tests $(BIN)/python -m bench.slack $(ARGS)

screenshots: .venv/.ready  ## the README's pictures, taken by the end-to-end tests
	@mkdir -p $(SCREENS) && CANARY_SCREENSHOTS=$(SCREENS) $(BIN)/pytest -q tests/e2e/test_page.py tests/e2e/test_people.py

lock:  ## pin every dependency anew, with hashes and without hosts
	@$(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade \
		pyproject.toml -o requirements.lock

clean:  ## remove what was set up
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
