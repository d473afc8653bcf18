"""Which model is better, image by image: differences between hospitals and people."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.design import Design
from clinicadl_trust.stats.estimands import HOSPITAL, RETRAINED
from clinicadl_trust.stats.image_differences import ImageDifferences
from clinicadl_trust.stats.image_values import (
    by_image,
    image_values,
    one_design,
    value_named,
)
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.joint import max_t
from clinicadl_trust.stats.results import Calibration

__all__ = ["ModelComparison", "compare_models"]

Array = npt.NDArray[np.float64]
Kind = Literal["absolute_error", "squared_error", "correct"]

_FEW_SITES = 5
_SITES_THAT_SHOW = 20

_FOLDS = (
    "Folds share training data, which these intervals do not see; `compare` corrects "
    "for it in a cross-validation."
)

#: From the best to the least known.
_LABELS: tuple[Calibration, ...] = ("calibrated", "conservative", "approximate")


@dataclass(frozen=True)
class ModelComparison:
    """Pairs of models compared image by image.

    Attributes
    ----------
    comparisons : pandas.DataFrame
        One row per pair: ``model, reference, effect`` (first minus second),
        ``standard_error, df, low, high, p_value, p_adjusted`` (max-T over pairs),
        ``site_sd, participant_sd, residual_sd`` of the differences, ``method``,
        ``calibration``.
    means : pandas.Series
        Mean of each model over the same images.
    value : str
        What is compared.
    estimand : str
        What the differences are about.
    n, n_participants, n_sites : int
        Images, participants and sites (0 where none are known).
    confidence_level : float
        Of the intervals of single pairs.
    calibration : str
        That of the pair which is least known.
    warnings : tuple of str
        What a reader must know.
    """

    comparisons: pd.DataFrame
    means: pd.Series
    value: str
    estimand: str
    n: int
    n_participants: int
    n_sites: int
    confidence_level: float
    calibration: str
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the comparisons."""
        return self.comparisons.copy()

    def __str__(self) -> str:
        columns = ["model", "reference", "effect", "low", "high", "p_value"]
        columns += ["p_adjusted", *(["site_sd"] if self.n_sites else [])]
        sites = f", {self.n_sites} sites" if self.n_sites else ""
        lines = [
            f"{self.value}, about {self.estimand}: {self.n} images of "
            f"{self.n_participants} participants{sites}",
            self.comparisons[columns].to_string(
                index=False, float_format=lambda v: f"{v:.4g}"
            ),
            f"  {'; '.join(self.comparisons['method'].unique())} ({self.calibration})",
        ]
        return "\n".join([*lines, *(f"  ! {w}" for w in self.warnings)])


def compare_models(
    predictions: pd.DataFrame,
    metric: Kind | str = "correct",
    *,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    site: str | None = "site",
    threshold: float = 0.5,
    confidence_level: float = 0.95,
    seed: int = 0,
) -> ModelComparison:
    """Compare models on a value that every image has.

    Each pair's differences are fitted by ``d ~ 1 + (1 | site) + (1 | participant_id)``.
    The variance between sites decides what holds in a new hospital. One model for all
    pairs with shared intercepts would assume that they are all alike.

    Parameters
    ----------
    predictions : pandas.DataFrame
        ``participant_id, session_id, model``, and ``label`` and ``score`` or a column
        of values. Several seeds of a model are averaged, image by image. Where
        ``family_id`` is known, a family is one participant.
    metric : str
        ``"correct"`` (score and label on one side of the threshold, also called
        ``"accuracy"``), ``"absolute_error"`` (``"error"``), ``"squared_error"`` (of an
        image; ``"brier"``), or a column such as ``"dice"``.
    reference : str, optional
        Only pairs with this model.
    split_strategy, group : str
        Which rows, of a table with these columns; needed where there are several
        strategies.
    site : str or None
        Column of hospitals, left out where it is absent or has one value.
    threshold : float
        For ``"correct"``.
    confidence_level : float
        Of the intervals.
    seed : int
        Of the draws for the adjusted p-values.

    Returns
    -------
    ModelComparison
        Differences with Satterthwaite's degrees of freedom. For ``"correct"`` without
        sites the risk difference with the cluster sandwich (``mcnemar``). AUC has no
        value per image: use ``compare_roc_auc``, or ``compare``.

        Of ten equal models, nine of them alike, a pair rejects .05 to .06 at 5 %, and
        max-T .06 over all 45 (shared intercepts: .31 for the odd one, .001 among the
        nine); of three that differ between 8 sites .06 and .07 (without the sites .40).

    Raises
    ------
    StatisticsError
        If a column is absent, models do not share images, there is one model, or
        participants are in training and in test.
    """
    check_level(confidence_level)
    predictions, design = one_design(predictions, split_strategy, group)
    value = value_named(metric, predictions)
    table = image_values(predictions, value, threshold)
    wide, about = by_image(table, predictions, site)
    names = list(wide.columns)
    if reference is not None and reference not in names:
        raise StatisticsError(
            f"There is no model '{reference}'.{did_you_mean(reference, names)}"
        )
    pairs = [
        pair
        for pair in combinations(names, 2)
        if reference is None or reference in pair
    ]
    if reference is not None:
        pairs = [(a if b == reference else b, reference) for a, b in pairs]
    rows, sums, warnings = [], [], []
    differences = ImageDifferences(about, wide, value, confidence_level)
    for first, second in pairs:
        about["d"] = (wide[first] - wide[second]).to_numpy()
        row, notes = differences.of(first, second)
        rows.append({"model": first, "reference": second, **row})
        warnings += [f"{first} - {second}: {note}" for note in notes]
        sums.append(_influence(about))
    made = pd.DataFrame(rows)
    added = np.column_stack(sums)
    least = float(made["df"].fillna(np.inf).min())
    made["p_adjusted"] = max_t(made["p_value"], added.T @ added, seed, least)
    n_sites = int(about["site"].nunique()) if "site" in about else 0
    if 0 < n_sites < _FEW_SITES:
        warnings.insert(0, f"With {n_sites} sites their variance is hardly known.")
    alike = int((made["site_sd"] == 0).sum())
    if alike and n_sites < _SITES_THAT_SHOW:
        warnings.append(
            f"{alike} of {len(made)} pairs show no variance between sites beyond "
            "chance. With few sites this does not show that they are alike."
        )
    in_folds = design.kind != "held-out"
    if in_folds:
        warnings.append(_FOLDS)
    order = ["model", "reference", "effect", "standard_error", "df", "low", "high"]
    order += ["p_value", "p_adjusted", "site_sd", "participant_sd", "residual_sd"]
    n_participants = int(about["participant_id"].nunique())
    enough = n_participants >= 20 and (n_sites == 0 or n_sites >= _FEW_SITES)
    label: Calibration = "calibrated" if enough else "approximate"
    made["calibration"] = [
        "approximate" if in_folds else row.get("calibration", label) for row in rows
    ]
    return ModelComparison(
        comparisons=made[[*order, "method", "calibration"]],
        means=wide.mean().rename("mean"),
        value=value,
        estimand=_estimand(design, n_sites),
        n=len(wide),
        n_participants=n_participants,
        n_sites=n_sites,
        confidence_level=confidence_level,
        calibration=max(made["calibration"], key=_LABELS.index),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _influence(about: pd.DataFrame) -> Array:
    """Return what each top-level unit adds to a pair's mean difference."""
    top = "site" if "site" in about and about["site"].nunique() > 10 else None
    unit = pd.factorize(about[top or "participant_id"])[0]
    sums = np.bincount(unit, about["d"] - about["d"].mean())
    return np.asarray(sums, dtype=float)


def _estimand(design: Design, n_sites: int) -> str:
    if design.kind == "held-out":
        return HOSPITAL if n_sites and design.is_test else design.estimand
    return design.estimand if n_sites else RETRAINED
