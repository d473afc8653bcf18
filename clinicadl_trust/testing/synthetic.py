"""Small tables that the contract checks run plugins on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import Cohort

__all__ = [
    "synthetic_cohort",
    "synthetic_predictions",
    "synthetic_readings",
    "synthetic_seeds",
    "synthetic_test_group",
]


def synthetic_cohort(participants: int = 96, seed: int = 0) -> Cohort:
    """Make a cohort with every known column and no image.

    Parameters
    ----------
    participants : int
        How many, in families of two for a quarter of them, seen once or twice.
    seed : int
        Seeds every draw.

    Returns
    -------
    Cohort
        Three data sets of two sites with two scanners each; ``diagnosis`` is CN or AD.
    """
    rng = np.random.default_rng(seed)
    number = np.arange(participants)
    people = pd.DataFrame({"participant_id": [f"sub-{n:03d}" for n in number]})
    family = np.where(number < participants // 4, number // 2, number)
    people["family_id"] = [f"family-{n:03d}" for n in family]
    # Families live at one site: the site is dealt to families, not to participants.
    place = family % 6
    people["dataset"] = [f"dataset-{n // 2}" for n in place]
    people["site"] = [f"site-{n}" for n in place]
    scanner = family // 6 % 2
    people["scanner"] = [f"scanner-{a}{b}" for a, b in zip(place, scanner, strict=True)]
    people["age"] = rng.uniform(55, 90, participants).round(1)
    people["sex"] = rng.choice(["F", "M"], participants)
    people["diagnosis"] = rng.permutation(np.resize(["CN", "AD"], participants))
    start = pd.Timestamp("2018-01-01")
    first = start + pd.to_timedelta(rng.integers(0, 1200, participants), "D")
    visits = []
    for session, gap, seen in (("ses-M000", 0, 1.0), ("ses-M012", 365, 0.5)):
        rows = people.assign(session_id=session)
        days = first + pd.to_timedelta(gap, "D")
        rows["acquisition_date"] = days.strftime("%Y-%m-%d")
        rows["age"] += gap / 365
        visits.append(rows[rng.random(participants) < seen])
    return Cohort.from_frame(pd.concat(visits), "the synthetic cohort")


def synthetic_predictions(folds: int = 4, seed: int = 0) -> pd.DataFrame:
    """Make a predictions table: two models in cross-validation, one better.

    Parameters
    ----------
    folds : int
        Outer folds of participants; each has a validation and a test group.
    seed : int
        Seeds every draw.

    Returns
    -------
    pandas.DataFrame
        Models ``better`` and ``worse``, binary labels.
    """
    rng = np.random.default_rng(seed)
    images = synthetic_cohort(seed=seed).table
    ids = pd.Index(images["participant_id"].unique())
    home = pd.Series(rng.permutation(np.resize(np.arange(folds), len(ids))), index=ids)
    label = (images["diagnosis"] == "AD").astype(float)
    tables = []
    for model, slope in (("better", 2.0), ("worse", 0.5)):
        for split in range(folds):
            for group, fold in (("test", split), ("validation", (split + 1) % folds)):
                here = images["participant_id"].map(home) == fold
                columns = ["participant_id", "session_id", "dataset", "site"]
                rows = images.loc[here, columns].copy()
                noise = rng.normal(size=len(rows))
                rows["label"] = label[here]
                rows["score"] = 1 / (1 + np.exp(slope * (0.5 - label[here]) + noise))
                rows["split_strategy"], rows["model"] = "participants", model
                rows["repeat"], rows["split"], rows["seed"] = 0, split, 0
                rows["fold"], rows["group"] = "", group
                tables.append(rows)
    return pd.concat(tables, ignore_index=True)


def synthetic_test_group(seed: int = 0) -> pd.DataFrame:
    """Make a predictions table: three models tested once, on one image of each person.

    Parameters
    ----------
    seed : int
        Seeds every draw.

    Returns
    -------
    pandas.DataFrame
        Models ``better``, ``middle`` and ``worse``, binary labels, six sites.
    """
    rng = np.random.default_rng(seed)
    images = synthetic_cohort(seed=seed).table.drop_duplicates("participant_id")
    images = images.drop_duplicates("family_id")
    label = (images["diagnosis"] == "AD").astype(float)
    tables = []
    for model, slope in (("better", 2.0), ("middle", 1.0), ("worse", 0.5)):
        rows = images[["participant_id", "session_id", "dataset", "site", "sex"]].copy()
        noise = rng.normal(size=len(rows))
        rows["label"], rows["model"], rows["group"] = label, model, "test"
        rows["score"] = 1 / (1 + np.exp(slope * (0.5 - label) + noise))
        rows["split_strategy"] = "sealed"
        rows["repeat"], rows["split"], rows["seed"], rows["fold"] = 0, 0, 0, ""
        tables.append(rows)
    return pd.concat(tables, ignore_index=True)


def synthetic_seeds(n_seeds: int = 3, seed: int = 0) -> pd.DataFrame:
    """Make a predictions table: models trained from several seeds, tested once.

    Parameters
    ----------
    n_seeds : int
        Trainings of each model.
    seed : int
        Seeds every draw.

    Returns
    -------
    pandas.DataFrame
        As of ``synthetic_test_group``; scores of one model differ a little.
    """
    rng = np.random.default_rng(seed)
    tables = []
    for number in range(n_seeds):
        rows = synthetic_test_group(seed).assign(seed=number)
        rows["score"] = np.clip(rows["score"] + 0.1 * rng.normal(size=len(rows)), 0, 1)
        tables.append(rows)
    return pd.concat(tables, ignore_index=True)


def synthetic_readings(seed: int = 0) -> pd.DataFrame:
    """Make a predictions table: four readers who read each image in two ways.

    Parameters
    ----------
    seed : int
        Seeds every draw.

    Returns
    -------
    pandas.DataFrame
        With the columns ``reader`` and ``treatment``; ``model`` names both.
    """
    rng = np.random.default_rng(seed)
    group = synthetic_test_group(seed)
    tables = []
    for treatment, model in (("aided", "better"), ("unaided", "worse")):
        for number in range(4):
            rows = group[group["model"] == model].copy()
            rows["score"] += 0.1 * rng.normal(size=len(rows))
            rows["reader"], rows["treatment"] = f"reader-{number}", treatment
            rows["model"] = f"reader-{number} {treatment}"
            tables.append(rows)
    return pd.concat(tables, ignore_index=True)
