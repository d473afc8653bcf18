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
from typing import Any

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import Cohort
from clinicadl_trust.models.building import building, is_finished
from clinicadl_trust.models.model_files import open_model, save_model
from clinicadl_trust.models.pipelines import make_pipeline
from clinicadl_trust.models.provenance import lineage_of, write_record
from clinicadl_trust.models.scikit_config import ScikitConfig
from clinicadl_trust.models.scikit_fold import PREDICTED, FoldData
from clinicadl_trust.models.settings import claim, read_settings
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.predictions import write_predictions
from clinicadl_trust.records import record_dir, write_json
from clinicadl_trust.task import Task

__all__ = ["check_scikit", "predict_scikit", "refit_scikit", "run_scikit"]

logger = logging.getLogger(__name__)


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


def refit_scikit(spec: RunSpec) -> pd.DataFrame:
    """Fit one model on one fold and predict its test rows; no file is left.

    Parameters
    ----------
    spec : RunSpec
        The run; its output is not looked at.

    Returns
    -------
    pandas.DataFrame
        A predictions table of the group ``test``.

    Raises
    ------
    CapsError, ConfigError, RunError
        As ``run_scikit``.
    """
    from threadpoolctl import threadpool_limits

    data = FoldData.read(spec)
    with threadpool_limits(spec.threads):
        return data.predict(data.fit(), "test")


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
    numpy.ndarray of shape (n_images,) or (n_images, n_scores)
        Probability of the positive class, of each class when there are more than two,
        or predicted value, of each output when there are several; in the cohort's
        order.

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
    data = FoldData.read(spec)
    clock.append(time.perf_counter())
    with threadpool_limits(spec.threads):
        fitted = data.fit()
        clock.append(time.perf_counter())
        for group in PREDICTED:
            frame = data.predict(fitted, group)
            path = record_dir(maps, spec.fold.split) / f"predictions_{group}.tsv"
            write_predictions(frame, path)
    clock.append(time.perf_counter())
    records = record_dir(maps, spec.fold.split)
    save_model(records.parent, data.inputs, fitted)
    write_json(records / "lineage.json", lineage_of(spec))
    durations = dict(zip(("features", "fit", "predict"), np.diff(clock), strict=True))
    recorded = replace(spec, config={**spec.config, "leaky": _is_leaky(spec)})
    write_record(recorded, maps, durations, device="cpu")


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
