# Every target sets up .venv by itself on first use and reuses it after.
# PYTHON: the interpreter that .venv is made from (3.11 or newer).
PYTHON ?= python3
JOBS ?= 2

# What PyTorch and all the rest cost to set up: the wheels of the lock, summed for macOS and
# Windows, and for Linux, where CUDA comes along; minutes at 100 Mbit/s.
COST := 0.4 GB to download, about two minutes
WITH_CUDA := 3.2 GB to download (PyTorch brings CUDA; 6 GB on disk), about six minutes
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
ifeq ($(shell uname -s),Linux)
COST := $(WITH_CUDA)
endif
endif
READY := $(VENV)/.ready
# What the course is measured against needs an environment of its own.
BENCH := .venv-bench
BENCH_BIN := $(BENCH)/$(notdir $(BIN))
# So have the tools of the lecture hall; what browsers need comes by npm.
LECTURE := .venv-lecture
LECTURE_BIN := $(LECTURE)/$(notdir $(BIN))
WEB := lecture/node_modules/.ready
# And what runs the suite under other versions, or against mutants.
TOOLS := .venv-tools
TOOLS_BIN := $(TOOLS)/$(notdir $(BIN))
# uv's own version is pinned where all others are.
UV_PIN := $(shell sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements/course.lock)
# Nothing to run is an error: pytest would run something else and pass. The shell finds the
# names: make would take a blank in one for the end of it.
NOTEBOOKS := notebooks/$(NB)*.ipynb
SOME_NOTEBOOKS = $(if $(wildcard $(NOTEBOOKS)),$(NOTEBOOKS),$(error No notebook fits $(NOTEBOOKS)))

export UV_PYTHON_DOWNLOADS := never

.PHONY: help lab update lab-course test unit fuzz notebooks-test browser-test notebooks lint lock bench bench-quick site slides lite instructor assignment lecture-test lite-test matrix mutants sealed clean

help:
	@echo "For students"
	@echo "  make lab             open your copies of the notebooks, in work/ (ARGS=… for JupyterLab)"
	@echo "  make update          bring a corrected course into them, and keep what is yours"
	@echo "  make test            unit tests, every notebook, what steps in a browser: all three"
	@echo
	@echo "For instructors (one notebook: NB=03)"
	@echo "  make slides          a deck of each notebook, and as PDF, in build/slides"
	@echo "  make site            the course as a static site, in build/site"
	@echo "  make lite            the course to run in a browser, nothing installed, in build/lite"
	@echo "  make instructor      the notebooks with all solutions, and a hand-out to print"
	@echo "  make assignment      a notebook to hand out, or grade what came back (SUBMISSIONS=folder)"
	@echo "  make lecture-test    are all of these as they should be? (after making them)"
	@echo "  make lite-test       of these, what make lite has made"
	@echo
	@echo "To change the course (one notebook: NB=03)"
	@echo "  make lab-course      open the originals in JupyterLab, to change them"
	@echo "  make notebooks       run notebooks and store clean outputs"
	@echo "  make unit            the tests without running the notebooks"
	@echo "  make notebooks-test  every notebook by nbval"
	@echo "  make browser-test    what steps in notebooks, in a real browser (SKIP_BROWSER=1: not)"
	@echo "  make lint            ruff over package, tests and notebooks"
	@echo "  make fuzz            10,000 random programs on each tape, and compiled"
	@echo "  make matrix          the whole suite under Python 3.11 to 3.15, old and new dependencies"
	@echo "  make mutants         change the core in 3,500 small ways; do the tests notice?"
	@echo "  make sealed          make test with nothing to write to and no network (Linux)"
	@echo "  make lock            make all of requirements/ and the pins of environment.yml anew"
	@echo "  make clean           remove the environments, what was built, and caches"
	@echo
	@echo "To measure"
	@echo "  make bench           measure against the peers (CASES=\"moons chain\", ARGS=--list)"
	@echo "  make bench-quick     the same on tiny sizes, to see that it works; stores nothing"

# What uv has fetched for one environment is in its cache for the next.
WHAT_$(VENV) := the course and its tests, $(COST)
WHAT_$(BENCH) := the peers to measure against, at most $(COST)
WHAT_$(LECTURE) := slides, site, lite and grading, at most $(COST)
WHAT_$(TOOLS) := nox and mutmut, 30 MB to download, a few seconds

# Fill the environment of the target, which is its .ready, as the first source says. One
# line tells what it costs, and uv shows how far it is.
IN = $(@D)/$(notdir $(BIN))
define LOCKED
@$(PYTHON) -c "import sys; v = sys.version_info[:2]; sys.exit(v < (3, 11) and 'The course needs Python 3.11 or newer; this is %d.%d. Say which: make PYTHON=python3.12 …' % v)"
@echo "Setting up $(@D), once: $(WHAT_$(@D)) at 100 Mbit/s."
@$(PYTHON) -m venv --clear $(@D)
@$(IN)/python -m pip install --quiet --disable-pip-version-check $(UV_PIN)
$(IN)/uv pip install --python $(IN)/python --compile-bytecode --require-hashes -r $<
endef
define FILL
$(LOCKED)
@$(IN)/uv pip install --quiet --python $(IN)/python --no-build-isolation --no-deps --editable .
@touch $@
endef

$(READY): requirements/course.lock
	$(FILL)

$(BENCH)/.ready: requirements/bench.lock
	$(FILL)

$(TOOLS)/.ready: requirements/tools.lock
	$(LOCKED)
	@touch $@

lab lab-course: $(READY)
	$(BIN)/python -m tools.work $@ $(ARGS)

update: $(READY)
	$(BIN)/python -m tools.work update

# One thread for each of the JOBS workers: more would only wait for each other.
unit fuzz notebooks-test browser-test notebooks: export OMP_NUM_THREADS := 1

# One part after the other, whatever becomes of them; only Ctrl-C ends all.
PARTS := unit notebooks-test browser-test
test: $(READY)
	@trap 'exit 130' INT; failed=; n=0; for part in $(PARTS); do \
	  n=$$((n + 1)); echo; echo "== make test, part $$n of $(words $(PARTS)): $$part"; \
	  $(MAKE) --no-print-directory $$part || failed="$$failed $$part"; \
	done; echo; \
	if test -n "$$failed"; then echo "== make test: failed:$$failed"; exit 1; fi; \
	echo "== make test: all of $(PARTS) passed"

unit: $(READY)
	$(BIN)/python -m pytest tests --ignore=tests/browser -n $(JOBS) --dist loadfile

PROGRAMS := $(addprefix tests/course_utils/,test_programs.py compiler/test_programs.py compiler/test_scalars.py)
fuzz: export HYPOTHESIS_PROFILE := fuzz
fuzz: $(READY)
	$(BIN)/python -m pytest $(PROGRAMS) -k "equal_torch or equal_the_tape" -n $(JOBS)

notebooks-test: $(READY)
	$(BIN)/python -m pytest --nbval --nbval-current-env -p tests.notebooks.nbval_numeric -n $(JOBS) --dist loadscope $(SOME_NOTEBOOKS)

# Installs Chromium where it is missing and where that is possible.
browser-test: $(READY)
	$(BIN)/python -m tools.browser
	$(BIN)/python -m pytest tests/browser -n $(JOBS) --dist loadfile

notebooks: $(READY)
	$(BIN)/python -m tools.store_outputs $(SOME_NOTEBOOKS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(LECTURE)/.ready: requirements/lecture.lock
	$(FILL)

$(WEB): lecture/package.json
	@command -v npm > /dev/null || { echo "make: npm is missing; install Node.js (it brings npm)"; exit 1; }
	cd lecture && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --silent
	touch $@

site: $(LECTURE)/.ready $(WEB)
	$(LECTURE_BIN)/python -m lecture.site

# Python for the browser comes from the lock, what it asks of the machine by npm. Made
# before `make site`, it is in the site as well.
lite: $(LECTURE)/.ready $(WEB)
	$(LECTURE_BIN)/python -m lecture.lite.build

# In a browser, what `make site`, `make slides` and `make lite` have built.
lecture-test: $(LECTURE)/.ready $(WEB)
	$(LECTURE_BIN)/python -m tools.browser
	$(LECTURE_BIN)/python -m pytest lecture/tests -n $(JOBS) --dist loadfile

lite-test: $(LECTURE)/.ready $(WEB)
	$(LECTURE_BIN)/python -m tools.browser
	$(LECTURE_BIN)/python -m pytest lecture/tests/lite -n $(JOBS) --dist loadfile

slides: $(LECTURE)/.ready $(WEB)
	$(LECTURE_BIN)/python -m lecture.slides $(NB)
	$(LECTURE_BIN)/python -m lecture.fit $(NB)

instructor: export OMP_NUM_THREADS := 1
instructor: $(LECTURE)/.ready $(WEB)
	$(LECTURE_BIN)/python -m lecture.instructor $(NB)

# With SUBMISSIONS, a folder of STUDENT.ipynb: graded, a table, and feedback for each.
# Learning platforms name folders `subs (1)`: the shell takes such a name from the
# environment, into which make puts what was said on the command line.
assignment: $(LECTURE)/.ready
	$(LECTURE_BIN)/python -m lecture.grading $(or $(NB),$(error Which notebook? make assignment NB=06)) $${SUBMISSIONS:+"$$SUBMISSIONS"} --course "$${COURSE:-build/course}"

COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 $(LOCK_FLAGS) pyproject.toml

lock: $(READY)
	$(COMPILE) --extra dev -o requirements/course.lock
	$(COMPILE) --extra bench --constraints requirements/course.lock -o requirements/bench.lock
	$(COMPILE) --extra dev --extra lecture --constraints requirements/course.lock -o requirements/lecture.lock
	$(filter-out pyproject.toml,$(COMPILE)) --group tools --constraints requirements/course.lock -o requirements/tools.lock
	$(BIN)/python -m tools.pin_environment

bench: $(BENCH)/.ready
	$(BENCH_BIN)/python -m benchmarks $(CASES) $(ARGS)

bench-quick: $(BENCH)/.ready
	$(BENCH_BIN)/python -m benchmarks --quick $(CASES) $(ARGS)

# Sessions of noxfile.py: all of them, without SESSIONS.
matrix: $(TOOLS)/.ready
	$(TOOLS_BIN)/python -m tools.matrix $(SESSIONS)

mutants: $(TOOLS)/.ready
	$(TOOLS_BIN)/python -m nox --session mutants -- $(ARGS)

# The inner make finds the environment ready, and cannot write to it.
sealed: $(READY)
	$(BIN)/python -m tools.sealed $(MAKE) READY= test

clean:
	rm -rf $(VENV) $(BENCH) $(TOOLS) .nox mutants $(LECTURE) lecture/node_modules build *.egg-info .pytest_cache .hypothesis .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
