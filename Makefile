SHELL := /bin/bash
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/roundtable
export PATH := $(CACHE)/tools/bin:$(PATH)

.PHONY: help run test bench soak lint
.NOTPARALLEL:

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start a server and the client in a room, and print the link for guests
	@scripts/run.sh

test: ## Install what the tests need, build, and run all tests
	scripts/setup-test.sh
	cargo build --workspace --bins --examples --locked
	cargo test --workspace --doc --locked
	cargo nextest run --workspace --locked --no-fail-fast

bench: ## Measure against Node and Chromium; docs/PERFORMANCE.md has figures, and two programs more (profiles, audio)
	scripts/setup-test.sh
	cargo build --release --workspace --bins --locked
	cargo run --release --locked --package bench --bin signaling
	cargo run --release --locked --package bench --bin participant

soak: ## Run the tests that take long
	scripts/setup-test.sh
	cargo build --workspace --bins --examples --locked
	cargo nextest run --workspace --locked --no-fail-fast --run-ignored only

lint: ## Check format, lints, documentation, dependencies and layers
	scripts/lint.sh
