# Leadbus on one machine. `make` alone lists what there is.
#
# PYTHON=python3.12 takes another interpreter; DEMO='--seed 2 --size 1000' gives the sample other traffic.

PYTHON ?= python3
DEMO ?=
ONLY ?=
DATA ?= .data
# One more than a small machine has cores: what waits for time-outs shares them with what computes.
WORKERS ?= 3

RUN := .venv/bin/python
READY := .venv/.ready
# What is imported is compiled when it first is; all of it would take longer than the rest.
INSTALL := $(RUN) -m pip install --disable-pip-version-check --no-compile --constraint constraints.txt
PACKAGES := shared $(wildcard services/*) sandbox
PROJECTS := $(wildcard shared/pyproject.toml services/*/pyproject.toml sandbox/pyproject.toml)
CHECKED := $(PACKAGES) tests docs tools deploy

.DEFAULT_GOAL := help
.PHONY: help up demo rehearse bench bench-faults test test-extra supply-chain check docs clean .venv

help: ## this list
	@grep -hE '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

up: $(READY) ## start everything, feed the sample traffic, stay up until Ctrl-C; data are kept in .data
	@$(RUN) -m sandbox up --data $(DATA) $(DEMO)

demo: $(READY) ## the same on data of its own, and end; the last line is its figures as JSON
	@$(RUN) -m sandbox demo $(DEMO)

rehearse: $(READY) ## the local overlay's pods as processes: rolled, scaled and killed under traffic (minutes)
	@$(RUN) -m sandbox rehearse

bench: $(READY) ## measure: one JSON line per figure; ONLY=<name> takes one (minutes, 2 cores)
	@PYTHONPATH=tests $(RUN) -m bench $(ONLY)

bench-faults: $(READY) ## what counting once is worth: 5,000 random schedules and 50 real faults (about an hour)
	@SCHEDULES=0:5000 FAULTS=50 $(RUN) -m pytest -s --timeout 0 tests/integration/scoring/exactness

# Tests start some hundred processes: what one has compiled the others read, whatever the environment says.
test: $(READY) ## the whole test suite; it starts what it needs and stops it
	@PYTHONDONTWRITEBYTECODE= $(RUN) -m pytest -n $(WORKERS)

test-extra: $(READY) ## what needs more than pip can install (Debian's PHP, Node, Prometheus, and Apache with NTLM); .ci/run installs that
	@$(RUN) -m pytest tests/extra

supply-chain: $(READY) ## bill of materials, licences and known advisories, kept in dist/; .ci/run installs its tools
	@PYTHONPATH=deploy $(RUN) -m supply_chain dist

check: $(READY) ## style, types, and who may import whom
	@.venv/bin/ruff check $(CHECKED)
	@.venv/bin/ruff format --check $(CHECKED)
	@.venv/bin/mypy
	@.venv/bin/lint-imports

docs: $(READY) ## generate AsyncAPI, OpenAPI and JSON Schemas, and manifests of topics, users and scaling
	@$(RUN) docs/generate.py
	@PYTHONPATH=docs $(RUN) deploy/generate.py
	@PYTHONPATH=deploy $(RUN) -m observability

connector: $(READY) ## begin a connector to another CRM: make connector name=hubspot
	@$(RUN) tools/connector/make.py $(name)

clean: ## forget the data of `make up`
	@rm -rf $(DATA)

.venv: $(READY) ## the environment with all packages

$(READY): constraints.txt requirements-dev.txt $(PROJECTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Leadbus needs Python 3.11 or newer; $(PYTHON) is not. Name one: make PYTHON=python3.12"; \
	  exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make environments: Debian and Ubuntu keep that in a package of its own."; \
	  version=$$($(PYTHON) -c "import sys; print(\"%d.%d\" % sys.version_info[:2])"); \
	  echo "Install it as root: apt install python$$version-venv"; \
	  exit 1; }
	@echo "Making the environment in .venv (only when packages have changed)"
	@$(PYTHON) -m venv .venv
	@$(INSTALL) --quiet setuptools
	@$(INSTALL) --no-build-isolation \
	  $(addprefix --editable ./,$(PACKAGES)) --requirement requirements-dev.txt
	@touch $@
