"""Mistakes in an experiment file, gathered so that one message tells them all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from clinicadl_trust.benchmark.locate import Key, line_of
from clinicadl_trust.exceptions import ConfigError, TrustError, did_you_mean

__all__ = ["Mistakes"]


@dataclass
class Mistakes:
    """The mistakes found so far in one file.

    Attributes
    ----------
    path : pathlib.Path
        The experiment file.
    data : mapping
        Its content.
    lines : dict
        Where each key stands, from ``key_lines``.
    """

    path: Path
    data: Mapping[str, Any]
    lines: dict[Key, int]
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, key: Key, message: str) -> None:
        """Note a mistake at a key, or at the table that should have had it."""
        line = line_of(self.lines, key)
        place = f"line {line}, " if line else ""
        name = _dotted(key)
        if not (name and message.startswith(name)):
            message = f"{name or 'the file'}: {message}"
        entry = (line or 0, f"{place}{message}")
        if entry not in self.found:
            self.found.append(entry)

    @contextmanager
    def at(self, key: Key) -> Iterator[None]:
        """Note an error that a user can mend, instead of raising it.

        The line is that of the key or value below ``key`` that the message quotes,
        if there is one.
        """
        try:
            yield
        except TrustError as error:
            self.add_error(key, str(error))

    def add_error(self, key: Key, message: str) -> None:
        """Note an error's message at the key or value below ``key`` that it names."""
        told = message.partition(" Did you mean")[0]
        quoted = set(re.findall(r"'([^'\n]+)'", told))
        below = [k for k in self.lines if len(k) > len(key) and k[: len(key)] == key]
        for place in sorted(below, key=len, reverse=True):
            if re.search(rf"{re.escape(_dotted(place))}(?![\w.-]*\w)", told):
                return self.add(place, message)
        for place in below:
            if str(place[-1]) in quoted or self._value(place) in quoted:
                return self.add(place, message)
        return self.add(key, message)

    def add_invalid(
        self, key: Key, error: ValidationError, known: Iterable[str]
    ) -> None:
        """Note what pydantic refused in the section that stands at ``key``.

        Parameters
        ----------
        key : Key
            The section.
        error : pydantic.ValidationError
            What was refused.
        known : iterable of str
            The keys that the section may have.
        """
        for item in error.errors():
            message = str(item["msg"]).removeprefix("Value error, ")
            if item["type"] == "extra_forbidden":
                message = f"unknown key.{did_you_mean(str(item['loc'][-1]), known)}"
            elif item["type"] == "missing":
                message = "this key is needed."
            elif item["type"] == "value_error":
                message = f"{message}."
            else:
                message = f"{message}; got {item['input']!r}."
            self.add((*key, *item["loc"]), message)

    def check(self) -> None:
        """Raise if there is any mistake.

        Raises
        ------
        ConfigError
            With one line per mistake, in the order of the file.
        """
        if not self.found:
            return
        n = len(self.found)
        head = f"'{self.path}' has {n} mistake{'s' if n > 1 else ''}:"
        rows = [f"  {text}" for _, text in sorted(self.found, key=lambda f: f[0])]
        raise ConfigError("\n".join([head, *rows, "Nothing was run."]))

    def _value(self, key: Key) -> str | None:
        value: Any = self.data
        for part in key:
            value = value[part]
        return value if isinstance(value, str) else None


def _dotted(key: Key) -> str:
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
