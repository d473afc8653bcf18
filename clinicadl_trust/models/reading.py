"""Options of a model as a file gives them, read into a frozen dataclass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

from clinicadl_trust.exceptions import ConfigError, did_you_mean

__all__ = ["read_options", "refuse_unknown"]

T = TypeVar("T")


def read_options(kind: type[T], options: Mapping[str, Any], where: str) -> T:
    """Build a dataclass whose fields are options.

    Parameters
    ----------
    kind : type
        The dataclass.
    options : mapping
        Field to value; hyphens and underscores are the same.
    where : str
        The key they stand under, for messages.

    Raises
    ------
    ConfigError
        If an option is unknown or has a wrong value.
    """
    from pydantic import TypeAdapter, ValidationError

    known = {field.name for field in fields(kind) if field.init}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    values = {key.replace("-", "_"): value for key, value in options.items()}
    refuse_unknown(values, known, where)
    for name, value in values.items():
        try:
            values[name] = TypeAdapter(hints[name]).validate_python(value)
        except ValidationError as error:
            raise ConfigError(
                f"{where}.{name} cannot be {value!r}: {error.errors()[0]['msg']}."
            ) from error
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def refuse_unknown(given: Iterable[str], known: Iterable[str], where: str) -> None:
    """Check that all keys are known.

    Raises
    ------
    ConfigError
        Naming the first unknown key and the nearest one that is known.
    """
    known = set(known)
    for key in given:
        if key not in known:
            raise ConfigError(
                f"Unknown key '{key}' under {where}.{did_you_mean(key, known)}"
            )
