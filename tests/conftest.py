"""Settings that all tests share."""

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")  # drawing needs no screen

# The same examples everywhere: what is red for one is red for all. Times vary with
# the machine, so no deadline. HYPOTHESIS_PROFILE=explore looks for new examples,
# `make fuzz` for many more of the programs in test_programs.py.
settings.register_profile("course", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.register_profile("fuzz", deadline=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "course"))
