"""One run with ClinicaDL's Trainer: from a fold to a MAPS with its predictions.

The MAPS is built in ``NAME.partial`` and renamed when it is whole. Killed at any
moment, the same call takes it up: from the last whole checkpoint during training, from
the chosen weights after it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from clinicadl.callbacks import Callback, CallbacksHandler
from clinicadl.metrics import MetricsHandler
from clinicadl.models import Model
from clinicadl.train import ComputationalConfig, Trainer

from clinicadl_trust.activation import activate
from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import RunError
from clinicadl_trust.host.loaders import evaluation_loader
from clinicadl_trust.host.maps import (
    clear_checkpoints,
    forget_test,
    last_checkpoint,
    one_freeze,
    quiet,
    weights_of,
)
from clinicadl_trust.host.memory import MemoryDataset
from clinicadl_trust.host.services import attach, improved
from clinicadl_trust.models.annotations import with_annotations
from clinicadl_trust.models.building import building
from clinicadl_trust.models.callbacks import (
    Begun,
    Divergence,
    FreshGradients,
    Progress,
    RandomStates,
    Remarks,
)
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.fold_images import FoldImages, make_split, open_fold
from clinicadl_trust.models.limits import memory_errors, threads
from clinicadl_trust.models.options import read_options
from clinicadl_trust.models.outputs import Outputs, Said, collect, nothing
from clinicadl_trust.models.plan import (
    check_plan,
    make_callbacks,
    make_computational,
    make_metrics,
    make_optimization,
    steps_of,
)
from clinicadl_trust.models.provenance import check_fold, lineage_of, write_record
from clinicadl_trust.models.run_state import RunState
from clinicadl_trust.models.segmented import predict_group
from clinicadl_trust.models.settings import claim
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.models.starting_model import ancestors_of, make_model
from clinicadl_trust.models.transfer import check_ancestors, read_weights
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
    with building(spec) as maps, threads(spec.threads), one_freeze():
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
        self.asked = spec
        self.spec = with_annotations(spec, blueprint.options.annotated)
        self.blueprint = blueprint
        self.lineage = lineage
        self.maps = maps
        self.report = report
        self.split_index = spec.fold.split
        self.folder = record_dir(maps, self.split_index)
        self.training = blueprint.options.training
        self.state = RunState(self.folder)

    def to_the_end(self) -> None:
        """Do what is left to do."""
        # The table is wrong or right before time is spent on images.
        check_plan(self.blueprint)
        if self.folder.is_dir():
            claim(self.asked, self.folder)
        with self.state.timed("images"):
            images = open_fold(self.spec, self.blueprint, self._tell_images)
        self.geometry, self.scale = images.geometry, images.scale
        with memory_errors():
            model = make_model(
                self.spec, self.blueprint, (1, *self.geometry.shape), self.scale
            )
            if self.state.has("trained"):
                clear_checkpoints(self.maps, self.split_index)
                if not self.state.has("tested"):
                    # A test that was just begun makes the whole MAPS unreadable.
                    forget_test(self.maps, _GROUP)
                trainer = self._reopened(model)
            else:
                with self.state.timed("training"):
                    trainer = self._train(model, images.seen)
            if len(self.spec.fold.test):
                with self.state.timed("test"):
                    self._test(trainer, images.test)
            if self.spec.truth is not None:
                with self.state.timed("masks"):
                    self._segment(model, images)
        self._write_record()

    # --- training -----------------------------------------------------------------

    def _train(self, model: Model, data: MemoryDataset) -> Trainer:
        """Train from the last whole checkpoint, or from the beginning."""
        split = make_split(self.spec, self.training, data)
        steps = steps_of(self.blueprint, len(split.train_loader))
        if last_checkpoint(self.maps, self.split_index) is not None:
            trainer = self._reopened(model, steps)
            with quiet():
                trainer.resume(self.split_index, split)
            return trainer
        if self.maps.exists():
            shutil.rmtree(self.maps)
        metrics = make_metrics(self.blueprint, model)
        inherited = bool(ancestors_of(self.spec, self.blueprint))
        trainer = Trainer(
            self.maps,
            model,
            metrics=metrics,
            optimization=make_optimization(self.blueprint, keep_weights=inherited),
            callbacks=make_callbacks(self.blueprint, metrics, steps),
        )
        attach(trainer, self._services(trainer))
        with quiet():
            trainer.train(split, self._computational)
        return trainer

    def _reopened(self, model: Model, steps: int = 1) -> Trainer:
        """Take up the MAPS of an interrupted run."""
        metrics = make_metrics(self.blueprint, model)
        trainer = Trainer.from_maps(
            self.maps,
            model=model,
            metrics=MetricsHandler(**metrics),
            callbacks=CallbacksHandler(make_callbacks(self.blueprint, metrics, steps)),
        )
        attach(trainer, self._services(trainer))
        return trainer

    @cached_property
    def _computational(self) -> ComputationalConfig:
        return make_computational(self.blueprint, self.spec.seed)

    def _services(self, trainer: Trainer) -> list[Callback]:
        monitor = self.training.monitor
        return [
            Begun(lambda: claim(self.asked, self.folder)),
            FreshGradients(),
            Divergence(monitor),
            Progress(self.report),
            Remarks(),
            Outputs(
                is_best=lambda: improved(trainer, monitor),
                on_trained=self._on_trained,
                on_tested=lambda said: self._predict("test", said),
                # Volumes are not kept: masks are drawn and measured one by one.
                take=nothing if self.blueprint.segments else collect,
            ),
            RandomStates(),
        ]

    # --- predictions --------------------------------------------------------------

    def _on_trained(self, said: Said) -> None:
        self._predict("validation", said)
        self.state.remember(
            trained=True, scale=asdict(self.scale), geometry=asdict(self.geometry)
        )

    def _test(self, trainer: Trainer, data: MemoryDataset) -> None:
        if self.state.has("tested"):
            return
        self.report(1.0, "test")
        loader = evaluation_loader(
            data.subset(self.spec.fold.test),
            batch_size=self.training.batch_size,
            pin_memory=False,
        )
        checkpoint = f"split-{self.split_index}_best-{self.training.monitor}"
        with quiet():
            trainer.test(
                checkpoint,
                group_name=_GROUP,
                dataloader=loader,
                computational=self._computational,
            )
        self.state.remember(tested=True)

    def _predict(self, group: Literal["validation", "test"], said: Said) -> None:
        """Write what the network said of a group, as predictions."""
        if self.blueprint.segments:
            return
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

    def _segment(self, model: Model, images: FoldImages) -> None:
        """Draw the masks of validation and test with the chosen weights."""
        model.load_state_dict(read_weights(weights_of(self.maps)))
        for group in ("validation", "test"):
            if len(self.spec.rows(group)) and not self.state.has(f"{group}_masks"):
                predict_group(
                    self.spec,
                    group,
                    model,
                    images.test if group == "test" else images.seen,
                    batch_size=self.training.batch_size,
                    folder=self.folder,
                )
                self.state.remember(**{f"{group}_masks": True})

    def _tell_images(self, done: int, all_: int) -> None:
        self.report(0.0, f"image {done} of {all_}")

    def _write_record(self) -> None:
        write_json(self.folder / "lineage.json", self.lineage)
        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        write_record(self.spec, self.maps, self.state.durations, gpu=gpu)


def _silent(fraction: float, phrase: str) -> None:
    """Tell nobody."""
