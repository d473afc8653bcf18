"""How participants are dealt to folds: evenly, and without a hint of the label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.split.dealing import deal


def people(number, sites, share=0.5, families=0, seed=0):
    """Participants whose label is drawn by lot; the first are siblings in pairs."""
    rng = np.random.default_rng(seed)
    ids = [f"sub-{n:03d}" for n in range(number)]
    pairs = [f"family {n // 2}" for n in range(families)]
    patient = rng.permutation(number) < share * number
    return pd.DataFrame(
        {
            "participant_id": ids,
            "label": np.where(patient, "AD", "CN"),
            "site": [f"site-{n % sites}" for n in range(number)],
            "family": pairs + ids[families:],
        }
    )


def fold_of(participants, n_splits, seed=0, together="participant_id"):
    rng = np.random.default_rng(seed)
    folds = pd.Series(-1, index=participants["participant_id"])
    for number, chosen in enumerate(deal(participants, n_splits, rng, together)):
        assert chosen and (folds[sorted(chosen)] == -1).all()
        folds[sorted(chosen)] = number
    assert (folds >= 0).all()
    return folds.to_numpy()


def spread(folds, groups):
    """Largest difference between two folds in the number from one group."""
    return int(np.ptp(pd.crosstab(folds, groups).to_numpy(), axis=0).max())


@pytest.mark.parametrize("together", ["participant_id", "family"])
@pytest.mark.parametrize(("number", "sites", "n_splits"), [(120, 4, 4), (203, 7, 5)])
def test_folds_are_even_in_label_site_and_size(number, sites, n_splits, together):
    for seed in range(10):
        table = people(number, sites, 0.4, families=number // 4, seed=seed)
        folds = fold_of(table, n_splits, seed, together)
        assert spread(folds, table["label"].to_numpy()) <= 1
        assert spread(folds, np.zeros(number)) <= 1
        assert spread(folds, table["site"].to_numpy()) <= 4
        if together == "family":
            assert table.groupby("family")["label"].size().max() == 2
            assert pd.crosstab(table["family"], folds).gt(0).sum(axis=1).max() == 1


@pytest.mark.parametrize("together", ["participant_id", "family"])
@pytest.mark.parametrize(("sites", "n_splits"), [(4, 4), (20, 5)])
def test_chance_differences_between_sites_are_not_learned(sites, n_splits, together):
    """Labels by lot: the prevalence of a site in training says nothing of the test."""
    site = np.arange(120) % sites
    values = []
    for seed in range(100):
        table = people(120, sites, families=40, seed=seed)
        folds = fold_of(table, n_splits, seed, together)
        patient = (table["label"] == "AD").to_numpy()
        for fold in range(n_splits):
            test = folds == fold
            seen = np.bincount(site[~test], minlength=sites)
            sick = np.bincount(site[~test], patient[~test], minlength=sites)
            score = ((sick + 0.5) / (seen + 1))[site[test]]
            gap = np.subtract.outer(score[patient[test]], score[~patient[test]])
            values.append(np.mean(gap > 0) + np.mean(gap == 0) / 2)
    # Standard error .007; folds even in label within site give .57 and .63.
    assert abs(np.mean(values) - 0.5) < 0.02


def test_no_fold_is_empty_beside_a_family_of_many():
    for seed in range(20):
        table = people(14, 1, seed=seed)
        table["family"] = ["family 0"] * 10 + list(table["participant_id"][10:])
        folds = fold_of(table, 5, seed, together="family")
        assert sorted(np.bincount(folds)) == [1, 1, 1, 1, 10]


def test_more_classes_than_room_leaves_no_fold_empty():
    table = people(12, 3).assign(label=[f"class-{n // 2}" for n in range(12)])
    folds = fold_of(table, 5)
    assert spread(folds, np.zeros(12)) <= 1
    assert spread(folds, table["label"].to_numpy()) <= 1
