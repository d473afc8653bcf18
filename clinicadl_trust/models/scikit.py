"""Runs of scikit-learn models and of the baselines, in the same folders as any run.

Of an image a model sees features that are computed from it alone; everything that is
fitted is one pipeline, fitted on the training rows. A leaky split is run too, to show
what it does, and recorded as leaky.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import RunError
from clinicadl_trust.models.building import building, is_finished
from clinicadl_trust.models.fitting import Fitted, Search, Table, fit, take
from clinicadl_trust.models.inputs import Inputs, row_numbers
from clinicadl_trust.models.model_files import open_model, save_model
from clinicadl_trust.models.pipelines import make_pipeline, search_grid
from clinicadl_trust.models.provenance import (
    claim,
    lineage_of,
    read_settings,
    write_record,
)
from clinicadl_trust.models.scikit_config import ScikitConfig
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.predictions import predictions_frame, write_predictions
from clinicadl_trust.records import record_dir, write_json
from clinicadl_trust.split import Fold
from clinicadl_trust.task import Task

__all__ = ["check_scikit", "predict_scikit", "run_scikit"]

logger = logging.getLogger(__name__)

_Group = Literal["train", "validation", "test"]

_GROUPS: tuple[_Group, ...] = ("train", "validation", "test")
_PREDICTED = _GROUPS[1:]


def check_scikit(
    name: str, config: Mapping[str, Any], task: Task | None = None
) -> None:
    """Check a model's table before anything runs; no image is read.

    Parameters
    ----------
    name : str
        The model's name, for messages.
    config : mapping
        The table ``[models.NAME]``.
    task : Task, optional
        What is to be predicted; without it, whether the estimator suits it is not
        checked.

    Raises
    ------
    ConfigError
        If a key, an import path, a parameter or a value is wrong; the nearest right
        name is given.
    """
    parsed = ScikitConfig.parse(name, config)
    where = f"models.{name}"
    if parsed.type == "scikit-learn":
        parsed.feature_options(where)
    make_pipeline(parsed, task, where)


def run_scikit(spec: RunSpec) -> Path:
    """Fit one model on one fold and predict its validation and test rows.

    Parameters
    ----------
    spec : RunSpec
        The run; its configuration is of type "scikit-learn", "metadata" or "majority".

    Returns
    -------
    pathlib.Path
        ``spec.output``: the records and predictions that every run leaves, the fitted
        pipeline ``training/split-K/model/pipeline.joblib`` and, beside it,
        ``model.json`` with its inputs and what a search chose. If it is there
        already, nothing is done.

    Raises
    ------
    CapsError
        If an image cannot be used.
    ConfigError
        If the configuration is wrong.
    OutputError
        If the output holds something else, or another process is making it.
    RunError
        If the model cannot be fitted on this fold.
    """
    if is_finished(spec):
        return spec.output
    with building(spec) as partial:
        claim(spec, record_dir(partial, spec.fold.split))
        _run(spec, partial)
    return spec.output


def predict_scikit(
    maps: str | os.PathLike[str], cohort: Cohort, cache: Path | None = None
) -> np.ndarray:
    """Predict with the model of a finished run.

    The model is unpickled: only open runs that you trust.

    Parameters
    ----------
    maps : path-like
        What ``run_scikit`` returned.
    cohort : Cohort
        Who to predict, with a column ``path`` for a model of images. Labels are not
        looked at.
    cache : pathlib.Path, optional
        Where features are kept.

    Returns
    -------
    numpy.ndarray of shape (n_images,) or (n_images, n_classes)
        Probability of the positive class, of each class when there are more than two,
        or predicted value; in the cohort's order.

    Raises
    ------
    CapsError
        If an image cannot be used, or is on another grid than those of the training.
    CohortError, ConfigError
        If the table lacks paths, or a column that the model needs.
    RunError
        If there is no such run, or its model cannot be opened.
    """
    settings, folder = read_settings(maps)
    inputs, fitted = open_model(folder.parent, settings.model, settings.config)
    values, _ = inputs.read(cohort.table, cache)
    return fitted.scores_of(values, settings.task)


def _run(spec: RunSpec, maps: Path) -> None:
    from threadpoolctl import threadpool_limits

    clock = [time.perf_counter()]
    rows = {group: _rows(spec, group) for group in _GROUPS}
    inputs = Inputs.of(ScikitConfig.parse(spec.model, spec.config), spec)
    values, inputs = inputs.read(
        pd.concat(rows.values(), ignore_index=True), spec.cache
    )
    clock.append(time.perf_counter())
    with threadpool_limits(spec.threads):
        fitted = _fit(spec, inputs, rows, values)
        clock.append(time.perf_counter())
        first = len(rows["train"])
        for group in _PREDICTED:
            here = take(values, np.arange(first, first + len(rows[group])))
            first += len(rows[group])
            scores = fitted.scores_of(here, spec.task)
            run = spec.run_columns(group)
            frame = predictions_frame(rows[group], spec.task, scores, run)
            path = record_dir(maps, spec.fold.split) / f"predictions_{group}.tsv"
            write_predictions(frame, path)
    clock.append(time.perf_counter())
    records = record_dir(maps, spec.fold.split)
    save_model(records.parent, inputs, fitted)
    write_json(records / "lineage.json", lineage_of(spec))
    durations = dict(zip(("features", "fit", "predict"), np.diff(clock), strict=True))
    recorded = replace(spec, config={**spec.config, "leaky": _is_leaky(spec)})
    write_record(recorded, maps, durations, device="cpu")


def _rows(spec: RunSpec, group: _Group) -> pd.DataFrame:
    """Return the rows of a group after checking that the cohort has them all."""
    ids = getattr(spec.fold, group)
    row_numbers(ids, spec.cohort.table)
    return spec.rows(group)


def _fit(
    spec: RunSpec, inputs: Inputs, rows: Mapping[_Group, pd.DataFrame], values: Any
) -> Fitted:
    config, where = inputs.config, f"models.{spec.model}"
    pipeline = make_pipeline(config, spec.task, where, spec.seed, inputs.steps())
    train = _table(spec, rows["train"], values)
    search = None
    if config.search:
        development = pd.concat([rows["train"], rows["validation"]], ignore_index=True)
        search = Search(
            search_grid(config, pipeline, where, spec.seed),
            config.metric(spec.task),
            _table(spec, development, values),
            _inner_splits(spec.fold, development),
        )
    try:
        fitted = fit(
            pipeline,
            spec.task,
            train,
            search=search,
            weights=config.weights,
            seed=spec.seed,
        )
    except RunError as error:
        raise RunError(
            f"{spec.model} on {spec.split_strategy}, {spec.fold.where}: {error}"
        ) from error
    for note in fitted.notes:
        logger.info("%s, %s: %s", spec.model, spec.fold.where, note)
    return fitted


def _table(spec: RunSpec, rows: pd.DataFrame, values: Any) -> Table:
    """Return the first rows, as many as there are, with their labels."""
    spec.cohort.require([spec.task.label], "The label")
    targets = spec.task.encode(rows[spec.task.label])
    participants = rows["participant_id"].to_numpy()
    return Table(take(values, np.arange(len(rows))), targets, participants)


def _inner_splits(
    fold: Fold, development: pd.DataFrame
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return which rows fit and which choose: the nested folds, if there are any."""
    if not fold.inner:
        pairs = [(fold.train, fold.validation)]
    else:
        pairs = [(pd.concat([f.train, f.validation]), f.test) for f in fold.inner]
    return [
        (row_numbers(fitted, development), row_numbers(scored, development))
        for fitted, scored in pairs
    ]


def _is_leaky(spec: RunSpec) -> bool:
    """Whether a participant of the test fold is also in training or validation."""
    fold = spec.fold
    seen = {*fold.train["participant_id"], *fold.validation["participant_id"]}
    shared = seen & set(fold.test["participant_id"])
    if shared:
        logger.info(
            "%s, %s: %d participants of the test fold were seen before; what '%s' "
            "scores there shows the leak, not the model",
            spec.split_strategy,
            spec.fold.where,
            len(shared),
            spec.model,
        )
    return bool(shared)
