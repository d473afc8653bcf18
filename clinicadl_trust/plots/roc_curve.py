"""ROC curves of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.plots.canvas import new_axes, unit_square
from clinicadl_trust.plots.palette import Look, looks
from clinicadl_trust.stats import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["roc_curve"]

_COLUMNS = ["model", "fpr", "tpr"]


def roc_curve(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    auc: Mapping[str, Estimate] | None = None,
    look: Mapping[str, Look] | None = None,
    legend: bool = True,
) -> Axes:
    """Draw sensitivity against false alarms, one line a model.

    Parameters
    ----------
    table : pandas.DataFrame
        Of ``stats.roc_curve``, one split strategy and class.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    auc : mapping of str to Estimate, optional
        The area under each curve, written with its interval beside the model's name.
    look : mapping of str to Look, optional
        How each model is drawn.
    legend : bool
        Whether to name the models.

    Returns
    -------
    matplotlib.axes.Axes
        The dashed diagonal is guessing.

    Raises
    ------
    StatisticsError
        If the table is empty, lacks a column, or holds several strategies or classes,
        or an area is of no model.
    """
    _check(table)
    models = list(dict.fromkeys(table["model"]))
    names = {model: str(model) for model in models}
    for model, estimate in (auc or {}).items():
        if model not in names:
            raise StatisticsError(
                f"There is an AUC of '{model}' and no such curve."
                f"{did_you_mean(str(model), list(names))}"
            )
        names[model] += f": {estimate.value:.2f}"
        names[model] += f" ({estimate.low:.2f} to {estimate.high:.2f})"
    look = look or looks(models)
    ax = new_axes(ax, 3.7, 3.6)
    for rank, model in enumerate(models):
        rows = table[table["model"] == model]
        ax.plot(
            rows["fpr"],
            rows["tpr"],
            color=look[model].color,
            ls=look[model].dash,
            lw=1.8,
            marker=look[model].marker,
            ms=6,
            mew=0,
            # Symbols are few and staggered: they tell lines apart without colour.
            markevery=(0.04 * rank, 0.3),
            label=names[model],
        )
    unit_square(ax)
    ax.set(
        xlabel="False alarms (1 \N{MINUS SIGN} specificity)",
        ylabel="Sensitivity",
    )
    if legend:
        title = f"AUC ({_level(auc):.0%} interval)" if auc else None
        made = ax.legend(frameon=False, loc="lower right", handlelength=2, title=title)
        made.set_alignment("left")
    return ax


def _level(auc: Mapping[str, Estimate]) -> float:
    return next(iter(auc.values())).confidence_level


def _check(table: pd.DataFrame) -> None:
    lacking = [column for column in _COLUMNS if column not in table]
    if lacking:
        raise StatisticsError(
            f"The table lacks the columns {', '.join(lacking)}. Give what "
            "stats.roc_curve returns."
        )
    if table.empty:
        raise StatisticsError("The table has no point: there is no curve to draw.")
    for column in ("split_strategy", "positive", "group"):
        if column in table and table[column].nunique() > 1:
            raise StatisticsError(
                f"The table holds several values of '{column}': "
                f"{', '.join(map(str, table[column].unique()))}. Choose one, such as "
                f"table[table['{column}'] == '{table[column].iloc[0]}']."
            )
