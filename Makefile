# Understudy: stand up a staging stack, rehearse the migration on it, take it down.
# Options for the command go in ARGS: make up ARGS="--port-offset 100"; another stack in STACK: make up STACK=staging

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help modules setup setup-test up down test lint typecheck test-faults dashboards bench-stack bench-copy bench-migration bench-load

understudy := cli/understudy
STACK := local
# The project's own Node and tools. Not for the set-up: npm has to run on a Node that it may replace.
with_modules := PATH="$(CURDIR)/node_modules/.bin:$$PATH"

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

up: setup ## set up the machine, then deploy stack "local", or STACK
	@$(understudy) up --stack $(STACK) --yes $(ARGS)

down: ## destroy stack "local", or STACK; backups and reports stay
	@$(understudy) destroy --stack $(STACK) --yes $(ARGS)

setup: ## get Node, the Pulumi engine and the system packages
	@sh tools/bootstrap.sh up

setup-test:
	@sh tools/bootstrap.sh test

test: setup-test ## everything: lint, types, unit, integration and end-to-end tests
	@$(MAKE) --no-print-directory lint typecheck
	@$(with_modules) vitest run

modules:
	@sh tools/bootstrap.sh modules

lint: modules ## code rules and the direction of imports
	@$(with_modules) oxlint --deny-warnings

typecheck: modules ## types
	@$(with_modules) tsc --noEmit

test-faults: setup-test ## plant faults and count those found
	@$(with_modules) vitest run fault corpus

dashboards: modules ## write the Grafana dashboards from code
	@$(with_modules) node workloads/shared/writeDashboards.ts

bench-stack: setup ## time up, preview and destroy, and measure memory
	@$(with_modules) node bench/stack.ts

bench-copy: setup ## time the data copy against pg_dump and pg_restore, and measure memory
	@$(with_modules) node bench/copy.ts $(ARGS)

bench-migration: setup ## time the rehearsal of a million users, the clone and the harness, and measure memory
	@$(with_modules) node bench/migration.ts $(ARGS)

bench-load: modules ## how fast the load generator is, and whether it shows a stall
	@$(with_modules) node bench/load.ts
