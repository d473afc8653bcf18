"""What a pilot table of predictions tells a plan."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.arrays import as_numbers
from clinicadl_trust.stats.influence import placements
from clinicadl_trust.stats.planning.spread import PlannedMetric, Spread
from clinicadl_trust.stats.table import check_table

__all__ = ["from_pilot"]

#: Participants below which a pilot tells a variance too badly.
_SMALL = 30


def from_pilot(
    metric: PlannedMetric,
    pilot: pd.DataFrame,
    difference: float | None,
    prevalence: float | None,
) -> Spread:
    """Take the spread from a table of predictions.

    Parameters
    ----------
    metric : {"roc_auc", "proportion", "mean"}
        What is planned.
    pilot : pandas.DataFrame
        As in ``required_sample_size``.
    difference : float or None
        To be found between the two models, if there are two.
    prevalence : float or None
        Share of positives planned; None for that of the pilot.

    Raises
    ------
    StatisticsError
        If a column is absent, a value is missing, or nothing varies.
    """
    columns = ["score"] if difference is None else ["score", "score_b"]
    table = _checked(metric, check_table(pilot), columns)
    code = pd.factorize(table["participant_id"])[0]
    positive = np.ones(len(table), dtype=bool)
    weight = 1.0
    if metric == "roc_auc":
        positive = table["label"].to_numpy() == 1
        weight = float(positive.mean()) if prevalence is None else prevalence
    pieces = [_pieces(metric, table, name, positive) for name in columns]
    effect = pieces[0][1] - (pieces[1][1] if len(pieces) > 1 else 0.0)
    groups = [(positive, weight), (~positive, 1.0 - weight)]
    groups = [(own, share) for own, share in groups if own.any()]
    square = _square(effect, groups)
    icc, images = _icc(effect, groups, code)
    n = int(code.max()) + 1
    discordant = math.nan
    if metric == "proportion" and difference is not None:
        gap = pieces[0][0] - pieces[1][0]
        discordant = float(((effect + gap) ** 2).mean())
        square = discordant - difference**2
    return Spread(
        variance=lambda count: square / count,
        value=pieces[0][0],
        source="variance of the pilot",
        discordant=discordant,
        icc=icc,
        images=images,
        prevalence=weight if metric == "roc_auc" else math.nan,
        assumptions=_said(pieces, n, len(table)),
        warnings=_small(n),
    )


def _square(effect: np.ndarray, groups: list[tuple[np.ndarray, float]]) -> float:
    """Return the variance that one independent image would have, over the classes."""
    square = sum(float(effect[own].var(ddof=1)) / share for own, share in groups)
    if not square > 0:
        raise StatisticsError(
            "Nothing varies in the pilot: every image says the same. A larger one is "
            "needed, or sd and correlation by assumption."
        )
    return square


def _checked(
    metric: PlannedMetric, pilot: pd.DataFrame, scores: list[str]
) -> pd.DataFrame:
    labelled = metric == "roc_auc" or (metric == "proportion" and "label" in pilot)
    needed = ["participant_id", *scores, *(["label"] if labelled else [])]
    for name in needed:
        if name not in pilot:
            raise StatisticsError(
                f"The pilot has no column '{name}'."
                f"{did_you_mean(name, list(map(str, pilot.columns)))} It needs "
                f"{', '.join(needed)}."
            )
    table = pilot[needed]
    if table.isna().to_numpy().any():
        raise StatisticsError(
            f"{int(table.isna().any(axis=1).sum())} of {len(table)} rows of the pilot "
            "lack a value. Leave them out first."
        )
    if table["participant_id"].nunique() < 2:
        raise StatisticsError("The pilot needs two participants or more.")
    if labelled and not table["label"].isin([0, 1]).all():
        raise StatisticsError("Labels of the pilot must be 0 or 1.")
    if metric == "roc_auc" and any(
        (table["label"] == code).sum() < 2 for code in (0, 1)
    ):
        raise StatisticsError("The pilot needs two images of each class or more.")
    return table


def _pieces(
    metric: PlannedMetric, table: pd.DataFrame, name: str, positive: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return a model's metric, and what each image adds, centred in its class."""
    score = as_numbers(table[name], f"Values of '{name}'")
    if not np.isfinite(score).all():
        raise StatisticsError(f"Values of '{name}' must be finite, and some are not.")
    if metric == "roc_auc":
        of_positive, of_negative = placements(score[positive], score[~positive])
        each = np.empty(score.size)
        each[positive], each[~positive] = of_positive, of_negative
        value = float(of_positive.mean())
    else:
        if metric == "proportion":
            threshold = score >= 0.5
            right = (
                threshold == (table["label"] == 1) if "label" in table else threshold
            )
            score = np.asarray(right, dtype=float)
        each, value = score, float(score.mean())
    return value, each - value


def _icc(
    effect: np.ndarray, groups: list[tuple[np.ndarray, float]], code: np.ndarray
) -> tuple[float, float]:
    """Return the correlation of a participant's images, and how many there are.

    What the clustered variance is more than that of independent images, divided by
    the images that the average image shares its participant with.
    """
    scaled = np.zeros(effect.size)
    for own, _ in groups:
        scaled[own] = effect[own] / own.sum()
    sizes = np.bincount(code)
    others = float((sizes**2).sum() / sizes.sum()) - 1.0
    inflation = float((np.bincount(code, scaled) ** 2).sum() / (scaled**2).sum())
    icc = (inflation - 1.0) / others if others > 0 else 0.0
    return min(max(icc, 0.0), 1.0), float(sizes.mean())


def _said(
    pieces: list[tuple[float, np.ndarray]], n: int, n_images: int
) -> tuple[str, ...]:
    said = [f"variance as in a pilot of {n} participants and {n_images} images"]
    said += [f"a value of {pieces[0][0]:.3g} there"]
    if len(pieces) > 1:
        rho = np.corrcoef(pieces[0][1], pieces[1][1])[0, 1]
        said.append(f"correlation {rho:.2f} between the two models' images")
    return tuple(said)


def _small(n: int) -> tuple[str, ...]:
    if n >= _SMALL:
        return ()
    return (
        f"The pilot has {n} participants, so that its variance is off by about "
        f"{100 * math.sqrt(2 / max(n - 1, 1)):.0f} %: plan for more than this.",
    )
