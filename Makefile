# Two targets do everything on a fresh machine: `make demo` and `make test`.
# Both work in one environment, .venv, which holds napari too, so that the results of the demo can be opened.

PYTHON ?= python3
WORKERS ?= 2
DEMO_OUT ?= bracketseg-demo
PYTEST_ARGS ?=

BIN := .venv/bin
INSTALLED := .venv/.installed

# What Qt and OpenGL need to draw on a virtual screen.
SCREEN_PACKAGES := xvfb xauth libegl1 libgl1 libgl1-mesa-dri libopengl0 libxkbcommon-x11-0 \
	libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxcb-shape0 \
	libxcb-render-util0 libxcb-xinerama0 libdbus-1-3 libfontconfig1 libglib2.0-0

# Shell functions: `permitted` finds how to become root without a question (and fails if there is
# no way), `apt_install PACKAGE...` installs with it.
APT := permitted() { \
	  if [ "$$(id -u)" = 0 ]; then root=; \
	  elif sudo -n true 2>/dev/null; then root="sudo -n"; \
	  else return 1; fi; }; \
	apt_install() { \
	  $$root env DEBIAN_FRONTEND=noninteractive apt-get -qq update && \
	  $$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
	    --no-install-recommends install -y "$$@" </dev/null; }

export PIP_NO_INPUT := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test lint screen dist clean

help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile

demo: $(INSTALLED)  ## Run the main job on sample_data; the results go to bracketseg-demo
	$(BIN)/bracketseg demo --out $(DEMO_OUT)

# The tests share the cores between workers, so each worker's torch and OpenMP keep to one thread.
test: screen $(INSTALLED) lint  ## Check the style, the types and the layers, and run all tests
	@if command -v xvfb-run >/dev/null; then \
	  set -- env QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1600x1000x24"; \
	else \
	  set -- env; \
	fi; \
	OMP_NUM_THREADS=1 "$$@" $(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_ARGS)

lint: $(INSTALLED)  ## Check the style, the types and the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

dist: $(INSTALLED)  ## Build the sdist and, from it, the wheel
	$(BIN)/python -m build

clean:  ## Remove what was built and the results of the demo; the environment stays
	rm -rf build dist bracketseg-demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests sample_data -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev]'
	@touch $@

# Debian keeps ensurepip in a package of its own (python3-venv). Where it is missing, the pip that is
# there puts another into the environment; where that is missing too, the package is needed.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "bracketseg needs Python 3.11 or newer as $(PYTHON). Name another with: make PYTHON=python3.12 ..." >&2; \
	  exit 1; }
	@$(APT); \
	set -e; \
	if ! $(PYTHON) -c 'import ensurepip' 2>/dev/null && ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	  if command -v apt-get >/dev/null && permitted; then \
	    echo "Installing python3-venv"; \
	    apt_install python3-venv; \
	  else \
	    echo "An environment cannot be made: $(PYTHON) has neither ensurepip nor pip." >&2; \
	    echo "On Debian, run this, and then make again: sudo apt-get update && sudo apt-get install python3-venv" >&2; \
	    exit 1; \
	  fi; \
	fi; \
	echo "Making the environment .venv"; \
	if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
	  $(PYTHON) -m venv --clear .venv; \
	else \
	  $(PYTHON) -m venv --clear --without-pip .venv; \
	  $(PYTHON) -m pip --python $(BIN)/python install -q pip; \
	fi

# A simulated installation shows what is missing; it needs no permission and no network.
screen:
	@$(APT); \
	if [ "$$(uname)" != Linux ]; then \
	  exit 0; \
	elif ! command -v apt-get >/dev/null; then \
	  if ! command -v xvfb-run >/dev/null && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
	    echo "The tests of the window need a screen, and there is none. Install xvfb-run (Xvfb with Mesa) and run make again." >&2; \
	    exit 1; \
	  fi; \
	elif simulated=$$(apt-get -s --no-upgrade --no-install-recommends install $(SCREEN_PACKAGES) 2>/dev/null) \
	    && ! echo "$$simulated" | grep -q '^Inst '; then \
	  exit 0; \
	elif permitted; then \
	  echo "Installing the Debian packages for a virtual screen"; \
	  apt_install $(SCREEN_PACKAGES) || { \
	    echo "apt-get failed; see its message above. The tests need these packages: $(SCREEN_PACKAGES)" >&2; exit 1; }; \
	elif [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
	  echo "Some packages for a virtual screen are missing; the tests may open windows on yours. To install them:" >&2; \
	  echo "  sudo apt-get update && sudo apt-get install --no-install-recommends $(SCREEN_PACKAGES)" >&2; \
	else \
	  echo "The tests of the window need a virtual screen, and installing it needs root. Run this, and then make again:" >&2; \
	  echo "  sudo apt-get update && sudo apt-get install --no-install-recommends $(SCREEN_PACKAGES)" >&2; \
	  exit 1; \
	fi
