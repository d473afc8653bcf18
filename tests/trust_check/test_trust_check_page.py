"""The page: what it says, and that it fits a window and a telephone."""

import re
import sys
from pathlib import Path

import pytest

from clinicadl_trust.trust_check import run_trust_check
from clinicadl_trust.trust_check.page import render_page, write_page

sys.path.append(str(Path(__file__).parents[1] / "report"))
import headless_chromium

#: What sticks out to the right of the window.
_STICKING_OUT = """
[...document.querySelectorAll('main *')].filter(element => {
  if (element.closest('.hidden, .defs, svg')) return false;
  const box = element.getBoundingClientRect();
  return box.width > 0 && box.right > document.documentElement.clientWidth + 1;
}).map(element => element.tagName + '.' + element.className)
"""


@pytest.fixture(scope="module")
def checked():
    names = ["shares", "clustered-auc", "few-discordant-pairs"]
    return run_trust_check(names, replicates=25)


@pytest.fixture(scope="module")
def page(checked):
    return render_page(checked)


def test_each_scenario_is_explained_and_each_rate_stands_in_a_row(checked, page):
    assert page.count("<strong>Naive.</strong>") == 3
    assert page.count("<strong>Ours.</strong>") == 3
    assert len(re.findall(r'<th role="rowheader" scope="row">', page)) == len(
        checked.measurements
    )
    for m in checked.measurements:
        assert f"{m.rate:.3f}" in page
    assert "How often a 95 % interval holds the truth" in page
    assert "99 % range" in page and "Every label holds." in page


def test_it_asks_nothing_of_the_network_and_runs_no_script(page):
    assert "default-src 'none'" in page
    assert not re.search(r"<script|https?://", page)


def test_the_same_numbers_give_the_same_page(checked, page, tmp_path):
    write_page(checked, tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text("utf-8") == page


@pytest.mark.skipif(headless_chromium.BINARY is None, reason="no chromium")
def test_it_fits_a_window_and_a_telephone_in_light_and_dark(checked, tmp_path):
    write_page(checked, tmp_path / "a.html")
    grounds = set()
    with headless_chromium.chromium(tmp_path / "profile") as browser:
        for width, dark in ((1280, False), (400, False), (400, True)):
            browser.open(tmp_path / "a.html", width, dark=dark)
            scrolled = browser.evaluate("document.documentElement.scrollWidth")
            assert scrolled <= width
            assert browser.evaluate(_STICKING_OUT) == []
            assert browser.problems() == []
            ask = "getComputedStyle(document.body).backgroundColor"
            grounds.add(browser.evaluate(ask))
            bands = browser.evaluate(
                "[...document.querySelectorAll('.band')]"
                ".filter(b => b.getBoundingClientRect().width < 1).length"
            )
            assert bands == 0
    assert len(grounds) == 2
