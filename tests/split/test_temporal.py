"""The past trains, the future tests."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from strategy_builder import build

from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import ConfigError, SplitError
from clinicadl_trust.split import from_options

DATE = "acquisition_date"


def dates(cohort, *tables):
    return pd.concat(tables).merge(cohort.table, on=list(IDS))[DATE]


def people(table):
    return set(table["participant_id"])


def test_all_training_comes_before_all_testing(make_cohort):
    cohort = make_cohort()
    (fold,) = build("TemporalSplit").split(cohort, "diagnosis")
    assert (
        dates(cohort, fold.train, fold.validation).max()
        < dates(cohort, fold.test).min()
    )
    assert fold.name == f"from {dates(cohort, fold.test).min()}"


@pytest.mark.parametrize(("crossing", "kept"), [("train", "test"), ("test", "train")])
def test_who_crosses_the_date_is_on_one_side_and_counted(crossing, kept, make_cohort):
    table = make_cohort(family_id=None).table
    cutoff = "2020-06-01"
    early = people(table[table[DATE] < cutoff])
    late = people(table[table[DATE] >= cutoff])
    crossers = early & late
    assert crossers
    options = {"cutoff": cutoff, "crossing": crossing}
    (fold,) = build("TemporalSplit", options).split(
        Cohort.from_frame(table), "diagnosis"
    )
    seen, tested = people(fold.train) | people(fold.validation), people(fold.test)
    assert fold.notes[0].startswith(f"{len(crossers)} participants on both sides of")
    # Whoever crosses keeps the images of one side only.
    if crossing == "train":
        assert seen == early and tested == late - early
        gone = table["participant_id"].isin(crossers) & (table[DATE] >= cutoff)
    else:
        assert seen == early - late and tested == late
        gone = table["participant_id"].isin(crossers) & (table[DATE] < cutoff)
    assert f"without {int(gone.sum())} " in fold.notes[0]
    used = len(fold.train) + len(fold.validation) + len(fold.test)
    assert used == len(table) - gone.sum()


def test_cutoff_follows_from_the_fraction(make_cohort):
    cohort = make_cohort(participants=80, family_id=None)
    for fraction in (0.2, 0.5):
        (fold,) = build("TemporalSplit", {"fraction": fraction}).split(cohort)
        assert len(people(fold.test)) == pytest.approx(80 * fraction, abs=2)


def test_validation_is_the_latest_of_each_class(make_cohort):
    cohort = make_cohort(family_id=None)
    (fold,) = build("TemporalSplit").split(cohort, "diagnosis")
    both = pd.concat([fold.train, fold.validation]).merge(cohort.table, on=list(IDS))
    last = both.groupby(["diagnosis", "participant_id"])[DATE].max().reset_index()
    held = last["participant_id"].isin(people(fold.validation))
    for name in ("AD", "CN"):
        here = last["diagnosis"] == name
        assert last[DATE][here & held].min() >= last[DATE][here & ~held].max()
        assert held[here].mean() == pytest.approx(0.15, abs=0.06)


def test_successive_periods_each_use_all_that_came_before(make_cohort):
    cohort = make_cohort(participants=100, family_id=None)
    options = {"n_splits": 3, "fraction": 0.6}
    folds = build("TemporalSplit", options).split(cohort)
    assert [fold.split for fold in folds] == [0, 1, 2]
    tested = [people(fold.test) for fold in folds]
    assert not tested[0] & tested[1] and not tested[1] & tested[2]
    sizes = [len(fold.train) + len(fold.validation) for fold in folds]
    assert sizes == sorted(sizes)
    for fold in folds:
        assert dates(cohort, fold.train).max() < dates(cohort, fold.test).min()


def test_nested_periods_stay_before_the_outer_date(make_cohort):
    cohort = make_cohort(participants=100)
    (fold,) = build("TemporalSplit", {"inner_splits": 2}).split(cohort)
    first = dates(cohort, fold.test).min()
    for inner in fold.inner:
        assert dates(cohort, inner.test).max() < first
        assert dates(cohort, inner.train).max() < dates(cohort, inner.test).min()


def test_date_outside_the_study(make_cohort):
    for cutoff, side in (("2001-01-01", "before"), ("2041-01-01", "from")):
        with pytest.raises(SplitError, match=f"No image was made {side} {cutoff}"):
            build("TemporalSplit", {"cutoff": cutoff}).split(make_cohort())


@pytest.mark.parametrize("cutoff", [datetime.date(2020, 6, 1), "2020-06-01"])
def test_a_date_of_a_toml_file_is_a_date(cutoff, make_cohort):
    (fold,) = from_options("TemporalSplit", {"cutoff": cutoff}).split(make_cohort())
    assert fold.name == "from 2020-06-01"


@pytest.mark.parametrize("cutoff", ["2020-W23-1", "20200601", "June 2020", "0001"])
def test_other_spellings_of_a_date_are_refused(cutoff):
    with pytest.raises(ConfigError, match=f"like 2021-09-01; got '{cutoff}'"):
        build("TemporalSplit", {"cutoff": cutoff})


def test_not_a_date(make_cohort):
    table = make_cohort().table
    table.loc[3, DATE] = "spring 2019"
    with pytest.raises(SplitError, match=r"'spring 2019' \(sub-.* is not a date"):
        build("TemporalSplit").split(Cohort.from_frame(table))


def test_one_date_makes_one_period():
    with pytest.raises(ConfigError, match="one test period; got n-splits = 2"):
        build("TemporalSplit", {"cutoff": "2020-01-01", "n_splits": 2})
