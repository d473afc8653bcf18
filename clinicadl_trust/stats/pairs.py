"""Two models on the same images: who is compared with whom, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from itertools import combinations

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.runs import (
    ModelRuns,
    check_same_images,
    mean_by_key,
)

__all__ = ["differences", "pairs_of"]

Pair = tuple[ModelRuns, ModelRuns]


def pairs_of(
    models: list[ModelRuns], reference: str | None = None
) -> dict[str, list[Pair]]:
    """Pair the models of each strategy, and check that they share their images.

    Parameters
    ----------
    models : list of ModelRuns
        From ``models_of``.
    reference : str, optional
        Only pairs with this model, which then stands second; by default all pairs.

    Returns
    -------
    dict of str to list of tuple
        By split strategy.

    Raises
    ------
    StatisticsError
        If ``reference`` is unknown, there is a single model, or two models predict
        different images.
    """
    names = list(dict.fromkeys(runs.model for runs in models))
    if reference is not None and reference not in names:
        raise StatisticsError(
            f"No model is called '{reference}'.{did_you_mean(reference, names)}"
        )
    if len(names) < 2:
        raise StatisticsError(
            f"The only model is '{names[0]}', and comparing takes two. Give the "
            "tables of several models, each with its name in the column 'model'."
        )
    ordered = sorted(models, key=lambda runs: names.index(runs.model))
    pairs = defaultdict(list)
    for strategy in dict.fromkeys(runs.design.strategy for runs in models):
        here = [runs for runs in ordered if runs.design.strategy == strategy]
        for model, other in combinations(here, 2):
            if reference is None or other.model == reference:
                pairs[strategy].append((model, other))
            elif model.model == reference:
                pairs[strategy].append((other, model))
    if not pairs:
        raise StatisticsError(
            "No split strategy has predictions of two models to compare. Give both "
            "models' predictions of the same split."
        )
    for each in pairs.values():
        for model, other in each:
            _check_pairing(model, other)
    return pairs


def differences(
    metric: Metric, model: ModelRuns, other: ModelRuns
) -> dict[Hashable, float]:
    """Subtract a metric within each fold, or site, that both models have.

    Parameters
    ----------
    metric : Metric
        What to compare by.
    model, other : ModelRuns
        First and second, of one split strategy.

    Returns
    -------
    dict
        First minus second; what is undefined for one of them is left out.
    """
    both = model.images.keys() & other.images.keys()
    ours, theirs = (
        mean_by_key(cell for cell in runs.cells(metric) if cell.part.fold in both)
        for runs in (model, other)
    )
    return {key: ours[key] - theirs[key] for key in ours if key in theirs}


def _check_pairing(model: ModelRuns, other: ModelRuns) -> None:
    """Check that two models predict the same images in the folds that both have.

    A fold that one of them lacks altogether is a failed run, which the notes tell.
    """
    for fold in model.images.keys() & other.images.keys():
        check_same_images(
            model.prepared,
            {
                f"'{model.model}'": model.images[fold],
                f"'{other.model}'": other.images[fold],
            },
        )
