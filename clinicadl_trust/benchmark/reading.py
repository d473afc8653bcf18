"""Read an experiment file; every mistake in it is told at once, with its line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from clinicadl_trust.benchmark.checks import (
    CheckModel,
    check_experiment,
    default_metrics,
)
from clinicadl_trust.benchmark.config import (
    ChanceSection,
    CohortSection,
    Experiment,
    ModelSection,
    RunSection,
    StatisticsSection,
    StrategySection,
)
from clinicadl_trust.benchmark.defaults import with_defaults
from clinicadl_trust.benchmark.inheritance import with_inherited
from clinicadl_trust.benchmark.locate import Key, key_lines
from clinicadl_trust.benchmark.mistakes import Mistakes
from clinicadl_trust.cohort import Task
from clinicadl_trust.exceptions import ConfigError, did_you_mean

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["read_experiment", "read_run_section"]

#: Sections that are one table, and sections of tables that the user names.
_TABLES: dict[str, type[BaseModel]] = {
    "cohort": CohortSection,
    "sealed_test": StrategySection,
    "statistics": StatisticsSection,
    "chance_test": ChanceSection,
    "run": RunSection,
}
_NAMED: dict[str, type[BaseModel]] = {"splits": StrategySection, "models": ModelSection}

#: Names become folders.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

_Model = TypeVar("_Model", bound=BaseModel)


def read_experiment(
    path: str | os.PathLike[str], check_configuration: CheckModel | None = None
) -> Experiment:
    """Read and check an experiment file; nothing is run.

    Parameters
    ----------
    path : path-like
        The TOML file. Relative paths in it start at its folder.
    check_configuration : callable, optional
        Checks one model's configuration; by default ``checks.check_model``, which
        imports ClinicaDL when a model is trained by it.

    Returns
    -------
    Experiment
        With absolute paths and every default written out.

    Raises
    ------
    ConfigError
        If the file is absent or no TOML; or for every wrong key, value, name,
        column or path in it, each with its line and the nearest right name.
    """
    path = Path(path)
    text, data = _parse(path)
    mistakes = Mistakes(path, data, key_lines(text))
    sections = _sections(data, mistakes)
    sections = with_defaults(_located(sections, path.parent.resolve()))
    task = check_experiment(sections, mistakes, check_configuration)
    mistakes.check()
    assert task is not None  # else there was a mistake
    return _with_metrics(Experiment(**sections), task)


def _with_metrics(experiment: Experiment, task: Task) -> Experiment:
    section = experiment.statistics
    metrics = default_metrics(section, task)
    primary = section.primary or metrics[0]
    metrics = sorted(metrics, key=lambda name: name != primary)  # it comes first
    section = section.model_copy(update={"metrics": metrics, "primary": primary})
    return experiment.model_copy(update={"statistics": section})


def read_run_section(path: str | os.PathLike[str]) -> RunSection:
    """Read how an experiment is to be run, before it is checked.

    Returns
    -------
    RunSection
        The defaults when the section is absent or wrong, which
        ``read_experiment`` tells.

    Raises
    ------
    ConfigError
        If the file is absent or no TOML.
    """
    _, data = _parse(Path(path))
    try:
        return RunSection.model_validate(data.get("run", {}))
    except ValidationError:
        return RunSection()


def _parse(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError as error:
        raise ConfigError(f"No experiment file at '{path}'.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"'{path}' cannot be read as text: {error}.") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"'{path}' is not valid TOML: {error}.{_shown(text, str(error))} Text "
            "needs quotes, and each key stands once in its table."
        ) from error


def _shown(text: str, error: str) -> str:
    """Quote the line that a TOML error is about."""
    found = re.search(r"at line (\d+)", error)
    lines = text.splitlines()
    if found is None or int(found[1]) > len(lines):
        return ""
    return f" The line reads: {lines[int(found[1]) - 1].strip()}."


def _sections(data: Mapping[str, Any], mistakes: Mistakes) -> dict[str, Any]:
    """Check the shape of each section on its own: one mistake hides no other."""
    known = list(Experiment.model_fields)
    sections: dict[str, Any] = {}
    for key in data:
        if key not in known:
            mistakes.add((key,), f"unknown key.{did_you_mean(key, known)}")
    for key in ("name", "cohort", "models"):
        if key not in data:
            kind = "table" if key != "name" else "key"
            mistakes.add((key,), f"this {kind} is needed.")
    for key, model in _TABLES.items():
        built = _build(model, data[key], (key,), mistakes) if key in data else None
        if built is not None:
            sections[key] = built
    named = dict(data)
    if "models" in data:
        named["models"] = with_inherited(data["models"], mistakes)
    for key, model in _NAMED.items():
        sections[key] = _named(model, named[key], key, mistakes) if key in data else {}
    sections |= _scalars(data, mistakes)
    return sections


def _scalars(data: Mapping[str, Any], mistakes: Mistakes) -> dict[str, Any]:
    given = {k: data[k] for k in ("name", "question", "seed") if k in data}
    try:
        Experiment.model_validate(
            {"name": "x", "cohort": _ANY_COHORT, "models": _ANY_MODELS, **given}
        )
    except ValidationError as error:
        mistakes.add_invalid((), error, Experiment.model_fields)
        return {}
    return given


_ANY_COHORT = {"label": "x", "caps": "x"}
_ANY_MODELS = {"x": {"type": "x"}}


def _named(
    model: type[_Model], tables: Any, section: str, mistakes: Mistakes
) -> dict[str, _Model]:
    if not isinstance(tables, Mapping):
        mistakes.add((section,), f"write tables [{section}.NAME]; got {tables!r}.")
        return {}
    if section == "models" and not tables:
        mistakes.add((section,), "name at least one model: [models.NAME].")
    found: dict[str, _Model] = {}
    folded: dict[str, str] = {}
    for name, table in tables.items():
        if not _NAME.fullmatch(name) or name.endswith(".partial"):
            mistakes.add(
                (section, name),
                "a name becomes a folder: begin with a letter or a digit, and use only "
                "letters, digits, '-', '_' and '.'.",
            )
        if (twin := folded.setdefault(name.casefold(), name)) != name:
            mistakes.add(
                (section, name),
                f"a name becomes a folder, and '{twin}' differs from it by capitals "
                "alone; choose another.",
            )
        built = _build(model, table, (section, name), mistakes)
        if built is not None:
            found[name] = built
    return found


def _build(
    model: type[_Model], table: Any, key: Key, mistakes: Mistakes
) -> _Model | None:
    if not isinstance(table, Mapping):
        name = ".".join(map(str, key))
        mistakes.add(key, f"this is a table: write [{name}]; got {table!r}.")
        return None
    try:
        return model.model_validate(table)
    except ValidationError as error:
        mistakes.add_invalid(key, error, model.model_fields)
        return None


def _located(sections: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Make paths absolute: a relative one starts at the experiment file's folder."""
    located = dict(sections)
    located["models"] = {
        name: _located_model(model, folder)
        for name, model in sections["models"].items()
    }
    cohort = sections.get("cohort")
    if cohort is not None and cohort.caps is not None:
        caps = folder / cohort.caps.expanduser()
        table = caps / "participants.tsv"
        if cohort.participants is not None:
            table = folder / cohort.participants.expanduser()
        paths = {"caps": caps, "participants": table}
        located["cohort"] = cohort.model_copy(update=paths)
    return located


def _located_model(model: ModelSection, folder: Path) -> ModelSection:
    start = model.config.get("init_from")
    if not isinstance(start, str):
        return model
    return ModelSection(**{**model.model_dump(), "init_from": str(folder / start)})
