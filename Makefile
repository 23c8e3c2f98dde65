# Everything a person needs; the work is done by the tools these lines call.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MEMBERS := libs/common libs/sparksim libs/cli services/gateway services/swapper services/health services/audio-proxy services/redaction services/coordinator

# Images of containers like to set it. Here processes start over and over, and each would compile
# all of our sources anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo up setup check fix fast test chaos mutation audit test-torch test-connected e2e schemas screenshots lock image image-sim bench litellm notices startos x86 aarch64 s9pk clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## run the whole product against two simulated Sparks
	@$(BIN)/sparkctl demo

up: $(VENV)/.runtime ## run the whole product against the Sparks of your environment or .env
	@$(BIN)/sparkctl up

setup: $(VENV)/.dev ## create the virtual environment with everything for development

check: $(VENV)/.dev ## lint, types and spelling, without tests
	@scripts/check.sh

fix: $(VENV)/.dev ## format and repair what can be repaired by itself
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

fast: $(VENV)/.dev ## the tests that need no server (under a minute)
	@$(BIN)/pytest -n 2 --dist loadfile -m "not connected and not e2e and not browser and not chaos"

test: $(VENV)/.dev ## check, then every test; what CI runs
	@scripts/test.sh

test-torch: ## the embedding container with a real PyTorch (root, Debian; minutes the first time)
	@scripts/test_torch.sh

test-connected: $(VENV)/.dev ## the tests against real NATS, Redis and SSH
	@$(BIN)/pytest -n 2 --dist loadfile -m connected

e2e: $(VENV)/.dev ## the whole product, with a browser and with kills
	@$(BIN)/pytest -m "e2e or chaos"

chaos: $(VENV)/.dev ## the chaos suite in its nightly size, and docs/reliability.md from it (an hour)
	@scripts/chaos.sh

mutation: $(VENV)/.dev $(VENV)-mutation/.installed ## break the code on purpose, and see which tests notice (half an hour)
	@$(VENV)-mutation/bin/python scripts/mutation.py

audit: $(VENV)-audit/.installed ## ask whether a locked dependency has a known vulnerability
	@$(VENV)-audit/bin/python scripts/audit.py

schemas: $(VENV)/.dev ## write docs/events, docs/EVENTS.md, docs/FAILURES.md and the diagrams from the code
	@$(BIN)/python -m spark_common.schemas docs/events
	@$(BIN)/python -m spark_swapper.diagram docs/architecture.md
	@$(BIN)/python -m spark_common.bus.diagram docs/architecture.md
	@$(BIN)/python scripts/events_doc.py
	@$(BIN)/python scripts/failures_doc.py

screenshots: $(VENV)/.dev ## make the pictures of README and docs anew, with Chromium and a demo of their own
	@$(BIN)/python scripts/screenshots.py

lock: $(VENV)/.dev ## resolve the dependencies again
	@scripts/lock.sh

litellm: $(VENV)-litellm/.installed ## the environment of the one test that asks through litellm

image: ## build the container image of all services
	@docker build -f deploy/Dockerfile -t spark-control:dev \
	  --build-arg VERSION=$$(cat VERSION) --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) .

image-sim: image ## build the image of the simulated Sparks, for the compose profile sim
	@docker build -f deploy/sim.Dockerfile -t spark-control-sim:dev .

notices: $(VENV)/.dev ## write THIRD_PARTY.md from the locks
	@$(BIN)/python scripts/notices.py

startos: ## check, bundle and test the StartOS package (needs node)
	@scripts/startos.sh

x86 aarch64 s9pk: ## pack the StartOS package for one machine kind or both (needs start-cli)
	@$(MAKE) -C startos $@

bench: $(VENV)/.dev ## measure what the gateway adds
	@$(BIN)/python -m benchmarks.gateway

clean: ## remove the environment and all state of the demo
	@rm -rf $(VENV) $(VENV)-litellm $(VENV)-audit $(VENV)-mutation .run artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.runtime: requirements.lock $(MEMBERS:%=%/pyproject.toml) scripts/venv.sh
	@PYTHON="$(PYTHON)" scripts/venv.sh $(VENV) requirements.lock $(MEMBERS)
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(MEMBERS:%=%/pyproject.toml) scripts/venv.sh
	@PYTHON="$(PYTHON)" scripts/venv.sh $(VENV) requirements-dev.lock $(MEMBERS)
	@touch $(VENV)/.runtime $@

$(VENV)-audit/.installed $(VENV)-mutation/.installed: $(VENV)-%/.installed: requirements-%.lock scripts/venv.sh
	@PIP_NO_COMPILE=1 PYTHON="$(PYTHON)" scripts/venv.sh $(VENV)-$* requirements-$*.lock
	@touch $@

$(VENV)-litellm/.installed: requirements-litellm.lock scripts/venv.sh
	@PIP_NO_COMPILE=1 PYTHON="$(PYTHON)" scripts/venv.sh $(VENV)-litellm requirements-litellm.lock
	@touch $@
