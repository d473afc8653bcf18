"""Scores of folds, whose models share training data: what swapping may not do."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError

__all__ = ["ALONE", "fold_warning", "refuse_labels"]

#: How a single model is held against chance.
ALONE = (
    "To hold one model against chance, redraw the labels and fit it anew: "
    "stats.refit_permutation_test, or [chance_test] in a benchmark; on a test group "
    "that nothing was trained on, the interval of stats.roc_auc answers."
)


def refuse_labels(permute: str) -> None:
    """Refuse to permute labels of scores that are there.

    Raises
    ------
    StatisticsError
        With the reason, and what to do in its place.
    """
    if permute == "model":
        return
    if permute != "label":
        raise StatisticsError(
            f"permute={permute!r} is unknown: models are swapped, permute='model'."
        )
    raise StatisticsError(
        "permute='label' is no test against chance: models of different folds share "
        "training participants, which permuted labels do not, and it rejects .11 to "
        f".15 of studies without an effect at 5 %. {ALONE}"
    )


def fold_warning(table: pd.DataFrame) -> tuple[str, ...]:
    """Warn where rows come from several folds."""
    folds = max(
        (table[name].nunique() for name in ("fold", "split") if name in table),
        default=1,
    )
    if folds < 2:
        return ()
    return (
        f"Scores of {folds} folds, whose models share training data that swaps do not "
        "see: the p-value is for these trained models, not for models trained anew. "
        "For those compare the values of the folds: stats.corrected_kfold_ttest.",
    )
