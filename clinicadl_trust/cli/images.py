"""The option ``--image``: which image of a session."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from clinicadl_trust.caps import ImageType

__all__ = ["image_option", "inline_table", "read_image_type"]

image_option = click.option(
    "--image",
    metavar="TYPE",
    help="T1Linear, FlairLinear, or an inline TOML table of ClinicaDL's BidsFileType: "
    """'{data_type = "t1_linear", suffix = "T1w", with_entities = {res = "4x4x4"}}'.""",
)


def read_image_type(value: str | None, caps: Path) -> ImageType:
    """Read the option.

    Parameters
    ----------
    value : str or None
        As given; None for the type of a generated CAPS, else ``T1Linear``.
    caps : pathlib.Path
        The CAPS folder.

    Raises
    ------
    ConfigError
        If it is no image type.
    """
    from clinicadl_trust.caps import ImageType

    if value is None:
        return _generated(caps) or ImageType.parse("T1Linear")
    if not value.lstrip().startswith("{"):
        return ImageType.parse(value.strip())
    return ImageType.parse(inline_table(value, "--image"))


def inline_table(value: str, option: str) -> dict[str, Any]:
    """Read an option that is an inline TOML table.

    Parameters
    ----------
    value : str
        As given.
    option : str
        The option, for messages.

    Raises
    ------
    ConfigError
        If it is no table.
    """
    from clinicadl_trust.exceptions import ConfigError

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(f"table = {value}")["table"]
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{option} {value!r} is no inline TOML table: {error}. Write for example "
            """'{data_type = "t1_linear", suffix = "T1w"}'."""
        ) from error


def _generated(caps: Path) -> ImageType | None:
    """Return the image type of a CAPS that we have generated."""
    import json

    try:
        content = json.loads((caps / "generate.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    from clinicadl_trust.exceptions import ConfigError
    from clinicadl_trust.generate import GeneratorOptions, image_type

    try:
        return image_type(GeneratorOptions(**content["Options"]))
    except (ConfigError, KeyError, TypeError):
        return None
