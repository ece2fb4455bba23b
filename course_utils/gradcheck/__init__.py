"""The conscience of the course: it says whether a gradient is right.

A derivative can be measured without knowing how it is computed: nudge one input up
and down, and look at what the output does. `gradcheck` measures every entry in this way
and compares. Where an entry disagrees it looks a second time, with many step sizes,
before it calls the gradient wrong: the point may lie on a kink, or f may be noisy.

What is compared, and how strictly:

- Shapes first. A gradient of another shape is wrong; nothing is ever broadcast.
- Entry by entry, never a sum or a mean: |a − n| ≤ rtol·max(|a|, |n|) + noise.
- `noise` is what rounding leaves in the quotient (eps·|f|/h), never a fixed number: a
  fixed number as large as the gradient would let zeros pass.
- rtol = 1e-6. The central difference is good to about eps^(2/3) = 4e-11, times what the
  curvature of f adds. That leaves room for four lost digits, and is still a thousand
  times stricter than the smallest mistake that we promise to find (0.1 %).

What notebook 04 builds:

- `numerical`: numerical gradients, by central differences and by the complex step
- `comparing`: the relative error, and when two gradients agree
- `checks`: `gradcheck` and `check_directions`

What stands behind it:

- `arguments`: the reading of arguments, with an error for each mistake
- `setting`: what both checks need
- `settling`: which entries get a second look, and the verdict on them
- `look`: the second look at one entry, with `slopes`, `kinks` and `noise`
- `naming`: names for mistakes, and notes on checks that see little
- `together`: entries on kinks, which have to be right for one choice of sides
- `report`: the table, and the map of errors
"""

from course_utils.gradcheck.numerical import (
    EPS,
    nudged_values,
    central_differences,
    step_size,
    numerical_gradient,
    complex_step_gradient,
)
from course_utils.gradcheck.comparing import (
    RIGHT,
    NOISE,
    KINK,
    WRONG,
    relative_error,
    agrees,
    compare,
    misshapen,
    Check,
    Worst,
)
from course_utils.gradcheck.checks import (
    gradcheck,
    check_directions,
    check_input,
    check_along,
)
from course_utils.gradcheck.report import (
    HEADINGS,
    Report,
    error_map,
)
from course_utils.gradcheck.setting import (
    RTOL,
    Setting,
    kind_of,
)
from course_utils.gradcheck.settling import (
    look_again,
    look_at_bends,
    right_by,
    settle,
)
from course_utils.gradcheck.together import (
    contradiction,
    look_beside,
    look_together,
)
from course_utils.gradcheck.look import (
    Look,
    second_look,
    wide_slope,
    bends_no_more,
)
from course_utils.gradcheck.slopes import (
    Limit,
    extrapolate,
    limit_of,
    still_to_go,
    bends_closer,
    closest_by,
)
from course_utils.gradcheck.kinks import (
    Slope,
    slope_or_kink,
    near_kinks,
    Side,
    one_sided_slope,
    is_kink,
)
from course_utils.gradcheck.noise import (
    TINY,
    noise_level,
    close_values,
    scatter_of,
    hidden_noise,
    all_float32,
    float32_message,
    noise_message,
)
from course_utils.gradcheck.naming import (
    looks_like,
    sizes_of,
    notes_on,
)
from course_utils.gradcheck.arguments import (
    paired,
    float_copy,
    as_number,
    number,
    given_steps,
    refuse_changes,
)
