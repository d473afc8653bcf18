"""TOML tables to ClinicaDL's configuration classes, checked to the last key.

ClinicaDL's classes ignore a key that they do not know, so a misspelt option would
change nothing and say nothing. Here every key is looked up, and an error names the
nearest right one.
"""

from __future__ import annotations

import importlib
import inspect
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Union, get_args, get_origin

from clinicadl.utils.config import ClinicaDLConfig
from pydantic import ValidationError

from clinicadl_trust.exceptions import ConfigError, PluginError, did_you_mean
from clinicadl_trust.host.factories import FACTORIES, Factory
from clinicadl_trust.plugins import available

__all__ = ["build", "check_keys", "class_of", "fields_of", "known_names"]

#: ClinicaDL has a factory for these too, closed to plugins.
_FACTORIES = {
    **FACTORIES,
    "lr_schedulers": Factory(
        "clinicadl.optim.lr_schedulers.factory", "ImplementedLRScheduler"
    ),
}


def known_names(kind: str) -> list[str]:
    """List the names of a kind, the host's and the plugins'.

    Parameters
    ----------
    kind : str
        A key of ``host.factories.FACTORIES``, or ``lr_schedulers``.
    """
    names: set[str] = {str(member.value) for member in _enum(kind)}
    if kind in FACTORIES:
        names.update(available(kind))
    return sorted(names)


def class_of(kind: str, name: str, where: str) -> type:
    """Return the configuration class, or for models and callbacks the class itself.

    Parameters
    ----------
    kind : str
        As for ``known_names``.
    name : str
        ClinicaDL's name of it, without ``Config``.
    where : str
        The key of the experiment file, for messages.

    Raises
    ------
    ConfigError
        If no such name is known; the nearest one is given.
    """
    try:
        key = str(_enum(kind)(name).value) + _FACTORIES[kind].suffix
    except PluginError:
        raise
    except ValueError as error:
        one = {"losses": "loss"}.get(kind, kind.removesuffix("s").replace("_", " "))
        raise ConfigError(
            f"Unknown {one} '{name}' in {where}.{did_you_mean(name, known_names(kind))}"
        ) from error
    found = getattr(_module(kind), key, None)
    if not isinstance(found, type):
        raise ConfigError(f"ClinicaDL lists '{name}' but has no class '{key}'.")
    return found


def fields_of(cls: type) -> list[str]:
    """Return the options of a configuration class, or of a class."""
    if issubclass(cls, ClinicaDLConfig):
        return cls.get_fields(alias=True)  # type: ignore[attr-defined]
    parameters = list(inspect.signature(cls).parameters.values())
    return [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]


def build(
    kind: str,
    table: Mapping[str, Any],
    where: str,
    filled: Mapping[str, Any] | None = None,
) -> Any:
    """Build an object from its table.

    Parameters
    ----------
    kind : str
        As for ``known_names``.
    table : mapping
        ``name`` and the options.
    where : str
        The key of the experiment file, for messages.
    filled : mapping, optional
        Values for the options that the class has and the table leaves out, such as
        the shape of the images.

    Returns
    -------
    object
        A configuration, or for models, callbacks and inferers the object.

    Raises
    ------
    ConfigError
        If the name or an option is unknown, or a value is refused.
    """
    options = dict(table)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError(
            f"{where} has no 'name': write for example {{ name = "
            f'"{known_names(kind)[0]}" }}.'
        )
    cls = class_of(kind, name, where)
    check_keys(cls, options, where)
    for field, value in (filled or {}).items():
        if field in fields_of(cls):
            options.setdefault(field, value)
    try:
        return cls(**_tuples(options))
    except ValidationError as error:
        raise ConfigError(_readable(error, name, where)) from error
    except (
        TypeError,
        ValueError,
        AssertionError,
        KeyError,
        NotImplementedError,
    ) as error:
        # ClinicaDL may print a whole network after the first line.
        reason = str(error).partition("\n")[0].rstrip(".: ")
        raise ConfigError(f"{where} ({name}) is refused: {reason}.") from error


def check_keys(cls: type, options: Mapping[str, Any], where: str) -> None:
    """Check the keys of a table, and of the tables in it.

    Parameters
    ----------
    cls : type
        What the table configures.
    options : mapping
        The table without ``name``.
    where : str
        The key of the experiment file, for messages.

    Raises
    ------
    ConfigError
        If a key is unknown; the nearest one is given.
    """
    known = fields_of(cls)
    for key, value in options.items():
        if key == "name":
            continue
        if key not in known:
            raise ConfigError(
                f"Unknown key '{key}' in {where}.{did_you_mean(key, known)}"
            )
        if isinstance(value, Mapping) and issubclass(cls, ClinicaDLConfig):
            for nested in _nested(cls, key):
                check_keys(nested, value, f"{where}.{key}")


def _module(kind: str) -> types.ModuleType:
    return importlib.import_module(_FACTORIES[kind].module)


def _enum(kind: str) -> type[Enum]:
    return getattr(_module(kind), _FACTORIES[kind].names)


def _nested(cls: type[ClinicaDLConfig], key: str) -> list[type[ClinicaDLConfig]]:
    """Return the configuration class of a field, if it is one."""
    info = cls.model_fields.get(key)
    found = [] if info is None else _members(info.annotation)
    nested = [
        member
        for member in found
        if isinstance(member, type) and issubclass(member, ClinicaDLConfig)
    ]
    return nested if len(nested) == 1 else []


def _members(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        return [m for arg in get_args(annotation) for m in _members(arg)]
    return [annotation]


def _tuples(value: Any) -> Any:
    """Make ``["name", {options}]`` a tuple, as ClinicaDL wants layers and TOML cannot.

    A list of numbers stays one: to ClinicaDL it is one value a layer.
    """
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_tuples(item) for item in value]
        is_layer = (
            len(items) == 2
            and isinstance(items[0], str)
            and isinstance(items[1], Mapping)
        )
        return tuple(items) if is_layer else items
    return value


def _readable(error: ValidationError, name: str, where: str) -> str:
    """Say what pydantic refuses, without its addresses and its class names."""
    lines = []
    for item in error.errors():
        path = [str(part) for part in item["loc"] if not _is_noise(str(part))]
        field = ".".join([where, *path])
        reason = item["msg"].removeprefix("Value error, ")
        reason = reason.removeprefix("Assertion failed, ")
        if item["type"] == "missing":
            lines.append(f"{field} is missing.")
        else:
            lines.append(f"{field} = {item['input']!r}: {reason}.".replace("..", "."))
    unique = list(dict.fromkeys(lines))
    shown = unique[:4] + ([f"... {len(unique) - 4} more."] if len(unique) > 4 else [])
    return f"{name} refuses its options: " + " ".join(shown)


def _is_noise(part: str) -> bool:
    """Whether a part of pydantic's location names a branch of a union."""
    plain = part.removeprefix("constrained-")
    return "[" in part or plain in ("int", "float", "str", "bool", "dict", "tuple")
