"""Drawings for the notebooks: graphs, networks, curves, matrices, images.

Every function returns a figure and shows nothing; `show(fig, alt)` is the one way to
the page, so that no picture goes without its words. `step` alone shows what it makes.
Figures are made without pyplot: none is displayed twice or left open. Matplotlib is
imported where it is used.

What notebooks call:

- `page`: `show`, a picture with its words
- `house`: `style`, `axes`, `COLORS`
- `curves`: `plot_curves`, `plot_beside`
- `matrices`: `heat_map`, `heat_maps`, `confusion_matrix`, `image_grid`,
  `picture_pairs`
- `products`: `draw_products`
- `boundary`: `decision_boundary`
- `landscape`: `draw_paths`, `draw_slice`
- `depth`: `depth_maps`, `plot_singular_values`, `plot_predicted`, `plot_pairs`
- `attention`: `attention_on_images`, `attention_table`
- `memory`: `draw_memory`, `plot_cached`
- `network`: `draw_network`
- `graph`: `draw_graph`
- `prices`: `draw_secants`, `draw_magnified`, `draw_square`, `draw_rules`,
  `draw_squeeze`
- `answers`: `AnswerTable`
- `stepping`: `step`

What stands behind `network`, `graph` and `stepping`:

- `naming`: what nodes are called, and how numbers are written
- `boxes`: words and small heat maps in boxes that are made to fit them
- `layout`: boxes in layers, and the edges between them
- `sheet`: a sheet of paper with words
- `stepper`: the picture that can be stepped through, and its player
"""

from course_utils.viz.page import show
from course_utils.viz.house import COLORS, axes, style
from course_utils.viz.curves import plot_beside, plot_curves
from course_utils.viz.matrices import (
    confusion_matrix,
    heat_map,
    heat_maps,
    image_grid,
    picture_pairs,
)
from course_utils.viz.products import draw_products
from course_utils.viz.boundary import decision_boundary
from course_utils.viz.landscape import draw_paths, draw_slice
from course_utils.viz.depth import (
    depth_maps,
    plot_pairs,
    plot_predicted,
    plot_singular_values,
)
from course_utils.viz.attention import attention_on_images, attention_table
from course_utils.viz.memory import draw_memory, plot_cached
from course_utils.viz.network import draw_network
from course_utils.viz.graph import draw_graph
from course_utils.viz.prices import (
    draw_magnified,
    draw_rules,
    draw_secants,
    draw_square,
    draw_squeeze,
)
from course_utils.viz.answers import AnswerTable
from course_utils.viz.stepping import step
