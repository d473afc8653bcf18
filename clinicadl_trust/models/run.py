"""One run of any type of model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.exceptions import ConfigError, did_you_mean
from clinicadl_trust.models.building import is_finished
from clinicadl_trust.models.settings import claim
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.predictions import read_predictions
from clinicadl_trust.records import record_dir
from clinicadl_trust.task import Task

__all__ = ["TYPES", "check_model", "predict_test_rows", "run"]

#: The values of ``type`` in the table of a model.
TYPES = ("trainer", "scikit-learn", "metadata", "majority")


def check_model(name: str, config: Mapping[str, Any], task: Task | None = None) -> None:
    """Check the table of a model before anything is run.

    Models of type ``trainer`` are checked with ClinicaDL's own classes, whose import
    takes some ten seconds.

    Parameters
    ----------
    name : str
        The model's name, for messages.
    config : mapping
        The table ``[models.NAME]``.
    task : Task, optional
        What is to be predicted; without it, whether the loss suits it is not checked.

    Raises
    ------
    ConfigError
        Naming the wrong type, key, class or value, and the nearest right one.
    """
    kind = _type(name, config)
    if task is not None and task.kind == "segmentation" and kind != "trainer":
        raise ConfigError(
            f"models.{name}.type = '{kind}' predicts numbers, and this benchmark asks "
            "for masks. Use the type 'trainer', with a network such as 'UNet'."
        )
    if kind == "trainer":
        from clinicadl_trust.models.plan import check_trainer

        check_trainer(name, config, task)
    else:
        from clinicadl_trust.models.scikit import check_scikit

        check_scikit(name, config, task)


def run(spec: RunSpec, progress: Callable[[float, str], None] | None = None) -> Path:
    """Do one run, or what is left of it.

    Parameters
    ----------
    spec : RunSpec
        The run.
    progress : callable, optional
        Told the fraction done and a phrase.

    Returns
    -------
    pathlib.Path
        The finished MAPS. If it was finished before, with the same settings,
        nothing is done.

    Raises
    ------
    TrustError
        One of its children, saying what is wrong and what to do.
    """
    kind = _type(spec.model, spec.config)
    if is_finished(spec):
        claim(spec, record_dir(spec.output, spec.fold.split))
        return spec.output
    if kind == "trainer":
        from clinicadl_trust.models.trainer import run_trainer

        return run_trainer(spec, progress)
    from clinicadl_trust.models.scikit import run_scikit

    return run_scikit(spec)


def predict_test_rows(
    spec: RunSpec, progress: Callable[[float, str], None] | None = None
) -> pd.DataFrame:
    """Do one run for the sake of its test rows alone.

    Parameters
    ----------
    spec : RunSpec
        The run. Models that are trained by ClinicaDL leave their MAPS in its output,
        so that an interrupted call can go on; others leave nothing.
    progress : callable, optional
        Told the fraction done and a phrase.

    Returns
    -------
    pandas.DataFrame
        A predictions table of the group ``test``.

    Raises
    ------
    TrustError
        As ``run``.
    """
    if _type(spec.model, spec.config) != "trainer":
        from clinicadl_trust.models.scikit import refit_scikit

        return refit_scikit(spec)
    records = record_dir(run(spec, progress), spec.fold.split)
    return read_predictions(records / "predictions_test.tsv")


def _type(name: str, config: Mapping[str, Any]) -> str:
    kind = config.get("type")
    if kind not in TYPES:
        raise ConfigError(
            f"models.{name}.type = {kind!r} is no type of model."
            f"{did_you_mean(str(kind), TYPES)}"
        )
    return str(kind)
