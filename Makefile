# Undertone. `make run` and `make test` set everything up themselves, also on an empty machine.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test lint bench evaluate menu unmenu icons translations lock clean
PYTHON_IN_VENV := .venv/bin/python

help: ## this list
	@awk -F ":.*## " '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: ## open the player: `make run MUSIC=~/Music`, or on a demo library without MUSIC
	@packaging/bootstrap.sh run
	@$(PYTHON_IN_VENV) packaging/start.py

test: ## style, types, architecture, tests, and the wheel outside the checkout
	@packaging/bootstrap.sh test
	@packaging/check.sh all

lint: ## style, types and architecture only
	@packaging/bootstrap.sh test
	@packaging/check.sh lint

bench: ## measure speed and memory at 100,000 tracks and on real songs
	@packaging/bootstrap.sh test
	@packaging/bench.sh

evaluate: ## reproduce the results tables: `make evaluate DATASET=music4q ROOT=DIR [ARGS=...]`
	@packaging/bootstrap.sh test
	@packaging/evaluate.sh

menu: ## put Undertone into your applications' menu (`make unmenu` takes it out)
	@packaging/bootstrap.sh run
	@$(PYTHON_IN_VENV) packaging/menu_entry.py

unmenu:
	@$(PYTHON_IN_VENV) packaging/menu_entry.py --remove

icons: ## render the application icon in all sizes
	@$(PYTHON_IN_VENV) packaging/render_icons.py

translations: ## update and compile the window's translations (`LANGUAGE=de` begins one)
	@$(PYTHON_IN_VENV) packaging/translations.py $(LANGUAGE)

lock: ## write packaging/constraints.txt from the present environment
	@$(PYTHON_IN_VENV) packaging/lock.py

clean: ## remove the virtual environment, the demo library and everything built
	rm -rf .venv .demo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

export MUSIC TRAINING DATASET ROOT ARGS
