"""Write TOML as a person would: named tables, everything below them in one line.

The ``toml`` package cannot write a list that holds both text and tables, which is
how MONAI's networks take their options (``act = ["relu", {inplace = false}]``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["toml_text"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")

#: Sections whose tables have a header of their own: [splits.NAME].
_PARENTS = (("splits",), ("models",), ("cohort",))


def toml_text(content: Mapping[str, Any]) -> str:
    """Write a mapping as TOML.

    Parameters
    ----------
    content : mapping
        Text, numbers, booleans, and lists and mappings of them.

    Returns
    -------
    str
        TOML that reads back equal.
    """
    return "\n".join(_tables(content, ())).strip() + "\n"


def _tables(content: Mapping[str, Any], name: tuple[str, ...]) -> list[str]:
    deeper = [key for key, value in content.items() if _has_header(value, name)]
    pairs = [key for key in content if key not in deeper]
    lines = []
    if name and (pairs or not deeper):
        lines.append(f"\n[{'.'.join(map(_key, name))}]")
    lines += [f"{_key(key)} = {_value(content[key])}" for key in pairs]
    for key in deeper:
        lines += _tables(content[key], (*name, key))
    return lines


def _has_header(value: Any, name: tuple[str, ...]) -> bool:
    return isinstance(value, Mapping) and (not name or name in _PARENTS)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # DEL is a control character to TOML, not to JSON.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return repr(value)
