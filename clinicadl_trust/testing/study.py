"""A made-up study whose truth is known, as a predictions table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clinicadl_trust.exceptions import ConfigError

__all__ = ["synthetic_study"]

Array = NDArray[np.float64]
StudyDesign = Literal["held-out", "cross-validation", "sites-left-out"]

#: Shares of a score's variance: of the person, whatever the model and the visit; of the
#: person and the model; the rest is of the visit.
_SHARED, _PERSON = 0.3, 0.3
_N_FOLDS = 5
_NAMES = {
    "held-out": "sealed",
    "cross-validation": "participants",
    "sites-left-out": "sites",
}


def synthetic_study(
    skill: Mapping[str, float],
    design: StudyDesign = "held-out",
    *,
    participants: int = 120,
    visits: int = 2,
    sites: int = 6,
    site_sd: float = 0.0,
    confidence: float = 1.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Make the predictions of several models in one study.

    Parameters
    ----------
    skill : mapping of str to float
        Each model's distance between patients and controls, in standard deviations of
        its score: the ROC AUC is Phi(skill / sqrt(2)).
    design : {"held-out", "cross-validation", "sites-left-out"}
        One test group, five folds of participants, or one site left out at a time.
    participants, visits, sites : int
        How many; every participant comes to one site, ``visits`` times.
    site_sd : float
        Standard deviation of the skill between sites.
    confidence : float
        By how much log odds are stretched: 1 is calibrated, 2 is overconfident.
    seed : int
        Of every draw.

    Returns
    -------
    pandas.DataFrame
        A predictions table of group ``test`` with ``site``, ``age`` and ``sex``, half
        of the participants patients (label 1).

    Raises
    ------
    ConfigError
        If the design is unknown, or a number makes no sense.

    Examples
    --------
    >>> table = synthetic_study({"cnn": 2.0, "age and sex": 0.4})
    >>> len(table), sorted(table["model"].unique())
    (480, ['age and sex', 'cnn'])
    """
    if design not in _NAMES:
        raise ConfigError(f"design='{design}' is not one of {', '.join(_NAMES)}.")
    if min(participants // 2, visits, sites) < 1 or min(site_sd, confidence) < 0:
        raise ConfigError(
            "A study needs participants, visits and sites, and no negative number; got "
            f"{participants}, {visits}, {sites}, site_sd={site_sd:g} and "
            f"confidence={confidence:g}."
        )
    rng = np.random.default_rng(seed)
    images = _images(participants, visits, sites, rng)
    person = images["participant_id"].cat.codes.to_numpy()
    site = images["site"].cat.codes.to_numpy()
    label = images["label"].to_numpy(float)
    shared = np.sqrt(_SHARED) * rng.normal(size=participants)[person]
    tables = []
    for model, distance in skill.items():
        here = distance + site_sd * rng.normal(size=sites)[site]
        own = np.sqrt(_PERSON) * rng.normal(size=participants)[person]
        noise = shared + own + _visit_noise(len(images), rng)
        odds = distance * (here * (label - 0.5) + noise)
        score = 1 / (1 + np.exp(-confidence * odds))
        tables.append(images.assign(score=score, model=model))
    made = pd.concat(tables, ignore_index=True)
    ids = {name: made[name].astype(str) for name in ("participant_id", "site")}
    made = made.assign(**_folds(made, design), **ids)
    return made.assign(split_strategy=_NAMES[design], repeat=0, seed=0, group="test")


def _images(
    participants: int, visits: int, sites: int, rng: np.random.Generator
) -> pd.DataFrame:
    number = np.arange(participants)
    people = pd.DataFrame(
        {
            "participant_id": [f"sub-{n:03d}" for n in number],
            "site": [f"site-{n}" for n in number // 2 % sites + 1],  # crosses the label
            "label": number % 2,
            "age": rng.uniform(55, 90, participants).round(1),
            "sex": rng.choice(["F", "M"], participants),
        }
    )
    images = people.loc[np.repeat(number, visits)].reset_index(drop=True)
    months = 12 * np.tile(np.arange(visits), participants)
    images.insert(1, "session_id", [f"ses-M{month:03d}" for month in months])
    kinds = {"participant_id": "category", "site": "category"}
    return images.astype(kinds)


def _visit_noise(n: int, rng: np.random.Generator) -> Array:
    return np.sqrt(1 - _SHARED - _PERSON) * rng.normal(size=n)


def _folds(table: pd.DataFrame, design: StudyDesign) -> dict[str, object]:
    """Return the columns ``split`` and ``fold``."""
    if design == "sites-left-out":
        return {"split": table["site"].cat.codes, "fold": table["site"].astype(str)}
    if design == "cross-validation":
        # In pairs of a patient and a control, so that folds are alike.
        return {"split": table["participant_id"].cat.codes // 2 % _N_FOLDS, "fold": ""}
    return {"split": 0, "fold": ""}
