"""Which pairs of models answer the primary question, and which are exploratory."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from clinicadl_trust.benchmark.config import BASELINES, Experiment

__all__ = ["compare_models", "with_question"]

#: What becomes of each number when a difference is turned round.
_TURNED = {"value": "value", "low": "high", "high": "low", "statistic": "statistic"}


def compare_models(predictions: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Compare the models on the primary metric, as the experiment file asks.

    With a reference, the primary question is whether each model that looks at the
    image beats it: few tests, named before anything was run, and adjusted by Holm's
    method among themselves. The other pairs are exploratory and adjusted among
    themselves. Without one, all pairs are one question.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table.
    experiment : Experiment
        Names the models, the primary metric and the reference.

    Returns
    -------
    pandas.DataFrame
        Rows of ``statistics.tsv`` of kind ``comparison``. In every pair that has
        the reference it stands second; ``primary`` marks the pairs that answer the
        primary question.
    """
    from clinicadl_trust.stats import compare

    section = experiment.statistics
    table = compare(
        predictions, section.primary, confidence_level=section.confidence_level
    )
    if section.reference is None:
        return table
    blind = [n for n, model in experiment.models.items() if model.type in BASELINES]
    return with_question(table, section.reference, blind)


def with_question(
    table: pd.DataFrame, reference: str, baselines: Sequence[str]
) -> pd.DataFrame:
    """Adjust p-values for the primary question apart from the exploratory pairs.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of kind ``comparison``.
    reference : str
        The model to beat.
    baselines : sequence of str
        Models that never look at the image: they are not asked to beat it.

    Returns
    -------
    pandas.DataFrame
        The same rows, as ``compare_models`` gives them.
    """
    from clinicadl_trust.stats import adjust

    table = _turned(table, table["model"] == reference)
    asked = (table["reference"] == reference) & ~table["model"].isin(list(baselines))
    table["primary"] &= asked
    families = [table["metric"], table["split_strategy"], asked]
    adjusted = table.groupby(families)["p_value"].transform(
        lambda p: adjust(p.tolist())
    )
    table["p_adjusted"] = adjusted
    return table


def _turned(table: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """Turn the differences of some rows round."""
    turned = table.copy()
    pair = ["model", "reference"]
    turned.loc[rows, pair] = table.loc[rows, pair[::-1]].to_numpy()
    for name, source in _TURNED.items():
        turned.loc[rows, name] = 0.0 - table.loc[rows, source]  # zero has no sign
    return turned
