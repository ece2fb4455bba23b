"""Settings that all tests share."""

import os

import pytest
from hypothesis import Phase, settings

os.environ.setdefault("MPLBACKEND", "Agg")  # drawing needs no screen

# The same examples everywhere: what is red for one is red for all. Times vary with
# the machine, so no deadline. No explanations either: for them Hypothesis traces every
# line, and Python 3.11 may then, once in a while, go round for ever inside itself.
# HYPOTHESIS_PROFILE=explore looks for new examples, `make fuzz` for many more of the
# programs in test_programs.py.
shared = {"deadline": None, "phases": set(Phase) - {Phase.explain}}
settings.register_profile("course", derandomize=True, **shared)
settings.register_profile("explore", max_examples=1000, **shared)
settings.register_profile("fuzz", max_examples=10_000, **shared)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "course"))

NOTEBOOK_EACH = "test_solved_notebooks.py"  # a minute a test, and none needs another


@pytest.hookimpl(optionalhook=True)  # of xdist, which a plain run does without
def pytest_xdist_make_scheduler(config, log):
    """Give a worker a file at a time, but of solved notebooks one: they are long."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            scope = super()._split_scope(nodeid)
            return nodeid if scope.endswith(NOTEBOOK_EACH) else scope

    return Scheduling(config, log)
