# Every target sets itself up: `make demo` and `make test` work right after a clone (Python 3.11+ and make).
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# one process more than there are cores, as tests with servers mostly wait; four at most, for memory
PYTEST = $(BIN)/python -m pytest -n $(shell $(PYTHON) -c 'import os; print(min(os.cpu_count() + 1, 4))')
READY := .venv/.ready

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=…")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q connectors dashboards detectors flows rules # else, where PYTHONDONTWRITEBYTECODE is set, at each start
	@touch $@

.PHONY: demo
demo: $(READY) ## the main job on a simulated province, embedded, no servers
	$(BIN)/soc demo

.PHONY: test
test: $(READY) ## all tests; says what it skips when there is no JDK or Maven
	$(PYTEST) $(ARGS)

.PHONY: unit
unit: $(READY) ## the tests that need no server
	$(PYTEST) -m 'not integration' $(ARGS)

.PHONY: check
check: $(READY) ## format, lint, types, and the rules' own checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/soc rules check --strict

.PHONY: fix
fix: $(READY) ## put the code into its format and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(READY) ## speed and memory of a scan: make bench LOGS="file or folder" RULES=folder ARGS=--profile
	$(BIN)/soc bench $(LOGS) $(if $(RULES),--rules $(RULES)) $(ARGS)

.PHONY: up
up: ## Kafka, Elasticsearch, Kibana, Prefect and this program in containers
	docker compose up --detach --build --wait
	docker compose run --rm dashboards

.PHONY: smoke
smoke: ## with Docker: start all, push dashboards, see a log line become a finding and an alert
	tests/smoke.sh

.PHONY: down
down: ## stop the containers; data stays in its volumes
	docker compose down

.PHONY: lock
lock: $(READY) ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
