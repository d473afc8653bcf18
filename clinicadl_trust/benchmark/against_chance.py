"""Do the refits on redrawn labels, and say what they amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clinicadl_trust.benchmark.chance import Series, chance_series
from clinicadl_trust.benchmark.checks import kind_of
from clinicadl_trust.benchmark.config import Experiment
from clinicadl_trust.benchmark.execution import Outcome, execute
from clinicadl_trust.benchmark.plan import Run
from clinicadl_trust.benchmark.progress import Display, spoken
from clinicadl_trust.benchmark.refit import Refit, primary_value
from clinicadl_trust.benchmark.results import collect, complete, write_failures
from clinicadl_trust.benchmark.splitting import Splits
from clinicadl_trust.benchmark.workers import Workers
from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import StatisticsError

__all__ = ["KIND", "hold_against_chance"]

#: The kind of these rows in ``statistics.tsv``.
KIND = "chance"


def hold_against_chance(
    experiment: Experiment,
    splits: Mapping[str, Splits],
    runs: Sequence[Run],
    workers: Workers,
    display: Display,
    *,
    failed: Sequence[Outcome],
    directory: Path,
) -> tuple[list[Outcome], list[dict[str, Any]]]:
    """Refit what ``[chance_test]`` names, where it is not done yet.

    Parameters
    ----------
    experiment : Experiment
        Which models and splits, and how many draws.
    splits : mapping of str to Splits
        By name.
    runs : sequence of Run
        The plan; only models without a missing run are refitted.
    workers : Workers
        Who does it.
    display : Display
        Where it is told, the cost before it starts.
    failed : sequence of Outcome
        The runs that failed, for ``failures.tsv``.
    directory : pathlib.Path
        The benchmark.

    Returns
    -------
    failed : list of Outcome
        The refits that failed.
    rows : list of dict
        Rows of ``statistics.tsv`` of kind ``chance``: one for each model and split.
    """
    every = chance_series(experiment, splits, complete(runs))
    planned = [(series, _refits(series)) for series in every]
    todo = [
        refit
        for series, refits in planned
        if isinstance(refits, list)
        for refit in _announced(series, refits, display, workers.n_jobs)
    ]
    bad: list[Outcome] = []
    if any(not refit.is_done for refit in todo):
        bad = execute(
            todo,
            workers,
            display,
            lambda more: write_failures(directory, [*failed, *more]),
            noun="refits",
        )
    level = experiment.statistics.confidence_level
    return bad, [_row(series, refits, level) for series, refits in planned]


def _refits(series: Series) -> list[Refit] | str:
    """Return the refits, or why there can be none."""
    try:
        return series.refits()
    except StatisticsError as error:
        return str(error)


def _announced(
    series: Series, refits: list[Refit], display: Display, n_jobs: int
) -> list[Refit]:
    """Say what the refits that are left will cost."""
    left = sum(not refit.is_done for refit in refits)
    if left:
        n_folds = len(series.runs)
        fold = "fold" if n_folds == 1 else "folds"
        time = spoken(left * series.seconds() / n_jobs)
        display.stage(
            f"Against chance: {series}, {left} draws of labels x {n_folds} {fold}, "
            f"about {time}"
        )
    return refits


def _row(
    series: Series, refits: list[Refit] | str, confidence_level: float
) -> dict[str, Any]:
    """Write a row of the statistics table; without a p-value where one lacks."""
    predictions = collect(series.runs)
    predictions = predictions[predictions["group"] == "test"]
    spec = series.first
    row: dict[str, Any] = {
        "kind": KIND,
        "metric": series.metric,
        "model": spec.model,
        "split_strategy": spec.split_strategy,
        "group": "test",
        "value": primary_value(predictions, series.metric),
        "confidence_level": confidence_level,
        "method": "none",
        "calibration": "approximate",
        "primary": False,
        "n_images": len(predictions.drop_duplicates(list(IDS))),
        "n_participants": predictions["participant_id"].nunique(),
        "n_folds": len(series.runs),
    }
    if "site" in predictions:
        row["n_sites"] = predictions["site"].nunique()
    if isinstance(refits, str):
        return row | {"warnings": refits}
    lacking = sum(not refit.is_done for refit in refits)
    if lacking:
        said = f"{lacking} of {len(refits)} refits failed: see failures.tsv."
        return row | {"warnings": said}
    return row | _tested(series, refits, row["value"], confidence_level)


def _tested(
    series: Series, refits: list[Refit], value: float, level: float
) -> dict[str, Any]:
    """Return what the refits say."""
    from clinicadl_trust.stats import get_metric
    from clinicadl_trust.stats.cross_validation.chance import against_chance

    metric = get_metric(series.metric, kind_of(series.first.task))
    drawn = [refit.value for refit in refits]
    made = against_chance(value, drawn, refits[0].redrawing, metric, level)
    said = (
        f"The p-value of all possible draws lies between {made.p_low:.3g} and "
        f"{made.p_high:.3g}; the least that {made.n_permutations} draws can give is "
        f"{made.smallest_p_value:.3g}. By chance {made.drawn.mean():.3f} on average."
    )
    return {
        "p_value": made.p_value,
        "method": f"{made.method}, {made.n_permutations} draws",
        "calibration": made.calibration,
        "estimand": made.estimand,
        "warnings": " ".join([said, *made.warnings]),
    }
