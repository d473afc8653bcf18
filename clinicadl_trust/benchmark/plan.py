"""The list of independent runs that an experiment is."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clinicadl_trust.benchmark.config import Experiment
from clinicadl_trust.benchmark.preparation import Prepared
from clinicadl_trust.benchmark.splitting import Splits
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.records import record_dir

__all__ = ["Run", "plan", "recorded_seconds"]


@dataclass(frozen=True)
class Run:
    """One outer fold, one model, one seed: what is done or not done as a whole.

    Attributes
    ----------
    spec : RunSpec
        All that it depends on.
    directory : pathlib.Path
        The benchmark.
    """

    spec: RunSpec
    directory: Path

    @property
    def key(self) -> dict[str, object]:
        """Its place in the benchmark, as the columns of ``failures.tsv``."""
        spec = self.spec
        return {
            "split_strategy": spec.split_strategy,
            "repeat": spec.fold.repeat,
            "split": spec.fold.split,
            "model": spec.model,
            "seed": spec.seed,
        }

    @property
    def record(self) -> Path:
        """Our folder in its MAPS, which holds its predictions."""
        return record_dir(self.spec.output, self.spec.fold.split)

    @property
    def is_done(self) -> bool:
        """Whether it is complete: a MAPS gets its name only when it is whole."""
        return (self.record / "run.json").is_file()

    @property
    def seconds(self) -> float | None:
        """What it took, None where that is not known."""
        return recorded_seconds(self.record / "run.json")

    def do(self, tell: Callable[[float, str], None]) -> None:
        """Do it, or what is left of it, and tell how far it is."""
        from clinicadl_trust.models.run import run

        run(self.spec, tell)

    def __str__(self) -> str:
        spec = self.spec
        return (
            f"{spec.split_strategy}, {spec.fold.where}: {spec.model}, seed {spec.seed}"
        )


def plan(
    experiment: Experiment,
    prepared: Prepared,
    splits: Mapping[str, Splits],
    directory: Path,
) -> list[Run]:
    """List every run, the sealed test group first.

    Models that are trained by ClinicaDL are left out of leaky splits, which
    ClinicaDL refuses and we do too: scikit-learn models are enough to show the harm.

    Parameters
    ----------
    experiment : Experiment
        What to run.
    prepared : Prepared
        The cohort, its images and the task.
    splits : mapping of str to Splits
        By name, in the order to run them.
    directory : pathlib.Path
        The benchmark.

    Returns
    -------
    list of Run
        In the order to run them.
    """
    runs = []
    for name, made in splits.items():
        for fold in made.folds:
            for model in _models(experiment, name, made.info.leaky):
                section = experiment.models[model]
                for seed in section.seeds or [experiment.seed]:
                    place = (
                        f"repeat-{fold.repeat}/split-{fold.split}/{model}/seed-{seed}"
                    )
                    spec = RunSpec(
                        model=model,
                        config=section.config,
                        task=prepared.task,
                        cohort=prepared.cohort,
                        fold=fold,
                        split_strategy=name,
                        caps=prepared.caps,
                        image=prepared.image,
                        seed=seed,
                        output=directory / "runs" / name / place,
                        cache=directory / "cache",
                        threads=experiment.run.threads,
                        truth=prepared.truth,
                        test_image=prepared.test_image,
                    )
                    runs.append(Run(spec, directory))
    return runs


def recorded_seconds(path: Path) -> float | None:
    """Add up the durations of a record, None where it has none."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        took = json.loads(path.read_text(encoding="utf-8")).get("durations")
        return float(sum(took.values()))
    return None


def _models(experiment: Experiment, split: str, leaky: bool) -> Sequence[str]:
    return [
        name
        for name, section in experiment.models.items()
        if split in (section.splits or [split])
        and not (leaky and section.type == "trainer")
    ]
