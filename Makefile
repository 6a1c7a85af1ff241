# `make` alone lists the targets. Each sets up what it needs: only git, make and a Python of 3.10 or newer are required.

.DEFAULT_GOAL := help
.PHONY: help run test rehearse fuzz engine load bench growth check format lock build deploy configure doctor logs reannounce destroy \
	contracts freeze faults mutants screenshots docs clean

PYTHON := .venv/bin/python
UV := .tools/uv/bin/uv
READY := sh tools/bootstrap.sh

# The caller's shell may be set up for another project, and may forbid bytecode: a dozen processes make the local stack,
# and each would compile all that it imports.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV PYTHONDONTWRITEBYTECODE
export SAM_CLI_TELEMETRY := 0
# An advertisement at each build.
export NO_MKDOCS_2_WARNING := 1

help: ## List the targets
	@echo "usage: make TARGET [NAME=value ...]"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1 \2/p' Makefile | \
		while read -r target does; do printf '  %-12s %s\n' "$$target" "$$does"; done

run: ## Run everything on this machine, without AWS (PORT=8000 BROKERS_PORT=8001 AWS_PORT=8002)
	@$(READY) local
	@exec $(PYTHON) -m local

test: ## Run the tests (ARGS="tests/unit -k expiry" passes arguments to pytest; JOBS=0: in one process; CHROMIUM=/path)
	@$(READY) dev
	@$(READY) ministack
	@$(READY) sam
	@$(READY) node
	@$(READY) docs
	@$(PYTHON) -m tools.chromium
	@$(PYTHON) -m tools.asyncapi
	@exec $(PYTHON) -m pytest --numprocesses $(or $(JOBS),3) $(ARGS)

rehearse: ## Deploy into an emulator with the operator's own commands, log in there, and remove it all
	@$(READY) dev
	@$(READY) ministack
	@$(READY) sam
	@$(READY) awscli
	@exec $(PYTHON) -m pytest tests/deployed $(ARGS)

fuzz: ## Try new inputs and histories of logins, and count them (EXAMPLES=1000 for each test; about 15 minutes)
	@$(READY) dev
	@exec env BROKERLINK_EXAMPLES=$(or $(EXAMPLES),1000) $(PYTHON) -m pytest tests/properties $(ARGS)

engine: ## Run what depends on AWS on one engine of it (ENGINE=moto, ministack or dynamodb-local; ROUNDS=4 of each race)
	@$(READY) dev
	@$(ENGINE_READY)
	@exec env BROKERLINK_ENGINE=$(or $(ENGINE),moto) BROKERLINK_ROUNDS=$(or $(ROUNDS),4) $(PYTHON) -m pytest tests/engines tests/integration tests/concurrency $(ARGS)
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

growth: ## Time logins as the tables fill, and as brokers are added (ROWS="1000 10000 100000" in each table)
	@$(READY) local
	@$(READY) ministack
	@exec $(PYTHON) -m bench.growth $(ROWS)

check: ## Check style, types and templates
	@$(READY) dev
	@$(READY) sam
	@$(READY) checkov
	@$(READY) docs
	@$(MAKE) --no-print-directory --jobs 2 --keep-going $(WHOLE) $(CHECKS)
# What takes longest begins first. Of two that run at once, each tells all in one piece, where this make can do that.
CHECKS := check-types check-policies check-templates check-style check-site
WHOLE := $(if $(filter output-sync,$(.FEATURES)),--output-sync)
.PHONY: $(CHECKS)

check-types:
	$(PYTHON) -m mypy

check-policies:
	.tools/checkov/bin/python -m checkov.main --framework cloudformation --skip-download --compact --quiet \
		--file template.yaml examples/consumer/template.yaml

check-templates:
	$(PYTHON) -m tools.lint_templates
	.tools/sam/bin/python -m samcli validate --lint --template template.yaml
	.tools/sam/bin/python -m samcli validate --lint --template examples/consumer/template.yaml

check-style:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

check-site:
	$(SITE) build --strict

format: ## Bring the code into its style
	@$(READY) dev
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

lock: ## Pin the requirements anew from pyproject.toml (ARGS=--upgrade takes newer versions)
	@$(READY) uv
	@# dev first: what is also in the other two has the same version there.
	$(LOCK) --python-version 3.13 --group local --group dev -o requirements/dev.txt
	$(LOCK) --python-version 3.13 --group local -c requirements/dev.txt -o requirements/local.txt
	$(LOCK) --python-version 3.13 --group runtime -c requirements/dev.txt -o requirements/runtime.txt
	$(LOCK) --python-version 3.13 --group sam -o requirements/sam.txt
	$(LOCK) --python-version 3.13 --group ministack -o requirements/ministack.txt
	$(LOCK) --python-version 3.13 --group checkov -o requirements/checkov.txt
	$(LOCK) --python-version 3.13 --group awscli -o requirements/awscli.txt
	$(LOCK) --python-version 3.13 --group node -o requirements/node.txt
	$(LOCK) --python-version 3.13 --group docs -o requirements/docs.txt
	$(LOCK) --python-version 3.10 --group uv -o requirements/uv.txt
LOCK = $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command "make lock" $(ARGS)

build: ## Build the functions and layers for deployment (ARGS passes arguments to sam build)
	@$(READY) sam
	PATH="$(CURDIR)/.tools/sam/bin:$$PATH" .tools/sam/bin/python -m samcli build $(ARGS)

deploy: ## Build, and deploy a stage of samconfig.toml (STAGE=default PARAMETERS='Name=value ...' YES=1 does not ask)
	@$(READY) local
	@$(READY) sam
	@$(PYTHON) -m tools.deploy $(if $(YES),--yes)

configure: ## Set a broker app up, its secrets too (BROKER=pocketful STAGE=default SET='{"pkce": false}')
	@$(READY) local
	@$(READY) sam
	@$(PYTHON) -m tools.configure

doctor: ## Check a stage, and print the callback URLs for the brokers' consoles (STAGE=default)
	@$(READY) local
	@$(PYTHON) -m tools.doctor

logs: ## Show a stage's logs (STAGE=default SINCE=10min FOLLOW=1 goes on)
	@$(READY) local
	@$(READY) sam
	@$(PYTHON) -m tools.logs $(if $(FOLLOW),--follow)

reannounce: ## Announce a stage's live tokens issued since a time again (SINCE=2026-11-23T08:30 STAGE=default)
	@$(READY) local
	@$(PYTHON) -m tools.reannounce

destroy: ## Remove a stage's stack, after asking (STAGE=default)
	@$(READY) local
	@$(PYTHON) -m tools.destroy

contracts: ## Try contracts/openapi.yaml on a running local stack (URL=http://127.0.0.1:8000)
	@$(READY) dev
	@PYTHONPATH=. exec .venv/bin/schemathesis --config-file contracts/schemathesis.toml run contracts/openapi.yaml \
		--url $(or $(URL),http://127.0.0.1:8000) --no-color $(ARGS)

freeze: ## Freeze the contracts of a release, once, in contracts/released
	@$(READY) dev
	@$(PYTHON) -m tools.freeze

faults: ## Run every cell of the fault matrix and write docs/fault-matrix.md anew
	@$(READY) dev
	@$(PYTHON) -m tests.faults.write_matrix

mutants: ## Try the core's mutants on its tests (ARGS="attempts expiry" chooses modules, --anew tries all again)
	@$(READY) dev
	@exec $(PYTHON) -m tools.mutants $(ARGS)

screenshots: ## Take the pages' screenshots for the docs
	@$(READY) dev
	@$(PYTHON) -m tools.screenshots

docs: ## Build the documentation's site in build/site (SERVE=1 shows it too, on 127.0.0.1:8080, or PORT=)
	@$(READY) docs
	@$(SITE) build --strict # with --quiet it would not see the warnings that it is strict about
	@$(if $(SERVE),exec $(SITE) serve --dev-addr 127.0.0.1:$(or $(PORT),8080))
SITE = .tools/docs/bin/python -m mkdocs

clean: ## Remove what was built and cached; .venv and .tools stay
	rm -rf .aws-sam .hypothesis .mypy_cache .pytest_cache .ruff_cache build
	find . -name .venv -prune -o -name .tools -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
