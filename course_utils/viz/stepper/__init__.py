"""The stepping view: a recorded computation, played forward and backward by hand.

- `watch` looks on while a backward pass runs, and notes which gradient arrived where;
- `views` says what can be seen: nodes, or modules with nodes inside;
- `steps` puts every move into words;
- `picture` and `svg` draw what all of it leads to;
- `build` packs picture, steps and player (`player.js`) into one piece of HTML.

Readers call `viz.step`.
"""

from course_utils.viz.stepper.build import Page, markup, page

__all__ = ["Page", "markup", "page"]
