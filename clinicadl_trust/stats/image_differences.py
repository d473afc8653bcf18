"""The differences of two models on the same images: their mean and how it varies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.stats.intervals import t_p_value, t_quantile
from clinicadl_trust.stats.mcnemar import mcnemar
from clinicadl_trust.stats.mixed.mean_model import MeanModel

__all__ = ["ImageDifferences"]

Array = npt.NDArray[np.float64]
Row = dict[str, Any]


class ImageDifferences:
    """Compares pairs of models; all pairs have the same images.

    Parameters
    ----------
    about : pandas.DataFrame
        ``participant_id``, and ``site`` where there are several, one row per image.
    wide : pandas.DataFrame
        Values, one row per image and one column per model.
    value : str
        What they are.
    level : float
        Of the intervals.
    """

    def __init__(
        self, about: pd.DataFrame, wide: pd.DataFrame, value: str, level: float
    ) -> None:
        self._about, self._wide, self._value, self._level = about, wide, value, level
        repeated = bool(about["participant_id"].duplicated().any())
        self._groups = ["site"] if "site" in about else []
        self._groups += ["participant_id"] if repeated else []
        self._is_mixed = "site" in about or (repeated and value != "correct")
        self._model: MeanModel | None = None

    def of(self, first: str, second: str) -> tuple[Row, tuple[str, ...]]:
        """Return the row of a pair, and what a reader must know."""
        d = (self._wide[first] - self._wide[second]).to_numpy(dtype=float)
        groups = ("site_sd", "participant_sd", "residual_sd")
        empty: Row = dict.fromkeys(groups, math.nan)
        if np.ptp(d) == 0:
            keys = ("standard_error", "df", "low", "high")
            made = {
                **empty,
                **dict.fromkeys(keys, math.nan),
                "effect": float(d[0]),
                "p_value": 1.0 if d[0] == 0 else math.nan,
                "method": "none",
            }
            note = "every image differs alike: how much that varies is unknown."
            return made, (note,)
        if self._is_mixed:
            return self._mixed(d)
        pair = self._wide[[first, second]].to_numpy()
        if self._value == "correct" and np.isin(pair, [0, 1]).all():
            made, notes = self._proportions(pair)
            return {**empty, **made}, notes
        return {**empty, **self._means(d)}, ()

    def _mixed(self, d: Array) -> tuple[Row, tuple[str, ...]]:
        """Fit a mixed model."""
        if self._model is None:
            self._model = MeanModel(self._about, self._groups, d)
        fit = self._model.fit(d, self._level)
        keys = ("standard_error", "df", "low", "high", "p_value")
        terms = " + ".join(f"(1 | {name})" for name in self._groups)
        return {
            "effect": fit.mean.value,
            **{key: getattr(fit.mean, key) for key in keys},
            "site_sd": fit.sd.get("site", math.nan),
            "participant_sd": fit.sd.get("participant_id", math.nan),
            "residual_sd": fit.residual_sd,
            "method": f"mixed model of differences, {terms}, Satterthwaite",
        }, fit.warnings

    def _proportions(self, pair: Array) -> tuple[Row, tuple[str, ...]]:
        """Risk difference of two models that are right or wrong."""
        who = self._about["participant_id"]
        made = mcnemar(pair[:, 0], pair[:, 1], who, confidence_level=self._level)
        keys = ("effect", "standard_error", "df", "low", "high", "p_value", "method")
        row = {key: getattr(made, key) for key in (*keys, "calibration")}
        return row, made.warnings

    def _means(self, d: Array) -> Row:
        """Seeds averaged, or one image each: participants are the units."""
        who = pd.factorize(self._about["participant_id"])[0]
        total, size = np.bincount(who, d), np.bincount(who)
        g, effect = len(total), float(d.mean())
        error = math.sqrt(g / (g - 1) * ((total - size * effect) ** 2).sum()) / len(d)
        half = t_quantile(g - 1.0, self._level) * error
        return {
            "effect": effect,
            "standard_error": error,
            "df": float(g - 1),
            "low": effect - half,
            "high": effect + half,
            "p_value": t_p_value(effect / error, g - 1.0),
            "method": "mean difference, participant sandwich, t",
        }
