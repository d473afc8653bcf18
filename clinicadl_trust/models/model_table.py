"""The table of a model's class: ``model = { name = ..., ... }``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clinicadl.models import Model
from clinicadl.utils.dictionary.words import OUTPUT

from clinicadl_trust.exceptions import ConfigError, TrustError
from clinicadl_trust.models.configuration import build, class_of, fields_of
from clinicadl_trust.models.kinds import check_model_class
from clinicadl_trust.task import Task

__all__ = ["check_values", "model_class", "model_options"]


def model_class(table: Mapping[str, Any], task: Task, where: str) -> type[Model]:
    """Return the class that a table names.

    Parameters
    ----------
    table : mapping
        With its ``name``.
    task : Task
        What is predicted.
    where : str
        The table's key, for messages.

    Raises
    ------
    ConfigError
        If there is none, or it does not suit the task or a training.
    """
    name = str(table.get("name", ""))
    cls = class_of("models", name, where)
    check_model_class(cls, task, where)
    known = [*fields_of(cls)]
    missing = [k for k in ("network", "loss", "optimizer") if k not in known]
    if missing:
        raise ConfigError(
            f"{where}: '{name}' takes no {missing[0]}; a model of type 'trainer' "
            "is built from a network, a loss and an optimizer."
        )
    return cls


def model_options(table: Mapping[str, Any], at: Callable[[str], str]) -> dict[str, Any]:
    """Return a table with its inferer built.

    Parameters
    ----------
    table : mapping
        The class and its options.
    at : callable
        From a key of the whole model's table to the key of an experiment file.

    Raises
    ------
    ConfigError
        If an option goes elsewhere, or the inferer is wrong.
    """
    options = dict(table)
    for key in ("network", "loss", "optimizer"):
        if key in options:
            raise ConfigError(f"{at('model')}.{key} goes one level up: {at(key)}.")
    if isinstance(inferer := options.get("inferer"), Mapping):
        where = f"{at('model')}.inferer"
        options["inferer"] = built = build("inferers", inferer, where)
        if (named := getattr(built.config, "output_name", OUTPUT)) != OUTPUT:
            raise ConfigError(
                f"{where}.output_name = '{named}': metrics and predictions read "
                f"'{OUTPUT}'. Leave it out."
            )
    return options


def check_values(
    cls: type[Model], table: Mapping[str, Any], task: Task, where: str
) -> None:
    """Let a class check what its table says, before images are opened.

    Parameters
    ----------
    cls : type of Model
        One that wants to has a class method ``check_options``, given the table and
        the kind of task.
    table : mapping
        Its options.
    task : Task
        What is predicted.
    where : str
        The table's key, for messages.

    Raises
    ------
    ConfigError
        What the class finds wrong.
    """
    check = getattr(cls, "check_options", None)
    if check is None:
        return
    try:
        check(table, task.kind)
    except (TrustError, TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error
