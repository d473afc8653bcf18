"""One run with ClinicaDL's Trainer: from a fold to a MAPS with its predictions.

The MAPS is built in ``NAME.partial`` and renamed when it is whole. Killed at any
moment, the same call takes it up: from the last whole checkpoint during training, from
the chosen weights after it.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from clinicadl.callbacks import Callback, CallbacksHandler
from clinicadl.metrics import MetricsHandler
from clinicadl.models import Model
from clinicadl.train import ComputationalConfig, Trainer

from clinicadl_trust.activation import activate
from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import CohortError, ConfigError, RunError
from clinicadl_trust.host.loaders import SeededSplit, evaluation_loader
from clinicadl_trust.host.maps import (
    clear_checkpoints,
    forget_test,
    last_checkpoint,
    one_freeze,
    quiet,
)
from clinicadl_trust.host.memory import MemoryDataset
from clinicadl_trust.host.services import attach, improved
from clinicadl_trust.models.building import building
from clinicadl_trust.models.callbacks import (
    Begun,
    Divergence,
    Outputs,
    Progress,
    RandomStates,
    Said,
)
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.data import Scale, file_type, open_images, targets
from clinicadl_trust.models.options import read_options
from clinicadl_trust.models.provenance import (
    check_fold,
    claim,
    lineage_of,
    write_record,
)
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.models.tensors import Conversion
from clinicadl_trust.models.transfer import check_ancestors, load_weights
from clinicadl_trust.models.volumes import Geometry
from clinicadl_trust.predictions import predictions_frame, write_predictions
from clinicadl_trust.records import Lineage, record_dir, write_json

__all__ = ["Report", "run_trainer"]

#: Told the fraction done and a phrase.
Report = Callable[[float, str], None]

#: ClinicaDL's name for the group of test data.
_GROUP = "test"


def run_trainer(spec: RunSpec, progress: Report | None = None) -> Path:
    """Train, choose a checkpoint, predict.

    Parameters
    ----------
    spec : RunSpec
        The run; ``spec.config`` is a table of ``models.options.TrainerOptions``.
    progress : callable, optional
        Told the fraction done and a phrase.

    Returns
    -------
    pathlib.Path
        The finished MAPS.

    Raises
    ------
    LeakageError
        If a participant is on two sides of the fold, or an ancestor has seen one who
        is tested.
    ConfigError
        If the table is wrong.
    CapsError
        If an image cannot be used.
    RunError
        If the model diverges, or memory runs out.
    OutputError
        If the run was begun with other settings, or another process is at it.
    """
    check_fold(spec)
    options = read_options(spec.model, spec.config)
    blueprint = Blueprint(spec.model, options, spec.task)
    lineage = lineage_of(spec, [options.init_from] if options.init_from else [])
    if not options.allow_seen:
        check_ancestors(spec, lineage)
    report = progress or _silent
    with building(spec) as maps, _threads(spec.threads), one_freeze():
        _Run(spec, blueprint, lineage, maps, report).to_the_end()
    return spec.output


class _Run:
    """A run under way; what is already on disk is not done again."""

    def __init__(
        self,
        spec: RunSpec,
        blueprint: Blueprint,
        lineage: Lineage,
        maps: Path,
        report: Report,
    ) -> None:
        self.spec = spec
        self.blueprint = blueprint
        self.lineage = lineage
        self.maps = maps
        self.report = report
        self.split_index = spec.fold.split
        self.folder = record_dir(maps, self.split_index)
        self.training = blueprint.options.training
        self.scale = Scale()
        self.durations: dict[str, float] = {}

    def to_the_end(self) -> None:
        """Do what is left to do."""
        # The table is wrong or right before time is spent on images.
        self.blueprint.check()
        if self.folder.is_dir():
            claim(self.spec, self.folder)
        state = self._state()
        self.durations = state.get("durations", {})
        with self._timed("images"):
            data, self.geometry = self._open()
        with _memory_errors():
            model = self._model((1, *self.geometry.shape))
            if state.get("trained"):
                clear_checkpoints(self.maps, self.split_index)
                trainer = self._reopened(model)
            else:
                with self._timed("training"):
                    trainer = self._train(model, data)
            if len(self.spec.fold.test):
                with self._timed("test"):
                    self._test(trainer, data)
        self._write_record()

    # --- data ---------------------------------------------------------------------

    def _open(self) -> tuple[MemoryDataset, Geometry]:
        """Convert and open the images of all groups, held once."""
        spec = self.spec
        groups = {name: spec.rows(name) for name in ("train", "validation", "test")}  # type: ignore[arg-type]
        rows = pd.concat(groups.values(), ignore_index=True)
        unknown = int(rows[spec.task.label].isna().sum())
        if unknown:
            raise CohortError(
                f"Label '{spec.task.label}' is n/a for {unknown} images of this fold. "
                "Keep labelled rows only."
            )
        if spec.task.kind == "regression":
            self.scale = Scale.of(spec.task.encode(groups["train"][spec.task.label]))
        table = targets(rows, spec.task, self.scale, self.blueprint.float_labels)
        return open_images(
            Conversion(
                spec.caps,
                file_type(spec.image),
                self.blueprint.transforms,
                spec.cache,
            ),
            rows,
            table,
            augmentations=self.blueprint.augmentations,
            same_affine=self.training.same_affine,
            max_memory=self.training.max_memory,
            progress=lambda done, all_: self.report(0.0, f"image {done} of {all_}"),
        )

    def _split(self, data: MemoryDataset) -> SeededSplit:
        fold, training = self.spec.fold, self.training
        split = SeededSplit(
            self.split_index,
            data.subset(fold.train),
            data.subset(fold.validation),
            seed=self.spec.seed,
        )
        gpu = torch.cuda.is_available()
        size = training.batch_size
        split.build_train_loader(
            batch_size=size,
            shuffle=True,
            num_workers=training.workers,
            pin_memory=gpu,
            # Batch normalisation cannot train on a batch of one image.
            drop_last=len(fold.train) > size and len(fold.train) % size == 1,
        )
        split.build_val_loader(batch_size=size, pin_memory=gpu)
        return split

    # --- model --------------------------------------------------------------------

    def _model(self, shape: tuple[int, ...]) -> Model:
        """Build the model; its first weights follow from the seed."""
        with torch.random.fork_rng(enabled=True):
            torch.manual_seed(self.spec.seed)
            try:
                model = self.blueprint.model(shape)
                _check_outputs(model, shape, self.blueprint.n_outputs)
            except (ConfigError, RuntimeError, ValueError, AssertionError) as error:
                raise ConfigError(
                    f"models.{self.spec.model} does not work on images of shape "
                    f"{tuple(shape)} (channel, x, y, z): {error}"
                ) from error
        for ancestor in self._ancestors:
            load_weights(model, ancestor)
        return model

    @property
    def _ancestors(self) -> list[Path]:
        """The runs whose weights this one starts from; later ones prevail."""
        chosen = self.blueprint.options.init_from
        paths = [*self.spec.ancestors, *([chosen] if chosen is not None else [])]
        return list(dict.fromkeys(paths))

    @cached_property
    def _computational(self) -> ComputationalConfig:
        return self.blueprint.computational(self.spec.seed)

    # --- training -----------------------------------------------------------------

    def _train(self, model: Model, data: MemoryDataset) -> Trainer:
        """Train from the last whole checkpoint, or from the beginning."""
        split = self._split(data)
        steps = math.ceil(len(split.train_loader) / self.training.accumulation_steps)
        if last_checkpoint(self.maps, self.split_index) is not None:
            trainer = self._reopened(model, steps)
            with quiet():
                trainer.resume(self.split_index, split)
            return trainer
        if self.maps.exists():
            shutil.rmtree(self.maps)
        metrics = self.blueprint.metrics(model)
        trainer = Trainer(
            self.maps,
            model,
            metrics=metrics,
            optimization=self.blueprint.optimization(bool(self._ancestors)),
            callbacks=self.blueprint.callbacks(metrics, steps),
        )
        attach(trainer, self._services(trainer))
        with quiet():
            trainer.train(split, self._computational)
        return trainer

    def _reopened(self, model: Model, steps: int = 1) -> Trainer:
        """Take up the MAPS of an interrupted run."""
        metrics = self.blueprint.metrics(model)
        trainer = Trainer.from_maps(
            self.maps,
            model=model,
            metrics=MetricsHandler(**metrics),
            callbacks=CallbacksHandler(self.blueprint.callbacks(metrics, steps)),
        )
        attach(trainer, self._services(trainer))
        return trainer

    def _services(self, trainer: Trainer) -> list[Callback]:
        monitor = self.training.monitor
        return [
            Begun(lambda: claim(self.spec, self.folder)),
            Divergence(monitor),
            Progress(self.report),
            Outputs(
                is_best=lambda: improved(trainer, monitor),
                on_trained=self._on_trained,
                on_tested=lambda said: self._predict("test", said),
            ),
            RandomStates(),
        ]

    # --- predictions --------------------------------------------------------------

    def _on_trained(self, said: Said) -> None:
        self._predict("validation", said)
        self._remember(trained=True)

    def _test(self, trainer: Trainer, data: MemoryDataset) -> None:
        if self._state().get("tested"):
            return
        forget_test(self.maps, _GROUP)
        self.report(1.0, "test")
        loader = evaluation_loader(
            data.subset(self.spec.fold.test),
            batch_size=self.training.batch_size,
            pin_memory=self._computational.gpu,
        )
        checkpoint = f"split-{self.split_index}_best-{self.training.monitor}"
        with quiet():
            trainer.test(
                checkpoint,
                group_name=_GROUP,
                dataloader=loader,
                computational=self._computational,
            )
        self._remember(tested=True)

    def _predict(self, group: Literal["validation", "test"], said: Said) -> None:
        """Write what the network said of a group, as predictions."""
        rows = self.spec.rows(group)
        ids = list(rows[list(IDS)].itertuples(index=False, name=None))
        if missing := [pair for pair in ids if pair not in said]:
            raise RunError(
                f"The model said nothing of {len(missing)} images of the {group} set, "
                f"for example {missing[0]}."
            )
        outputs = np.stack([said[pair] for pair in ids])
        scores = self.scale.to_user(activate(outputs, self.blueprint.activation))
        frame = predictions_frame(
            rows, self.spec.task, scores, self.spec.run_columns(group)
        )
        write_predictions(frame, self.folder / f"predictions_{group}.tsv")

    # --- what is done -------------------------------------------------------------

    @property
    def _state_path(self) -> Path:
        return self.folder / "state.json"

    def _state(self) -> dict[str, Any]:
        try:
            return json.loads(self._state_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def _remember(self, **done: bool) -> None:
        state = {
            **self._state(),
            "scale": asdict(self.scale),
            "geometry": asdict(self.geometry),
            "durations": self.durations,
            **done,
        }
        write_json(self._state_path, state)

    def _write_record(self) -> None:
        write_json(self.folder / "lineage.json", self.lineage)
        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        write_record(self.spec, self.maps, self.durations, gpu=gpu)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        spent = time.perf_counter() - start
        self.durations[stage] = self.durations.get(stage, 0.0) + spent


def _silent(fraction: float, phrase: str) -> None:
    """Tell nobody."""


def _check_outputs(model: Model, shape: tuple[int, ...], n_outputs: int) -> None:
    """Pass one empty image through the network, before an hour is spent on it."""
    network = getattr(model, "network", None)
    if network is None:
        return
    network.eval()
    with torch.no_grad():
        outputs = network(torch.zeros(1, *shape))
    if not isinstance(outputs, torch.Tensor) or tuple(outputs.shape) != (1, n_outputs):
        got = tuple(getattr(outputs, "shape", ())) or type(outputs).__name__
        raise ValueError(
            f"it gives {got} for one image, where (1, {n_outputs}) is wanted."
        )


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """Pin the threads of PyTorch: the weights depend on their number."""
    before = torch.get_num_threads()
    if number is not None:
        torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Say what to do when memory runs out."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise RunError(
            "Memory ran out. Lower training.batch_size (and raise "
            "training.accumulation_steps as much to keep the same steps), or choose a "
            "smaller network."
        ) from error
