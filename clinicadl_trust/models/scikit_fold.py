"""One fold for scikit-learn: its rows read, a pipeline fitted, others predicted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import RunError
from clinicadl_trust.models.fitting import Fitted, Search, Table, fit, take
from clinicadl_trust.models.inputs import Inputs, row_numbers
from clinicadl_trust.models.pipelines import make_pipeline, search_grid
from clinicadl_trust.models.scikit_config import ScikitConfig
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.predictions import predictions_frame
from clinicadl_trust.split import Fold

__all__ = ["PREDICTED", "FoldData"]

logger = logging.getLogger(__name__)

Group = Literal["train", "validation", "test"]

_GROUPS: tuple[Group, ...] = ("train", "validation", "test")

#: Groups whose predictions are kept.
PREDICTED = _GROUPS[1:]


@dataclass(frozen=True)
class FoldData:
    """The rows of a fold and what a model is given of them.

    Attributes
    ----------
    spec : RunSpec
        The run.
    inputs : Inputs
        How rows become what the estimator is given.
    rows : mapping of str to pandas.DataFrame
        By group.
    values : array of shape (n_images, n_inputs)
        Of training, validation and test rows, in this order.
    """

    spec: RunSpec
    inputs: Inputs
    rows: Mapping[Group, pd.DataFrame]
    values: Any

    @classmethod
    def read(cls, spec: RunSpec) -> FoldData:
        """Read the inputs of a fold.

        Raises
        ------
        CapsError
            If an image cannot be used.
        ConfigError
            If the configuration is wrong.
        RunError
            If the cohort lacks an image of the fold.
        """
        for group in _GROUPS:
            row_numbers(getattr(spec.fold, group), spec.cohort.table)
        rows = {group: spec.rows(group) for group in _GROUPS}
        inputs = Inputs.of(ScikitConfig.parse(spec.model, spec.config), spec)
        everything = pd.concat(rows.values(), ignore_index=True)
        values, inputs = inputs.read(everything, spec.cache)
        return cls(spec, inputs, rows, values)

    def fit(self) -> Fitted:
        """Fit the model on the training rows.

        Raises
        ------
        RunError
            If it cannot be fitted on this fold.
        """
        spec, config = self.spec, self.inputs.config
        where = f"models.{spec.model}"
        pipeline = make_pipeline(
            config, spec.task, where, spec.seed, self.inputs.steps()
        )
        search = None
        if config.search:
            development = pd.concat(
                [self.rows["train"], self.rows["validation"]], ignore_index=True
            )
            search = Search(
                search_grid(config, pipeline, where, spec.seed),
                config.metric(spec.task),
                self._table(development),
                _inner_splits(spec.fold, development),
            )
        try:
            fitted = fit(
                pipeline,
                spec.task,
                self._table(self.rows["train"]),
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

    def predict(self, fitted: Fitted, group: Group) -> pd.DataFrame:
        """Return the predictions table of one group."""
        spec, rows = self.spec, self.rows[group]
        before = _GROUPS[: _GROUPS.index(group)]
        first = sum(len(self.rows[each]) for each in before)
        here = take(self.values, np.arange(first, first + len(rows)))
        scores = fitted.scores_of(here, spec.task)
        return predictions_frame(rows, spec.task, scores, spec.run_columns(group))

    def _table(self, rows: pd.DataFrame) -> Table:
        """Return the first rows, as many as there are, with their labels."""
        spec = self.spec
        spec.cohort.require(spec.task.columns, "The label")
        targets = spec.task.targets(rows)
        participants = rows["participant_id"].to_numpy()
        return Table(take(self.values, np.arange(len(rows))), targets, participants)


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
