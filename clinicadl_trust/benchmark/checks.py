"""Check what an experiment file names: paths, columns, strategies, models, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clinicadl_trust.benchmark.config import (
    BASELINES,
    SEALED,
    CohortSection,
    ModelSection,
    StatisticsSection,
    StrategySection,
)
from clinicadl_trust.benchmark.locate import Key
from clinicadl_trust.benchmark.mistakes import Mistakes
from clinicadl_trust.caps import ImageType, check_caps
from clinicadl_trust.cohort import Cohort, Task, read_cohort
from clinicadl_trust.exceptions import ConfigError, TrustError, did_you_mean
from clinicadl_trust.split import SplitStrategy, from_options
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
    columns, task = _check_cohort(sections.get("cohort"), mistakes)
    _check_splits(sections, columns, mistakes)
    _check_models(sections, task, mistakes, check_configuration or check_model)
    _check_statistics(sections.get("statistics"), task, mistakes)
    return task


def _check_cohort(
    section: CohortSection | None, mistakes: Mistakes
) -> tuple[list[str] | None, Task | None]:
    """Return the columns of the table and the task, where they can be known."""
    if section is None:
        return None, None
    if section.generate is not None:
        return _check_generated(section, mistakes)
    assert section.caps is not None and section.participants is not None
    with mistakes.at(("cohort", "image")):
        ImageType.parse(section.image or "T1Linear")
    with mistakes.at(("cohort", "caps")):
        check_caps(section.caps)
    if section.caps in section.participants.parents and not section.caps.is_dir():
        return None, None  # one mistake, not two
    with mistakes.at(("cohort", "participants")):
        cohort = read_cohort(section.participants)
        return cohort.columns, _task(cohort, section, mistakes)
    return None, None


def _task(cohort: Cohort, section: CohortSection, mistakes: Mistakes) -> Task | None:
    if section.label not in cohort.columns:
        mistakes.add(
            ("cohort", "label"),
            f"{cohort.source} has no column '{section.label}'."
            f"{did_you_mean(section.label, cohort.columns)}",
        )
        return None
    try:
        return cohort.task(section.label, section.task, section.positive)
    except TrustError as error:
        key = "positive" if str(error).startswith("Positive") else "label"
        mistakes.add(("cohort", key), str(error))
        return None


def _check_generated(
    section: CohortSection, mistakes: Mistakes
) -> tuple[list[str] | None, Task | None]:
    from clinicadl_trust.generate import GeneratorOptions
    from clinicadl_trust.generate.people import PUBLIC, plan_cohort

    try:
        options = GeneratorOptions(**(section.generate or {}))
    except ConfigError as error:
        for message in str(error).splitlines():
            mistakes.add_error(("cohort", "generate"), message)
        return None, None
    people = plan_cohort(options)[list(PUBLIC)]
    cohort = Cohort.from_frame(people, "the generated cohort")
    return cohort.columns, _task(cohort, section, mistakes)


def _check_splits(
    sections: Mapping[str, Any], columns: list[str] | None, mistakes: Mistakes
) -> None:
    splits: Mapping[str, StrategySection] = sections.get("splits") or {}
    sealed: StrategySection | None = sections.get("sealed_test")
    if not splits and sealed is None and not mistakes.found:
        mistakes.add((), "name a [sealed_test], a table [splits.NAME], or both.")
    if SEALED in splits:
        mistakes.add(
            ("splits", SEALED),
            f"'{SEALED}' is the name of the sealed test group; choose another.",
        )
    for name, section in splits.items():
        _check_strategy(section, ("splits", name), columns, mistakes)
    if sealed is not None:
        strategy = _check_strategy(sealed, ("sealed_test",), columns, mistakes)
        if strategy is not None and strategy.leaky:
            mistakes.add(
                ("sealed_test", "strategy"),
                f"'{sealed.strategy}' leaks on purpose, so nothing is sealed. Use "
                "'MatchedTestSet'.",
            )


def _check_strategy(
    section: StrategySection,
    key: Key,
    columns: list[str] | None,
    mistakes: Mistakes,
) -> SplitStrategy | None:
    try:
        strategy = from_options(section.strategy, section.options)
    except TrustError as error:
        _blame(section, key, str(error), mistakes)
        return None
    for column in strategy.requires:
        if columns is not None and column not in columns:
            mistakes.add(
                (*key, "strategy"),
                f"'{strategy.title}' needs the column '{column}', which the "
                f"participants table does not have.{did_you_mean(column, columns)}",
            )
    return strategy


def _blame(
    section: StrategySection, key: Key, message: str, mistakes: Mistakes
) -> None:
    """Note every option that is wrong by itself, else what is wrong with them all."""
    before = len(mistakes.found)
    with mistakes.at((*key, "strategy")):
        from_options(section.strategy, {})
        for name, value in section.options.items():
            with mistakes.at((*key, name)):
                from_options(section.strategy, {name: value})
    if len(mistakes.found) == before:
        mistakes.add_error(key, message)


def _check_models(
    sections: Mapping[str, Any],
    task: Task | None,
    mistakes: Mistakes,
    check_configuration: CheckModel,
) -> None:
    models: Mapping[str, ModelSection] = sections.get("models") or {}
    known = list(sections.get("splits") or {})
    if sections.get("sealed_test") is not None:
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


def _check_statistics(
    section: StatisticsSection | None, task: Task | None, mistakes: Mistakes
) -> None:
    if section is None or task is None:
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


def default_metrics(section: StatisticsSection, task: Task) -> list[str]:
    """Return the metrics that are asked for, or those that suit the task."""
    return section.metrics or metric_names(kind_of(task))


def kind_of(task: Task) -> TaskKind:
    """Return what the statistics call a task."""
    if task.kind == "regression":
        return "regression"
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
