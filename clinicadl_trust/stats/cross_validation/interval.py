"""One door to the intervals of a cross-validation, which differ in what they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.cross_validation.corrected import corrected_interval
from clinicadl_trust.stats.cross_validation.nested import (
    NestedLosses,
    nested_cross_validation_interval,
)
from clinicadl_trust.stats.cross_validation.pooled import pooled_interval
from clinicadl_trust.stats.means import UNBOUNDED
from clinicadl_trust.stats.results import Estimate

__all__ = ["cross_validation_interval"]

Method = Literal["corrected", "nested", "pooled"]

#: What each method takes as its values.
_NEEDS: dict[str, str] = {
    "corrected": (
        "the metric in each fold, a list of numbers, with n_train and n_test: the "
        "participants in a training and in a test fold"
    ),
    "nested": "the NestedLosses that stats.nested_cross_validation gives",
    "pooled": (
        "a DataFrame, the out-of-fold predictions of one model: participant_id, fold, "
        "label and score"
    ),
}
_TYPES: dict[type, str] = {NestedLosses: "nested", pd.DataFrame: "pooled"}


def cross_validation_interval(
    values: Sequence[float] | NestedLosses | pd.DataFrame,
    n_train: float | None = None,
    n_test: float | None = None,
    confidence_level: float = 0.95,
    *,
    method: Method = "corrected",
    metric: str | None = None,
    bounds: tuple[float, float] = UNBOUNDED,
    n_clusters: int | None = None,
) -> Estimate:
    """Interval for a performance that was measured by cross-validation.

    Folds share most of their training participants, so neither their values nor their
    scores are independent. Three procedures take that into account, each from what it
    needs; the label and the warnings of the result say how far they do.

    Parameters
    ----------
    values : sequence of float, NestedLosses or pandas.DataFrame
        For ``"corrected"`` the metric in each fold of each repeat. For ``"nested"``
        what ``nested_cross_validation`` gives. For ``"pooled"`` a predictions table of
        one model: ``participant_id``, ``fold``, ``label`` and ``score``.
    n_train, n_test : float, optional
        For ``"corrected"``: participants, not images, in a training and in a test fold.
    confidence_level : float
        For example .95.
    method : {"corrected", "nested", "pooled"}
        The corrected resampled t of Nadeau and Bengio (2003) on fold values; the nested
        cross-validation of Bates, Hastie and Tibshirani (2024); or the variance over
        participants of the metric within folds.
    metric : str, optional
        For ``"pooled"``: by default the first metric of the task, such as
        ``"roc_auc"``.
    bounds : tuple of float
        For ``"corrected"`` and ``"nested"``: what the metric cannot exceed.
    n_clusters : int, optional
        For ``"corrected"``: participants in the smallest class, which limit the
        interval where every fold has the best or worst possible value.

    Returns
    -------
    Estimate
        Labelled with what was measured: see ``Notes``.

    Raises
    ------
    StatisticsError
        If the values are not what the method takes, or make no sense.

    Notes
    -----
    What a 95 % interval covers, measured for ridge regression on 20 features of 60,
    120 and 600 participants, 5 and 10 folds, with and without an effect:

    ============  ============  ==================
    method        AUC           share of errors
    ============  ============  ==================
    corrected     .94 to .99    .95 to .99
    nested        none          .93 to .98
    pooled        .84 to .94    .87 to .94
    ============  ============  ==================

    ``"corrected"`` needs nothing but fold values and is the first choice; it is up to
    1.7 times as wide as it must be where many participants teach the model much.
    ``"nested"`` refits the model n_repeats * n_folds * (n_folds + 1) / 2 times, for a
    loss that each participant has by itself, such as an error. ``"pooled"`` does not
    see the training and is too narrow.

    References
    ----------
    Nadeau, Bengio (2003), Machine Learning 52, 239-281. Bates, Hastie, Tibshirani
    (2024), JASA 119, 1434-1445. Obuchowski (1997), Biometrics 53, 567-578.
    """
    _check(values, method)
    if isinstance(values, NestedLosses):
        _refuse(method, n_train=n_train, n_test=n_test, n_clusters=n_clusters)
        _refuse(method, metric=metric)
        return nested_cross_validation_interval(values, confidence_level, bounds=bounds)
    if isinstance(values, pd.DataFrame):
        limits = None if bounds == UNBOUNDED else bounds
        _refuse(method, n_train=n_train, n_test=n_test, bounds=limits)
        _refuse(method, n_clusters=n_clusters)
        return pooled_interval(values, metric, confidence_level)
    _refuse(method, metric=metric)
    if n_train is None or n_test is None:
        raise StatisticsError(
            f"method='corrected' needs n_train and n_test, and got {n_train} and "
            f"{n_test}. Give {_NEEDS['corrected']}."
        )
    return corrected_interval(
        values, n_train, n_test, confidence_level, bounds=bounds, n_clusters=n_clusters
    )


def _check(values: object, method: str) -> None:
    """Check that the values are those of the method."""
    if method not in get_args(Method):
        raise StatisticsError(
            f"method={method!r} is no interval of a cross-validation."
            f"{did_you_mean(str(method), get_args(Method))}"
        )
    theirs = next((m for t, m in _TYPES.items() if isinstance(values, t)), "corrected")
    if theirs != method:
        raise StatisticsError(
            f"method='{method}' takes {_NEEDS[method]}; it got a "
            f"{type(values).__name__}. What was given is for method='{theirs}'."
        )


def _refuse(method: str, **options: object) -> None:
    """Refuse options that would be passed over in silence."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise StatisticsError(
            f"method='{method}' has no use for {' and '.join(given)}: it takes "
            f"{_NEEDS[method]}. Leave {'it' if len(given) == 1 else 'them'} out."
        )
