"""The model that a training starts from: built, tried out, given an ancestor's weights.

What cannot work is told before an hour is spent on it: a network that gives another
number of outputs, a loss that wants probabilities where the network gives any number,
a metric that does not take the outputs of the model.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
import torchio as tio
from clinicadl.data.dataloader import Batch
from clinicadl.data.structures import DataPoint
from clinicadl.metrics import MetricsHandler
from clinicadl.models import Model
from clinicadl.utils.dictionary.words import OUTPUT
from torch import nn

from clinicadl_trust.activation import activate
from clinicadl_trust.exceptions import ConfigError, PredictionsError
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.data import LABEL
from clinicadl_trust.models.plan import make_metrics
from clinicadl_trust.models.scale import Scale
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.models.transfer import load_weights

__all__ = ["ancestors_of", "make_model"]

logger = logging.getLogger(__name__)

_SIDES = (
    " A U-Net halves each side once a level: end the transforms with { name = "
    '"EnsureShapeMultiple", target_multiple = 8, method = "pad" }, which pads the '
    "masks as well. A network without an output for each voxel cannot segment."
)
#: How far probabilities may be from adding up to 1.
_ROUNDING = 1e-3


def make_model(
    spec: RunSpec,
    blueprint: Blueprint,
    shape: tuple[int, ...],
    scale: Scale | None = None,
) -> Model:
    """Build the model of a run; its first weights follow from the seed.

    Parameters
    ----------
    spec : RunSpec
        The run.
    blueprint : Blueprint
        What its table says.
    shape : tuple of int
        Channels and voxels of the images.
    scale : Scale, optional
        Of the training labels.

    Raises
    ------
    ConfigError
        If network, loss or metrics do not work together on such images, or an
        ancestor's weights do not fit.
    """
    with torch.random.fork_rng(enabled=True):
        torch.manual_seed(spec.seed)
        try:
            model = blueprint.model(shape, scale)
            _try_network(model, blueprint, shape)
        except (ConfigError, RuntimeError, ValueError, AssertionError) as error:
            hint = _SIDES if blueprint.segments else ""
            raise ConfigError(
                f"models.{spec.model} does not work on images of shape "
                f"{tuple(shape)} (channel, x, y, z): {error}{hint}"
            ) from error
        _try_metrics(model, blueprint)
    for ancestor in ancestors_of(spec, blueprint):
        load_weights(model, ancestor)
    return model


def ancestors_of(spec: RunSpec, blueprint: Blueprint) -> list[Path]:
    """Return the runs whose weights a run starts from; later ones prevail."""
    chosen = blueprint.options.init_from
    paths = [*spec.ancestors, *([chosen] if chosen is not None else [])]
    return list(dict.fromkeys(paths))


def _try_network(model: Model, blueprint: Blueprint, shape: tuple[int, ...]) -> None:
    """Pass one image of noise through the network."""
    network = getattr(model, "network", None)
    if network is None:
        return
    network.eval()
    with torch.no_grad():
        outputs = network(torch.randn(1, *shape))
    wanted = (1, blueprint.n_outputs, *(shape[1:] if blueprint.segments else ()))
    if not isinstance(outputs, torch.Tensor) or tuple(outputs.shape) != wanted:
        got = tuple(getattr(outputs, "shape", ())) or type(outputs).__name__
        raise ValueError(f"it gives {got} for one image, where {wanted} is wanted.")
    if blueprint.task.kind == "classification":
        _check_scores(outputs.double().numpy(), blueprint)
        _check_twice(network, blueprint)


def _check_scores(outputs: np.ndarray, blueprint: Blueprint) -> None:
    """Check that a loss of probabilities is given some."""
    try:
        scores = activate(outputs, blueprint.activation)
    except PredictionsError:  # not finite: perhaps of noise alone
        return
    off = np.abs(scores.sum(axis=1) - 1).max() if scores.shape[1] > 1 else 0.0
    if scores.min() < 0 or scores.max() > 1 or off > _ROUNDING:
        loss = blueprint.loss.name_
        end = "sigmoid" if loss == "BCELoss" else "logsoftmax"
        raise ValueError(
            f"the loss {loss} takes the outputs for probabilities or their logarithms, "
            f"and the network gives {np.round(outputs[0], 3).tolist()}. End it with "
            f"mlp_args.output_act = '{end}', or use the loss BCEWithLogitsLoss or "
            "CrossEntropyLoss."
        )


def _check_twice(network: nn.Module, blueprint: Blueprint) -> None:
    """Tell of an activation that the loss, and the predictions, apply once more."""
    *_, last = network.modules()
    twice = {"BCEWithLogitsLoss": nn.Sigmoid, "CrossEntropyLoss": nn.Softmax}
    loss = blueprint.loss.name_
    if loss in twice and isinstance(last, twice[loss]):
        logger.warning(
            "models.%s: the network ends with %s, which the loss %s applies itself: "
            "it would be applied twice. Leave it out (output_act).",
            blueprint.name,
            type(last).__name__,
            loss,
        )


def _try_metrics(model: Model, blueprint: Blueprint) -> None:
    """Measure made-up outputs, each class being there."""
    batch = _example(blueprint)
    for name, metric in make_metrics(blueprint, model).items():
        handler = MetricsHandler(**{name: metric})
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                handler.init_metrics(model)
                handler(batch)
                handler.aggregate()
            handler.get_metric_value(name)
        except KeyError:  # a field that the model may add
            continue
        except Exception as error:  # whatever a metric may raise
            reason = str(error).partition("\n")[0].rstrip(". ")
            if name == "loss":
                loss = f"{blueprint.at('loss')} ({blueprint.loss.name_})"
                raise ConfigError(f"{loss} cannot be computed: {reason}.") from error
            raise ConfigError(
                f"{blueprint.at('metrics')}.{name} ({metric.name_}) cannot "
                f"measure this model: {reason}. It is given the raw outputs, "
                f"{blueprint.n_outputs} an image, and the class's number or the value. "
                "Leave it out: `clinicadl evaluate` measures the predictions."
            ) from error


def _example(blueprint: Blueprint) -> Batch:
    """Make up what a model says of a few images."""
    if blueprint.segments:
        return _example_of_masks(blueprint.label_key)
    many = max(4, 2 * len(blueprint.task.classes))
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(many, blueprint.n_outputs, generator=generator)
    if blueprint.activation in ("BCELoss", "probability"):
        outputs = outputs.sigmoid()
    classes = max(1, len(blueprint.task.classes))
    as_float = blueprint.float_labels or blueprint.task.kind == "regression"
    several = torch.randn(outputs.shape, generator=generator)
    points = []
    for number, output in enumerate(outputs):
        label = number % classes if classes > 1 else number / many
        known = float(label) if as_float else int(label)
        point = DataPoint(
            image=tio.ScalarImage(tensor=torch.zeros(1, 1, 1, 1)),
            participant_id=f"sub-{number}",
            session_id="ses-1",
            **{LABEL: several[number] if blueprint.task.outputs else known},
        )
        point[OUTPUT] = output
        points.append(point)
    return Batch(points)


def _example_of_masks(key: str) -> Batch:
    generator = torch.Generator().manual_seed(0)
    points = []
    for number in range(4):
        mask = torch.zeros(1, 4, 4, 4, dtype=torch.uint8)
        mask[:, :number] = 1
        point = DataPoint(
            image=tio.ScalarImage(tensor=torch.zeros(1, 4, 4, 4)),
            participant_id=f"sub-{number}",
            session_id="ses-1",
            **{key: tio.LabelMap(tensor=mask)},
        )
        point[OUTPUT] = torch.randn(1, 4, 4, 4, generator=generator)
        points.append(point)
    return Batch(points)
