"""The table of a model of type ``trainer``, checked without importing ClinicaDL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationError,
)

from clinicadl_trust.exceptions import ConfigError, did_you_mean

__all__ = ["TrainerOptions", "TrainingOptions", "read_options"]

#: ClinicaDL writes metric names into paths that it must read back: a hyphen makes a
#: MAPS unreadable for good, an underscore breaks the name of the best checkpoint.
MetricName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+$")]

Table = dict[str, Any]


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrainingOptions(_Options):
    """How a training goes.

    Attributes
    ----------
    epochs : int, default=30
        At most.
    batch_size : int, default=8
        Images a batch.
    monitor : str, default="loss"
        The metric on the inner validation set that chooses the checkpoint and stops
        early.
    patience : int, default=10
        Validations without improvement before stopping; 0 trains all epochs.
    evaluation_interval : int, default=1
        Epochs between two validations.
    accumulation_steps : int, default=1
        Batches a step of the optimizer.
    clip_grad_norm, clip_grad_value : float, optional
        Clip gradients.
    amp : bool, default=False
        Mixed precision, on a GPU only.
    deterministic : bool, default=False
        Refuse operations of PyTorch that are not.
    workers : int, default=0
        Processes that load batches. Images are in memory, so they pay with heavy
        augmentations only.
    max_memory : float, optional
        GB of images to hold; the others are read at each epoch. By default half of
        the memory that is free.
    same_affine : bool, default=True
        Whether images in different spaces are refused.
    """

    epochs: PositiveInt = 30
    batch_size: PositiveInt = 8
    monitor: MetricName = "loss"
    patience: NonNegativeInt = 10
    evaluation_interval: PositiveInt = 1
    accumulation_steps: PositiveInt = 1
    clip_grad_norm: PositiveFloat | None = None
    clip_grad_value: PositiveFloat | None = None
    amp: bool = False
    deterministic: bool = False
    workers: NonNegativeInt = 0
    max_memory: PositiveFloat | None = None
    same_affine: bool = True


class TrainerOptions(_Options):
    """``[models.NAME]`` with ``type = "trainer"``.

    Every table names a class of ClinicaDL, or of a plugin, without ``Config``, and
    its options.

    Attributes
    ----------
    model : table, optional
        By default ``ClassificationModel``, ``SupervisedModel`` for a regression or
        ``SegmentationModel``.
    network : table, optional
        By default a small convolutional network for the size of the images, or a
        small ``UNet`` for a segmentation.
    loss : table, optional
        By default ``BCEWithLogitsLoss`` for two classes, ``CrossEntropyLoss`` for
        more, ``MSELoss`` for a regression, ``DiceCELoss`` for a segmentation.
    optimizer : table, optional
        By default ``Adam`` with a rate of .001.
    lr_scheduler : table, optional
        None by default.
    transforms : list of tables, optional
        Applied once to each image; by default ``ZNormalization``, and for a
        segmentation ``EnsureShapeMultiple``, which pads image and mask to sides that
        the network can halve.
    augmentations : list of tables
        Applied to each training image at each epoch.
    masks : table of tables
        Masks that the model uses, by name: an image type (``data_type``, ``suffix``,
        ``with_entities``) with ``missing = "error"`` or ``"empty"``, or ``path``, one
        file for all.
    annotated : int, optional
        Of a segmentation, how many training participants with a lesion have their
        mask known, drawn by the run's seed; by default all.
    annotated_share : float, optional
        Of the images of patients (participants with a lesion) that a training draws,
        the share whose mask is known, however few they are. Images are drawn with
        replacement, those of healthy participants as often as they are there. By
        default each image is seen once an epoch.
    metrics : table of tables
        Measured on the validation and test sets, beside ``loss``.
    callbacks : list of tables
        Further callbacks.
    training : TrainingOptions
        How it goes.
    init_from : pathlib.Path, optional
        A MAPS whose weights are the starting point where names and shapes agree.
    allow_seen : bool, default=False
        Whether ``init_from`` may have seen participants of the test fold, the biased
        transfer that Wen et al. (2020) warn of.
    """

    type: Literal["trainer"] = "trainer"
    model: Table | None = None
    network: Table | None = None
    loss: Table | None = None
    optimizer: Table | None = None
    lr_scheduler: Table | None = None
    transforms: list[Table] | None = None
    augmentations: list[Table] = Field(default_factory=list)
    masks: dict[str, Table] = Field(default_factory=dict)
    annotated: PositiveInt | None = None
    annotated_share: float | None = Field(None, gt=0, lt=1)
    metrics: dict[MetricName, Table] = Field(default_factory=dict)
    callbacks: list[Table] = Field(default_factory=list)
    training: TrainingOptions = Field(default_factory=TrainingOptions)
    init_from: Path | None = None
    allow_seen: bool = False


def read_options(name: str, config: Mapping[str, Any]) -> TrainerOptions:
    """Read the table of a model.

    Parameters
    ----------
    name : str
        The model's name, for messages.
    config : mapping
        The table ``[models.NAME]``.

    Raises
    ------
    ConfigError
        Naming the first wrong key with the nearest right one, or the first wrong
        value and what is wanted.
    """
    try:
        options = TrainerOptions.model_validate(dict(config))
    except ValidationError as error:
        raise ConfigError(_first(name, error)) from error
    monitor, known = options.training.monitor, ["loss", *options.metrics]
    if monitor not in known:
        raise ConfigError(
            f"models.{name}.training.monitor = '{monitor}' is no metric of this model."
            f"{did_you_mean(monitor, known)}"
        )
    if options.annotated_share is not None and options.annotated is None:
        raise ConfigError(
            f"models.{name}.annotated_share = {options.annotated_share:g} says how "
            "often annotated images are drawn, and all are annotated. Say how many "
            "are: annotated = 5, for example; or leave it out."
        )
    for index, table in enumerate(options.transforms or []):
        if str(table.get("name", "")).startswith("Random"):
            raise ConfigError(
                f"models.{name}.transforms[{index}] is '{table['name']}': transforms "
                "are applied once, before training. Random ones go to 'augmentations'."
            )
    return options


def _first(name: str, error: ValidationError) -> str:
    item = error.errors()[0]
    path = [str(part) for part in item["loc"]]
    where = ".".join(["models", name, *path])
    if item["type"] == "extra_forbidden":
        cls = TrainingOptions if path[0] == "training" else TrainerOptions
        known = list(cls.model_fields)
        return (
            f"Unknown key '{path[-1]}' in {'.'.join(['models', name, *path[:-1]])}."
            f"{did_you_mean(path[-1], known)}"
        )
    if item["type"] == "string_pattern_mismatch":
        return (
            f"{where}: '{item['input']}' is no name for a metric; ClinicaDL wants "
            "letters and digits only, for example 'auc'."
        )
    if item["type"] == "dict_type":
        return (
            f"{where} = {item['input']!r} is no table. Write a name and options: "
            f'{path[-1]} = {{ name = "..." }}.'
        )
    return f"{where} = {item['input']!r}: {item['msg']}."
