"""Write a new plugin package from templates."""

from __future__ import annotations

import keyword
import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from clinicadl_trust import __version__
from clinicadl_trust.exceptions import ConfigError, OutputError
from clinicadl_trust.plugins import available

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["scaffold"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ENDING = ".tmpl"
#: Names that another folder or Python's own tests have.
_TAKEN = ("test", "tests")


def scaffold(name: str, folder: Path) -> Path:
    """Write a plugin package that installs, works and passes its own test.

    Parameters
    ----------
    name : str
        The distribution's name, small letters, digits and hyphens; the package, its
        classes and its command are named after it.
    folder : pathlib.Path
        Where to put it: the package goes to ``folder/name``, made whole or not at
        all.

    Returns
    -------
    pathlib.Path
        The new folder.

    Raises
    ------
    ConfigError
        If the name is not one, or is taken.
    OutputError
        If something is there already.
    """
    name = _checked(name)
    target = folder / name
    if target.exists():
        raise OutputError(
            f"'{target}' exists already. Choose another name or --output, or remove it."
        )
    words = {
        "distribution": name,
        "package": name.replace("-", "_"),
        "camel": "".join(word.capitalize() for word in name.split("-")),
        "version": __version__,
    }
    partial = target.with_name(f"{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _copy(files("clinicadl_trust.cli") / "templates" / "plugin", partial, words)
    partial.rename(target)
    return target


def _checked(name: str) -> str:
    name = name.replace("_", "-")
    package = name.replace("-", "_")
    if _NAME.fullmatch(name) is None:
        raise ConfigError(
            f"'{name}' cannot name a package. Use small letters, digits and hyphens, "
            "beginning with a letter, such as 'my-lab'."
        )
    if package in _TAKEN:
        raise ConfigError(
            f"'{package}' is the name of many packages' tests. Choose another name."
        )
    if keyword.iskeyword(package) or package in sys.stdlib_module_names:
        raise ConfigError(
            f"'{package}' is a word of Python's own. Choose another name."
        )
    if name in available("commands"):
        raise ConfigError(
            f"`clinicadl {name}` exists already. Choose a name that no command has."
        )
    try:
        distribution(name)
    except PackageNotFoundError:
        return name
    raise ConfigError(
        f"A distribution '{name}' is installed already. Choose another name."
    )


def _copy(source: Traversable, target: Path, words: dict[str, str]) -> None:
    for item in source.iterdir():
        name = item.name.removesuffix(_ENDING)
        if item.is_dir():
            below = target / (words["package"] if name == "package" else name)
            below.mkdir()
            _copy(item, below, words)
        elif item.name.endswith(_ENDING):
            name = name.replace("test_package", f"test_{words['package']}")
            name = f".{name}" if name == "gitignore" else name
            text = Template(item.read_text(encoding="utf-8")).substitute(words)
            (target / name).write_text(text, encoding="utf-8")
