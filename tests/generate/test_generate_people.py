import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.generate.options import GeneratorOptions
from clinicadl_trust.generate.people import plan_cohort, public_columns

HIDDEN = ["diagnosis", "severity", "burden", "score"]


def people(**options):
    table = plan_cohort(GeneratorOptions(**options))
    return table.drop_duplicates("participant_id").reset_index(drop=True)


def test_the_label_moves_nothing_else():
    few = plan_cohort(GeneratorOptions(prevalence=0.1, families=0.5, duplicates=3))
    many = plan_cohort(GeneratorOptions(prevalence=0.9, families=0.5, duplicates=3))
    assert (few["diagnosis"] != many["diagnosis"]).any()
    pd.testing.assert_frame_equal(few.drop(columns=HIDDEN), many.drop(columns=HIDDEN))


def test_the_seed_decides_and_only_it():
    first = plan_cohort(GeneratorOptions(seed=3))
    pd.testing.assert_frame_equal(first, plan_cohort(GeneratorOptions(seed=3)))
    assert not first.equals(plan_cohort(GeneratorOptions(seed=4)))


def test_more_participants_leave_the_first_ones_as_they_are():
    few, many = people(participants=20), people(participants=40)
    columns = ["participant_id", "baseline_age", "sex", "acquisition_date"]
    pd.testing.assert_frame_equal(few[columns], many[columns].head(20))


@pytest.mark.parametrize("prevalence", [0.0, 0.3, 0.5, 1.0])
def test_the_share_of_patients_is_exact(prevalence):
    table = people(participants=50, prevalence=prevalence)
    assert (table["diagnosis"] == "AD").sum() == round(50 * prevalence)


def test_nothing_predicts_the_label_without_a_confound():
    """Age, sex and site differ between the groups by chance alone, over seeds."""
    z = []
    for seed in range(60):
        table = people(seed=seed)
        patient = (table["diagnosis"] == "AD").to_numpy()
        columns = [table["baseline_age"], table["sex"] == "M"]
        columns += [table["site"] == site for site in table["site"].unique()[:3]]
        for column in columns:
            values = column.to_numpy(dtype=float)
            error = values.std() * np.sqrt(1 / patient.sum() + 1 / (~patient).sum())
            z.append((values[patient].mean() - values[~patient].mean()) / error)
    z = np.reshape(z, (60, 5))
    assert np.abs(z.mean(axis=0)).max() < 0.45  # 3.5 standard errors
    assert np.all((z.std(axis=0) > 0.7) & (z.std(axis=0) < 1.3))


def test_confounds_can_be_turned_on():
    table = people(participants=400, prevalence_spread=0.4, age_gap=8.0)
    share = table.groupby("site")["diagnosis"].agg(lambda d: (d == "AD").mean())
    assert share.max() - share.min() > 0.5
    age = table.groupby("diagnosis")["baseline_age"].mean()
    assert age["AD"] - age["CN"] == pytest.approx(8.0, abs=2.5)


def test_sessions_are_dated_and_age_with_them():
    table = plan_cohort(GeneratorOptions(sessions=3, attrition=0, interval=6))
    assert table.groupby("participant_id").size().eq(3).all()
    dates = pd.to_datetime(table["acquisition_date"])
    first = dates.groupby(table["participant_id"]).transform("min")
    months = table["session_id"].str.removeprefix("ses-M").astype(int)
    late = (dates - first).dt.days - months * 30.4375
    assert late.abs().max() <= 22
    assert np.allclose(table["age"], table["baseline_age"] + table["years"], atol=0.06)


def test_attrition_makes_the_number_of_sessions_differ():
    counts = plan_cohort(GeneratorOptions(sessions=4, attrition=0.5))
    sizes = counts.groupby("participant_id").size()
    assert set(sizes) == {1, 2, 3, 4}
    assert (counts["session_id"] == "ses-M000").sum() == 120


def test_families_are_real_and_stay_together():
    table = people(participants=60, families=0.5)
    size = table["family_id"].map(table["family_id"].value_counts())
    assert (size > 1).sum() == 30
    assert table.groupby("family_id")["site"].nunique().eq(1).all()


@pytest.mark.parametrize("participants", [3, 4, 5, 7])
def test_nobody_is_left_without_a_sibling(participants):
    for seed in range(10):
        table = people(participants=participants, families=1.0, sites=1, seed=seed)
        assert table["family_id"].value_counts().min() >= 2


def test_sites_are_of_equal_size_and_nest():
    table = people(participants=60, sites=6, datasets=2, scanners_per_site=2)
    assert set(table["site"].value_counts()) == {10}
    assert table.groupby("site")["dataset"].nunique().eq(1).all()
    assert table.groupby("scanner")["site"].nunique().eq(1).all()
    assert table["dataset"].nunique() == 2
    assert table["scanner"].nunique() > 6


def test_a_duplicate_looks_like_anybody_else():
    table = plan_cohort(GeneratorOptions(participants=20, duplicates=4))
    copies = table[table["copied_from"].notna()]
    assert list(copies["participant_id"]) == [f"sub-{k:03d}" for k in range(21, 25)]
    assert copies["family_id"].is_unique
    originals = table[table["session_id"] == "ses-M000"].set_index("participant_id")
    same = originals.loc[copies["copied_from"], ["age", "sex", "diagnosis", "site"]]
    assert (same.to_numpy() == copies[list(same.columns)].to_numpy()).all()
    public = public_columns(GeneratorOptions())
    assert set(public) <= set(table.columns)
    assert "copied_from" not in public


def test_the_disease_grows_from_the_effect():
    weak, strong = people(effect=0.5), people(effect=2.0)
    patient = strong["diagnosis"] == "AD"
    assert np.allclose(strong["severity"], 4 * weak["severity"])
    assert (strong.loc[~patient, "severity"] == 0).all()
    assert strong.loc[patient, "severity"].mean() == pytest.approx(2.0, rel=0.15)
    assert (people(effect=0)["severity"] == 0).all()
