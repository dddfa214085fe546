# `make` lists what can be made. Everything is installed into .venv, nothing outside this folder but the models and,
# for the tests, Chromium and PostgreSQL.
#
# .venv/.installed is written last and names the folder it was written in: an environment without it is half-made, one
# with another folder in it was moved, which no environment survives. Either is made anew.

PYTHON_ASKED := $(PYTHON)
PYTHON ?= python3

# Room needed in MB, measured with the CPU build of torch: .venv, what pip unpacks on the way, the models on arrival.
ENVIRONMENT_MB := 2500
DOWNLOADS_MB := 800
MODELS_MB := 1500
TEST_MODELS := qwen2.5-coder-1.5b-instruct all-MiniLM-L6-v2 smollm2-135m-instruct

PIP_INSTALL := -m pip --disable-pip-version-check install --only-binary :all: --no-build-isolation
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

READY := $(shell \
	[ "$$(cat .venv/.installed 2>/dev/null)" = "$$(pwd -P)" ] && \
	version=$$(.venv/bin/python -V 2>&1) && \
	{ [ -z "$(PYTHON_ASKED)" ] || [ "$$("$(PYTHON_ASKED)" -V 2>&1)" = "$$version" ]; } && \
	echo yes)

.NOTPARALLEL:
.PHONY: help run test eval lint audit format constraints clean preflight environment chromium postgresql

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.* ## /  make \1	/p' Makefile | expand -t 22

run: .venv/.installed ## Set up if needed, index seeds/ and open the page on http://127.0.0.1:7860
	@echo "Looking for the models (the first time 1.2 GB are downloaded)"
	@.venv/bin/rag models fetch
	@echo "Indexing seeds/ (seconds; nothing to do when unchanged)"
	@.venv/bin/rag index seeds
	@echo "Starting the page (Ctrl-C stops it)"
	@.venv/bin/python app.py

test: $(if $(READY),,preflight) chromium postgresql .venv/.installed-dev lint ## Set up if needed, then run all checks and tests
	@echo "Looking for the models (the first time 1.3 GB are downloaded)"
	@.venv/bin/rag models fetch $(TEST_MODELS)
	.venv/bin/pytest

eval: .venv/.installed ## Score the sample questions (a quarter of an hour) and compare with benchmarks/baseline.json
	@.venv/bin/rag models fetch
	@.venv/bin/rag eval seeds
	@.venv/bin/rag compare benchmarks/baseline.json reports/seeds --must-not-drop "hit@5" \
		--must-not-drop "answer contained" --must-not-drop "cited sentence holds the answer" \
		--must-not-drop "refused as it should" --must-not-drop "refused though it should not"

lint: .venv/.installed-dev ## Check style, formatting, types and for insecure code
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/bandit -q -c pyproject.toml -r rag app.py tools

audit: .venv/.installed-dev ## Look up known holes in the dependencies (needs the network)
	.venv/bin/pip-audit -r constraints.txt --no-deps --disable-pip

format: .venv/.installed-dev ## Format the code and mend what ruff can mend
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

constraints: ## Resolve pyproject.toml afresh and rewrite constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "What suits the oldest Python\
	 suits the newer ones: run \`PYTHON=python3.11 make constraints\`." >&2; exit 1; }
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	"$(PYTHON)" -m venv "$$scratch" && \
	"$$scratch/bin/python" $(PIP_INSTALL) --upgrade 'setuptools>=77' && \
	"$$scratch/bin/python" $(PIP_INSTALL) -e '.[dev]' && \
	"$$scratch/bin/python" -m pip freeze --all --exclude-editable --exclude pip > "$$scratch/versions" && \
	sed -i.old '/^#/!d' constraints.txt && \
	sed 's/+cpu$$//' "$$scratch/versions" >> constraints.txt && rm constraints.txt.old

clean: ## Remove .venv and the caches; the models and the index stay
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

preflight:
	@"$(PYTHON)" -c "" 2>/dev/null || \
		{ echo "There is no working $(PYTHON) here: install Python 3.11, 3.12 or 3.13 (Debian: \`sudo apt install python3\
	 python3-venv\`) or name another one, as in \`PYTHON=python3.12 make run\`." >&2; exit 1; }
	@"$(PYTHON)" tools/preflight.py $(ENVIRONMENT_MB) $(DOWNLOADS_MB) $(MODELS_MB)

environment: preflight
	@echo "Making the environment .venv (seconds)"
	@rm -f .venv/.installed .venv/.installed-dev
	@"$(PYTHON)" -m venv --clear .venv

.venv/.installed-dev: EXTRA := [dev]
.venv/.installed .venv/.installed-dev: pyproject.toml constraints.txt $(if $(READY),,environment)
	@echo "Installing the dependencies into .venv (minutes; 2 GB with the CPU build of torch, 6 GB with the CUDA build)"
	@rm -f .venv/.installed .venv/.installed-dev
	@.venv/bin/python $(PIP_INSTALL) -c constraints.txt setuptools && \
	.venv/bin/python $(PIP_INSTALL) -c constraints.txt -e '.$(EXTRA)' || \
		{ echo "pip could not install the dependencies, and says why above: put that right and run make again." >&2; exit 1; }
	@pwd -P > .venv/.installed
	@pwd -P > $@

# libatomic is for the Node.js that comes with playwright; bare Debian is without it.
chromium:
	@packages=; \
	for name in $(BROWSERS); do command -v $$name >/dev/null && break; done || packages=chromium; \
	[ "$$(uname)" = Darwin ] || [ -n "$$(find /lib /usr/lib* -name libatomic.so.1 -print -quit 2>/dev/null)" ] || \
		packages="$$packages libatomic1"; \
	[ -n "$$packages" ] || exit 0; \
	if [ "$$(id -u)" = 0 ]; then root=; else root="sudo -n"; fi; \
	if command -v apt-get >/dev/null && $$root true 2>/dev/null; then \
		echo "Installing Debian's" $$packages "for the tests of the page (a minute or two)"; \
		$$root apt-get update && \
		$$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$packages && exit 0; \
	fi; \
	echo "The tests of the page need" $$packages "(Debian: \`sudo apt-get install" $$packages"\`; any Chromium or\
	 Chrome on the PATH will do): install that, or leave them out with \`.venv/bin/pytest -m 'not browser'\`." >&2; \
	exit 1

# The tests start a server of their own in a temporary folder; whatever cluster Debian makes is left alone.
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0; command -v initdb >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ]; then root=; else root="sudo -n"; fi; \
	if command -v apt-get >/dev/null && $$root true 2>/dev/null; then \
		echo "Installing Debian's PostgreSQL for the tests of libraries on servers (a minute)"; \
		$$root apt-get update && \
		$$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql && exit 0; \
	fi; \
	echo "The tests of libraries on servers need PostgreSQL (Debian: \`sudo apt-get install postgresql\`): install that,\
	 or leave them out with \`.venv/bin/pytest --ignore tests/stores\`." >&2; \
	exit 1
