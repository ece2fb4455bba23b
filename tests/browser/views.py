"""What tests do with a stepping view: press its keys, read it, measure it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser import computations

VIEWS = 6  # two of them are one computation played by two engines
ORDER = list(computations.OPTIONS)


def steppers(page: Page) -> Locator:
    found = page.locator(".stepping")
    expect(found).to_have_count(VIEWS, timeout=20_000)
    return found


def count(view: Locator) -> tuple[int, int]:
    """The step that is shown, and how many there are."""
    at, last = view.locator("output").inner_text().split(" / ")
    return int(at), int(last)


def shown(view: Locator) -> list[str]:
    """All words that are seen in the graph, but for captions."""
    script = """view => [...view.shadowRoot.querySelectorAll('.n text, .e text')]
      .filter(text => getComputedStyle(text).visibility === 'visible'
        && text.getBoundingClientRect().width)
      .map(text => text.textContent)"""
    return view.evaluate(script)


def press_through(page: Page, view: Locator) -> None:
    """Go to the first step by Home, through all by the right arrow, and to the end."""
    view.locator("input").focus()
    page.keyboard.press("Home")
    last, said, values = count(view)[1], [], []
    for at in range(1, last + 1):
        assert count(view) == (at, last)
        said.append(view.locator(".say").inner_text())
        values.append(view.locator("input").get_attribute("aria-valuetext"))
        page.keyboard.press("ArrowRight")
    assert len(set(values)) == last
    assert len(set(said)) == last
    assert said[0].startswith("Given") and said[-1].startswith("Done")
    page.keyboard.press("ArrowLeft")
    assert count(view) == (last - 1, last)
    page.keyboard.press("End")
    assert count(view) == (last, last)


# --- how it looks ---------------------------------------------------------------------

LAYOUT = """view => {
  const rect = element => {
    const r = element.getBoundingClientRect();
    return [r.left, r.top, r.right, r.bottom];
  };
  const root = view.shadowRoot, pick = name => [...root.querySelectorAll(name)]
    .filter(x => getComputedStyle(x).visibility === 'visible' && rect(x)[2]);
  return {
    svg: rect(root.querySelector('svg')), box: rect(root.querySelector('.stepper')),
    texts: pick('svg text').map(x => [x.textContent, ...rect(x)]),
    nodes: pick('.n').map(node => ({
      frame: rect(node.querySelector('rect')),
      inside: [...node.querySelectorAll('text')].filter(x => x.textContent).map(rect),
    })),
    controls: pick('button, input, output, select, .say').map(rect),
    page: document.documentElement.scrollWidth, window: innerWidth,
  };
}"""


def check_layout(found: dict) -> None:
    texts = found["texts"]
    for k, (one, *a) in enumerate(texts):
        assert holds(found["svg"], a), f"{one!r} is clipped"
        for other, *b in texts[k + 1 :]:
            assert not meet(a, b), f"{one!r} overlaps {other!r}"
    for node in found["nodes"]:
        assert all(holds(node["frame"], text) for text in node["inside"])
    for control in found["controls"]:
        assert holds(found["box"], control)
    assert found["box"][2] <= found["window"] and found["box"][0] >= 0


def holds(outer: list[float], inner: list[float]) -> bool:
    slack = 0.6  # of a pixel: frames lie on whole ones
    return (
        outer[0] <= inner[0] + slack
        and outer[1] <= inner[1] + slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def meet(a: list[float], b: list[float]) -> bool:
    """Whether two lines of text meet, but for the air above and below the letters."""
    air = 0.12 * min(a[3] - a[1], b[3] - b[1])
    across = a[0] < b[2] - 0.5 and b[0] < a[2] - 0.5
    return across and a[1] + air < b[3] - air and b[1] + air < a[3] - air
