"""A strategy by its registered name and its options, as a file gives them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any, get_type_hints

from clinicadl_trust.exceptions import ConfigError, PluginError, did_you_mean
from clinicadl_trust.plugins import load
from clinicadl_trust.split.base import SplitStrategy

__all__ = ["from_options", "load_strategy"]


def load_strategy(name: str) -> type[SplitStrategy]:
    """Import a strategy by its registered name.

    Raises
    ------
    PluginError
        If the name is unknown, or what it refers to is no ``SplitStrategy``.
    """
    kind = load("split_strategies", name)
    if not (inspect.isclass(kind) and issubclass(kind, SplitStrategy)):
        raise PluginError(
            f"The split strategy '{name}' is {kind!r}, not a subclass of "
            "clinicadl_trust.split.SplitStrategy. Mend the plugin."
        )
    return kind


def from_options(name: str, options: Mapping[str, Any] | None = None) -> SplitStrategy:
    """Build a strategy.

    Parameters
    ----------
    name : str
        The registered name, for example ``ParticipantKFold``; case and hyphens are
        forgiven.
    options : mapping, optional
        Field to value; ``n-splits`` and ``n_splits`` are the same, text such as
        ``"5"`` is read as the field's type, and a date of TOML as text.

    Raises
    ------
    PluginError
        If no strategy has that name.
    ConfigError
        If an option is unknown or has a wrong value.
    """
    from pydantic import TypeAdapter, ValidationError

    kind = load_strategy(name)
    known = {field.name for field in fields(kind) if field.init}
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in (options or {}).items():
        field = key.replace("-", "_")
        if field not in known:
            # As it was written: hyphens on the command line, underscores in TOML.
            hyphens = "_" not in key
            shown = [o.replace("_", "-") if hyphens else o for o in known]
            raise ConfigError(
                f"The strategy {kind.__name__} has no option '{key}'."
                f"{did_you_mean(key, shown)}"
            )
        try:
            given = value.isoformat() if isinstance(value, date) else value
            values[field] = TypeAdapter(hints[field]).validate_python(given)
        except ValidationError as error:
            raise ConfigError(
                f"Option '{key}' of {kind.__name__} cannot be "
                f"{value!r}: {error.errors()[0]['msg']}."
            ) from error
    return kind(**values)
