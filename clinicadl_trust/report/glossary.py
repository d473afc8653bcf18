"""The words of the report, each explained in one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.metrics import TaskKind, get_metric
from clinicadl_trust.task import Task

__all__ = ["TERMS", "Metric", "Term", "describe_metric"]


@dataclass(frozen=True)
class Term:
    """A word and the sentence that explains it to a clinician."""

    name: str
    definition: str


@dataclass(frozen=True)
class Metric:
    """How a metric is called, explained and drawn.

    Attributes
    ----------
    name, title, definition : str
        Its name in the tables, in the report, and what it means; a plugin's own
        has no definition.
    higher_is_better : bool
        Its direction.
    chance : float or None
        The value of a model that knows nothing, None where it depends on the data.
    bounds : tuple of float or None
        The values it can take.
    """

    name: str
    title: str
    definition: str = ""
    higher_is_better: bool = True
    chance: float | None = None
    bounds: tuple[float | None, float | None] = (None, None)

    @property
    def direction(self) -> tuple[str, str]:
        """What the left and right ends of its scale mean."""
        return ("worse", "better") if self.higher_is_better else ("better", "worse")


_DEFINITIONS = {
    "roc_auc": "The chance that a person with the condition gets a higher score than a "
    "person without it; 0.5 is guessing, 1 is perfect.",
    "average_precision": "How many of the people flagged really have the condition, "
    "averaged over all thresholds; guessing scores the share of people who have it.",
    "balanced_accuracy": "The share of right answers in each class, averaged, so that "
    "a frequent class does not hide a rare one.",
    "sensitivity": "The share of people with the condition whom the model finds.",
    "specificity": "The share of people without the condition whom the model clears.",
    "brier": "The mean squared distance between the predicted probability and what was "
    "true; 0 is perfect, lower is better.",
    "mae": "How far the prediction is from the truth on average, in the label's own "
    "units; lower is better.",
    "r2": "The share of the label's spread that the model explains; 0 is no better "
    "than always answering the mean, 1 is perfect, and it can be negative.",
}
_OUTPUTS = {
    "error": "How far the predicted values are from the true ones, in standard "
    "deviations of each, as the root mean square over what is predicted; 0 is perfect, "
    "and about 1 is no better than always answering the means.",
}
_SEGMENTATION = {
    "dice": "How much of the predicted and the true lesions is the same, averaged over "
    "the people who have lesions; 0 is nothing, 1 is perfect.",
    "surface_distance": "How far the outlines of predicted and true lesions are apart "
    "on average, in people who have lesions; lower is better.",
    "hausdorff95": "How far apart the outlines are where they differ most, leaving out "
    "the worst twentieth; lower is better.",
    "false_positive_volume": "How much lesion is drawn on average in people who have "
    "none; lower is better.",
    "mae": "How far the predicted volume of lesions is from the true one on average, "
    "in mm3; lower is better.",
}
_MULTICLASS = {
    "roc_auc": "The chance that a person of a class gets a higher score for it than a "
    "person of another class, averaged over classes; 0.5 is guessing, 1 is perfect.",
}


def describe_metric(name: str, task: Task) -> Metric:
    """Return what the report says of a metric.

    Title, direction and bounds are those of the registry of ``stats``; a metric that
    it does not know is called by its name.
    """
    kind = _kind(task)
    try:
        known = get_metric(name, kind)
    except StatisticsError:
        title = name.replace("_", " ").strip()
        return Metric(name, title[:1].upper() + title[1:])
    low, high = (b if math.isfinite(b) else None for b in known.bounds)
    definition = _DEFINITIONS.get(name, "")
    if kind == "multiclass":
        definition = _MULTICLASS.get(name, definition)
    elif kind == "outputs":
        definition = _OUTPUTS.get(name, definition)
    elif kind == "segmentation":
        definition = _SEGMENTATION.get(name, definition)
    return Metric(
        name,
        known.title,
        definition,
        known.greater_is_better,
        _chance(name, task),
        (low, high),
    )


def _kind(task: Task) -> TaskKind:
    if task.kind != "classification":
        return "outputs" if task.outputs else task.kind
    return "multiclass" if len(task.classes) > 2 else "binary"


def _chance(name: str, task: Task) -> float | None:
    if name == "balanced_accuracy":
        return 1 / max(len(task.classes), 2)
    return {"roc_auc": 0.5, "r2": 0.0}.get(name)


#: Key used in templates to term, in the order of the glossary.
TERMS = {
    "participant": Term(
        "Participant",
        "One person, who may have been scanned several times; scans of one person are "
        "alike, so people, not scans, are what is counted.",
    ),
    "session": Term("Session", "One visit of a participant, with one scan."),
    "site": Term("Site", "A hospital or centre that scanned some of the participants."),
    "model": Term(
        "Model", "A rule learned from some people's data and applied to other people."
    ),
    "baseline": Term(
        "Baseline",
        "A model that never looks at the image: one guesses from age, sex and site "
        "(metadata), one always gives the same answer (majority); an image "
        "model that does not beat them has shown nothing.",
    ),
    "sealed": Term(
        "Sealed test group",
        "People set aside before anything was trained or chosen, and looked at once, "
        "at the end.",
    ),
    "crossvalidation": Term(
        "Cross-validation",
        "The people are divided in parts, and each part is predicted by a model that "
        "learned from the others.",
    ),
    "fold": Term(
        "Fold", "One part of a cross-validation, with the model tested on it."
    ),
    "leak": Term(
        "Leak",
        "Information about the test people that reached the model during training, "
        "which makes its performance look better than it is.",
    ),
    "interval": Term(
        "Confidence interval",
        "The range of true values that the data are compatible with; a 95 % interval "
        "holds the true value in 95 of 100 such studies.",
    ),
    "approximate": Term(
        "Approximate",
        "Said of an interval or p-value whose error rate is close to what it states, "
        "but not exactly so, because the models of a cross-validation share training "
        "people.",
    ),
    "pvalue": Term(
        "p-value",
        "How often a difference at least this large would arise if the two models were "
        "in truth equally good.",
    ),
    "holm": Term(
        "Holm-adjusted p-value",
        "A p-value made larger to allow for the number of comparisons made, by Holm's "
        "method.",
    ),
    "primary": Term(
        "Primary question",
        "The one question named before the data were looked at; answers to others are "
        "exploratory.",
    ),
    "exploratory": Term(
        "Exploratory",
        "Looked at besides the primary question: worth a new study, not yet an answer.",
    ),
    "chance": Term("Chance level", "What a model that knows nothing would score."),
    "roc": Term(
        "ROC curve",
        "Sensitivity against the share of false alarms, for every threshold; the "
        "diagonal is guessing.",
    ),
    "calibration": Term(
        "Calibration curve",
        "How often the condition was present among people given a certain probability; "
        "on the diagonal, probabilities mean what they say.",
    ),
    "decision": Term(
        "Decision curve",
        "The net benefit of treating the people whom a model flags, for every "
        "threshold: cases found, less false alarms, each of which counts as little as "
        "the threshold is low.",
    ),
    "rope": Term(
        "Region of practical equivalence",
        "Differences too small to matter in practice, set beforehand; two models "
        "within it are as good as each other.",
    ),
    "prediction": Term(
        "Prediction interval",
        "Where the true performance at a hospital not seen is expected to lie, given "
        "how much the hospitals seen differ.",
    ),
    "seed": Term(
        "Seed",
        "The number that starts every random draw; the same seed gives the same "
        "result, and several seeds show how much training alone moves it.",
    ),
    "audit": Term(
        "Audit", "An automatic search for leaks and imbalance between the groups."
    ),
    "confounded": Term(
        "Confounded",
        "Mixed up: when one site has more patients than another, a model can guess the "
        "disease by recognising the site.",
    ),
}
