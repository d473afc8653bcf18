"""Decision curves: whether acting on a model does more good than harm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_numbers
from clinicadl_trust.stats.calibration.probabilities import (
    as_probabilities,
    two_classes,
)
from clinicadl_trust.stats.decision.points import (
    ENOUGH,
    degrees_of_freedom,
    image_worth,
    points,
)
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.joint import clustered_means, max_t
from clinicadl_trust.stats.sample import Sample

__all__ = ["DecisionCurve", "compare_net_benefit", "net_benefit"]

Strategy = Literal["treat all", "treat none"]

_POINTWISE = (
    "Each interval holds at its threshold alone: choose the threshold before looking."
)
_ALIKE = (
    "Where no participant's images differ from another's nothing tells how much the "
    "net benefit varies: no interval can be given."
)
_NO_DECISION = (
    "Where no decision counts, the interval is what so many participants do not rule "
    "out (Clopper and Pearson)."
)

#: Where a decision curve is drawn.
THRESHOLDS: tuple[float, ...] = tuple(step / 20 for step in range(1, 20))


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefits, or their differences, at one or more thresholds.

    Attributes
    ----------
    points : pandas.DataFrame
        One row per threshold and strategy: ``threshold``, ``strategy``,
        ``net_benefit``, ``low``, ``high``, ``standard_error``, ``calibration``. Of two
        models: ``threshold``, ``effect`` (first minus second), ``low``, ``high``,
        ``p_value``, ``p_adjusted`` (max-T over thresholds), ``standard_error``,
        ``calibration``.
    confidence_level : float
        Of the intervals.
    method : str
        How they are made.
    n, n_clusters, df
        Images, participants that they come from, degrees of freedom.
    warnings : tuple of str
        What a reader must know.
    """

    points: pd.DataFrame
    confidence_level: float
    method: str
    n: int
    n_clusters: int
    df: float
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the points, with the level, the method and what they come from."""
        return self.points.assign(
            confidence_level=self.confidence_level,
            method=self.method,
            n=self.n,
            n_clusters=self.n_clusters,
            df=self.df,
            warnings=" ".join(self.warnings),
        )

    def __str__(self) -> str:
        head = (
            f"Net benefit ({100 * self.confidence_level:.6g}% intervals, "
            f"{self.method}, {self.n} images of {self.n_clusters} units)"
        )
        table = self.points.to_string(index=False, float_format="{:.4f}".format)
        return "\n".join([head, table, *(f"  ! {w}" for w in self.warnings)])


def net_benefit(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    thresholds: float | npt.ArrayLike = THRESHOLDS,
    cluster: npt.ArrayLike | None = None,
    *,
    confidence_level: float = 0.95,
) -> DecisionCurve:
    """Estimate the net benefit of treating whom a model flags.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for the class whose probability is the score, 0 for the other.
    score : array-like of shape (n_images,)
        Probabilities.
    thresholds : float or array-like
        Probabilities from which on one would treat, between 0 and 1; by default .05,
        .1 to .95. At ``t`` a false alarm costs ``t / (1 - t)`` of what a case found is
        worth.
    cluster : array-like of shape (n_images,), optional
        The participant of each image. Without it every image is taken for another
        participant's.
    confidence_level : float
        Of each interval by itself.

    Returns
    -------
    DecisionCurve
        ``TP / n - FP / n * t / (1 - t)`` for the model, treating all and treating
        none (0), with a t interval from the cluster sandwich of what each image adds.
        The prevalence is that of these images: a case-control set needs weights.
        In our simulations (40 to 300 participants, 1 to 5 images, AUC .75 to .95) it
        covers .94 to .97 where it is called calibrated; where few costly false alarms
        decide, at high thresholds, down to .88, and is called approximate.

    Raises
    ------
    StatisticsError
        If labels are not 0 and 1, scores no probabilities, or a threshold is outside.

    References
    ----------
    Vickers and Elkin, Medical Decision Making 26, 2006; Vickers, Cronin, Elkin and
    Gonen, BMC Med. Inform. Decis. Mak. 8, 2008.

    Examples
    --------
    >>> from clinicadl_trust.stats import net_benefit
    >>> curve = net_benefit([0, 0, 1, 1], [0.1, 0.6, 0.7, 0.9], 0.5)
    >>> [float(value) for value in curve.points["net_benefit"]]
    [0.25, 0.0, 0.0]
    """
    check_level(confidence_level)
    sample = two_classes(label, cluster)
    given = as_probabilities(score, sample.label.size)
    cuts = _cuts(thresholds)
    flagged = given[:, None] >= cuts
    limits = -cuts / (1 - cuts), np.ones(cuts.size)
    tables = []
    for name, chosen in (("model", flagged), ("treat all", np.ones_like(flagged))):
        means = clustered_means(image_worth(sample.label, chosen, cuts), sample)
        table = points(means, sample, limits, confidence_level)
        tables.append(table.assign(threshold=cuts, strategy=name))
    none = pd.DataFrame(0.0, range(cuts.size), ["effect", "low", "high"])
    none = none.assign(standard_error=0.0, calibration="calibrated")
    tables.append(none.assign(threshold=cuts, strategy="treat none"))
    table = pd.concat(tables)
    table = table.rename(columns={"effect": "net_benefit"})
    table = table.sort_values("threshold", kind="stable", ignore_index=True)
    columns = ["threshold", "strategy", "net_benefit", "low", "high"]
    columns += ["standard_error", "calibration"]
    return _curve(table[columns], sample, confidence_level)


def compare_net_benefit(
    label: npt.ArrayLike,
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike | Strategy,
    thresholds: float | npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    *,
    confidence_level: float = 0.95,
    seed: int = 0,
) -> DecisionCurve:
    """Compare the net benefits of two models on the same images.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for the class whose probability is the score, 0 for the other.
    score_a : array-like of shape (n_images,)
        Probabilities.
    score_b : array-like of shape (n_images,), "treat all" or "treat none"
        Of the other model, or doing without one.
    thresholds, cluster, confidence_level
        As in ``net_benefit``.
    seed : int
        Of the simulation for ``p_adjusted``.

    Returns
    -------
    DecisionCurve
        First minus second, paired (references as in ``net_benefit``).

    Raises
    ------
    StatisticsError
        As ``net_benefit``.
    """
    check_level(confidence_level)
    sample = two_classes(label, cluster)
    cuts = _cuts(thresholds)
    first, second = (_chosen(score, sample, cuts) for score in (score_a, score_b))
    worth = [image_worth(sample.label, chosen, cuts) for chosen in (first, second)]
    means = clustered_means(worth[0] - worth[1], sample)
    most = np.maximum(1.0, cuts / (1 - cuts))
    table = points(means, sample, (-most, most), confidence_level)
    table["p_adjusted"] = max_t(table["p_value"], means.covariance, seed)
    columns = ["threshold", "effect", "low", "high", "p_value", "p_adjusted"]
    columns += ["standard_error", "calibration"]
    return _curve(table.assign(threshold=cuts)[columns], sample, confidence_level)


def _cuts(thresholds: float | npt.ArrayLike) -> np.ndarray:
    given = [thresholds] if np.isscalar(thresholds) else thresholds
    cuts = as_numbers(given, "Thresholds")  # type: ignore[arg-type]
    wrong = cuts[~((cuts > 0) & (cuts < 1))]
    if not cuts.size or wrong.size:
        seen = f"is {wrong[0]:g}" if wrong.size else "is needed"
        raise StatisticsError(
            "Thresholds must be probabilities between 0 and 1, both excluded, and one "
            f"{seen}. Give those at which one would treat, such as [0.1, 0.2]."
        )
    return np.unique(cuts)


def _chosen(
    score: npt.ArrayLike | Strategy, sample: Sample, cuts: np.ndarray
) -> np.ndarray:
    if isinstance(score, str):
        if score not in ("treat all", "treat none"):
            raise StatisticsError(
                f"'{score}' is no strategy: give scores, 'treat all' or 'treat none'."
            )
        return np.full((sample.label.size, cuts.size), score == "treat all")
    return as_probabilities(score, sample.label.size)[:, None] >= cuts


def _curve(table: pd.DataFrame, sample: Sample, level: float) -> DecisionCurve:
    warnings = [_POINTWISE] if table["threshold"].nunique() > 1 else []
    weak = table.loc[table["calibration"] == "approximate", "threshold"].unique()
    if weak.size:
        warnings.append(
            f"At {weak.size} thresholds (the first is {weak[0]:g}) fewer than {ENOUGH} "
            "participants of a class, with a decision that counts, or with one of the "
            "rare costly decisions, are what the interval rests on: it may be too "
            "narrow."
        )
    if table["low"].isna().any():
        warnings.append(_ALIKE)
    if (table["calibration"] == "conservative").any():
        warnings.append(_NO_DECISION)
    return DecisionCurve(
        points=table,
        confidence_level=level,
        method="cluster sandwich, t",
        n=sample.label.size,
        n_clusters=sample.n_clusters,
        df=degrees_of_freedom(sample),
        warnings=tuple(warnings),
    )
