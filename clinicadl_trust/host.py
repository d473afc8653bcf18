"""The only file that reaches into ClinicaDL's private parts."""

from __future__ import annotations

__all__ = ["connect"]


def connect() -> None:
    """Make ClinicaDL's factories know the registered plugins."""
