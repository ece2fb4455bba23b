"""The stepping view in a real browser: static pages, keys, numbers, looks."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

from course_utils.tape import Tape
from course_utils.viz.naming import grad_words, words
from tests.browser import computations
from tests.browser.views import (
    LAYOUT,
    ORDER,
    VIEWS,
    check_layout,
    count,
    press_through,
    shown,
    steppers,
)

# --- static pages ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lab", "dark", "basic"])
def test_a_static_page_asks_nobody_and_complains_of_nothing(visit, exports, kind):
    bare = visit(exports["empty"])
    found = visit(exports[kind])
    views = steppers(found.page)
    for i in range(VIEWS):
        views.nth(i).locator("input").press("Home")
    assert found.asked <= bare.asked
    assert found.errors == bare.errors
    assert found.page.locator("img[data-steps]").count() == 0


def test_every_step_is_reached_by_keys(visit, exports):
    page = visit(exports["lab"]).page
    views = steppers(page)
    for i in range(VIEWS):
        press_through(page, views.nth(i))


def test_keys_alone_suffice(visit, exports):
    """Tab leads to the graph and to every control, and what has the focus shows it."""
    page = visit(exports["lab"]).page
    view = steppers(page).first
    view.locator(".stage").focus()
    seen = []
    for _ in range(6):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUS))
    assert [name for name, _ in seen] == [
        *("first step (Home)", "one step back (left arrow)", "step"),
        *("from the start", "smaller (minus)", "larger (plus)"),
    ]
    assert all(outline == "solid" for _, outline in seen)


FOCUS = """() => {
  const it = document.activeElement.shadowRoot.activeElement;
  return [it.getAttribute('aria-label'), getComputedStyle(it).outlineStyle];
}"""


def test_buttons_step_as_keys_do(visit, exports):
    page = visit(exports["lab"]).page
    view = steppers(page).first
    last = count(view)[1]
    view.get_by_label("from the start").click()
    assert count(view)[0] == 1
    view.get_by_label("one step on").click()
    view.get_by_label("one step on").click()
    view.get_by_label("one step back").click()
    assert count(view)[0] == 2
    view.get_by_label("last step").click()
    assert count(view)[0] == last


def test_a_button_that_is_switched_off_hands_its_keys_on(visit, exports):
    page = visit(exports["lab"]).page
    view = steppers(page).first
    view.get_by_label("one step back").click()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert count(view)[0] == 2


def test_views_leave_each_other_alone(visit, exports):
    page = visit(exports["lab"]).page
    views = steppers(page)
    before = [shown(views.nth(i)) for i in range(VIEWS)]
    views.nth(1).locator("input").press("Home")
    after = [shown(views.nth(i)) for i in range(VIEWS)]
    assert [i for i in range(VIEWS) if before[i] != after[i]] == [1]


# --- numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fork", "network", "arrays"])
def test_the_last_step_shows_the_gradients(visit, exports, name):
    view = steppers(visit(exports["lab"]).page).nth(ORDER.index(name))
    output, names, theirs = getattr(computations, name)()
    output.backward()
    script = """view => [...view.shadowRoot.querySelectorAll('.n')].map(
      node => [...node.querySelectorAll('text')].map(text => text.textContent))"""
    boxes = view.evaluate(script)
    assert len(boxes) == len(Tape(output))
    for node, box in zip(Tape(output).nodes, boxes, strict=True):
        assert words(node.data, 4) in box
        if node.requires_grad:
            assert box[-1] == grad_words(node.grad, 4)
    for leaf, grad in theirs().items():
        np.testing.assert_allclose(names[leaf].grad, grad, rtol=1e-12)
        [box] = [box for box in boxes if box[0] == leaf]
        assert box[-1] == grad_words(grad, 4)


def test_at_first_only_what_is_given_is_seen(visit, exports):
    view = steppers(visit(exports["lab"]).page).first
    view.locator("input").press("Home")
    seen = shown(view)
    assert {"3", "−4"} <= set(seen)
    assert not any("∂" in text for text in seen)
    assert "1.546" not in seen
    for _ in range(7):
        view.locator("input").press("ArrowRight")
    assert "1.546" in shown(view)


def test_sums_grow_where_paths_join(visit, exports):
    view = steppers(visit(exports["lab"]).page).first
    view.locator("input").press("Home")
    of_x = "view => view.shadowRoot.querySelector('.n text.g').textContent"
    running = []
    for _ in range(count(view)[1]):
        if (now := view.evaluate(of_x)) not in running:
            running.append(now)
        view.locator("input").press("ArrowRight")
    assert len(running) == 4  # nothing, one path, two paths, three paths
    assert running[0] == "" and running[-1] == "∂ 2.06"


def test_a_broken_engine_shows_its_own_numbers(visit, exports):
    views = steppers(visit(exports["lab"]).page)
    assert shown(views.nth(4))[-4:-2] != shown(views.nth(5))[-4:-2]
    assert "∂ 3" in shown(views.nth(4)) and "∂ 6" not in shown(views.nth(4))
    assert "∂ 6" in shown(views.nth(5))
    views.nth(4).locator("input").press("End")
    views.nth(4).locator("input").press("ArrowLeft")
    assert "overwritten" in views.nth(4).locator(".say").inner_text()


def test_modules_can_be_opened(visit, exports):
    page = visit(exports["lab"]).page
    view = steppers(page).nth(ORDER.index("model"))
    assert "layers.0" in shown(view) and "layers.0.W" not in shown(view)
    view.locator("select").select_option("1")
    assert "layers.0.W" in shown(view)
    press_inside(page, view)
    view.locator("select").select_option("0")
    assert "layers.0.W" not in shown(view)


def press_inside(page: Page, view: Locator) -> None:
    view.locator("input").focus()
    page.keyboard.press("Home")
    for _ in range(count(view)[1] - 1):
        page.keyboard.press("ArrowRight")
    assert view.locator(".say").inner_text().startswith("Done")


# --- how it looks ---------------------------------------------------------------------


@pytest.fixture
def shots(tmp_path):
    """Where pictures go: to SHOTS, or else to what nobody keeps."""
    folder = Path(os.environ.get("SHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("kind", ["lab", "dark"])
def test_nothing_overlaps_and_nothing_is_clipped(visit, exports, kind, width, shots):
    page = visit(exports[kind], width).page
    views = steppers(page)
    for i in range(VIEWS):
        view = views.nth(i)
        view.screenshot(path=shots / f"{kind}-{width}-{i}.png")
        last = count(view)[1]
        for _ in range(0, last, 5):
            check_layout(view.evaluate(LAYOUT))
            for _ in range(5):
                view.locator("input").press("ArrowLeft")
        check_layout(view.evaluate(LAYOUT))
        view.screenshot(path=shots / f"{kind}-{width}-{i}-first.png")


CONTRAST = """view => {
  const root = view.shadowRoot, light = color => {
    const part = color.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)
      .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const css = (x, name) => getComputedStyle(x)[name];
  const paper = css(root.querySelector('svg'), 'backgroundColor');
  const graph = [...root.querySelectorAll('svg text')].map(text => {
    const frame = text.closest('.n')?.querySelector('rect');
    return ratio(light(css(text, 'fill')), light(frame ? css(frame, 'fill') : paper));
  });
  const around = [...root.querySelectorAll('button:enabled, output, .say')].map(x => {
    const ground = [x, x.closest('.bar'), x.closest('.stepper')].map(
      y => y && css(y, 'backgroundColor')).find(c => c && c !== 'rgba(0, 0, 0, 0)');
    return ratio(light(css(x, 'color')), light(ground));
  });
  return [Math.min(...graph), Math.min(...around), light(paper)];
}"""


@pytest.mark.parametrize("kind", ["lab", "dark"])
def test_words_stand_out_in_light_and_dark(visit, exports, kind):
    views = steppers(visit(exports[kind]).page)
    for i in range(VIEWS):
        graph, around, paper = views.nth(i).evaluate(CONTRAST)
        assert graph >= 4.5 and around >= 4.5  # WCAG 2, level AA
        assert (paper < 0.1) == (kind == "dark")


def test_what_is_looked_at_comes_into_sight(visit, exports):
    """On a narrow screen a wide graph scrolls along with the steps."""
    page = visit(exports["lab"], 400).page
    view = steppers(page).nth(ORDER.index("network"))
    view.locator("input").press("Home")
    for _ in range(count(view)[1] - 1):
        view.locator("input").press("ArrowRight")
        assert view.evaluate(IN_SIGHT)


IN_SIGHT = """view => {
  const root = view.shadowRoot, now = root.querySelector('.n.now rect');
  if (!now) return true;
  const a = now.getBoundingClientRect(), b = root.querySelector('.stage')
    .getBoundingClientRect();
  return a.left >= b.left - 1 && a.right <= b.right + 1;
}"""


def test_zoom_and_fit(visit, exports):
    view = steppers(visit(exports["lab"]).page).first
    width = "view => view.shadowRoot.querySelector('svg').getBoundingClientRect().width"
    start = view.evaluate(width)
    view.get_by_label("larger").click()
    assert view.evaluate(width) == pytest.approx(1.25 * start, rel=0.01)
    view.locator("input").press("0")
    assert view.evaluate(width) == pytest.approx(start, rel=0.01)


def test_paper_shows_the_last_step(visit, exports):
    page = visit(exports["lab"]).page
    view = steppers(page).first
    view.locator("input").press("Home")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    at, last = count(view)
    assert at == last


# --- the picture without a player -----------------------------------------------------


def test_without_scripts_the_picture_stays(visit, exports):
    page = visit(exports["lab"], java_script_enabled=False).page
    assert page.locator("img[data-steps]").count() == VIEWS
