# One command each: `make run` starts Waybill, `make test` tests it, `make faults` breaks it, `make bench` measures it.

PYTHON ?= python3
VENV := .venv
RUNS ?= 200000
DEMO_DATABASE ?=
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
unexport PYTHONDONTWRITEBYTECODE # what is compiled is kept: a site that starts without that takes a second more
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: help run demo test faults bench bench-pages bench-ticks bench-volumes walk translations venv clean
.DEFAULT_GOAL := help

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

run: $(VENV)/.runtime ## Start web, worker and scheduler (Ctrl-C stops them)
	python -m ledger
	@echo "Waybill: $$(python -c '$(ADDRESS)')"
	@exec honcho start --env /dev/null --port "$$(python -c '$(PORT_SET)')"

demo: export override WAYBILL_VAR = var/demo
demo: export override DATABASE_URL = $(DEMO_DATABASE)
demo: export override BROKER_URL =
demo: export override JOBS = bench.demo.jobs,workers.jobs
demo: $(VENV)/.runtime ## The same, in var/demo, on a made-up week of a shop (RUNS=5000 for less than 200,000 runs)
	python -m bench.demo --runs $(RUNS)
	@echo "Waybill: $$(python -c '$(ADDRESS)')"
	@exec honcho start --env /dev/null --procfile bench/demo/Procfile --app-root . --port "$$(python -c '$(PORT_SET)')"

test: $(VENV)/.dev ## Install what is missing and run all tests (ARGS="-k name" for some)
	scripts/install-debian.sh
	pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

faults: $(VENV)/.dev ## Break everything on purpose and check the promises: an hour and more (ARGS="--help" for more)
	scripts/install-debian.sh
	python -m tests.faults $(ARGS)

bench: $(VENV)/.dev ## Measure Waybill beside plain Dramatiq and Celery (ARGS="--help" for more)
	scripts/install-debian.sh
	python -m bench.throughput $(ARGS)

bench-pages: $(VENV)/.dev ## Measure the pages beside Flower and rq-dashboard (ARGS="--help" for more)
	scripts/install-debian.sh redis
	python -m bench.pages $(ARGS)

bench-ticks: $(VENV)/.dev ## Measure how punctual schedules are, beside celery beat (ARGS="--help" for more)
	scripts/install-debian.sh
	python -m bench.ticks $(ARGS)

bench-volumes: $(VENV)/.dev ## Measure how volumes are loaded, as ratios to what is possible (ARGS="--help" for more)
	scripts/install-debian.sh
	python -m bench.volumes $(ARGS)

walk: $(VENV)/.dev ## See every page in Chromium, empty and lived in, in both languages; pictures in var/screenshots
	scripts/install-debian.sh
	pytest tests/every_walk.py $(ARGS)

translations: $(VENV)/.dev ## Collect what the pages say into the catalogues, and compile them
	pybabel -q extract -F babel.cfg -k _l -k N_ --no-location --omit-header -o web/translations/messages.pot .
	pybabel -q update -w 120 -i web/translations/messages.pot -d web/translations --no-fuzzy-matching --ignore-obsolete
	pybabel -q compile -d web/translations

venv: $(VENV)/.dev ## Make the virtual environment, for development too

clean: ## Remove the virtual environment and caches; `var/`, your data, stays
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.runtime: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	$(PIP) install -r requirements-dev.txt
	@touch $@

# honcho would read `.env` by rules of its own and hand out ports from 5000: the settings do both.
PORT_SET := from ledger.settings import settings; print(settings().port)
ADDRESS := from ledger.settings import settings; print(f"http://{settings().web_host}:{settings().port}")
