"""Where each key stands in a TOML file, so that a mistake can be shown by line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Key", "key_lines", "line_of"]

#: A place in the parsed file: names of tables and keys, numbers inside arrays.
Key = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""
    (?P<skip>[ \t\r]+|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<string>\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}
               |"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    |(?P<mark>[\[\]{}=,.])
    |(?P<word>[^\s\[\]{}=,.\#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


@dataclass
class _Reader:
    """Walk the tokens of a file that is known to be valid TOML."""

    tokens: list[_Token]
    place: int = 0
    lines: dict[Key, int] = field(default_factory=dict)
    #: The last index of each array of tables.
    arrays: dict[Key, int] = field(default_factory=dict)

    def document(self) -> dict[Key, int]:
        table: Key = ()
        while (token := self.peek()) is not None:
            if token.kind == "newline":
                self.place += 1
            elif token.text == "[":
                table = self.header()
            else:
                self.pair(table)
        return self.lines

    def peek(self) -> _Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def take(self, text: str = "") -> bool:
        token = self.peek()
        if token is None or (text and token.text != text):
            return False
        self.place += 1
        return True

    def header(self) -> Key:
        line = self.tokens[self.place].line
        self.take("[")
        array = self.take("[")
        names = self.names()
        self.take("]")
        self.take("]")
        key: Key = ()
        for position, name in enumerate(names, start=1):
            key = (*key, name)
            self.lines.setdefault(key, line)
            if array and position == len(names):
                self.arrays[key] = self.arrays.get(key, -1) + 1
            if key in self.arrays:
                key = (*key, self.arrays[key])
                self.lines.setdefault(key, line)
        return key

    def names(self) -> list[str]:
        """Read a dotted key."""
        found = []
        while (token := self.peek()) is not None and token.text not in ("=", "]"):
            if token.text != ".":
                quoted = token.kind == "string"
                found.append(
                    str(ast.literal_eval(token.text)) if quoted else token.text
                )
            self.place += 1
        return found

    def pair(self, table: Key) -> None:
        line = self.tokens[self.place].line
        key = table
        for name in self.names():
            key = (*key, name)
            self.lines.setdefault(key, line)
        self.take("=")
        self.value(key)

    def value(self, key: Key) -> None:
        if self.take("["):
            for index, _ in enumerate(self.items("]")):
                item = (*key, index)
                self.lines[item] = self.tokens[self.place].line
                self.value(item)
        elif self.take("{"):
            for _ in self.items("}"):
                self.pair(key)
        else:
            while (token := self.peek()) is not None:
                if token.kind == "newline" or token.text in (",", "]", "}"):
                    break
                self.place += 1

    def items(self, end: str) -> Iterator[None]:
        """Stop before each item of an array or inline table, and after its end."""
        while (token := self.peek()) is not None and not self.take(end):
            if token.kind == "newline" or token.text == ",":
                self.place += 1
            else:
                yield


def key_lines(text: str) -> dict[Key, int]:
    """Find the line of every key of a TOML text.

    Parameters
    ----------
    text : str
        Valid TOML.

    Returns
    -------
    dict
        Place to line, counted from 1: ``("splits", "sites", "strategy")``; items of
        an array are numbered, ``("models", "cnn", "transforms", 0, "name")``.
    """
    return _Reader(list(_tokens(text))).document()


def line_of(lines: dict[Key, int], key: Key) -> int | None:
    """Return the line of a key, or of the nearest table above that the file has."""
    while key and key not in lines:
        key = key[:-1]
    return lines.get(key)


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind != "skip":
            yield _Token(kind, match.group(), line)
        line += match.group().count("\n")
