from __future__ import annotations

import math

import pytest

from clinicadl_trust.report import text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.874, "0.87"),
        (1.0, "1.00"),
        (0.997, "0.997"),
        (0.9996, "0.9996"),
        (0.0004, "0.0004"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (-0.25, "−0.25"),
        (-0.001, "−0.001"),
        (123.456, "123.5"),
        (-0.00002, "0.00"),
        (1e-9, "0.00"),
        (float("nan"), "not estimable"),
        (None, "not estimable"),
    ],
)
def test_a_number_is_never_rounded_to_perfection(value, written):
    assert text.number(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [(0.25, "+0.25"), (-0.25, "−0.25"), (0.0, "0.00")]
)
def test_a_difference_has_its_sign(value, written):
    assert text.signed(value) == written


def test_an_interval_needs_both_ends():
    assert text.interval(0.1, 0.2) == "0.10 to 0.20"
    assert text.interval(-0.1, 0.2, sign=True) == "−0.10 to +0.20"
    assert text.interval(0.1, math.nan) == "no interval"


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "< 0.001"), (0.012, "0.012"), (0.25, "0.25"), (math.nan, "—")],
)
def test_a_p_value_is_never_zero(value, written):
    assert text.p_value(value) == written


def test_code_is_set_and_all_else_escaped():
    assert text.code("run `a <b>`, not <c>") == (
        "run <code>a &lt;b&gt;</code>, not &lt;c&gt;"
    )


def test_words_agree_with_their_number():
    assert text.count(1, "site") == "1 site"
    assert text.count(1204, "participant") == "1,204 participants"
    assert text.joined(["a"]) == "a"
    assert text.joined(["a", "b", "c"]) == "a, b and c"
    assert text.percent(0.256) == "26\N{NARROW NO-BREAK SPACE}%"
    assert text.percent(math.nan) == "n/a"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.44, "0.4 s"),
        (42.0, "42 s"),
        (61, "1 min 1 s"),
        (3661, "1 h 1 min"),
        (None, "n/a"),
    ],
)
def test_durations(seconds, written):
    assert text.duration(seconds) == written
