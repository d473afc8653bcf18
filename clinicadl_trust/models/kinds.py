"""Which losses and models suit a task, and the defaults."""

from __future__ import annotations

from clinicadl.models import Model, SupervisedModel

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.models.classification import ClassificationModel
from clinicadl_trust.models.segmentation import SegmentationModel
from clinicadl_trust.task import Task

__all__ = [
    "MODELS",
    "VALUE_LOSSES",
    "check_loss",
    "check_model_class",
    "default_loss",
]

#: Of a quantity.
VALUE_LOSSES: tuple[str, ...] = ("HuberLoss", "L1Loss", "MSELoss", "SmoothL1Loss")
_LOSSES = {
    "classification": (
        "BCELoss",
        "BCEWithLogitsLoss",
        "CrossEntropyLoss",
        "KLDivLoss",
        "MultiMarginLoss",
        "NLLLoss",
    ),
    "regression": VALUE_LOSSES,
    "segmentation": ("BCEWithLogitsLoss", "DiceCELoss"),  # of one logit a voxel
}
#: The model of a task, where a table names none.
MODELS = {
    "classification": "ClassificationModel",
    "regression": "SupervisedModel",
    "segmentation": "SegmentationModel",
}
_OF_OTHERS: dict[str, tuple[type, ...]] = {
    "classification": (SegmentationModel,),
    "regression": (ClassificationModel, SegmentationModel),
    "segmentation": (ClassificationModel, SupervisedModel),
}


def default_loss(task: Task) -> str:
    """Return the name of the loss of a task, where a table names none."""
    if task.kind == "regression":
        return "MSELoss"
    if task.kind == "segmentation":
        return "DiceCELoss"
    return "BCEWithLogitsLoss" if task.is_binary else "CrossEntropyLoss"


def check_loss(name: str, task: Task, where: str) -> None:
    """Check that a loss suits a task; one that is not known may.

    Parameters
    ----------
    name : str
        The loss's.
    task : Task
        What is predicted.
    where : str
        The loss's key, for messages.

    Raises
    ------
    ConfigError
        Naming the losses that suit.
    """
    known = _LOSSES[task.kind]
    others = {each for names in _LOSSES.values() for each in names} - {*known}
    many = task.kind == "classification" and not task.is_binary
    if many:
        known = tuple(each for each in known if not each.startswith("BCE"))
    if name in others or (many and name.startswith("BCE")):
        classes = f" of {len(task.classes)} classes" if many else ""
        raise ConfigError(
            f"{where} is '{name}', which does not suit a {task.kind}{classes}. Use one "
            f"of: {', '.join(known)}."
        )


def check_model_class(cls: type[Model], task: Task, where: str) -> None:
    """Check that a model suits a task.

    Parameters
    ----------
    cls : type
        The model's class.
    task : Task
        What is predicted.
    where : str
        The model's key, for messages.

    Raises
    ------
    ConfigError
        Naming the model that suits.
    """
    if cls.__name__ == "ReconstructionModel":
        raise ConfigError(
            f"{where}: a '{cls.__name__}' predicts images, no label. Use "
            f"'{MODELS[task.kind]}'."
        )
    if issubclass(cls, _OF_OTHERS[task.kind]):
        raise ConfigError(
            f"{where}: '{cls.__name__}' is for another task; for a {task.kind} use "
            f"'{MODELS[task.kind]}'."
        )
