"""The table ``[models.NAME]`` of a scikit-learn model or a baseline, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clinicadl_trust.exceptions import ConfigError, did_you_mean
from clinicadl_trust.models.features import FeatureOptions
from clinicadl_trust.models.reading import read_options, refuse_unknown
from clinicadl_trust.task import Kind, Task

__all__ = ["TYPES", "ScikitConfig"]

_FITTED = ("estimator", "search", "search_metric", "weights")

#: The keys that each type takes.
TYPES: dict[str, tuple[str, ...]] = {
    "scikit-learn": ("features", "standardize", "steps", *_FITTED),
    "metadata": ("columns", *_FITTED),
    "majority": ("weights",),
}

#: Keys of a benchmark, which say where and how often a model is run.
_ELSEWHERE = ("type", "label", "seeds", "splits")

_LINEAR: dict[str, dict[str, Any]] = {
    "classification": {
        "name": "sklearn.linear_model.LogisticRegression",
        "max_iter": 1000,
    },
    "regression": {"name": "sklearn.linear_model.Ridge"},
}
_DUMMY: dict[str, dict[str, Any]] = {
    "classification": {"name": "sklearn.dummy.DummyClassifier", "strategy": "prior"},
    "regression": {"name": "sklearn.dummy.DummyRegressor", "strategy": "mean"},
}


@dataclass(frozen=True)
class ScikitConfig:
    """A model that scikit-learn fits.

    Parameters
    ----------
    type : {"scikit-learn", "metadata", "majority"}
        A model of images; of the participants table alone; or the share of each class
        (the mean, in a regression) among the training rows, whoever is asked about.
    features : mapping or str, default="regions"
        What it sees of an image; see ``FeatureOptions``.
    columns : list of str, optional
        For "metadata": the columns it sees; by default those of age, sex and site that
        there are.
    estimator : mapping or str, optional
        An import path as ``name``, and parameters. By default a logistic regression,
        or a ridge regression.
    standardize : bool, default=True
        Scale features to zero mean and unit variance over the training rows first.
    steps : list of mapping or str, default=[]
        Transformers between scaling and estimator, fitted on training rows only.
    search : mapping, default={}
        Parameter to the values to try, all combinations; ``C`` is the estimator's,
        ``selectkbest__k`` a step's. The best on the inner validation rows, or on
        average over the inner folds of a nested split, is fitted again on the
        training rows.
    search_metric : str, optional
        A scoring name of scikit-learn. By default ``roc_auc`` for two classes,
        ``balanced_accuracy`` for more, ``neg_mean_absolute_error`` for a regression.
    weights : {"image", "participant"}, default="image"
        Whether each image counts alike in the fit, or each participant.
    """

    type: Literal["scikit-learn", "metadata", "majority"]
    features: dict[str, Any] | str = "regions"
    columns: tuple[str, ...] | None = None
    estimator: dict[str, Any] | str | None = None
    standardize: bool = True
    steps: tuple[dict[str, Any] | str, ...] = ()
    search: dict[str, list[Any]] = field(default_factory=dict)
    search_metric: str | None = None
    weights: Literal["image", "participant"] = "image"

    @classmethod
    def parse(cls, name: str, config: Mapping[str, Any]) -> ScikitConfig:
        """Read a model's table.

        Parameters
        ----------
        name : str
            The model's name, for messages.
        config : mapping
            The table ``[models.NAME]``.

        Raises
        ------
        ConfigError
            If a key is unknown, does not belong to the type, or has a wrong value.
        """
        where = f"models.{name}"
        kind = config.get("type")
        if kind not in TYPES:
            raise ConfigError(
                f"{where}.type is {kind!r}.{did_you_mean(str(kind), TYPES)}"
            )
        options = {key.replace("-", "_"): value for key, value in config.items()}
        refuse_unknown(options, (*TYPES[kind], *_ELSEWHERE), where)
        for key in _ELSEWHERE[1:]:
            options.pop(key, None)
        parsed = read_options(cls, options, where)
        empty = [key for key, values in parsed.search.items() if not values]
        if empty:
            raise ConfigError(f"{where}.search.{empty[0]} lists no value to try.")
        return parsed

    def feature_options(self, where: str) -> FeatureOptions:
        """Read the table ``features``."""
        return FeatureOptions.parse(self.features, f"{where}.features")

    def predictor(self, kind: Kind) -> dict[str, Any] | str:
        """Return the table of the estimator, or the default for a task."""
        if self.type == "majority":
            return _DUMMY[kind]
        return self.estimator or _LINEAR[kind]

    def metric(self, task: Task) -> str:
        """Return the scoring that a search goes by."""
        if self.search_metric:
            return self.search_metric
        if task.kind == "regression":
            return "neg_mean_absolute_error"
        return "roc_auc" if task.is_binary else "balanced_accuracy"
