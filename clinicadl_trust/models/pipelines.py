"""Everything that a model fits, in one scikit-learn pipeline, checked beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from clinicadl_trust.exceptions import ConfigError, did_you_mean
from clinicadl_trust.models.estimators import (
    build_estimator,
    check_fits,
    check_values,
)
from clinicadl_trust.models.scikit_config import ScikitConfig
from clinicadl_trust.task import Task

__all__ = ["make_pipeline", "search_grid"]


def make_pipeline(
    config: ScikitConfig,
    task: Task | None,
    where: str,
    seed: int = 0,
    before: Sequence[tuple[str, Any]] = (),
) -> Pipeline:
    """Build a model's pipeline, not fitted, and check it.

    Parameters
    ----------
    config : ScikitConfig
        What to build.
    task : Task or None
        What it is for; None takes what suits the estimator.
    where : str
        The model's key, for messages.
    seed : int
        For ``random_state``.
    before : sequence of (name, transformer)
        First steps that the inputs need.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Its steps are named after their classes in lower case, the last one
        ``estimator``.

    Raises
    ------
    ConfigError
        If a part does not exist, does not suit the task, or the search names a
        parameter that is not there.
    """
    predictor = config.predictor(task.kind if task else "classification")
    last = build_estimator(predictor, f"{where}.estimator", seed)
    steps = [*before, *_transformers(config, where, seed), ("estimator", last)]
    pipeline = Pipeline(steps)
    if task is not None:
        check_fits(last, task.kind, f"{where}.estimator")
    if config.weights == "participant" and not has_fit_parameter(last, "sample_weight"):
        raise ConfigError(
            f"{where}.weights is 'participant', but {type(last).__name__} takes no "
            "weights. Leave it at 'image', or name another estimator."
        )
    search_grid(config, pipeline, where, seed)
    if config.search_metric:
        _check_metric(config.search_metric, f"{where}.search_metric")
    return pipeline


def search_grid(
    config: ScikitConfig, pipeline: Pipeline, where: str, seed: int = 0
) -> dict[str, list[Any]]:
    """Return what a search tries, by the pipeline's names of its parameters.

    Parameters
    ----------
    config : ScikitConfig
        With ``search``.
    pipeline : Pipeline
        What is searched.
    where : str
        The model's key, for messages.
    seed : int
        For estimators among the values.

    Raises
    ------
    ConfigError
        If a parameter does not exist, or scikit-learn refuses a value.
    """
    known = pipeline.get_params()
    grid = {}
    for key, values in config.search.items():
        name = key if key in known and "__" in key else f"estimator__{key}"
        here = f"{where}.search.{key}"
        if name not in known:
            own = [k.removeprefix("estimator__") for k in known if "__" in k]
            raise ConfigError(
                f"Unknown key '{key}' under {where}.search.{did_you_mean(key, own)}"
            )
        grid[name] = [
            build_estimator(value, here, seed)
            if isinstance(value, Mapping) and "name" in value
            else value
            for value in values
        ]
        for value in grid[name]:
            check_values(clone(pipeline).set_params(**{name: value}), here)
    return grid


def _transformers(
    config: ScikitConfig, where: str, seed: int
) -> list[tuple[str, BaseEstimator]]:
    """Return the steps before the estimator, each with a name of its own."""
    from sklearn.preprocessing import StandardScaler

    parts: list[tuple[str, BaseEstimator]] = []
    # Columns are scaled one by one, where they are imputed; see baselines.
    if config.type == "scikit-learn" and config.standardize:
        parts.append(("standardscaler", StandardScaler()))
    for index, options in enumerate(config.steps):
        here = f"{where}.steps[{index}]"
        step = build_estimator(options, here, seed)
        if not hasattr(step, "transform"):
            raise ConfigError(
                f"{here} is {type(step).__name__}, which transforms nothing. A step "
                "needs the method 'transform'; the model itself is 'estimator'."
            )
        name = type(step).__name__.lower()
        same = sum(known.partition("-")[0] == name for known, _ in parts)
        parts.append((f"{name}-{same + 1}" if same else name, step))
    return parts


def _check_metric(name: str, where: str) -> None:
    from sklearn.metrics import get_scorer_names

    if name not in get_scorer_names():
        raise ConfigError(
            f"{where} is '{name}'.{did_you_mean(name, get_scorer_names())}"
        )
