"""The fitted pipeline of a run and what it needs to be used again, on disk.

::

    training/split-K/model/pipeline.joblib   the pipeline, with what was fitted
    training/split-K/model/model.json        its inputs, and what a search chose
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clinicadl_trust.exceptions import RunError
from clinicadl_trust.models.fitting import Fitted
from clinicadl_trust.models.inputs import Inputs
from clinicadl_trust.models.scikit_config import ScikitConfig
from clinicadl_trust.records import write_json

__all__ = ["FOLDER", "open_model", "save_model"]

logger = logging.getLogger(__name__)

#: Beside our records, where ClinicaDL keeps a split's checkpoints.
FOLDER = "model"


def save_model(folder: Path, inputs: Inputs, fitted: Fitted) -> None:
    """Write a fitted model.

    Parameters
    ----------
    folder : pathlib.Path
        The ``split-K`` folder.
    inputs : Inputs
        What it is given.
    fitted : Fitted
        The model.
    """
    import joblib

    folder = folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(fitted.estimator, folder / "pipeline.joblib", compress=1)
    content = {
        "inputs": inputs.to_dict(),
        "chosen": fitted.chosen,
        "search": fitted.scores,
        "notes": fitted.notes,
    }
    write_json(folder / "model.json", content)


def open_model(
    folder: Path, name: str, config: Mapping[str, Any]
) -> tuple[Inputs, Fitted]:
    """Read what ``save_model`` wrote. It is unpickled: only open what you trust.

    Parameters
    ----------
    folder : pathlib.Path
        The ``split-K`` folder.
    name : str
        The model's name.
    config : mapping
        Its configuration.

    Raises
    ------
    RunError
        If a file is missing or cannot be read with the versions installed.
    """
    import joblib

    folder = folder / FOLDER
    parsed = ScikitConfig.parse(name, config)
    try:
        content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator = joblib.load(folder / "pipeline.joblib")
        inputs = Inputs.from_dict(content["inputs"], parsed)
    except Exception as error:  # unpickling may raise anything
        raise RunError(
            f"The model in '{folder}' cannot be opened: {type(error).__name__}: "
            f"{error}. It needs the versions in the run's run.json; or run it again."
        ) from error
    for warning in caught:
        logger.warning("%s: %s", folder, warning.message)
    return inputs, Fitted(estimator)
