"""The tape as a program: it can be compiled (notebook 12).

- `CompiledTape(output)` plays a tape of floats: one row an operation, two short loops.
- `compile_step(model, loss, optimizer)` makes a step of training a plan: loops where
  the tape goes through arrays one operation after the other, products by BLAS, values
  in one block of memory.
- `compile_loss(f)` records a function of arrays once, and replays it; to `gradcheck`
  it gives what depends on the nudged array alone (`held`).

What the notebook builds stands in `jit`, `scalars`, `buffers`. Behind it, from the
first line of a program (`lines`) to the last: `symbols`, `calls`, `kinds`, `places`,
`spreads`, `watching`, `around`, `standins` record; `turning`, `shorten`, `stages`,
`nests`, `plan` arrange; `writing`, `naming`, `loops`, `source` write; `running`,
`rows`, `replays`, `held`, `blame` run.

Numba is imported where something is compiled.
"""

from course_utils.compiler.jit import compiled
from course_utils.compiler.scalars import (
    CompiledTape,
    finite_after,
    listed,
    play_backward,
    play_forward,
    row_of,
)
from course_utils.compiler.buffers import Life, most_at_once, placed, rounded
from course_utils.compiler.lines import CannotCompile
from course_utils.compiler.step import compile_step
from course_utils.compiler.loss import compile_loss
