# `make demo` and `make test` need Python 3.11 or newer, and nothing else that is not said on the way.
.DEFAULT_GOAL := help
.PHONY: help venv test demo lint types docs lowest pythons redises soak bench mutants constraints audit release scanners clean

VENV := .venv
PYTHON := $(VENV)/bin/python
# arq needs an older redis-py than the rest, so `make bench` runs it in an environment of its own.
ARQ := $(VENV)/arq/bin/python
PIP := $(PYTHON) -m pip --quiet --disable-pip-version-check
FIND_PYTHON := sh .ci/find-python
SERVICES := services/transport services/feed
PROJECTS := --editable '.[demo]' --editable services/transport --editable 'services/feed[postgresql]'
# In CI, and for a release, exactly the packages of .ci/constraints.txt, whose hashes pip checks.
ifdef CI
INSTALL = $(PIP) install --require-hashes --requirement .ci/constraints.txt && \
	$(PIP) install --no-deps --no-build-isolation $(PROJECTS)
else
INSTALL = $(PIP) install --upgrade 'pip>=25.1' && $(PIP) install $(PROJECTS) --group dev --group ecosystem
endif
ARGS ?=
# Tests start the commands thousands of times, and most of that is compiling modules unless Python keeps what it compiled.
unexport PYTHONDONTWRITEBYTECODE
# Three tests at a time: they wait more than they work. A Redis that was given is one database, which only one may use.
PYTEST := -m pytest --numprocesses $(if $(CONTRACT_TEST_REDIS_URL),0,3) --dist worksteal --timeout 300 --durations 5

help: ## list what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: venv ## the whole loop on embedded brokers
	@$(VENV)/bin/contract-test demo $(ARGS)

test: lint types docs ## every check and test; ARGS="-k redis -x" or ARGS="-n 0" goes to pytest
	@$(VENV)/bin/contract-test generate --check
	@$(PYTHON) $(PYTEST) $(ARGS)
	@for service in $(SERVICES); do (cd $$service && ../../$(PYTHON) $(PYTEST) --contracts) || exit 1; done

lint: venv ## ruff: rules and format; and the words of docs, docstrings and names
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(PYTHON) tests/house/words.py

types: venv ## mypy, strict
	@$(VENV)/bin/mypy --no-error-summary src $(SERVICES:%=%/src)

docs: venv ## the documentation site, in build/site; fails on a warning, such as a broken link
	@rm -rf build/site .cache/[0-9]* # and not --clean, which would empty .cache, where a Kafka that was fetched is
	@$(VENV)/bin/zensical build --strict

lowest: venv ## the toolkit's tests with the oldest dependencies that pyproject.toml allows
	@$(PYTHON) -m venv $(VENV)/lowest
	@$(VENV)/lowest/bin/pip --quiet --disable-pip-version-check install uv
	@$(VENV)/lowest/bin/uv pip install --quiet --python $(VENV)/lowest/bin/python --resolution lowest-direct \
		--editable '.[demo]' --group dev --group ecosystem --editable services/transport --editable 'services/feed[postgresql]'
	@$(VENV)/lowest/bin/python $(PYTEST) $(ARGS)

pythons: ## the toolkit's tests on each supported Python that is here
	@for version in 3.11 3.12 3.13; do \
		python$$version -c '' 2>/dev/null || { echo "python$$version is not here: not tested" >&2; continue; }; \
		echo "python$$version" >&2; \
		$(MAKE) --no-print-directory VENV=.venv/$$version FIND_PYTHON="echo python$$version" .venv/$$version/installed && \
		.venv/$$version/bin/python -m pytest -n 2 $(ARGS) || exit 1; \
	done

redises: venv ## the tests that use Redis on the one on the PATH, and on Valkey; many minutes
	@$(PYTHON) tests/brokers/each_redis.py $(ARGS)

soak: venv scanners ## random bytes, and the services' faults, at length and against the clock; many minutes, on an idle machine
	@$(PYTHON) -m pytest -m soak --timeout 3600 tests/envelopes tests/gate tests/record tests/scrub $(ARGS)
	@for service in $(SERVICES); do (cd $$service && ../../$(PYTHON) -m pytest -m soak $(ARGS)) || exit 1; done

bench: venv ## every goal beside what this run measures, and the peers; ARGS="record_speed" runs one
	@$(PIP) install --group bench
	@test -x $(ARQ) || $(PYTHON) -m venv $(VENV)/arq
	@$(ARQ) -m pip --quiet --disable-pip-version-check install --upgrade 'pip>=25.1'
	@$(ARQ) -m pip --quiet --disable-pip-version-check install --group bench-arq
	@ARQ_PYTHON=$(CURDIR)/$(ARQ) $(PYTHON) tests/benchmarks $(ARGS)

mutants: venv ## change the code and see which tests notice; ARGS="contract_test.scanner*" names what; all of it takes many hours
	@$(PIP) install --group mutants
	@$(VENV)/bin/mutmut run $(ARGS)

constraints: ## write .ci/constraints.txt: every package that a checkout installs, with its version and hashes
	@uv pip compile pyproject.toml --extra demo --group dev --group ecosystem --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet --output-file .ci/constraints.txt

audit: venv ## known vulnerabilities of the packages in .ci/constraints.txt; fails if their source is not reached
	@$(PIP) install --group release
	@$(VENV)/bin/pip-audit --strict --disable-pip --require-hashes --requirement .ci/constraints.txt || \
		{ echo "A package has a known vulnerability, or the source of vulnerabilities was not reached: see above" >&2; exit 1; }

release: venv ## the wheel and the sdist, with an SBOM (CycloneDX) and the licences of all packages, in dist
	@$(PIP) install --group release
	@rm -rf dist
	@$(VENV)/bin/hatchling build --directory dist
	@$(VENV)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file dist/sbom.cdx.json .ci/constraints.txt
	@$(PYTHON) .ci/licences.py > dist/licences.txt

scanners: ## gitleaks, in .cache: what judges recordings beside detect-secrets; with Go 1.24 or newer
	@GOBIN=$(abspath .cache/bin) go install github.com/zricethezav/gitleaks/v8@v8.30.1

venv: $(VENV)/installed ## the environment, in .venv

clean: ## remove the environment, what was fetched, and caches
	rm -rf $(VENV) mutants .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is older than a changed pyproject.toml, which is then installed anew.
$(VENV)/installed: pyproject.toml $(if $(CI),.ci/constraints.txt) $(SERVICES:%=%/pyproject.toml) | $(VENV)/bin/pip
	@echo "Installing the toolkit, its tools and the reference services into $(VENV)" >&2
	@$(INSTALL)
	@touch $@

$(VENV)/bin/pip:
	@python=$$($(FIND_PYTHON)) && \
	echo "Creating $(VENV) with $$python ($$($$python --version))" >&2 && \
	$$python -m venv --clear $(VENV)
