"""Who is together and who is apart, for every strategy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from strategy_builder import build

from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import ConfigError, PluginError, SplitError
from clinicadl_trust.plugins import available
from clinicadl_trust.split import from_options
from clinicadl_trust.split.apart import dominant
from clinicadl_trust.testing import check_split_strategy

GROUPS = ("train", "validation", "test")
OURS = {
    "FamilyKFold": {},
    "LeaveOneDatasetOut": {},
    "LeaveOneScannerOut": {},
    "LeaveOneSiteOut": {},
    "MatchedTestSet": {},
    "ParticipantKFold": {},
    "ScanKFold": {},
    "ScannerKFold": {"n_splits": 3},
    "SiteKFold": {"n_splits": 3},
    "TemporalSplit": {},
}
HONEST = [name for name in OURS if name != "ScanKFold"]


def people(fold, *groups):
    tables = [getattr(fold, group) for group in groups]
    return set().union(*(table["participant_id"] for table in tables))


def rows(cohort, ids):
    return ids.merge(cohort.table, on=list(IDS))


def same(one, other):
    return len(one) == len(other) and all(
        getattr(a, group).equals(getattr(b, group))
        for a, b in zip(one, other, strict=True)
        for group in GROUPS
    )


def test_all_are_plugins():
    assert set(OURS) <= set(available("split_strategies"))


@pytest.mark.parametrize("name", OURS)
def test_contract(name):
    strategy = build(name, OURS[name])
    check_split_strategy(type(strategy), strategy)


@pytest.mark.parametrize("label", ["diagnosis", "score", None])
@pytest.mark.parametrize("name", HONEST)
def test_nobody_is_on_both_sides(name, label, make_cohort):
    for fold in build(name, OURS[name]).split(make_cohort(), label):
        assert not people(fold, "train") & people(fold, "validation")
        assert not people(fold, "train", "validation") & people(fold, "test")
        assert all(people(fold, group) for group in GROUPS)


@pytest.mark.parametrize("name", OURS)
def test_order_of_rows_does_not_matter_and_seed_does(name, make_cohort):
    table = make_cohort().table
    strategy = build(name, OURS[name])
    folds = strategy.split(Cohort.from_frame(table), "diagnosis")
    shuffled = Cohort(table.sample(frac=1, random_state=1))
    assert same(folds, strategy.split(shuffled, "diagnosis"))
    other = dataclasses.replace(strategy, seed=1).split(shuffled, "diagnosis")
    # The validation set of a temporal split follows from the dates alone.
    assert same(folds, other) is (name == "TemporalSplit")


def test_participants_are_shared_out_by_label_and_site(make_cohort):
    cohort = make_cohort()
    folds = build("ParticipantKFold").split(cohort, "diagnosis")
    tested = pd.concat([fold.test for fold in folds])
    assert not tested.duplicated().any() and len(tested) == len(cohort)
    counts = []
    for fold in folds:
        first = rows(cohort, fold.test).drop_duplicates("participant_id")
        of_label = first["diagnosis"].value_counts().sort_index()
        of_site = first["site"].value_counts().sort_index()
        counts.append([*of_label, *of_site])
    spread = np.ptp(counts, axis=0)
    assert (spread[:2] <= 1).all()
    assert (spread[2:] <= 2).all()


def test_validation_is_the_asked_part_of_each_class(make_cohort):
    cohort = make_cohort()
    strategy = build("ParticipantKFold", {"validation_fraction": 0.25})
    for fold in strategy.split(cohort, "diagnosis"):
        both = pd.concat([rows(cohort, fold.train), rows(cohort, fold.validation)])
        # A family has the label of its first member.
        seen = both.drop_duplicates("participant_id")["diagnosis"].value_counts()
        held = rows(cohort, fold.validation).drop_duplicates("participant_id")
        ratio = held["diagnosis"].value_counts() / seen
        assert ratio.between(0.15, 0.35).all()


def test_validation_has_its_share_of_each_site(make_cohort):
    cohort = make_cohort(participants=120, family_id=None)
    strategy = build("ParticipantKFold", {"validation_fraction": 0.25})
    for fold in strategy.split(cohort, "diagnosis"):
        held = rows(cohort, fold.validation).drop_duplicates("participant_id")
        assert held.groupby("site").size().between(6, 10).all()


def test_validation_keeps_families_whole(make_cohort):
    cohort = make_cohort()
    for name in HONEST:
        for fold in build(name, OURS[name]).split(cohort, "diagnosis"):
            train = set(rows(cohort, fold.train)["family_id"].dropna())
            held = set(rows(cohort, fold.validation)["family_id"].dropna())
            assert not train & held, name


@pytest.mark.parametrize("name", [n for n in HONEST if n != "ParticipantKFold"])
def test_families_are_kept_out_of_training(name, make_cohort):
    cohort = make_cohort()
    for fold in build(name, OURS[name]).split(cohort, "diagnosis"):
        seen = rows(cohort, pd.concat([fold.train, fold.validation]))["family_id"]
        tested = rows(cohort, fold.test)["family_id"]
        assert not set(seen.dropna()) & set(tested.dropna())


def test_participants_apart_from_their_family_are_counted(make_cohort):
    cohort = make_cohort()
    fold = build("ParticipantKFold").split(cohort, "diagnosis")[0]
    seen = rows(cohort, pd.concat([fold.train, fold.validation]))
    tested = set(rows(cohort, fold.test)["family_id"].dropna())
    kin = seen[seen["family_id"].isin(tested)]["participant_id"].nunique()
    assert kin > 0
    assert fold.notes[0].startswith(f"{kin} participants in training with a relative")


def test_one_site_is_held_out_at_a_time(make_cohort):
    cohort = make_cohort()
    folds = build("LeaveOneSiteOut").split(cohort, "diagnosis")
    assert [fold.name for fold in folds] == ["site-0", "site-1", "site-2"]
    for fold in folds:
        assert set(rows(cohort, fold.test)["site"]) == {fold.name}
        seen = rows(cohort, pd.concat([fold.train, fold.validation]))
        assert fold.name not in set(seen["site"])


def test_who_is_seen_at_two_sites_is_not_trained_on(make_cohort):
    table = make_cohort(family_id=None).table
    moved = (table["participant_id"] == "sub-002") & (table["session_id"] == "ses-M012")
    table.loc[moved, "site"] = "site-0"
    folds = build("LeaveOneSiteOut").split(Cohort.from_frame(table), "diagnosis")
    by_name = {fold.name: fold for fold in folds}
    for name in ("site-0", "site-2"):
        fold = by_name[name]
        assert "sub-002" in people(fold, "test")
        assert "sub-002" not in people(fold, "train", "validation")
        (note,) = fold.notes
        assert note.endswith("made elsewhere of 1 participant in the test fold.")
    assert "sub-002" in people(by_name["site-1"], "train", "validation")
    assert not by_name["site-1"].notes


def test_sites_are_put_together_evenly(make_cohort):
    cohort = make_cohort(participants=120, sites=9)
    folds = build("SiteKFold", {"n_splits": 3}).split(cohort, "diagnosis")
    assert sum(len(fold.test) for fold in folds) == len(cohort)
    names = [name for fold in folds for name in fold.name.split(" + ")]
    assert sorted(names) == [f"site-{n}" for n in range(9)]
    sizes = [len(people(fold, "test")) for fold in folds]
    assert max(sizes) - min(sizes) <= 15


def test_scans_of_one_participant_are_on_both_sides(make_cohort):
    strategy = build("ScanKFold")
    assert strategy.leaky
    cohort = make_cohort()
    folds = strategy.split(cohort, "diagnosis")
    tested = pd.concat([fold.test for fold in folds])
    assert not tested.duplicated().any() and len(tested) == len(cohort)
    for fold in folds:
        assert len(people(fold, "train") & people(fold, "test")) > 5
        images = pd.concat([fold.train, fold.validation, fold.test])
        assert not images.duplicated().any() and len(images) == len(cohort)


def test_a_quantity_is_stratified_by_its_quartiles(make_cohort):
    cohort = make_cohort(participants=200)
    folds = build("ParticipantKFold").split(cohort, "score")
    cuts = cohort.table.drop_duplicates("participant_id")["score"].quantile(
        [0.25, 0.75]
    )
    for fold in folds:
        values = rows(cohort, fold.test).drop_duplicates("participant_id")["score"]
        assert 0.2 <= (values <= cuts.iloc[0]).mean() <= 0.3
        assert 0.2 <= (values >= cuts.iloc[1]).mean() <= 0.3


def test_a_quantity_with_few_first_values_is_still_one(make_cohort):
    table = make_cohort(family_id=None).table
    first = ~table.duplicated("participant_id")
    table.loc[first, "score"] = np.arange(first.sum()) % 3
    folds = build("MatchedTestSet").split(Cohort.from_frame(table), "score")
    assert not any("Classes matched" in note for note in folds[0].notes)


def test_one_with_most_images_is_named(make_cohort):
    table = make_cohort(participants=30, family_id=None).table
    many = [f"ses-X{n:03d}" for n in range(100)]
    person = table.iloc[[0]].loc[[0] * 100].assign(session_id=many)
    cohort = Cohort.from_frame(pd.concat([table, person]))
    folds = build("ParticipantKFold").split(cohort, "diagnosis")
    name = table["participant_id"].iloc[0]
    for fold in folds:
        (note,) = fold.notes
        (group,) = (g for g in GROUPS if name in people(fold, g))
        assert f"{name} gives 101 of the" in note and f"the {group} set" in note


@pytest.mark.parametrize(
    ("visits", "named"),
    [((3, 1, 1), False), ((10, 4, 4), True), ((10, 5, 5), False), ((10, 1), False)],
)
def test_few_visits_dominate_nothing(visits, named):
    names = [f"sub-{n}" for n, number in enumerate(visits) for _ in range(number)]
    found = dominant(pd.DataFrame({"participant_id": names}))
    assert found == (("sub-0", 10) if named else None)


def test_a_changing_label_counts_as_at_first(make_cohort):
    table = make_cohort(family_id=None).table
    later = (table["session_id"] != "ses-M000") & (table["diagnosis"] == "CN")
    table.loc[later, "diagnosis"] = "AD"
    folds = build("ParticipantKFold").split(Cohort.from_frame(table), "diagnosis")
    counts = [
        table.merge(fold.test)
        .drop_duplicates("participant_id")["diagnosis"]
        .eq("AD")
        .sum()
        for fold in folds
    ]
    assert max(counts) - min(counts) <= 1


def test_rows_without_label_are_left_out_and_said(make_cohort):
    table = make_cohort().table
    table.loc[table["participant_id"] == "sub-005", "diagnosis"] = None
    table.loc[table["participant_id"] == "sub-006", "diagnosis"] = None
    lost = int(table["diagnosis"].isna().sum())
    folds = build("ParticipantKFold").split(Cohort.from_frame(table), "diagnosis")
    for fold in folds:
        assert not {"sub-005", "sub-006"} & people(fold, *GROUPS)
        assert fold.notes[0] == f"Left out: {lost} images whose diagnosis is n/a."


@pytest.mark.parametrize("name", HONEST)
def test_nested_folds_share_out_train_and_validation(name, make_cohort):
    cohort = make_cohort(participants=72, sites=6)
    options = {"inner_splits": 2, "allow_missing_class": True}
    strategy = build(name, {**OURS[name], **options})
    if name == "LeaveOneDatasetOut":
        with pytest.raises(SplitError, match="different values of 'dataset'"):
            strategy.split(cohort, "diagnosis")
        return
    fold = strategy.split(cohort, "diagnosis")[0]
    assert len(fold.inner) == 2
    outside = people(fold, "train", "validation")
    for inner in fold.inner:
        assert people(inner, *GROUPS) <= outside
        assert not people(inner, "train", "validation") & people(inner, "test")
        if name != "ParticipantKFold":
            seen = rows(cohort, pd.concat([inner.train, inner.validation]))
            tested = rows(cohort, inner.test)["family_id"].dropna()
            assert not set(seen["family_id"]) & set(tested)
    if name != "TemporalSplit":
        assert people(fold.inner[0], "test") | people(fold.inner[1], "test") == outside
    if name == "LeaveOneSiteOut":
        assert " + " in fold.inner[0].name


def test_repeats_draw_again(make_cohort):
    strategy = build("ParticipantKFold", {"n_repeats": 2, "n_splits": 3})
    folds = strategy.split(make_cohort(), "diagnosis")
    places = [(fold.repeat, fold.split) for fold in folds]
    assert places == [(r, s) for r in range(2) for s in range(3)]
    assert not same(folds[:3], folds[3:])


def test_more_draws_do_not_change_the_first(make_cohort):
    once = build("ParticipantKFold", {"n_repeats": 1})
    twice = dataclasses.replace(once, n_repeats=2)
    cohort = make_cohort()
    assert same(once.split(cohort), twice.split(cohort)[:5])


class TestErrors:
    def test_one_site_only(self, make_cohort):
        with pytest.raises(
            SplitError, match=r"2 different values of 'site'.* 1 \(site"
        ):
            build("LeaveOneSiteOut").split(make_cohort(sites=1), "diagnosis")

    @pytest.mark.parametrize("name", ["ParticipantKFold", "FamilyKFold", "ScanKFold"])
    def test_fewer_units_than_folds(self, name, make_cohort):
        with pytest.raises(SplitError, match="40 folds need at least 40"):
            build(name, {"n_splits": 40}).split(make_cohort(12))

    def test_missing_class_is_named(self, make_cohort):
        table = make_cohort().table
        table.loc[table["site"] == "site-1", "diagnosis"] = "CN"
        cohort = Cohort.from_frame(table)
        strategy = build("LeaveOneSiteOut")
        with pytest.raises(SplitError, match=r"test set.*site-1.*diagnosis = AD"):
            strategy.split(cohort, "diagnosis")
        allowed = dataclasses.replace(strategy, allow_missing_class=True)
        assert len(allowed.split(cohort, "diagnosis")) == 3

    def test_column_missing(self, make_cohort):
        table = make_cohort().table.drop(columns="site")
        with pytest.raises(SplitError, match=r"'leave one site out' needs .*'site'"):
            build("LeaveOneSiteOut").split(Cohort.from_frame(table))

    def test_nothing_to_predict(self, make_cohort):
        table = make_cohort().table.assign(diagnosis="CN")
        with pytest.raises(SplitError, match=r"constant in .*every row is 'CN'"):
            build("ParticipantKFold").split(Cohort.from_frame(table), "diagnosis")

    def test_nested_folds_are_named(self, make_cohort):
        strategy = build("LeaveOneSiteOut", {"inner_splits": 3})
        with pytest.raises(SplitError, match=r"nested .* repeat 0, split 0 \(site-0\)"):
            strategy.split(make_cohort(), "diagnosis")

    def test_label_missing(self, make_cohort):
        with pytest.raises(SplitError, match=r"diagnosys.*Did you mean 'diagnosis'"):
            build("ParticipantKFold").split(make_cohort(), "diagnosys")

    def test_unknown_site(self, make_cohort):
        table = make_cohort().table
        table.loc[4, "site"] = None
        named = " ".join(table.loc[4, list(IDS)])
        with pytest.raises(SplitError, match=f"n/a in 1 of .* {named}"):
            build("SiteKFold").split(Cohort.from_frame(table))

    def test_nobody_left_to_train_on(self, make_cohort):
        table = make_cohort(participants=12).table.assign(family_id="one")
        with pytest.raises(SplitError, match="leaves nobody in the"):
            build("LeaveOneSiteOut").split(Cohort.from_frame(table))


class TestOptions:
    def test_text_is_read(self):
        options = {"n-splits": "4", "allow-missing-class": "true", "seed": "7"}
        strategy = from_options("participant-k-fold", options)
        assert strategy.n_splits == 4 and strategy.seed == 7
        assert strategy.allow_missing_class is True

    def test_unknown_option(self):
        with pytest.raises(ConfigError, match=r"'folds'.*Known names: .*n-splits"):
            from_options("ParticipantKFold", {"folds": 3})

    @pytest.mark.parametrize(
        ("given", "meant"), [("n_split", "n_splits"), ("n-split", "n-splits")]
    )
    def test_nearest_option_as_it_was_spelt(self, given, meant):
        with pytest.raises(ConfigError, match=f"Did you mean '{meant}'"):
            from_options("ParticipantKFold", {given: 3})

    def test_unknown_strategy(self):
        with pytest.raises(PluginError, match="Did you mean 'ParticipantKFold'"):
            from_options("ParticipantsKFold")

    @pytest.mark.parametrize(
        ("name", "option", "value"),
        [
            ("ParticipantKFold", "n_splits", 1),
            ("ParticipantKFold", "n_splits", "many"),
            ("ParticipantKFold", "seed", -1),
            ("ParticipantKFold", "n_repeats", 0),
            ("ParticipantKFold", "inner_splits", 1),
            ("ParticipantKFold", "validation_fraction", 0.9),
            ("MatchedTestSet", "fraction", 1.5),
            ("MatchedTestSet", "caliper", 0),
            ("TemporalSplit", "crossing", "both"),
            ("TemporalSplit", "cutoff", "soon"),
            ("TemporalSplit", "n_repeats", 2),
            ("TemporalSplit", "n_splits", 0),
            ("TemporalSplit", "fraction", 0),
        ],
    )
    def test_wrong_value_is_shown(self, name, option, value):
        with pytest.raises(ConfigError, match=str(value)):
            from_options(name, {option: value})
