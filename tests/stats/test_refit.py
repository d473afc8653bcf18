import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, RepeatedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import refit_permutation_test
from clinicadl_trust.stats.cross_validation.redrawing import Redrawing

PEOPLE = np.repeat(np.arange(12), [1, 2, 3] * 4)
LABELS = (np.arange(12) % 2)[PEOPLE]
BLOCKS = (np.arange(12) // 6)[PEOPLE]


def by_person(values):
    return [tuple(values[person == PEOPLE].tolist()) for person in range(12)]


def test_all_images_of_a_participant_get_one_label_and_blocks_keep_theirs():
    redrawing = Redrawing(LABELS, PEOPLE, BLOCKS)
    drawn = [redrawing.draw(0, number) for number in range(50)]
    for labels in drawn:
        per_person = by_person(labels)
        assert all(len(set(series)) == 1 for series in per_person)
        for block in (0, 1):
            first = [s[0] for s in per_person[6 * block : 6 * block + 6]]
            assert sum(first) == 3
    assert len({labels.tobytes() for labels in drawn}) > 30
    assert math.exp(redrawing.log_distinct) == pytest.approx(20 * 20)
    assert redrawing.smallest_p_value(99) == 0.01
    assert redrawing.smallest_p_value(10_000) == pytest.approx(1 / 400)
    assert redrawing.notes == ()


def test_each_label_is_as_likely_for_everybody():
    redrawing = Redrawing(LABELS[:6], PEOPLE[:6] * 0 + np.arange(6), np.zeros(6))
    drawn = np.array([redrawing.draw(3, number) for number in range(2000)])
    assert np.abs(drawn.mean(axis=0) - LABELS[:6].mean()).max() < 0.05


def test_a_draw_depends_on_its_seed_and_number_alone():
    redrawing = Redrawing(LABELS, PEOPLE, BLOCKS)
    again = Redrawing(LABELS, PEOPLE, BLOCKS)
    assert np.array_equal(redrawing.draw(1, 7), again.draw(1, 7))
    assert not np.array_equal(redrawing.draw(1, 7), again.draw(2, 7))


def test_series_that_change_go_to_somebody_with_as_many_visits():
    labels = np.array([f"{person}-{k}" for k, person in enumerate(PEOPLE)])
    redrawing = Redrawing(labels, PEOPLE, np.zeros(PEOPLE.size))
    drawn = redrawing.draw(0, 0)
    assert Counter(by_person(drawn)) == Counter(by_person(labels))
    assert not np.array_equal(drawn, labels)
    assert math.exp(redrawing.log_distinct) == pytest.approx(24**3)


def test_who_has_nobody_to_exchange_with_is_told():
    people = np.repeat(np.arange(5), [1, 1, 2, 2, 7])
    labels = np.arange(people.size) % 2
    redrawing = Redrawing(labels, people, np.zeros(people.size))
    assert "1 of 5 participants keep their labels" in redrawing.notes[0]
    assert np.array_equal(redrawing.draw(0, 0)[people == 4], labels[people == 4])


@pytest.mark.parametrize(
    ("labels", "people", "blocks", "words"),
    [
        ([0, 1, 0, 1], [0, 0, 1, 1], [0, 1, 0, 0], "Participant 0 is tested in two"),
        ([0, 0, 1, 1], [0, 1, 2, 3], [0, 0, 1, 1], "all have the same label. Give"),
        ([0, 1, 0, 1, 0], [0, 0, 1, 1, 1], [0] * 5, "as many visits"),
    ],
)
def test_labels_that_cannot_be_redrawn_are_refused(labels, people, blocks, words):
    with pytest.raises(StatisticsError, match=words):
        Redrawing(np.array(labels), np.array(people), np.array(blocks))


def study(n=40, visits=2, effect=0.0, seed=0):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n), visits)
    label = (np.arange(n) // 5 % 2)[person]
    features = rng.normal(size=(n, 3))[person] + rng.normal(size=(person.size, 3))
    features[:, 0] += effect * label
    return features, label, person


def test_an_effect_is_found_and_the_p_value_is_the_share_of_draws():
    made = refit_permutation_test(
        GaussianNB(), *study(effect=3.0), n_permutations=39, seed=0
    )
    assert made.p_value == made.smallest_p_value == 1 / 40
    assert made.p_low == 0
    assert made.p_high == pytest.approx(1 - 0.025 ** (1 / 39))
    assert made.value > 0.75
    assert abs(made.drawn.mean() - 0.5) < 0.1
    assert (made.metric, made.n, made.n_clusters) == ("roc_auc", 80, 40)
    frame = made.to_frame()
    assert frame["n_permutations"].item() == 39
    assert "p = 0.025" in str(made)


def test_the_value_is_the_mean_within_the_folds_given():
    from sklearn.metrics import roc_auc_score

    X, y, groups = study(effect=1.0)
    folds = list(GroupKFold(4).split(X, y, groups))
    made = refit_permutation_test(
        GaussianNB(), X, y, groups, cv=folds, n_permutations=19, seed=0
    )
    values = [
        roc_auc_score(y[b], GaussianNB().fit(X[a], y[a]).predict_proba(X[b])[:, 1])
        for a, b in folds
    ]
    assert made.value == pytest.approx(np.mean(values))
    again = refit_permutation_test(
        GaussianNB(), X, y, groups, cv=GroupKFold(4), n_permutations=19, seed=0
    )
    assert np.array_equal(made.drawn, again.drawn)


def test_the_number_of_processes_changes_nothing():
    options = {"n_permutations": 19, "seed": 3, "metric": "brier"}
    X, y, groups = study()
    one = refit_permutation_test(GaussianNB(), X, y, groups, **options)
    frame = pd.DataFrame(X)
    two = refit_permutation_test(GaussianNB(), frame, y, groups, n_jobs=2, **options)
    assert np.array_equal(one.drawn, two.drawn)
    # An error that is smaller is better: none is better than the draws' least.
    as_good = (one.drawn <= one.value + 1e-12).sum()
    assert one.p_value == (1 + as_good) / 20


@pytest.mark.parametrize(
    ("estimator", "labels", "metric"),
    [
        (LinearSVC(), lambda y: np.where(y, "AD", "CN"), "roc_auc"),
        (Ridge(), lambda y: y, "roc_auc"),
        (
            GaussianNB(),
            lambda y: np.array(["a", "b", "c"])[np.arange(40) % 3][PAIRS],
            0,
        ),
        (Ridge(), lambda y: np.random.default_rng(0).normal(size=80), "mae"),
    ],
)
def test_any_task_and_any_score(estimator, labels, metric):
    X, y, groups = study()
    made = refit_permutation_test(
        estimator, X, labels(y), groups, n_permutations=19, seed=0, cv=2
    )
    assert made.metric == (metric or "roc_auc")
    assert 0.05 <= made.p_value <= 1


PAIRS = np.repeat(np.arange(40), 2)


def test_a_model_that_learns_nothing_is_never_better():
    made = refit_permutation_test(
        DummyClassifier(), *study(effect=3.0), n_permutations=19, seed=0
    )
    assert (made.value, made.p_value) == (0.5, 1.0)


def test_sites_as_folds_redraw_within_sites():
    X, y, groups = study()
    sites = groups % 4 // 2
    y = (groups // 4 % 2).astype(int)
    cv = list(LeaveOneGroupOut().split(X, y, sites))
    made = refit_permutation_test(
        GaussianNB(), X, y, groups, cv=cv, n_permutations=19, seed=0
    )
    assert 0 < made.p_value <= 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cv": KFold(4, shuffle=True, random_state=0)}, "trains on and tests .* same"),
        ({"cv": []}, "no fold"),
        ({"cv": 41}, "40 participants cannot be dealt to 41"),
        ({"cv": 1}, "cannot be dealt to 1"),
        ({"cv": [([], [0])]}, "trains on 0 images"),
        ({"groups": None, "cv": RepeatedKFold(n_splits=2, n_repeats=2)}, "one repeat"),
        ({"groups": [0]}, "1 groups for 80 images"),
        ({"n_permutations": 9}, "n_permutations=9"),
        ({"y": np.zeros(80)}, "1 values"),
        ({"X": np.zeros((3, 2))}, "X has 3 images"),
        ({"metric": "auc"}, "roc_auc"),
        ({"estimator": LinearSVC(), "metric": "brier"}, "CalibratedClassifierCV"),
        ({"cv": 20}, "Fold 0 tests without one of the classes: 1."),
    ],
)
def test_mistakes_are_told(options, words):
    X, y, groups = study()
    if options.get("cv") == 20:
        y = (groups >= 39).astype(int)
    given = {"estimator": GaussianNB(), "X": X, "y": y, "groups": groups}
    with pytest.raises(StatisticsError, match=words):
        refit_permutation_test(**{**given, "n_permutations": 19, "seed": 0, **options})
