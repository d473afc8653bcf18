"""A finished run opened again: its network, its images, its masks."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from clinicadl.infer import SimpleInferer
from clinicadl.models import Model
from torch import nn

from clinicadl_trust.attribution.interpretation.inferer import check_inferer
from clinicadl_trust.attribution.interpretation.question import Question, index_of
from clinicadl_trust.exceptions import AttributionError, RunError, did_you_mean
from clinicadl_trust.host.inference import Inferred
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.data import Scale
from clinicadl_trust.models.inference import trained_model
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.models.options import read_options
from clinicadl_trust.models.run_state import read_state
from clinicadl_trust.models.settings import Settings, read_settings
from clinicadl_trust.task import Task

__all__ = ["OpenedRun", "open_run"]


@dataclass(frozen=True)
class OpenedRun:
    """A finished run of a network.

    Attributes
    ----------
    maps : pathlib.Path
        The MAPS.
    folder : pathlib.Path
        Its record folder.
    settings : Settings
        What it was asked.
    record, state : dict
        ``run.json`` and ``state.json``.
    blueprint : Blueprint
        What its table says.
    model : clinicadl.models.Model
        With the weights of ``checkpoint``, in evaluation.
    checkpoint : str
        Such as ``best-loss``, ``epoch-3`` or ``final``.
    healthy : int or None
        The class of the healthy; None where there is none, or it is not known.
    """

    maps: Path
    folder: Path
    settings: Settings
    record: dict[str, Any]
    state: dict[str, Any]
    blueprint: Blueprint
    model: Model
    checkpoint: str
    healthy: int | None

    @property
    def split(self) -> int:
        """The split of the run."""
        return int(self.record["split"])

    @cached_property
    def network(self) -> nn.Module:
        """What gives outputs for whole images, in parts or not."""
        network, inferer = self.model.network, getattr(self.model, "inferer", None)
        assert isinstance(network, nn.Module)
        # A subclass of it may do more, such as test-time augmentation.
        if inferer is None or type(inferer) is SimpleInferer:
            return network
        return Inferred(network, inferer).eval()

    def check_methods(self, methods: Sequence[str]) -> None:
        """Check that methods can explain the network.

        Parameters
        ----------
        methods : sequence of str
            As ``attributions`` knows them.

        Raises
        ------
        AttributionError
            If images pass through it in parts, and a method needs them whole.
        """
        if isinstance(self.network, Inferred):
            shape = (1, *self.state["geometry"]["shape"])
            check_inferer(self.network, shape, methods)

    @property
    def masks(self) -> tuple[MaskSource, ...]:
        """What was opened beside each image of the training."""
        truth = self.settings.truth
        return (*self.blueprint.masks, *([truth] if truth is not None else []))

    @property
    def healthy_name(self) -> str | None:
        """What the class of the healthy is called."""
        classes = self.settings.task.classes
        return None if self.healthy is None else classes[self.healthy]

    @property
    def scale(self) -> Scale:
        """The unit in which the network sees a quantity."""
        return Scale(**self.state["scale"])

    def question(self, target: str | int | None = None) -> Question:
        """Return what is explained.

        Parameters
        ----------
        target : str, int or None
            As of ``Question``.

        Raises
        ------
        AttributionError
            If there is no such output.
        """
        task = self.settings.task
        activation = "" if task.kind == "segmentation" else self.blueprint.activation
        return Question(task, activation, self.scale, self.healthy, target)

    @property
    def cache(self) -> Path | None:
        """Where the run's converted images were, if they still are there."""
        path = self.maps / "training" / "data" / "train" / f"split-{self.split}"
        try:
            content = json.loads((path / "dataset.json").read_text(encoding="utf-8"))
            description = Path(content["description_json"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return description.parents[2] if description.is_file() else None

    @contextmanager
    def cache_or(self, given: str | os.PathLike[str] | None) -> Iterator[Path]:
        """Give a place for converted images: the one given, the run's, or none to stay.

        Parameters
        ----------
        given : path-like or None
            A folder.
        """
        place = Path(given) if given is not None else self.cache
        if place is not None and (given is not None or os.access(place, os.W_OK)):
            yield place
            return
        with tempfile.TemporaryDirectory(prefix="clinicadl-") as temporary:
            yield Path(temporary)


def open_run(
    maps: str | os.PathLike[str],
    checkpoint: str | None = None,
    healthy: str | int | None = None,
) -> OpenedRun:
    """Open a finished run of a network.

    Parameters
    ----------
    maps : path-like
        Its MAPS.
    checkpoint : str, optional
        ``best-METRIC``, ``epoch-N`` or ``final``; by default the one that the run has
        chosen.
    healthy : str or int, optional
        The class of the healthy, by name or number; by default the one that the model
        was told (``explain``), else what names tell.

    Raises
    ------
    RunError
        If it is no run, not finished, or has no such checkpoint.
    AttributionError
        If its model is no network, or has no such class.
    """
    maps = Path(maps)
    if (maps / "model.json").is_file() and not [*maps.glob("training/split-*/trust")]:
        raise RunError(
            f"'{maps}' was trained by ClinicaDL's Trainer alone, not by `clinicadl "
            "train` or `benchmark`: what it predicts, of which classes and images, is "
            "not recorded. Explain it in Python, by attributions(network, images)."
        )
    begun = list(maps.glob("training/split-*/trust/settings.json"))
    if begun and not (begun[0].parent / "run.json").is_file():
        raise RunError(
            f"The run in '{maps}' is not finished. Give the command that began it once "
            "more, and it goes on; then interpret it."
        )
    settings, folder = read_settings(maps)
    if (kind := settings.config.get("type")) != "trainer":
        raise AttributionError(
            f"'{settings.model}' in '{maps}' is a model of type '{kind}', not a "
            "network: it has no gradient to explain. Give the MAPS of a model of type "
            "'trainer'."
        )
    options = read_options(settings.model, settings.config)
    weights = _weights(folder.parent, checkpoint or f"best-{options.training.monitor}")
    model = trained_model(maps, weights)
    model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    return OpenedRun(
        maps=maps,
        folder=folder,
        settings=settings,
        record=json.loads((folder / "run.json").read_text(encoding="utf-8")),
        state=read_state(folder),
        blueprint=Blueprint(settings.model, options, settings.task),
        model=model,
        checkpoint=weights.parent.name,
        healthy=_healthy(settings.task, model, healthy),
    )


def _healthy(task: Task, model: Model, given: str | int | None) -> int | None:
    if given is not None:
        return index_of(given, task.classes, "healthy class")
    told = getattr(getattr(model, "config", None), "explain", {}).get("healthy")
    return task.healthy if told is None or not task.classes else int(told)


def _weights(split: Path, checkpoint: str) -> Path:
    paths = (split / "models").rglob("model.pt")
    found = {path.parent.name: path for path in paths}
    if checkpoint not in found:
        raise RunError(
            f"'{split.parents[1]}' has no checkpoint '{checkpoint}'."
            f"{did_you_mean(checkpoint, found)}"
        )
    return found[checkpoint]
