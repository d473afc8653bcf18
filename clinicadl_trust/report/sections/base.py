"""What a section of the report is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Section"]


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes
    ----------
    anchor : str
        Its id in the page.
    title : str
        Its heading.
    template : str
        The file in ``templates/`` that shows it.
    content : mapping
        What the template needs.
    missing : tuple of str
        What could not be shown and why, in full sentences.
    """

    anchor: str
    title: str
    template: str
    content: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
