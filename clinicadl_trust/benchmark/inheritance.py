"""Models that are like another one, but for what their tables say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinicadl_trust.benchmark.mistakes import Mistakes
from clinicadl_trust.exceptions import did_you_mean

__all__ = ["LIKE", "with_inherited"]

#: The key of ``[models.NAME]`` that names the other model.
LIKE = "like"
#: What stays with the model that it was given to.
_OWN = (LIKE, "label")


def with_inherited(models: Any, mistakes: Mistakes) -> Any:
    """Fill in what each model takes over from the one that it is like.

    Parameters
    ----------
    models : mapping
        The tables ``[models.NAME]``. ``like = "OTHER"`` takes over every key of the
        other model but its ``label``. A table in both is merged key by key, unless its
        ``name`` differs: options of one network are not those of another. Other values,
        lists among them, are replaced.
    mistakes : Mistakes
        Where an unknown model, or a circle, is noted.

    Returns
    -------
    mapping
        Tables without ``like``.
    """
    if not isinstance(models, Mapping):
        return models
    return {name: _filled(name, models, mistakes, ()) for name in models}


def _filled(
    name: str, models: Mapping[str, Any], mistakes: Mistakes, seen: tuple[str, ...]
) -> Any:
    table = models[name]
    if not isinstance(table, Mapping) or LIKE not in table:
        return table
    own = {key: value for key, value in table.items() if key != LIKE}
    other, key = table[LIKE], ("models", name, LIKE)
    if not isinstance(other, str) or other not in models:
        near = did_you_mean(str(other), [each for each in models if each != name])
        mistakes.add(key, f"no model of this file is called {other!r}.{near}")
        return own
    if other in (*seen, name):
        circle = " -> ".join([*seen, name, other])
        mistakes.add(key, f"models are like one another in a circle: {circle}.")
        return own
    base = _filled(other, models, mistakes, (*seen, name))
    if not isinstance(base, Mapping):
        return own
    return _merged({k: v for k, v in base.items() if k not in _OWN}, own)


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    return {**base, **{key: _value(base.get(key), new) for key, new in own.items()}}


def _value(before: Any, new: Any) -> Any:
    """Return the new value, with what a table of options of the same thing had."""
    if not isinstance(before, Mapping) or not isinstance(new, Mapping):
        return new
    same = new.get("name", before.get("name")) == before.get("name")
    return _merged(before, new) if same else new
