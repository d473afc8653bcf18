"""How the data were split is read from the table alone."""

import numpy as np
import pandas as pd
import pytest
from predictions_factory import cohort, concat, folds, held_out, predict

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.predictions import check_predictions
from clinicadl_trust.stats import infer_designs
from clinicadl_trust.stats.design import choose_primary


def design(table, group="test"):
    (found,) = infer_designs(check_predictions(table), group).values()
    return found


def test_one_fold_is_a_held_out_group():
    found = design(held_out())
    assert (found.kind, found.unit, found.leak) == ("held-out", "participant", "")
    assert "new patient" in found.estimand
    assert found.is_result


def test_several_seeds_are_still_one_group():
    images = cohort()
    table = concat(predict(images, seed=seed) for seed in range(3))
    assert design(table).kind == "held-out"


def test_folds_of_participants_are_a_cross_validation():
    found = design(folds(n_splits=4, participants=40))
    assert (found.kind, found.unit) == ("cross-validation", "participant")
    assert found.folds["n_test"].tolist() == [10] * 4
    assert found.folds["n_train"].tolist() == [30] * 4
    assert found.sizes([(0, 0), (0, 1)]) == (30, 10)
    assert "retrained" in found.estimand


def test_those_who_validate_do_not_train():
    table = folds({"cnn": 1.0}, n_splits=4)
    validation = [
        predict(
            cohort().query("participant_id in @chosen"),
            strategy="participants",
            split=split,
            group="validation",
        )
        for split, chosen in enumerate(
            (["sub-002"], ["sub-004"], ["sub-006"], ["sub-000"])
        )
    ]
    assert design(concat([table, *validation])).folds["n_train"].tolist() == [29] * 4


def test_folds_of_sites_leave_out_sites():
    found = design(folds(by="site", n_splits=4, sites=4))
    assert (found.kind, found.unit) == ("sites-left-out", "site")
    assert found.estimand == "a retrained model in a new hospital"


def test_two_sites_in_a_fold_are_left_out_sites_too():
    assert design(folds(by="site", n_splits=2, sites=4)).kind == "sites-left-out"


@pytest.mark.parametrize(
    ("column", "values", "unit"),
    [
        ("scanner", lambda site: site + "-b", "site"),  # one scanner a site
        ("dataset", lambda site: site.map(lambda s: "AB"[int(s[5:]) % 2]), "dataset"),
        ("dataset", lambda site: "ADNI", "site"),
    ],
)
def test_the_coarsest_unit_left_out_is_named(column, values, unit):
    table = folds(by="site", n_splits=2, sites=4)
    table[column] = values(table["site"])
    assert design(table).unit == unit


def test_scanners_are_left_out_where_sites_are_not():
    table = folds(by="site", sites=4)
    table["scanner"], table["site"] = table["site"], "Paris"
    assert design(table).unit == "scanner"


def test_a_site_for_each_participant_is_not_a_site():
    table = folds()
    table["site"] = table["participant_id"]
    assert design(table).kind == "cross-validation"


def test_a_site_that_is_unknown_for_some_says_nothing():
    table = folds(by="site")
    table.loc[0, "site"] = np.nan
    assert design(table).kind == "cross-validation"


def test_repeated_test_groups_do_not_leave_out_sites():
    images = cohort(participants=80)
    number = images["participant_id"].str[4:].astype(int)
    table = concat(
        predict(images[number // 8 % 3 == repeat], repeat=repeat) for repeat in range(3)
    )
    assert design(table).kind == "cross-validation"
    everyone = concat(predict(images, repeat=repeat) for repeat in range(2))
    assert design(everyone).kind == "cross-validation"


def test_repeated_left_out_sites_are_recognised():
    assert design(folds(by="site", repeats=2)).unit == "site"


def test_folds_of_scans_leak():
    found = design(folds(by="scan", n_splits=3, participants=40, visits=2))
    assert found.leak == "40 participants are in training and in test"
    assert not found.is_result
    assert found.estimand.startswith("none")
    assert found.warnings == ("leaky: 40 participants are in training and in test.",)
    # counted in images, as whoever makes the mistake does
    assert found.folds["n_train"].sum() == 160
    assert found.folds["n_test"].sum() == 80


def test_folds_of_scans_do_not_leak_with_one_scan_each():
    assert not design(folds(by="scan", visits=1)).leak


def test_a_travelling_participant_is_named_but_may_be_honest():
    # Our own leave-one-site-out keeps the images made elsewhere out of training.
    table = folds({"cnn": 1.0}, by="site")
    there = (table["participant_id"] == "sub-000") & (table["session_id"] == "ses-M001")
    table.loc[there, ["site", "split"]] = ["site-1", 1]
    found = design(table)
    assert (found.unit, found.leak, found.n_travellers) == ("site", "", 1)
    assert "more than one site: 1." in found.warnings[0]
    assert found.is_result


def test_everyone_may_travel_between_scanners():
    images = cohort(visits=2)
    images["scanner"] = images["session_id"].map({"ses-M000": "A", "ses-M001": "B"})
    images.loc[images["participant_id"] < "sub-010", "scanner"] = "A"
    table = concat(
        predict(images[images["scanner"] == name], split=split)
        for split, name in enumerate("AB")
    )
    found = design(table)
    assert (found.unit, found.leak, found.n_travellers) == ("scanner", "", 30)


def test_scans_split_within_a_site_leak():
    images = cohort(visits=2, sites=2)
    fold = images["site"] + images["session_id"]
    table = concat(
        predict(images[fold == name], split=split)
        for split, name in enumerate(sorted(fold.unique()))
    )
    assert design(table).leak == "40 participants are in training and in test"


def test_folds_drawn_anew_each_time_are_no_leak():
    # As of scikit-learn's ShuffleSplit, whose folds are numbered within one repeat.
    images, rng = cohort(), np.random.default_rng(0)
    people, scans = images["participant_id"], np.arange(len(images))
    drawn = [rng.choice(people.unique(), 12, replace=False) for _ in range(6)]
    table = concat(
        predict(images[people.isin(some)], split=split)
        for split, some in enumerate(drawn)
    )
    found = design(table)
    assert (found.kind, found.leak) == ("cross-validation", "")
    assert "rather too wide" in found.warnings[0]
    drawn = [rng.choice(scans, 24, replace=False) for _ in range(6)]
    scans = concat(predict(images.loc[s], split=n) for n, s in enumerate(drawn))
    assert "are in training and in test" in design(scans).leak


def test_predictions_of_the_training_group_tell_who_trained():
    images = cohort()
    people = images["participant_id"]
    tested = people < "sub-010"
    table = concat(
        [predict(images[tested]), predict(images[people >= "sub-020"], group="train")]
    )
    found = design(table)
    assert not found.leak
    assert found.folds.iloc[0].tolist() == [20, 10]
    table = concat([predict(images[tested]), predict(images, group="train")])
    assert design(table).leak == "10 participants are in training and in test"


def test_who_is_never_tested_may_have_trained():
    # A matched test set, drawn three times of a cohort that is larger than all of them.
    images = cohort(participants=60)
    number = images["participant_id"].str[4:].astype(int)
    drawn = [number % 5 == repeat for repeat in range(3)]
    table = concat(predict(images[each], repeat=r) for r, each in enumerate(drawn))
    assert "tested once in each repeat" in design(table).warnings[0]
    learned = [
        predict(images[~each], repeat=r, group="train") for r, each in enumerate(drawn)
    ]
    found = design(concat([table, *learned]))
    assert found.warnings == ()
    assert found.sizes([(0, 0), (1, 0)]) == (48, 12)
    for honest in (folds(), folds(repeats=2), folds(by="site"), held_out()):
        assert design(honest).warnings == ()


def test_those_without_a_label_do_not_train():
    table = folds({"cnn": 1.0}, n_splits=4)
    table.loc[table["participant_id"].isin(["sub-000", "sub-001"]), "label"] = np.nan
    found = design(table)
    total = found.folds["n_train"] + found.folds["n_test"]
    assert total.tolist() == [38] * 4


def test_validating_on_test_participants_leaks():
    images = cohort()
    table = concat([predict(images), predict(images[:4], group="validation")])
    assert design(table).leak == "2 participants are in validation and in test"


def test_repeats_are_not_a_leak():
    assert not design(folds(repeats=3)).leak


def test_two_models_may_have_folds_of_their_own():
    one, other = folds({"a": 1.0}), folds({"b": 1.0})
    other["split"] = (other["split"] + other["participant_id"].str[-1].astype(int)) % 4
    assert not design(pd.concat([one, other])).leak


def test_validation_images_are_no_result():
    table = concat(
        [held_out(), predict(cohort(), strategy="other", group="validation")]
    )
    found = infer_designs(check_predictions(table), "validation")
    assert list(found) == ["other"]
    assert not found["other"].is_result
    assert "optimistic" in found["other"].warnings[0]


def test_a_group_by_another_name_is_a_test_group():
    found = design(held_out().assign(group="external"), "external")
    assert found.is_result
    assert not design(held_out().assign(group="train"), "train").is_result
    both = concat(
        [held_out().assign(group="external"), held_out().assign(group="train")]
    )
    assert "in training and in test" in design(both, "external").leak


def designs():
    tables = [
        folds(by="scan", n_splits=3),
        folds(by="site"),
        folds(),
        held_out(),
    ]
    return infer_designs(check_predictions(concat(tables)))


def test_the_held_out_group_is_primary_then_cross_validation_then_sites():
    found = designs()
    assert choose_primary(found) == "sealed"
    del found["sealed"]
    assert choose_primary(found) == "participants"
    del found["participants"]
    assert choose_primary(found) == "sites"
    del found["sites"]
    assert choose_primary(found) is None


def test_the_primary_strategy_can_be_chosen_but_not_a_leaky_one():
    assert choose_primary(designs(), "sites") == "sites"
    with pytest.raises(StatisticsError, match="'scans' cannot be primary"):
        choose_primary(designs(), "scans")
    with pytest.raises(StatisticsError, match="Did you mean 'sealed'"):
        choose_primary(designs(), "seald")


def periods(names):
    """Two visits of everybody, the second tested in a later period."""
    images = cohort(visits=2)
    first = images["session_id"] == "ses-M000"
    tables = [
        predict(images[first], split=0).assign(fold=names[0]),
        predict(images[~first], split=1).assign(fold=names[1]),
    ]
    return concat(tables)


def test_successive_periods_may_test_a_participant_again():
    found = design(periods(["from 2020-01-01", "from 2021-01-01"]))
    assert (found.kind, found.leak, found.n_travellers) == ("cross-validation", "", 40)
    assert "more than one period: 40" in found.warnings[0]
    assert "which this table cannot tell" in found.warnings[0]
    for names in (["early", "late"], ["from 2020-01-01", "from 2020-01-01"]):
        assert "40 participants are in training" in design(periods(names)).leak


def test_who_trained_is_not_inferred_where_it_is_listed():
    table = periods(["early", "late"])
    people = sorted(table["participant_id"].unique())
    tested = table[table["participant_id"].isin(people[:20])]
    trained = table[table["participant_id"].isin(people[20:])].assign(group="train")
    both = concat([tested, trained])
    assert not design(both).leak
    assert design(both.query("group == 'test' or split == 0")).leak
    seen = concat([both, tested[:1].assign(group="train")])
    assert design(seen).leak == "1 participant is in training and in test"
