"""Sample sizes: closed forms, statsmodels, pilots, simulation, contradictions."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import special
from statsmodels.stats.power import TTestPower

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import (
    SampleSize,
    compare_roc_auc,
    proportion,
    required_sample_size,
    roc_auc,
)
from clinicadl_trust.stats.planning.spread import auc_variance


def draw(seed, n=60, images=1, icc=0.5, aucs=(0.85, 0.8)):
    """Predictions of two models, n participants of each class."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(2 * n), images)
    label = (who < n).astype(float)

    def noise():
        own = (1 - icc) ** 0.5 * rng.normal(size=who.size)
        return icc**0.5 * rng.normal(size=2 * n)[who] + own

    shared = noise()
    scores = [
        2**0.5 * special.ndtri(auc) * label + 0.5**0.5 * (shared + noise())
        for auc in aucs
    ]
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{i}" for i in who],
            "label": label,
            "score": scores[0],
            "score_b": scores[1],
        }
    )


def test_the_formulas_are_those_of_the_papers():
    # Hanley and McNeil (1982), their example: AUC .893, 51 and 58 cases, SE .032.
    assert_allclose(auc_variance(0.893, 51, 58, "hanley-mcneil") ** 0.5, 0.0325, 3e-3)
    # Obuchowski and McClish (1997), as many of either class, AUC .8, by hand.
    square = 2 * special.ndtri(0.8) ** 2
    by_hand = 0.0099 * np.exp(-square / 2) * (6 * square + 16) / 100
    ours = auc_variance(0.8, 100, 100, "obuchowski-mcclish")
    assert_allclose(ours, by_hand, rtol=1e-12)


def test_a_proportion_has_wilsons_width():
    plan = required_sample_size("proportion", width=0.1, value=0.9)
    n = plan.n_participants
    widths = []
    for size in (n, n - 1):
        p, z = 0.9, special.ndtri(0.975)
        widths.append(
            2
            * z
            * (p * (1 - p) / size + (z / 2 / size) ** 2) ** 0.5
            / (1 + z**2 / size)
        )
    assert widths[0] <= 0.1 < widths[1]
    made = proportion(round(0.9 * n), n)
    assert abs(made.high - made.low - 0.1) < 0.003
    assert plan.n_positive is None and plan.design_effect == 1


@pytest.mark.parametrize(("power", "rho"), [(0.8, 0.5), (0.9, 0.9)])
def test_a_paired_mean_needs_what_statsmodels_says(power, rho):
    plan = required_sample_size(
        "mean", power=power, difference=0.02, sd=0.1, correlation=rho
    )
    effect = 0.02 / (0.1 * (2 * (1 - rho)) ** 0.5)
    theirs = TTestPower().solve_power(effect, power=power, alpha=0.05)
    assert plan.n_participants == np.ceil(theirs)


def test_mcnemar_needs_what_connor_says():
    plan = required_sample_size(
        "proportion", power=0.8, value=0.85, difference=0.07, correlation=0.4
    )
    a, b = 0.85, 0.78
    share = a + b - 2 * (a * b + 0.4 * (a * (1 - a) * b * (1 - b)) ** 0.5)
    z, q = special.ndtri([0.975, 0.8])
    connor = (z * share**0.5 + q * (share - 0.07**2) ** 0.5) ** 2 / 0.07**2
    assert plan.n_participants == np.ceil(connor)


def test_the_planned_interval_is_as_wide_as_wanted():
    plan = required_sample_size("roc_auc", width=0.12, value=0.85)
    assert plan.n_positive + plan.n_negative == plan.n_participants
    widths = []
    for seed in range(60):
        table = draw(seed, plan.n_participants // 2)
        made = roc_auc(table["label"], table["score"])
        widths.append(made.high - made.low)
    assert 0.105 < np.mean(widths) < 0.122


def test_a_plan_from_a_pilot_has_its_power():
    plan = required_sample_size(
        "roc_auc", power=0.8, difference=0.05, pilot=draw(0, 400, 3)
    )
    assert plan.n_images == 3 * plan.n_participants and plan.design_effect > 1.5
    found = []
    for seed in range(200):
        table = draw(seed + 1, plan.n_positive, 3)
        test = compare_roc_auc(
            *(table[c] for c in ("label", "score", "score_b")),
            cluster=table["participant_id"],
        )
        found.append(test.p_value < 0.05)
    assert 0.7 < np.mean(found) < 0.9


def test_a_pilot_gives_its_own_width_back():
    table = draw(3, 100, 3)
    made = roc_auc(table["label"], table["score"], table["participant_id"])
    width = made.high - made.low
    plan = required_sample_size("roc_auc", width=width, pilot=table)
    assert_allclose(plan.n_participants, 200, atol=6)
    right = table.assign(score=(table["score"] > 0.7) == table["label"]).drop(
        columns="label"
    )
    made = proportion(right["score"], cluster=right["participant_id"])
    plan = required_sample_size("proportion", width=made.high - made.low, pilot=right)
    assert_allclose(plan.n_participants, 200, atol=6)


def test_visits_and_sites_cost_participants():
    alone = required_sample_size("mean", width=0.02, sd=0.1)
    twice = required_sample_size(
        "mean", width=0.02, sd=0.1, images_per_participant=2, icc=1
    )
    assert abs(twice.n_participants - alone.n_participants) <= 1  # nothing new
    assert twice.n_images == 2 * twice.n_participants and twice.design_effect == 2
    free = required_sample_size(
        "mean", width=0.02, sd=0.1, images_per_participant=2, icc=0
    )
    assert abs(2 * free.n_participants - alone.n_participants) <= 6
    sites = required_sample_size(
        "mean", width=0.02, sd=0.1, participants_per_site=21, site_icc=0.05
    )
    assert sites.design_effect == 2
    assert sites.n_participants > 1.95 * alone.n_participants
    few = required_sample_size(
        "mean", width=0.1, sd=0.1, participants_per_site=40, site_icc=0.05
    )
    assert "sites are few" in few.warnings[0]


def test_a_small_pilot_is_told():
    plan = required_sample_size("roc_auc", width=0.1, pilot=draw(0, 10))
    assert "20 participants" in plan.warnings[0] and "! The pilot" in str(plan)


def test_it_reads_as_a_sentence():
    plan = required_sample_size("roc_auc", width=0.1, value=0.85, prevalence=0.3)
    assert isinstance(plan, SampleSize) and plan.calibration == "approximate"
    text = str(plan)
    assert text.startswith(f"{plan.n_participants} participants ({plan.n_positive} pos")
    assert "95% interval of the ROC AUC of width 0.1, Hanley and McNeil" in text
    assert plan.to_frame().loc[0, "n_images"] == plan.n_images
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.n_images = 1


PILOT = draw(0)


@pytest.mark.parametrize(
    ("metric", "options", "message"),
    [
        ("auroc", {"width": 0.1}, "metric='auroc' is unknown"),
        ("roc_auc", {}, "not neither"),
        ("roc_auc", {"width": 0.1, "power": 0.8}, "not both"),
        ("roc_auc", {"power": 0.8}, "power needs difference"),
        ("roc_auc", {"width": 0.1, "difference": 0.1}, "goes with power"),
        ("roc_auc", {"width": 0.1}, "value is needed"),
        ("mean", {"width": 0.1}, "sd is needed"),
        ("mean", {"power": 0.8, "difference": 1, "sd": 1}, "correlation is needed"),
        ("mean", {"power": 80, "difference": 1}, "power=80 must lie"),
        ("mean", {"power": 0.8, "difference": 0}, "difference=0"),
        ("roc_auc", {"width": 1.5, "value": 0.8}, "width=1.5"),
        ("roc_auc", {"width": 0.1, "value": 85}, "value=85 must lie"),
        (
            "roc_auc",
            {"power": 0.8, "difference": -0.3, "value": 0.8, "correlation": 0.5},
            "second model at 1.1",
        ),
        (
            "proportion",
            {"power": 0.8, "difference": 0.3, "value": 0.9, "correlation": 0.99},
            "impossible between shares",
        ),
        ("mean", {"width": 0.1, "sd": 1, "images_per_participant": 3}, "icc is needed"),
        ("mean", {"width": 0.1, "sd": 1, "site_icc": 0.1}, "go together"),
        ("mean", {"width": 0.1, "sd": 1, "icc": 2}, "icc=2"),
        ("mean", {"width": 0.1, "sd": 1, "prevalence": 0.5}, "prevalence is for"),
        ("mean", {"width": 1e-9, "sd": 1}, "too few"),
        ("roc_auc", {"width": 0.1, "value": 0.8, "pilot": PILOT}, "contradict"),
        ("roc_auc", {"width": 0.1, "pilot": PILOT[["score"]]}, "'participant_id'"),
        ("roc_auc", {"width": 0.1, "pilot": PILOT[PILOT["label"] == 1]}, "each class"),
        ("mean", {"width": 0.1, "pilot": PILOT.assign(score=1.0)}, "Nothing varies"),
        ("mean", {"width": 0.1, "pilot": PILOT.assign(score=np.nan)}, "120 of 120"),
        ("mean", {"width": 0.1, "pilot": PILOT.assign(score="a")}, "must be numbers"),
        ("mean", {"width": 0.1, "pilot": PILOT.assign(score=np.inf)}, "be finite"),
        ("mean", {"width": 0.1, "pilot": PILOT.iloc[:0]}, "it has no row"),
        (
            "roc_auc",
            {"width": 0.1, "pilot": PILOT, "images_per_participant": 2},
            "one image per participant",
        ),
        ("roc_auc", {"width": 0.1, "value": 0.8, "variance": "delong"}, "is unknown"),
    ],
)
def test_contradictions_are_named(metric, options, message):
    with pytest.raises(StatisticsError, match=message):
        required_sample_size(metric, **options)


@pytest.mark.parametrize(
    ("name", "known", "given"),
    [
        ("auc", "roc_auc", {"value": 0.85}),
        ("AUC", "roc_auc", {"value": 0.85}),
        ("dice", "mean", {"sd": 0.1}),
        ("accuracy", "proportion", {"value": 0.8}),
    ],
)
def test_a_metric_goes_by_its_other_names(name, known, given):
    made, same = (required_sample_size(m, width=0.1, **given) for m in (name, known))
    assert made == same
