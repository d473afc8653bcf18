"""Check what an experiment file names: paths, columns, strategies, models, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clinicadl_trust.benchmark.chance_checks import check_chance
from clinicadl_trust.benchmark.config import (
    BASELINES,
    SEALED,
    CohortSection,
    ModelSection,
    StatisticsSection,
)
from clinicadl_trust.benchmark.mistakes import Mistakes
from clinicadl_trust.benchmark.paths import near_path
from clinicadl_trust.benchmark.preparation import select, test_image_of
from clinicadl_trust.benchmark.split_checks import check_splits
from clinicadl_trust.caps import ImageType, check_caps, find_images
from clinicadl_trust.cohort import Cohort, Task, read_cohort
from clinicadl_trust.exceptions import ConfigError, TrustError, did_you_mean
from clinicadl_trust.stats.metrics import TaskKind, get_metrics, metric_names

__all__ = ["CheckModel", "check_experiment", "check_model", "default_metrics"]

#: Checks a model's configuration: its name, its table, the task.
CheckModel = Callable[[str, Mapping[str, Any], "Task | None"], None]


def check_experiment(
    sections: Mapping[str, Any],
    mistakes: Mistakes,
    check_configuration: CheckModel | None = None,
) -> Task | None:
    """Note every name in the file that leads nowhere.

    Parameters
    ----------
    sections : mapping
        The sections whose shape is right.
    mistakes : Mistakes
        Where they are noted.
    check_configuration : callable, optional
        See ``read_experiment``.

    Returns
    -------
    Task or None
        What is predicted, where that can be known.
    """
    cohort, task = _check_cohort(sections.get("cohort"), mistakes)
    check_splits(sections, cohort, mistakes)
    _check_models(sections, task, mistakes, check_configuration or check_model)
    _check_statistics(sections, task, mistakes)
    check_chance(sections, mistakes)
    if task is not None and task.outputs and sections.get("chance_test"):
        mistakes.add(
            ("chance_test",),
            "labels are redrawn one at a time; leave it out or name one.",
        )
    return task


def _check_cohort(
    section: CohortSection | None, mistakes: Mistakes
) -> tuple[Cohort | None, Task | None]:
    """Return the rows that will be used and the task, where they can be known."""
    if section is None:
        return None, None
    if section.generate is not None:
        return _check_generated(section, mistakes)
    assert section.caps is not None and section.participants is not None
    caps, found = section.caps, len(mistakes.found)
    for key, path in (("caps", caps), ("participants", section.participants)):
        if not path.exists() and key in mistakes.data["cohort"]:
            kind = "CAPS folder" if key == "caps" else "participants table"
            near = near_path(path, folder=key == "caps")
            mistakes.add(("cohort", key), f"No {kind} at '{path}'.{near}")
    if not mistakes.found[found:]:
        with mistakes.at(("cohort", "caps")):
            check_caps(caps)
    is_theirs = "participants" in mistakes.data["cohort"]
    if not section.participants.exists() and (is_theirs or mistakes.found[found:]):
        return None, None  # one mistake, not two
    with mistakes.at(("cohort", "image")):
        image = ImageType.parse(section.image)
        if len(mistakes.found) == found:
            find_images(caps, image)
    with mistakes.at(("cohort", "test_image")):
        other = test_image_of(section)
        if other is not None and len(mistakes.found) == found:
            find_images(caps, other)
    with mistakes.at(("cohort", "participants")):
        cohort = read_cohort(section.participants)
        from_masks = section.task == "segmentation"
        task = None if from_masks else _task(cohort, section, mistakes)
        if len(mistakes.found) == found:
            cohort, _ = select(section, cohort, caps, image)
            task = _task(cohort, section, mistakes) if from_masks else task
        return (cohort if task else None), task
    return None, None


def _task(cohort: Cohort, section: CohortSection, mistakes: Mistakes) -> Task | None:
    unknown = [name for name in section.labels if name not in cohort.columns]
    for name in unknown:
        mistakes.add(
            ("cohort", "label"),
            f"{cohort.source} has no column '{name}'."
            f"{did_you_mean(name, cohort.columns)}",
        )
    if unknown:
        return None
    try:
        return cohort.task(section.label, section.task, section.positive)
    except TrustError as error:
        key = "positive" if str(error).startswith("Positive") else "label"
        mistakes.add(("cohort", key), str(error))
        return None


def _check_generated(
    section: CohortSection, mistakes: Mistakes
) -> tuple[Cohort | None, Task | None]:
    from clinicadl_trust.generate import GeneratorOptions
    from clinicadl_trust.generate.people import plan_cohort, public_columns

    try:
        options = GeneratorOptions(**(section.generate or {}))
    except ConfigError as error:
        for message in str(error).splitlines():
            mistakes.add_error(("cohort", "generate"), message)
        return None, None
    with mistakes.at(("cohort", "test_image")):
        test_image_of(section)
    planned = plan_cohort(options)
    people = planned[public_columns(options)]
    if section.task == "segmentation":
        # No mask is drawn yet; who is more ill has more of it.
        people = people.assign(**{section.labels[0]: planned["severity"]})
    cohort = Cohort.from_frame(people, "the generated cohort")
    task = _task(cohort, section, mistakes)
    return (cohort if task else None), task


def _check_models(
    sections: Mapping[str, Any],
    task: Task | None,
    mistakes: Mistakes,
    check_configuration: CheckModel,
) -> None:
    models: Mapping[str, ModelSection] = sections.get("models") or {}
    known = _names("splits", sections, mistakes)
    _check_titles(models, mistakes)
    if "sealed_test" in mistakes.data:
        known = [SEALED, *known]
    for name, section in models.items():
        key = ("models", name)
        if name in BASELINES and section.type != name:
            mistakes.add(
                (*key, "type"),
                f"'{name}' is the name of a baseline that is always run; give your "
                "model another name.",
            )
        for split in section.splits or ():
            if split not in known:
                mistakes.add(
                    (*key, "splits"),
                    f"'{split}' is no split.{did_you_mean(split, known)}",
                )
        with mistakes.at(key):
            check_configuration(name, section.config, task)


def _check_titles(models: Mapping[str, ModelSection], mistakes: Mistakes) -> None:
    """Check that no two models go by one name in the report."""
    seen: dict[str, str] = {}
    for name, section in models.items():
        title = section.label or name
        if title in seen:
            key = "label" if section.label else "type"
            mistakes.add(
                ("models", name, key),
                f"'{title}' is what the report calls '{seen[title]}'; choose another.",
            )
        seen.setdefault(title, name)


def _check_statistics(
    sections: Mapping[str, Any], task: Task | None, mistakes: Mistakes
) -> None:
    section: StatisticsSection | None = sections.get("statistics")
    if section is None:
        return
    models = _names("models", sections, mistakes)
    if section.reference is not None and section.reference not in models:
        mistakes.add(
            ("statistics", "reference"),
            f"no model is called '{section.reference}'."
            f"{did_you_mean(section.reference, models)}",
        )
    if task is None:
        return
    key = ("statistics", "metrics")
    for name in section.metrics or ():
        with mistakes.at(key):
            get_metrics([name], kind_of(task))
    metrics = default_metrics(section, task)
    if section.primary is not None and section.primary not in metrics:
        mistakes.add(
            ("statistics", "primary"),
            f"'{section.primary}' is not among the metrics."
            f"{did_you_mean(section.primary, metrics)}",
        )


def _names(key: str, sections: Mapping[str, Any], mistakes: Mistakes) -> list[str]:
    """Return the names of tables, those whose shape is wrong too: they were told."""
    given = mistakes.data.get(key)
    names = [*(sections.get(key) or ()), *(given if isinstance(given, Mapping) else ())]
    return list(dict.fromkeys(names))


def default_metrics(section: StatisticsSection, task: Task) -> list[str]:
    """Return the metrics that are asked for, or those that suit the task."""
    return section.metrics or metric_names(kind_of(task))


def kind_of(task: Task) -> TaskKind:
    """Return what the statistics call a task."""
    if task.kind != "classification":
        return "outputs" if task.outputs else task.kind
    return "binary" if task.is_binary else "multiclass"


def check_model(name: str, config: Mapping[str, Any], task: Task | None) -> None:
    """Check one model's configuration; imports ClinicaDL if that model needs it.

    Raises
    ------
    ConfigError
        If a key, a name or a value in it is wrong.
    """
    from clinicadl_trust.models import run

    run.check_model(name, dict(config), task=task)
