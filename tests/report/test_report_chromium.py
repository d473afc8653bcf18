"""The page as a reader sees it, in headless Chromium."""

from __future__ import annotations

import headless_chromium
import pytest

pytestmark = pytest.mark.skipif(
    headless_chromium.BINARY is None,
    reason="no chromium: install it to look at the report as a reader does",
)

WIDTHS = (1280, 1100, 700, 400)

#: Elements that stick out to the right of the window, other than inside a container
#: that scrolls by itself.
_STICKING_OUT = """
[...document.querySelectorAll('body *')].filter(element => {
  if (element.closest('.scroll, pre, .hidden, .skip, .defs, [popover]')) return false;
  const box = element.getBoundingClientRect();
  return box.width > 0 && box.right > document.documentElement.clientWidth + 1;
}).map(element => element.tagName + '.' + element.className + ' ' +
       element.textContent.trim().slice(0, 40))
"""

_OPEN_ALL = "document.querySelectorAll('details').forEach(d => { d.open = true })"

_EMPTY_FIGURES = """
[...document.querySelectorAll('figure')].filter(figure => {
  const box = figure.getBoundingClientRect();
  return box.width < 100 || box.height < 20;
}).map(figure => figure.dataset.figure)
"""

#: Text smaller than 10 pixels on the screen, drawings scaled down included.
_TOO_SMALL = """
[...document.querySelectorAll('body *')].filter(element => {
  const own = [...element.childNodes].some(
    node => node.nodeType === 3 && node.textContent.trim());
  const box = element.getBoundingClientRect();
  if (!own || !box.width || element.closest('.hidden, title, desc')) return false;
  const svg = element.closest('svg.chart');
  const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
  return parseFloat(getComputedStyle(element).fontSize) * scale < 10;
}).map(element => element.textContent.trim())
"""

#: Texts of one drawing that overlap.
_OVERLAPPING = """
[...document.querySelectorAll('svg.strip, svg.chart')].flatMap(svg => {
  const texts = [...svg.querySelectorAll('text')].map(
    text => [text.textContent, text.getBoundingClientRect()]);
  return texts.flatMap(([a, one], n) => texts.slice(n + 1).filter(([b, two]) =>
    one.left < two.right - 1 && two.left < one.right - 1 &&
    one.top < two.bottom - 1 && two.top < one.bottom - 1
  ).map(([b]) => a + ' / ' + b));
})
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with headless_chromium.chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(page, explained_page, other_tasks, tmp_path_factory):
    """The whole benchmark, maps, other tasks, and names longer than a telephone."""
    path = tmp_path_factory.mktemp("long") / "report.html"
    long = "a-model-with-a-name-that-nobody-wanted-to-shorten-" * 2
    path.write_text(page.read_text("utf-8").replace("voxel-svm", long), "utf-8")
    return {"binary": page, "maps": explained_page, "long": path, **other_tasks}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["binary", "maps", "multiclass", "regression", "long"])
def test_the_page_fits_its_window(browser, pages, name, width):
    browser.open(pages[name], width)
    assert browser.evaluate("window.innerWidth") == width
    browser.evaluate(_OPEN_ALL)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(_STICKING_OUT) == []
    assert browser.evaluate(_EMPTY_FIGURES) == []
    assert browser.evaluate(_TOO_SMALL) == []
    assert browser.evaluate(_OVERLAPPING) == []
    assert browser.problems() == []


def test_nothing_is_asked_of_the_network(browser, page):
    browser.open(page, 1280)
    assert browser.requests() == [page.resolve().as_uri()]


def test_drawings_have_colours(browser, page):
    """A stand-in colour that was not replaced would be almost black."""
    browser.open(page, 1280)
    strokes = browser.evaluate(
        "[...new Set([...document.querySelectorAll('svg.chart path')].map("
        "path => getComputedStyle(path).stroke))]"
    )
    assert len(strokes) >= 5
    assert not any(stroke.startswith("rgb(1, 1,") for stroke in strokes)


def test_dark_mode_changes_ground_and_charts(browser, page):
    ask = (
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle("
        "document.querySelector('svg.chart text')).fill]"
    )
    browser.open(page, 1280)
    light = browser.evaluate(ask)
    browser.open(page, 1280, dark=True)
    dark = browser.evaluate(ask)
    assert all(one != other for one, other in zip(light, dark, strict=True))


def test_the_first_tab_skips_to_the_report(browser, page):
    browser.open(page, 1280)
    browser.press("Tab", 9)
    assert browser.evaluate("document.activeElement.className") == "skip"
    assert browser.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    browser.press("Enter", 13)
    assert browser.evaluate("document.activeElement.id") == "main"


def test_a_term_opens_and_closes_by_keyboard(browser, page):
    browser.open(page, 400)
    browser.evaluate("document.querySelector('button.term').focus()")
    browser.press("Enter", 13)
    shown = "document.querySelector('[popover]:popover-open')"
    assert browser.evaluate(f"{shown}.textContent").startswith("Participant.")
    box = browser.evaluate(
        f"(box => [box.left, box.right, box.bottom])({shown}.getBoundingClientRect())"
    )
    assert box[0] >= 0
    assert box[1] <= 400
    assert box[2] <= browser.evaluate("window.innerHeight")
    browser.press("Escape", 27)
    assert browser.evaluate(shown) is None


def test_screen_readers_hear_tables_on_narrow_screens(browser, page):
    """Rows become grids there, which must not cost them their role."""
    browser.open(page, 400)
    browser.call("Accessibility.enable")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    browser.call("Accessibility.disable")
    roles = [node["role"]["value"] for node in nodes if not node.get("ignored")]
    assert roles.count("table") >= 10
    assert roles.count("row") >= 50
    assert roles.count("rowheader") >= 40
    assert roles.count("main") == roles.count("navigation") == 1


def test_print_shows_what_is_folded(browser, page):
    browser.open(page, 1280)
    browser.call("Emulation.setEmulatedMedia", media="print")
    height = browser.evaluate(
        "document.querySelector('details figure').getBoundingClientRect().height"
    )
    browser.call("Emulation.setEmulatedMedia", media="")
    assert height > 50
