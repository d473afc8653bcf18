from __future__ import annotations

import math

import pytest

from clinicadl_trust.report.benchmark import Model
from clinicadl_trust.report.forest import Forest, Row, make_axis
from clinicadl_trust.report.palette import styles


def test_a_scale_holds_every_value_and_the_reference():
    axis = make_axis([0.62, 0.91, math.nan], reference=0.5, bounds=(0.0, 1.0))
    assert axis.low <= 0.5
    assert 0.91 <= axis.high <= 1.0
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    assert len(axis.ticks) >= 3


def test_a_scale_never_leaves_the_bounds_of_its_metric():
    axis = make_axis([0.97, 1.07], reference=0.5, bounds=(0.0, 1.0))
    assert axis.high == 1.0
    assert axis.position(1.07) == "100.00%"


@pytest.mark.parametrize("values", [[], [math.nan], [0.7, 0.7]])
def test_a_scale_has_a_width_even_without_spread(values):
    axis = make_axis(values)
    assert axis.high > axis.low
    assert math.isfinite(float(axis.position(0.7).rstrip("%")))


def test_positions_are_linear():
    axis = make_axis([0.0, 1.0])
    middle = (axis.low + axis.high) / 2
    assert axis.position(axis.low) == "0.00%"
    assert axis.position(middle) == "50.00%"
    assert axis.position(axis.high) == "100.00%"


def test_wide_scales_are_labelled_without_decimals():
    assert make_axis([0.0, 40.0]).label(20.0) == "20"
    assert make_axis([0.0, 1.0]).label(0.25) == "0.25"


def test_a_row_without_a_value_is_not_drawn():
    style = styles([Model("m")])["m"]
    row = Row("m", ("not estimable",), style, math.nan, math.nan, math.nan)
    assert not row.has_value
    assert not row.has_interval


def test_ids_of_rulers_are_safe_and_distinct():
    axis = make_axis([0.0, 1.0])
    rulers = {
        Forest(key, "", axis, (), ()).ruler for key in ("a b", 'a"b', "a-b", "<a>")
    }
    assert len(rulers) == 4
    assert all(ruler.replace("-", "").isalnum() for ruler in rulers)


def test_models_differ_by_more_than_colour():
    models = [Model(f"m{n}", "trainer") for n in range(6)]
    look = styles([*models, Model("metadata", "metadata")])
    shapes = [style.shape for style in look.values()]
    assert len(set(shapes[:6])) == 6
    assert len({style.colour for style in look.values()}) == 7
    assert look["metadata"].colour == "b0"


@pytest.mark.parametrize("width", [0.004, 0.01, 0.03, 0.2, 1.0, 7.0])
def test_no_two_ticks_have_the_same_label(width):
    axis = make_axis([0.0, width])
    labels = [axis.label(tick) for tick in axis.ticks]
    assert len(set(labels)) == len(labels)
    for tick, label in zip(axis.ticks, labels, strict=True):
        assert float(label) == pytest.approx(tick, abs=1e-4)
