# `make demo` and `make test` need Python 3.10+ and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
PAGES ?=
OPTIONS ?=
OUT ?= build/labelled
INPUTS ?= 200000
SEED ?=
FIGURES := docs/figures
STAMP := $(VENV)/.installed
ENGINES := .venv-engines
OLDEST := .venv-oldest
CLOUDS := .venv-clouds
# What old versions of numpy and joblib could break; what a missing tool or extra would run is skipped.
OLDEST_TESTS := $(addprefix tests/classifier/,core record sites test_*.py) tests/fuzz/test_found.py
# What the optional compiled kernel is built from.
KERNEL := setup.py $(wildcard $(addprefix classifier/core/*., pyx pxi h))
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
# $(call install,VENV,WHAT)
install = PYTHONWARNINGS=ignore $(1)/bin/python -m pip install --quiet --disable-pip-version-check $(2)
# $(call kernel_tree,BUILD): a copy of the tree in build/BUILD with that build of the kernel, so that nothing else runs it
kernel_tree = rm -rf build/$(1) && mkdir -p build/$(1) \
	&& cp -RP classifier models tests training tinsach.py setup.py pyproject.toml README.md LICENSE build/$(1) \
	&& cd build/$(1) && rm -f classifier/core/_kernel*.so && TINSACH_BUILD=$(1) ../../$(BIN)/python setup.py -q build_ext --inplace
CHROMIUM := { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core; } >/dev/null

.PHONY: $(shell sed -nE 's/^([a-z-]+):.*## .*/\1/p' Makefile)

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "tinsach needs Python 3.10 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml $(KERNEL) | $(VENV)/bin/python
	$(call install,$(VENV),--editable .)
	@touch $@

$(STAMP): pyproject.toml training/constraints.txt $(KERNEL) | $(VENV)/bin/python
	$(call install,$(VENV),--constraint training/constraints.txt --editable '.[dev]')
	@touch $@ $(VENV)/.runtime

demo: $(VENV)/.runtime ## Clean the README's sample page
	@echo "--- kept ---"
	@$(BIN)/tinsach clean tests/cases/sample_page.txt --summary

test: $(STAMP) ## Run the test suite
	$(PYTEST) -n auto

test-kernel: $(STAMP) ## Test the compiled kernel, built with bounds checks; test-oldest runs without it
	@$(call kernel_tree,checked)
	cd build/checked && TINSACH_KERNEL=1 OMP_NUM_THREADS=1 ../../$(BIN)/python -m pytest tests/classifier/core/test_kernel.py

test-slow: $(STAMP) ## Run the tests that take long, or assert time or memory
	$(PYTEST) tests -m slow

test-browser: $(STAMP) ## Test the HTML reports in Debian's Chromium, installed if missing; pictures in build/artifacts
	@command -v chromium >/dev/null || $(CHROMIUM) || { echo "test-browser needs Chromium: sudo apt-get install chromium" >&2; exit 1; }
	$(PYTEST) tests/browser -m browser

# An environment of their own: a gigabyte, and the test suite has to pass without them. The kernel in the tree is that of $(VENV).
$(ENGINES)/.installed: pyproject.toml training/constraints.txt
	$(PYTHON) -m venv $(ENGINES)
	TINSACH_BUILD=pure $(call install,$(ENGINES),--constraint training/constraints.txt --editable '.[engines]' 'pytest>=7.4' 'hypothesis>=6.80')
	@touch $@

test-engines: $(ENGINES)/.installed ## Test with scikit-learn, datasets, datatrove, Spark (needs Java 17) and Ray
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 RAY_USAGE_STATS_ENABLED=0 $(ENGINES)/bin/python -m pytest tests/classifier/integrations -m engines

test-remote: $(STAMP) ## Test inputs and outputs in S3, on a server that the tests start, behind a proxy that fails
	$(PYTEST) tests/classifier/cli/test_remote_jobs.py -m remote

# Google's emulator is on PyPI, Microsoft's on npm.
$(CLOUDS)/.installed: pyproject.toml
	@command -v npm >/dev/null || { echo "test-clouds needs npm, for the emulator of Azure: sudo apt-get install npm" >&2; exit 1; }
	$(PYTHON) -m venv $(CLOUDS)
	TINSACH_BUILD=pure $(call install,$(CLOUDS),--editable '.[formats]' gcsfs adlfs gcp-storage-emulator 'pytest>=7.4' 'hypothesis>=6.80')
	npm install --silent --prefix $(CLOUDS) azurite
	@touch $@

test-clouds: $(CLOUDS)/.installed ## Test inputs and outputs in Google Cloud Storage and Azure, on their emulators (not in `make check`)
	OMP_NUM_THREADS=1 $(CLOUDS)/bin/python -m pytest tests/classifier/cli/test_clouds.py -m clouds

test-clusters: $(ENGINES)/.installed ## Kill executors, nodes and drivers of jobs on Spark and Ray (a minute, not in `make check`)
	OMP_NUM_THREADS=1 RAY_USAGE_STATS_ENABLED=0 $(ENGINES)/bin/python -m pytest tests/classifier/integrations/test_clusters.py -m clusters

# The lower bounds of pyproject.toml. They have no wheels for newer Pythons, where there is nothing to test.
$(OLDEST)/.installed: pyproject.toml
	$(PYTHON) -m venv $(OLDEST)
	TINSACH_BUILD=pure $(call install,$(OLDEST),--editable . 'numpy==1.24.*' 'joblib==1.3.*' 'pytest>=7.4' 'pytest-xdist>=3.5' 'hypothesis>=6.80')
	@touch $@

test-oldest: $(STAMP) ## Test the runtime without the kernel, on the oldest numpy and joblib it allows (Python 3.10 or 3.11)
	@if $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12))'; then echo "numpy 1.24 needs Python 3.11 or older: the newest instead"; \
	TINSACH_KERNEL=0 $(PYTEST) -n auto $(OLDEST_TESTS); \
	else $(MAKE) --no-print-directory $(OLDEST)/.installed && TINSACH_KERNEL=0 OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest -n auto $(OLDEST_TESTS); fi

lint: $(STAMP) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# pdoc cannot read the annotations of a named tuple's constructor; those of its fields it can.
docs: $(STAMP) ## Write the API reference into build/api
	$(BIN)/python -W error -W "ignore:Error parsing type annotation ForwardRef:UserWarning" -m pdoc -d google -o build/api classifier '!classifier.'

corpus-check: $(STAMP) ## Validate the training corpus
	$(BIN)/python -m training.composer.corpus

check: lint corpus-check test test-kernel test-slow test-browser test-engines test-remote test-oldest verify-first-pass gate ## Exactly what CI runs

train: $(STAMP) ## Train the model into models/
	$(BIN)/python -m training.train --jobs $(JOBS)

retrain: $(STAMP) ## Retrain with PAGES=dir of labelled pages; models/ changes if the gate holds, or with OPTIONS=--force
	$(BIN)/python -m training.retrain $(PAGES) --jobs $(JOBS) $(OPTIONS)

verify-model: $(STAMP) ## Retrain into a scratch folder and compare with models/
	$(BIN)/python -m training.train --verify --jobs $(JOBS)

verify-first-pass: $(STAMP) ## Retrain the first pass alone and compare it with models/: what CI has time for
	$(BIN)/python -m training.train --verify-first-pass --jobs $(JOBS)

label: $(VENV)/.runtime ## Label PAGES=dir of text or HTML into OUT=build/labelled, for tinsach review; FORCE=1 overwrites corrections
	$(BIN)/tinsach label $(PAGES) --output-dir $(OUT) $(if $(FORCE),--force)

evaluate: $(STAMP) ## Evaluate on held-out composed pages, or on PAGES=dir of gold TSV pages; build/evaluation.html shows it
	$(BIN)/python -m training.evaluate $(PAGES) --html build/evaluation.html

leave-out: $(STAMP) ## Measure on PAGES=dir of gold pages whose publisher networks were left out of training
	$(BIN)/python -m training.leave_out $(PAGES) --json models/left_out.json $(OPTIONS)

gate: $(STAMP) ## Fail when the model falls below models/floors.json
	$(BIN)/python -m training.gate

measure: $(STAMP) ## Write layouts and measurements of PAGES=dir of gold TSV pages, which `make train` learns from; no words
	$(BIN)/python -m training.measure $(PAGES) --jobs $(JOBS)

site-memory: $(STAMP) ## Fit the evidence curve of the site memory to PAGES=dir of gold TSV pages, and measure its effect
	OMP_NUM_THREADS=1 $(BIN)/python -m training.site_memory $(PAGES) --crawl 200

bench: $(STAMP) ## Measure speed against fastText, scikit-learn, jusText and trafilatura
	$(call install,$(VENV),--editable '.[bench]')
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.bench

limits: $(STAMP) ## Measure memory, growth, processes and loading against their limits
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.limits

audit: $(STAMP) ## Look every package up for known vulnerabilities, where the service can be reached
	PYTHONWARNINGS=ignore $(BIN)/python -m tests.slow.audit

fuzz: $(STAMP) ## Fuzz calls and model file with INPUTS=200000 inputs, SEED= to repeat a run (about 20 minutes)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz.run --inputs $(INPUTS) $(if $(SEED),--seed $(SEED))

# Its objects die with the process, so leaks are not looked for.
fuzz-kernel: $(STAMP) ## Fuzz the compiled kernel against numpy, INPUTS= and SEED= as above, under the sanitizers (about an hour)
	@$(call kernel_tree,sanitized)
	cd build/sanitized && OMP_NUM_THREADS=1 TINSACH_KERNEL=1 ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libubsan.so)" \
		PYTHONMALLOC=malloc ../../$(BIN)/python -m tests.fuzz.run --compare --inputs $(INPUTS) $(if $(SEED),--seed $(SEED))

chaos-remote: $(STAMP) ## Clean a crawl in S3 RUNS=40 times while requests fail and the process is killed; SEED= of the first run
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.slow.chaos_remote --runs $(or $(RUNS),40) $(if $(SEED),--seed $(SEED))

soak: $(STAMP) ## Push two million lines through one stream; memory flat, result as in batch
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.slow.soak

worst-case: $(STAMP) ## Time the nastiest megabytes against ordinary pages
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.slow.worst_case

chaos: $(ENGINES)/.installed ## Kill executors, nodes and drivers of RUNS=60 jobs on Spark and Ray, and compare their results
	OMP_NUM_THREADS=1 RAY_USAGE_STATS_ENABLED=0 $(ENGINES)/bin/python -m tests.slow.chaos --runs $(or $(RUNS),60) --seed $(or $(SEED),1) $(OPTIONS)

reliability: $(STAMP) ## Run fuzz, soak and worst-case in full and write their figures to docs/RELIABILITY.md
	mkdir -p $(FIGURES)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz.run --seed $(or $(SEED),1) --json $(FIGURES)/fuzz.json
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.slow.soak --json $(FIGURES)/soak.json
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.slow.worst_case --json $(FIGURES)/worst-case.json
	$(BIN)/python -m tests.slow.figures

clean: ## Remove what make made, but not the model
	rm -rf classifier/core/_kernel*.so $(VENV) .venv-audit $(ENGINES) $(OLDEST) $(CLOUDS) build dist *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache
