"""What every contract check shares: how it fails, and how it makes an example."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clinicadl_trust.exceptions import PluginError

__all__ = [
    "ContractError",
    "check_class",
    "check_json_text",
    "make_example",
    "require",
]


class ContractError(PluginError, AssertionError):
    """A plugin breaks its contract: pytest shows it as a failed assertion."""


def require(kept: object, message: str) -> None:
    """Go on only if a condition holds.

    Raises
    ------
    ContractError
        With the message, if it does not.
    """
    if not kept:
        raise ContractError(message)


def check_class(cls: object, base: type, kind: str) -> None:
    """Check that a plugin is a documented, concrete subclass.

    Raises
    ------
    ContractError
        If it is no class, not derived from ``base``, abstract or undocumented.
    """
    require(
        inspect.isclass(cls) and issubclass(cls, base),
        f"A plugin of kind '{kind}' is a subclass of {_path(base)}; got {cls!r}. "
        "Derive from it, and register the class, not an instance.",
    )
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    require(
        not missing,
        f"{_name(cls)} is abstract: it does not implement {', '.join(missing)}.",
    )
    doc = vars(cls).get("__doc__")
    require(
        doc and not doc.startswith(f"{_name(cls)}("),
        f"{_name(cls)} has no docstring. Say in one line what it does: users read it "
        "where they choose.",
    )


def make_example(
    cls: Any, example: Any = None, defaults: dict[str, Any] | None = None
) -> Any:
    """Return an instance to check.

    Parameters
    ----------
    cls : type
        The plugin's class.
    example : object, optional
        An instance, returned as it is.
    defaults : dict, optional
        Values for parameters without a default, by name.

    Returns
    -------
    object
        The ``example``, else what the class's own ``example()`` returns, else an
        instance made of defaults.

    Raises
    ------
    ContractError
        If the class needs arguments that nobody gives.
    """
    if example is not None:
        require(
            isinstance(example, cls),
            f"The example is a {type(example).__name__}, not a {_name(cls)}.",
        )
        return example
    if callable(own := getattr(cls, "example", None)):
        return make_example(cls, own())
    given, unknown = {}, []
    for parameter in _parameters(cls):
        if parameter.name in (defaults or {}):
            given[parameter.name] = (defaults or {})[parameter.name]
        elif parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_KEYWORD,
            parameter.VAR_POSITIONAL,
        ):
            unknown.append(parameter.name)
    require(
        not unknown,
        f"{_name(cls)} needs {', '.join(unknown)}, and the check knows no value for "
        "it. Pass an instance as `example`, or give the class a classmethod "
        "`example()` that returns one; `clinicadl plugins check` uses it too.",
    )
    try:
        return cls(**given)
    except Exception as error:
        raise ContractError(
            f"{_name(cls)} cannot be made with {_shown(given)}: "
            f"{type(error).__name__}: {error}"
        ) from error


def check_json_text(item: Any, name: str) -> dict[str, Any]:
    """Write a ClinicaDL object to JSON, check its ``name_`` and return the content.

    Raises
    ------
    ContractError
        If it cannot be written, or its ``name_`` is not ``name``.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "item.json"
        try:
            item.to_json(path)
            content = json.loads(path.read_text(encoding="utf-8"))
        except Exception as error:
            raise ContractError(
                f"{name} cannot be written to JSON, so no MAPS can hold it: "
                f"{type(error).__name__}: {error}. Derive it from ClinicaDL's "
                "HasConfig with a configuration class whose fields are plain values."
            ) from error
    require(
        isinstance(content, dict) and content.get("name_") == name,
        f"The JSON of {name} says name_ = {_named(content)!r}. ClinicaDL finds the "
        f"class by that name: call the configuration class '{name}Config'.",
    )
    return content


def _parameters(cls: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(cls).parameters.values())
    except ValueError:  # some builtin types have no signature
        return []


def _named(content: object) -> object:
    return content.get("name_") if isinstance(content, dict) else content


def _name(cls: object) -> str:
    return getattr(cls, "__name__", repr(cls))


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _shown(given: dict[str, Any]) -> str:
    return ", ".join(given) or "no arguments"
