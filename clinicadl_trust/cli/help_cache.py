"""Help lines of third-party commands, remembered from their first import."""

from __future__ import annotations

import json
from pathlib import Path

import click

from clinicadl_trust.plugins import Plugin

__all__ = ["recall", "remember"]


def recall(plugin: Plugin) -> str | None:
    """Return the remembered help line, None before the command's first use."""
    return _read().get(_key(plugin))


def remember(plugin: Plugin, text: str) -> None:
    """Keep a help line; a cache that cannot be written is no error."""
    cache = _read()
    if cache.get(_key(plugin)) == text:
        return
    cache[_key(plugin)] = text
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(cache, indent=1), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        pass


def _key(plugin: Plugin) -> str:
    return f"{plugin.distribution} {plugin.version} {plugin.value}"


def _path() -> Path:
    return Path(click.get_app_dir("clinicadl-trust")) / "command-help.json"


def _read() -> dict[str, str]:
    try:
        content = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
