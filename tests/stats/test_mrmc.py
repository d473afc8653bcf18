"""Readers, cases and treatments: published numbers, brute force, size, mistakes."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import mrmc

FOLDER = Path(__file__).parent / "reference"
THEIRS = json.loads((FOLDER / "mrmc.json").read_text(encoding="utf-8"))


def van_dyke():
    wide = pd.read_csv(FOLDER / "VanDyke.tsv", sep="\t")
    long = wide.melt(["case", "truth"], var_name="key", value_name="rating")
    return long.assign(reader=long["key"].str[1], treatment=long["key"].str[3])


def analyse(table, **options):
    columns = ("rating", "truth", "reader", "case", "treatment")
    return mrmc(*(table[name] for name in columns), **options)


def study(seed, n_readers=4, n_treatments=3, n_cases=40, shift=0.0):
    """Draw a study of Roe and Metz's kind without (or with) a difference."""
    rng = np.random.default_rng(seed)
    shape = (n_treatments, n_readers, n_cases)
    truth = np.arange(n_cases) % 2
    rating = truth * (1.4 + 0.2 * rng.normal(size=shape[:2])[..., None])
    for size in (shape[2:], (shape[0], 1, n_cases), shape[1:], shape):
        rating = rating + 0.5 * rng.normal(size=size)
    rating[0] += shift * truth
    treatment, reader, case = (axis.ravel() for axis in np.indices(shape))
    return pd.DataFrame(
        {
            "rating": rating.ravel(),
            "truth": truth[case],
            "reader": reader,
            "case": case,
            "treatment": treatment,
        }
    )


def test_van_dyke_is_as_published():
    ours = analyse(van_dyke())
    for name, value in THEIRS.items():
        if isinstance(value, float):
            assert_allclose(getattr(ours, name), value, rtol=2e-6, err_msg=name)
    for name, value in THEIRS["difference"].items():
        made = getattr(ours.differences["1 - 2"], name)
        assert_allclose(made, value, rtol=2e-6, atol=1e-8, err_msg=name)
    for made, theirs in zip(
        ours.treatments.values(), THEIRS["treatments"], strict=True
    ):
        for name, value in theirs.items():
            assert_allclose(getattr(made, name), value, rtol=2e-6, err_msg=name)
    assert ours.auc.shape == (5, 2) and (ours.n_cases, ours.n_positive) == (114, 45)


def by_hand(table):
    """F, df and components pair by pair, without placements or numpy.cov."""
    n_t, n_r = table["treatment"].nunique(), table["reader"].nunique()
    kernel = {}
    for key, rows in table.sort_values("case").groupby(["treatment", "reader"]):
        x, y = (rows.loc[rows["truth"] == k, "rating"].to_numpy() for k in (1, 0))
        kernel[key] = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    auc = {key: k.mean() for key, k in kernel.items()}
    cells = {"variance": [], "cov1": [], "cov2": [], "cov3": []}
    for (t, r), (u, s) in itertools.product(kernel, repeat=2):
        cov = 0.0
        for axis in (0, 1):
            a = kernel[t, r].mean(axis=axis) - auc[t, r]
            b = kernel[u, s].mean(axis=axis) - auc[u, s]
            cov += (a * b).sum() / (len(a) * (len(a) - 1))
        name = {(1, 1): "variance", (0, 1): "cov1", (1, 0): "cov2", (0, 0): "cov3"}
        cells[name[int(t == u), int(r == s)]].append(cov)
    made = {name: np.mean(values) for name, values in cells.items()}
    frame = pd.Series(auc).unstack()  # treatments by readers
    t, r, grand = frame.mean(axis=1), frame.mean(axis=0), frame.to_numpy().mean()
    ms_t = n_r * ((t - grand) ** 2).sum() / (n_t - 1)
    rest = sum(
        (auc[i, j] - t[i] - r[j] + grand) ** 2
        for i, j in itertools.product(t.index, r.index)
    )
    ms_tr = rest / ((n_t - 1) * (n_r - 1))
    below = ms_tr + n_r * max(made["cov2"] - made["cov3"], 0)
    made["f"] = ms_t / below
    made["df2"] = below**2 / (ms_tr**2 / ((n_t - 1) * (n_r - 1)))
    made["p_value"] = distributions.f.sf(made["f"], n_t - 1, made["df2"])
    return made


@pytest.mark.parametrize("seed", range(3))
def test_three_treatments_agree_with_brute_force(seed):
    table = study(seed)
    table["rating"] = table["rating"].round(1)  # ties
    ours = analyse(table.sample(frac=1, random_state=seed))
    for name, value in by_hand(table).items():
        assert_allclose(getattr(ours, name), value, rtol=1e-9, err_msg=name)
    assert list(ours.differences) == ["0 - 1", "0 - 2", "1 - 2"]
    frame = ours.to_frame()
    assert len(frame) == 3 and (frame["p_holm"] >= frame["p_value"]).all()
    assert "4 readers, 40 cases (20 positive)" in str(ours)


def test_two_treatments_have_one_answer():
    ours = analyse(study(1, n_treatments=2))
    (pair,) = ours.differences.values()
    assert_allclose([pair.statistic**2, pair.p_value], [ours.f, ours.p_value])


def test_size_is_kept_and_a_difference_is_found():
    made = [analyse(study(s, 4, 2, 60)).p_value < 0.05 for s in range(150)]
    assert np.mean(made) < 0.08
    found = [analyse(study(s, 5, 2, 80, 1.5)).p_value < 0.05 for s in range(20)]
    assert np.mean(found) > 0.8


@pytest.mark.parametrize("name", ["seed", "fold", "Split 3", "seed_1"])
def test_seeds_and_folds_are_no_readers(name):
    table = study(0)
    values = (table[k] for k in ("rating", "truth", "reader", "case", "treatment"))
    score, truth, reader, case, treatment = values
    with pytest.raises(StatisticsError, match="Readers must be people"):
        mrmc(score, truth, reader.rename(name), case, treatment)
    with pytest.raises(StatisticsError, match=r"reject \.29"):
        mrmc(score, truth, [f"{name}-{r}" for r in reader], case, treatment)


def test_readers_who_are_all_perfect_leave_nothing_to_test():
    table = study(0, n_treatments=2)
    table["rating"] = table["truth"]
    ours = analyse(table)
    assert np.isnan(ours.f) and np.isnan(ours.p_value)
    assert "All AUCs are the same" in ours.warnings[0]


def change(**values):
    def changed(table):
        for name, value in values.items():
            table.loc[3, name] = value
        return table

    return changed


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.iloc[1:], "1 of 480 readings are missing, such as treatment 0"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "more than once"),
        (change(truth=0), "Case 3 is labelled both"),
        (change(truth=2), "Labels must be 0 or 1, and one is 2"),
        (change(rating=np.nan), "missing or infinite: 1 of score"),
        (change(rating=np.inf), "missing or infinite: 1 of score"),
        (lambda t: t[t["reader"] == 1], "one reader, 1"),
        (lambda t: t[t["treatment"] == 2], "one treatment, 2"),
        (lambda t: t[(t["truth"] == 0) | (t["case"] == 1)], "1 positive cases"),
        (lambda t: t.iloc[:0], "no reading"),
    ],
)
def test_mistakes_are_named(spoil, message):
    with pytest.raises(StatisticsError, match=message):
        analyse(spoil(study(0)))


def test_lengths_must_agree():
    with pytest.raises(StatisticsError, match=r"label \(1,\)"):
        mrmc([1.0, 2.0], [1], ["a", "b"], [1, 2], [1, 2])
