# Everything runs in .venv and .peers inside the checkout; see `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
HUB := .venv/bin/hub
export PYTHON

.PHONY: help setup venv peers run demo test bench lint fmt types lock

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 10

venv:
	@scripts/venv

setup: venv  ## install everything into the checkout: .venv, and the real peers into .peers where they can be had
	@scripts/peers || echo "setup: the hub works without it; make test does not" >&2

peers: venv
	@scripts/peers --tests

run: venv  ## the hub itself, on hub.toml if there is one
	@exec $(HUB) run

demo: setup  ## callers, chats, mails and forms come in through the hub's real ports; DEMO_SECONDS=n ends it
	@exec $(HUB) demo

test: venv  ## what CI runs: real peers, format, lint, types, import contracts, all tests
	@scripts/check

bench: venv  ## side-by-side measurements, also written to benchmarks/results
	@exec .venv/bin/python -m benchmarks

lint: venv  ## format, lint, types and import contracts, changing nothing
	@scripts/lint

fmt: venv  ## put the code into the house's format
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format --quiet .

lock:  ## resolve the dependencies anew into requirements*.lock
	@scripts/lock
