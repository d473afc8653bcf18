"""Performance by sex, age band, scanner or site, and the differences between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.clustered import measure
from clinicadl_trust.stats.held_out import clustered_estimate
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.metrics import get_metric, metric_names
from clinicadl_trust.stats.prepared import CLUSTER, IMAGE, Prepared, prepare
from clinicadl_trust.stats.results import Estimate
from clinicadl_trust.stats.sample import Sample
from clinicadl_trust.stats.subgroups.differences import Level, differences
from clinicadl_trust.stats.subgroups.levels import levels_of
from clinicadl_trust.stats.table import check_table

__all__ = ["Subgroups", "subgroups"]

_POOLED = (
    "These scores come from {n} folds, whose models differ: pooling their scores makes "
    "subgroups look worse, and intervals too narrow."
)


@dataclass(frozen=True)
class Subgroups:
    """Performance within the levels of a column, and between them.

    Attributes
    ----------
    by, metric : str
        Column, and measure of performance.
    levels : pandas.DataFrame
        One row per level: ``level`` and the fields of ``Estimate``.
    differences : pandas.DataFrame
        One row per pair: ``level``, ``minus``, ``effect``, ``low``, ``high``,
        ``p_value``, ``p_adjusted`` (max-T), ``statistic``, ``df``,
        ``standard_error``, ``n_shared``, ``calibration``.
    confidence_level : float
        Of the intervals.
    n, n_clusters : int
        Images with a level, and the participants that they come from.
    warnings : tuple of str
        What a reader must know.
    """

    by: str
    metric: str
    levels: pd.DataFrame
    differences: pd.DataFrame
    confidence_level: float
    n: int
    n_clusters: int
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the levels, one a row; the pairs are in ``differences``."""
        return self.levels.assign(by=self.by, metric=self.metric)

    def __str__(self) -> str:
        shown = ["level", "value", "low", "high", "n", "n_clusters", "calibration"]
        pairs = ["level", "minus", "effect", "low", "high", "p_value", "p_adjusted"]
        lines = [
            f"{self.metric} by {self.by} ({100 * self.confidence_level:.6g}% "
            f"intervals, {self.n} images of {self.n_clusters} units)",
            self.levels[shown].to_string(index=False, float_format="{:.3f}".format),
            self.differences[pairs].to_string(
                index=False, float_format="{:.3f}".format
            ),
        ]
        return "\n".join([*lines, *(f"  ! {w}" for w in self.warnings)])


def subgroups(
    predictions: pd.DataFrame,
    by: str,
    metric: str | None = None,
    *,
    bands: Sequence[float] | None = None,
    reference: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
    seed: int = 0,
) -> Subgroups:
    """Estimate performance within each level of a column, and compare the levels.

    Parameters
    ----------
    predictions : pandas.DataFrame
        One model's predictions: ``participant_id``, ``label``, ``score`` and the
        column; ``session_id`` where a participant has several images.
    by : str
        Column, such as ``sex``, ``age``, ``scanner`` or ``site``.
    metric : str, optional
        As in ``metric_names``; the first of them by default.
    bands : sequence of float, optional
        Numbers at which a new band starts: ``[65, 75]`` makes ``<65``, ``65 to <75``
        and ``>=75``.
    reference : str, optional
        The level that the others are compared with; each pair by default.
    group : str
        Data group.
    confidence_level : float
        Of each interval by itself.
    seed : int
        Of the simulation for ``p_adjusted``.

    Returns
    -------
    Subgroups
        Each level has its participant-clustered interval; differences have Newcombe's
        interval, with the covariance of participants seen in both levels, and
        p-values adjusted by max-T.

    Raises
    ------
    StatisticsError
        If the column is absent or no grouping, the reference is no level, or the
        table holds several models or predictions of an image.
    PredictionsError
        If it is no predictions table.

    References
    ----------
    Newcombe, Stat. Med. 17, 1998; Hothorn, Bretz and Westfall, Biometrical Journal
    50, 2008.
    """
    check_level(confidence_level)
    prepared, chosen = _checked(check_table(predictions), by, metric, group)
    codes, names = levels_of(prepared.rows[by], by, bands)
    if reference is not None and reference not in names:
        raise StatisticsError(
            f"reference='{reference}' is no level of '{by}'."
            f"{did_you_mean(reference, names)}"
        )
    made = [
        _level(name, prepared, codes == code, chosen, confidence_level)
        for code, name in enumerate(names)
    ]
    n_folds = prepared.rows["split"].nunique()
    if n_folds > 1:
        made = [_approximate(level) for level in made]
    width = chosen.bounds[1] - chosen.bounds[0]
    tables = [level.estimate.to_frame() for level in made]
    levels = pd.concat(tables, ignore_index=True)
    levels.insert(0, "level", names)
    return Subgroups(
        by=by,
        metric=chosen.name,
        levels=levels,
        differences=differences(made, reference, width, seed),
        confidence_level=confidence_level,
        n=int((codes >= 0).sum()),
        n_clusters=int(prepared.rows.loc[codes >= 0, CLUSTER].nunique()),
        warnings=_warnings(made, by, codes, n_folds),
    )


def _checked(
    predictions: pd.DataFrame, by: str, metric: str | None, group: str
) -> tuple[Prepared, Metric]:
    if by not in predictions:
        columns = [str(name) for name in predictions]
        raise StatisticsError(
            f"The predictions have no column '{by}'.{did_you_mean(by, columns)}"
        )
    prepared = prepare(predictions, group)
    _check_one_model(prepared.rows)
    chosen = get_metric(metric or metric_names(prepared.task)[0], prepared.task)
    if chosen.probability:
        prepared.check_probabilities(chosen.title)
    return prepared, chosen


def _check_one_model(rows: pd.DataFrame) -> None:
    for column in ("model", "split_strategy"):
        names = sorted(rows[column].unique())
        if len(names) > 1:
            raise StatisticsError(
                f"The predictions are of several values of '{column}': "
                f"{', '.join(names)}. Choose one first, such as "
                f"predictions[predictions['{column}'] == '{names[0]}']."
            )
    twice = int(rows.duplicated(IMAGE).sum())
    if twice:
        raise StatisticsError(
            f"{twice} rows predict an image that another row predicts, too (seeds or "
            "repeats). Choose one run, or average the scores of each image first."
        )


def _level(
    name: str,
    prepared: Prepared,
    inside: np.ndarray,
    metric: Metric,
    confidence_level: float,
) -> Level:
    chosen = prepared.rows[inside]
    score = prepared.scores(chosen)
    sample = Sample.make(chosen["label"], chosen[CLUSTER].to_numpy())
    whose = pd.unique(chosen[CLUSTER])
    parts = np.zeros(int(prepared.rows[CLUSTER].max()) + 1)
    members = np.isin(np.arange(parts.size), whose)
    problem = metric.undefined(sample.label, score)
    if problem:
        estimate = _undefined(metric, sample, confidence_level, problem)
    else:
        parts[whose] = measure(metric, sample, [score]).parts.sum(axis=1)
        estimate = clustered_estimate(metric, sample, [score], confidence_level)
    return Level(name, estimate, parts, members)


def _undefined(metric: Metric, sample: Sample, level: float, problem: str) -> Estimate:
    nan = math.nan
    warning = f"{metric.title} cannot be computed here: {problem}."
    return Estimate(
        nan, nan, nan, level, nan, metric.method, "approximate",
        sample.label.size, sample.n_clusters, (warning,),
    )  # fmt: skip


def _approximate(level: Level) -> Level:
    return replace(level, estimate=replace(level.estimate, calibration="approximate"))


def _warnings(
    levels: Sequence[Level], by: str, codes: np.ndarray, n_folds: int
) -> tuple[str, ...]:
    made = [f"{by} = {x.name}: {text}" for x in levels for text in x.estimate.warnings]
    n_missing = int((codes < 0).sum())
    if n_missing:
        made.append(f"{n_missing} images without a value of '{by}' were left out.")
    if n_folds > 1:
        made.append(_POOLED.format(n=n_folds))
    n_levels = np.sum([level.members for level in levels], axis=0)
    if (n_levels > 1).any():
        made.append(
            f"{int((n_levels > 1).sum())} participants have images in several levels: "
            "the differences take their covariance into account."
        )
    return tuple(made)
