"""The judge: how an answer is run, compared, and its mistake named.

There is no exercise in it. `exercise.py` says what one is made of, `judging.py` goes
from an answer to what the student sees: `running.py` runs it, `comparing.py` compares,
`matching.py` asks which mistake makes these numbers; its candidates are the written
mistakes, those of `changes.py` that every gradient invites, and those of `slips.py`,
the right source with one thing changed.
"""

from .comparing import Trouble
from .exercise import Exercise, Mistake

__all__ = ["Exercise", "Mistake", "Trouble"]
