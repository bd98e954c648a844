# multifidus. Type `make` to see what there is. Needs Python 3.11 or newer and make;
# everything else is set up on first use, in .venv.

PYTHON ?= python3
DEMO ?= demo_results
BENCH_ARGS ?=
EVIDENCE_ARGS ?=
PYTEST_ARGS ?=
# Property tests: `ci` is the same on every run, `dev` searches further and elsewhere each time;
# `coverage` is `ci` with few examples, to count lines and branches.
HYPOTHESIS_PROFILE ?= ci
# Which of the tests without windows.
CORE_MARKS ?= not gui and not slow
# The Qt binding of the tests with windows: pyqt6 or pyside6, each in an environment of its own.
QT ?= pyqt6
# Which of the tests with windows: files or a folder.
GUI_TESTS ?= tests/plugins
# Processes that run tests side by side; 0 runs them in one.
WORKERS ?= $(shell getconf _NPROCESSORS_ONLN)

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
export HYPOTHESIS_PROFILE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiled once, not by every process: pytest alone takes 5 s to compile the tests.
export PYTHONDONTWRITEBYTECODE :=

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
RESULTS := test-results
GUI_VENV := $(VENV)$(if $(filter pyside6,$(QT)),-pyside6)
GUI_RESULTS := $(RESULTS)/gui$(if $(filter pyside6,$(QT)),-pyside6)

# Only its own folder may be replaced without being asked.
OVERWRITE := $(if $(filter demo_results,$(DEMO)),--overwrite,)

# A display for the tests that open windows: none to make on macOS.
ifeq ($(shell uname -s),Linux)
SCREEN := xvfb-run -a -s "-screen 0 1600x1200x24"
endif

# The core tests do without napari's and Qt's pytest plugins, which import Qt for every test.
WITHOUT_GUI := -p no:napari -p no:npe2 -p no:pytest-qt

# pytest rewrites the assertions of all packages whose plugins it finds, napari's 440 modules among
# them. The tests with windows name the plugins that they use.
WITH_GUI := --disable-plugin-autoload -p xdist -p pytest_cov -p pytest-qt

# Who has nothing left to do takes tests over from the others.
PARALLEL := --numprocesses=$(WORKERS) --maxprocesses=8 --dist=worksteal

.PHONY: help demo test test-core test-gui test-slow check lint types contracts structure coverage manifest \
	citation changelog bench evidence docs wheel setup system-packages clean

help: ## Show this list
	@echo "make TARGET, where TARGET is one of"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1#/' \
		| awk -F'#' '{printf "%-18s %s\n", $$1, $$2}'
	@echo
	@echo "Options: PYTHON=python3.12   another Python for a new .venv"
	@echo "         DEMO=FOLDER         where make demo writes (a folder of yours is never overwritten)"
	@echo "         BENCH_ARGS=--smoke  arguments of make bench; EVIDENCE_ARGS of make evidence"
	@echo "         PYTEST_ARGS=-x      further arguments of the tests; WORKERS=0: in one process"
	@echo "         QT=pyside6          the other Qt binding for make test-gui; GUI_TESTS=FILES: a part of it"
	@echo "         COVERAGE=core       count the coverage of the tests without windows, too; COVERAGE=1: of all"

# --- set-up ------------------------------------------------------------------------------------

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "multifidus needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "If there is a newer one, name it: make PYTHON=python3.12" >&2; exit 1; }
	scripts/system_packages.sh venv $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(@D) && touch $@

$(STAMPS)/report: pyproject.toml | $(STAMPS)/venv
	$(BIN)/python -m pip install --quiet -e ".[report]"
	@touch $@

$(STAMPS)/test: pyproject.toml | $(STAMPS)/venv
	$(BIN)/python -m pip install --quiet -e ".[test]"
	@touch $@ $(STAMPS)/report

# Sees what .venv holds, so that nothing but the other binding has to be installed.
$(VENV)-pyside6/stamps/test: pyproject.toml | $(STAMPS)/test
	$(BIN)/python -m venv --without-pip $(VENV)-pyside6
	$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
		>"$$($(VENV)-pyside6/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/venv.pth"
	$(BIN)/python -m pip --python $(VENV)-pyside6 install --quiet -e ".[gui]"
	@mkdir -p $(@D) && touch $@

$(STAMPS)/docs: pyproject.toml | $(STAMPS)/venv
	$(BIN)/python -m pip install --quiet -e ".[docs]"
	@touch $@

setup: $(STAMPS)/test ## Set up .venv with everything the tests need

system-packages: ## Install the system libraries that windows need
	scripts/system_packages.sh gui

# --- see it work -------------------------------------------------------------------------------

demo: $(STAMPS)/report ## Measure and report the built-in phantom exam pair, into demo_results
	$(BIN)/multifidus demo -o $(DEMO) $(OVERWRITE)

# --- tests -------------------------------------------------------------------------------------

test: system-packages test-core test-gui ## Run the tests, those that open windows included

test-core: $(STAMPS)/test ## Run the tests without windows
	@mkdir -p $(RESULTS)
	COVERAGE_FILE=$(RESULTS)/core.coverage $(BIN)/python -m pytest tests --ignore=tests/plugins \
		-m "$(CORE_MARKS)" $(WITHOUT_GUI) $(PARALLEL) \
		$(if $(COVERAGE),--cov=multifidus --cov-report=) \
		--junit-xml=$(RESULTS)/core$(if $(COVERAGE),-coverage).xml $(PYTEST_ARGS)

test-slow: $(STAMPS)/test ## Make again what is shipped and compare; test the images that benchmarks make
	$(BIN)/python -m pytest tests --ignore=tests/plugins -m slow $(WITHOUT_GUI) $(PARALLEL) $(PYTEST_ARGS)

# The settings of the person who runs the tests are neither read nor written. A skipped test is a
# failure here: a window that cannot open is what these tests are for.
test-gui: export NAPARI_ASYNC := 0
test-gui: export NAPARI_CONFIG :=
test-gui: export QT_API := $(QT)
test-gui: export PYTEST_QT_API := $(QT)
test-gui: $(GUI_VENV)/stamps/test ## Run the tests of the napari plugin, on virtual screens
	@mkdir -p $(RESULTS)
	COVERAGE_FILE=$(GUI_RESULTS).coverage env -u QT_QPA_PLATFORM $(SCREEN) \
		$(GUI_VENV)/bin/python -m pytest $(GUI_TESTS) $(WITH_GUI) $(PARALLEL) --no-skips \
		$(if $(filter-out core,$(COVERAGE)),--cov=napari_multifidus --cov-report=) --junit-xml=$(GUI_RESULTS).xml $(PYTEST_ARGS)

# --- checks ------------------------------------------------------------------------------------

check: lint types contracts structure manifest citation coverage ## Run all checks

lint: $(STAMPS)/test ## Style: ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMPS)/test ## Types: mypy, strict
	$(BIN)/mypy

contracts: $(STAMPS)/test ## Imports point inward: import-linter
	$(BIN)/lint-imports

structure: $(STAMPS)/test ## Modules, import circles, long files and repeated names, with their limits
	$(BIN)/python scripts/check_structure.py

manifest: $(STAMPS)/test ## The plugin's manifest: npe2
	$(BIN)/npe2 validate multifidus

citation: $(STAMPS)/test ## CITATION.cff
	$(BIN)/python scripts/check_citation.py

# Tested again, unless the last `make test COVERAGE=core` or `make check` was of this code. Counting
# makes the tests take two thirds longer, so `make test` does without. What has to be covered is so by
# few examples of each property and without real scans, which not everyone has.
$(RESULTS)/core.coverage: $(shell find multifidus tests -name '*.py' -not -path 'tests/plugins/*')
	$(MAKE) test-core COVERAGE=core HYPOTHESIS_PROFILE=coverage CORE_MARKS="$(CORE_MARKS) and not real_data"

coverage: $(STAMPS)/test $(RESULTS)/core.coverage ## Branch coverage of the core tests, with its thresholds
	$(BIN)/python scripts/check_coverage.py $(RESULTS)/core.coverage
ifneq ($(filter-out core,$(COVERAGE)),)
	@echo "The plugin, from the tests with windows:"
	$(BIN)/coverage report --data-file=$(RESULTS)/gui.coverage --include='plugins/*'
endif

# --- numbers, pages, packages ------------------------------------------------------------------

bench: system-packages $(STAMPS)/test ## Benchmarks of accuracy and speed
	$(SCREEN) $(BIN)/python -m benchmarks $(BENCH_ARGS)

evidence: $(STAMPS)/test ## Remake docs/evidence
	scripts/system_packages.sh peers
	$(SCREEN) $(BIN)/python -m benchmarks.evidence $(EVIDENCE_ARGS)

changelog: $(STAMPS)/test ## Show what is new since the last release; RELEASE=0.2.0 puts it in CHANGELOG.md
	$(BIN)/towncrier build $(if $(RELEASE),--yes --version $(RELEASE),--draft --version unreleased)

docs: $(STAMPS)/test $(STAMPS)/docs ## Build the documentation, docs/_build/html/index.html
	rm -rf docs/reference/generated
	$(BIN)/python -m sphinx -W --keep-going --quiet -j auto -b html docs docs/_build/html

wheel: $(STAMPS)/test ## Build source archive and wheel, and try the wheel in an environment of its own
	scripts/check_wheel.sh $(BIN)/python

clean: ## Remove what was made, .venv included
	rm -rf $(VENV) $(VENV)-pyside6 $(RESULTS) demo_results build dist docs/_build docs/reference/generated
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
