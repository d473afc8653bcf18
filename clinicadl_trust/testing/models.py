"""The contract of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from clinicadl_trust.testing.contract import (
    ContractError,
    check_class,
    make_example,
    require,
)
from clinicadl_trust.testing.serialization import (
    base_class,
    check_config_fields,
    check_round_trip,
)

if TYPE_CHECKING:
    from clinicadl.data.dataloader import Batch
    from clinicadl.models import Model

__all__ = ["check_model", "example_batch", "example_parts"]

#: Volume of the images that a model is tried on: channel, x, y, z.
_SHAPE = (1, 16, 16, 16)


def check_model(
    cls: type[Model], example: Model | None = None, batch: Batch | None = None
) -> None:
    """Check that a class keeps the contract of a ClinicaDL Model.

    It must come back from JSON the same, by its registered name if it has one, and
    train: one step on a batch gives a finite loss and moves a weight.

    Parameters
    ----------
    cls : type
        Derived from ``clinicadl.models.Model`` and ``HasConfig``.
    example : clinicadl.models.Model, optional
        An instance. By default one is made, with a small CNN of one output, binary
        cross-entropy and Adam for ``network``, ``loss`` and ``optimizer``.
    batch : clinicadl.data.dataloader.Batch, optional
        What to train it on. By default what the class's own ``example_batch()``
        returns, else four images of 16 voxels a side with labels 0 and 1, for a model
        that has a ``label_key``; another model is not trained unless a batch is given.

    Raises
    ------
    ContractError
        Naming what is broken and how to mend it. It is an ``AssertionError``.
    """
    check_class(cls, base_class("models"), "models")
    model = make_example(cls, example, example_parts())
    check_config_fields(cls)
    check_round_trip(cls, model, "models")
    _check_parts(model, cls.__name__)
    if batch is None and hasattr(cls, "example_batch"):
        batch = cls.example_batch()
    elif batch is None and (label_key := getattr(model, "label_key", None)) is not None:
        batch = example_batch(label_key)
    if batch is not None:
        _check_step(model, batch, cls.__name__)


def example_parts() -> dict[str, Any]:
    """Return what a small model is made of.

    Returns
    -------
    dict
        ``network``, a CNN of one output for images of 16 voxels a side; ``loss``,
        binary cross-entropy with logits; ``optimizer``, Adam.
    """
    from clinicadl.losses.config import BCEWithLogitsLossConfig
    from clinicadl.networks.config import CNNConfig
    from clinicadl.optim.optimizers.config import AdamConfig

    network = CNNConfig(in_shape=_SHAPE, num_outputs=1, conv_args={"channels": [2]})
    return {
        "network": network,
        "loss": BCEWithLogitsLossConfig(),
        "optimizer": AdamConfig(),
    }


def _check_parts(model: Model, name: str) -> None:
    losses = model.get_loss_functions()
    require(
        isinstance(losses, dict)
        and losses
        and all(
            callable(loss) and hasattr(loss, "reduction") for loss in losses.values()
        ),
        f"{name}.get_loss_functions() must return a dictionary of losses, each with an "
        f"attribute 'reduction'; got {losses!r}.",
    )
    optimizers = model.build_optimizers()
    import torch

    require(
        isinstance(optimizers, dict)
        and optimizers
        and all(isinstance(o, torch.optim.Optimizer) for o in optimizers.values()),
        f"{name}.build_optimizers() must return a dictionary of torch optimizers; got "
        f"{optimizers!r}.",
    )


def example_batch(label_key: str = "label") -> Batch:
    """Return a batch to train a small model on.

    Parameters
    ----------
    label_key : str
        Where the label, 0 or 1, is in a sample.

    Returns
    -------
    clinicadl.data.dataloader.Batch
        Four images of shape (1, 16, 16, 16), the same at each call.
    """
    import torch
    import torchio
    from clinicadl.data.dataloader import Batch
    from clinicadl.data.structures import DataPoint

    generator = torch.Generator().manual_seed(0)
    points = []
    for number in range(4):
        image = torchio.ScalarImage(tensor=torch.rand(_SHAPE, generator=generator))
        label = {label_key: number % 2}
        points.append(DataPoint(image, f"sub-{number}", "ses-M000", **label))
    return Batch(points)


def _check_step(model: Model, batch: Batch, name: str) -> None:
    before = {key: value.detach().clone() for key, value in model.named_parameters()}
    try:
        optimizers = model.build_optimizers()
        loss = model.forward_step(batch)
        model.backward_step(loss)
        model.optimization_step(optimizers)
        model.eval()
        evaluated = model.evaluation_step(batch)
    except Exception as error:
        raise ContractError(
            f"{name} fails on a batch: {type(error).__name__}: {error}. Pass `example` "
            "and `batch` if it needs others than a small CNN and labelled images."
        ) from error
    values = loss.values() if isinstance(loss, dict) else [loss]
    require(
        all(math.isfinite(float(value)) for value in values),
        f"The loss of {name} is {loss} on its first batch.",
    )
    require(
        any(not before[key].equal(value) for key, value in model.named_parameters()),
        f"One training step of {name} moves no weight. Look at backward_step and "
        "optimization_step, and at what build_optimizers optimizes.",
    )
    require(
        isinstance(evaluated, Sequence) and len(evaluated) == len(batch),
        f"{name}.evaluation_step must return a batch of {len(batch)}; got "
        f"{type(evaluated).__name__}.",
    )
