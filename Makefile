# `make` alone lists the targets. Each sets up what it needs: only git, make and a Python of 3.10 or newer are required.

.DEFAULT_GOAL := help
.PHONY: help run test engine load bench check format lock build reannounce faults screenshots clean

PYTHON := .venv/bin/python
UV := .tools/uv/bin/uv
READY := sh tools/bootstrap.sh

# The caller's shell may be set up for another project.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV
export SAM_CLI_TELEMETRY := 0

help: ## List the targets
	@echo "usage: make TARGET [NAME=value ...]"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1 \2/p' Makefile | \
		while read -r target does; do printf '  %-12s %s\n' "$$target" "$$does"; done

run: ## Run everything on this machine, without AWS (PORT=8000 BROKERS_PORT=8001 AWS_PORT=8002)
	@$(READY) local
	@exec $(PYTHON) -m local

test: ## Run the tests (ARGS="tests/unit -k expiry" passes arguments to pytest; CHROMIUM=/path picks a browser)
	@$(READY) dev
	@$(READY) ministack
	@$(READY) sam
	@$(PYTHON) -m tools.chromium
	@exec $(PYTHON) -m pytest $(ARGS)

engine: ## Run what depends on the tables on one AWS engine (ENGINE=moto, ministack or dynamodb-local)
	@$(READY) dev
	@$(ENGINE_READY)
	@exec env BROKERLINK_ENGINE=$(or $(ENGINE),moto) $(PYTHON) -m pytest tests/engines $(ARGS)
ENGINE_READY = case "$(ENGINE)" in \
	"" | moto) ;; \
	ministack) $(READY) ministack ;; \
	dynamodb-local) $(PYTHON) -m tools.dynamodb_local ;; \
	*) echo "brokerlink: ENGINE must be moto, ministack or dynamodb-local." >&2; exit 2 ;; \
	esac

load: ENGINE ?= ministack
load: ## Log many customers in at once and count what was lost (LOGINS=500 RATE=8 a second ENGINE=ministack)
	@$(READY) local
	@$(ENGINE_READY)
	@exec $(PYTHON) -m bench.load --logins $(or $(LOGINS),500) --rate $(or $(RATE),8) --engine $(ENGINE)

bench: ## Measure the built artifact next to an empty and a naive function (ARGS="--json --runs 20")
	@$(READY) dev
	@$(MAKE) --no-print-directory build ARGS= >&2
	@exec $(PYTHON) -m bench.artifact $(ARGS)

check: ## Check style, types and templates
	@$(READY) dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m tools.lint_templates

format: ## Bring the code into its style
	@$(READY) dev
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

lock: ## Pin the requirements anew from pyproject.toml (ARGS=--upgrade takes newer versions)
	@$(READY) uv
	@# dev first: what is also in the other two has the same version there.
	$(LOCK) --python-version 3.13 pyproject.toml --group local --group dev -o requirements/dev.txt
	$(LOCK) --python-version 3.13 pyproject.toml --group local -c requirements/dev.txt -o requirements/local.txt
	$(LOCK) --python-version 3.13 pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	$(LOCK) --python-version 3.13 --group sam -o requirements/sam.txt
	$(LOCK) --python-version 3.13 --group ministack -o requirements/ministack.txt
	$(LOCK) --python-version 3.10 --group uv -o requirements/uv.txt
LOCK = $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command "make lock" $(ARGS)

build: ## Build the functions and layers for deployment (ARGS passes arguments to sam build)
	@$(READY) sam
	PATH="$(CURDIR)/.tools/sam/bin:$$PATH" .tools/sam/bin/python -m samcli build $(ARGS)

reannounce: ## Announce the live tokens issued since a time again (SINCE=...)
	@$(READY) local
	@$(PYTHON) -m tools.reannounce --since "$(SINCE)"

faults: ## Run every cell of the fault matrix and write docs/fault-matrix.md anew
	@$(READY) dev
	@$(PYTHON) -m tests.faults.write_matrix

screenshots: ## Take the pages' screenshots for the docs
	@$(READY) dev
	@$(PYTHON) -m tools.screenshots

clean: ## Remove what was built and cached; .venv and .tools stay
	rm -rf .aws-sam .hypothesis .mypy_cache .pytest_cache .ruff_cache build
	find . -name .venv -prune -o -name .tools -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
