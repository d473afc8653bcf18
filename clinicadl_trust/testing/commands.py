"""The contract of a command."""

from __future__ import annotations

import re
import subprocess
import sys

import click
from click.testing import CliRunner

from clinicadl_trust.testing.contract import require

__all__ = ["HEAVY", "check_command"]

#: What takes seconds to import: a command imports these inside its function.
HEAVY = ("torch", "clinicadl", "monai", "torchio")

#: Options that `clinicadl` takes itself, wherever they stand.
_RESERVED = ("--debug",)
_KEBAB = re.compile(r"-[A-Za-z0-9]|--[a-z0-9]+(-[a-z0-9]+)*")
_COMMAND = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def check_command(command: click.Command, name: str | None = None) -> None:
    """Check that an object keeps the contract of a command of ``clinicadl``.

    Parameters
    ----------
    command : click.Command
        The command, or a group of them.
    name : str, optional
        The name it is registered by.

    Raises
    ------
    ContractError
        Naming what is broken and how to mend it. It is an ``AssertionError``.
    """
    require(
        isinstance(command, click.Command),
        f"A plugin of kind 'commands' is a click command; got {command!r}. Put "
        "@click.command() above the function, and register that.",
    )
    name = name or command.name or ""
    require(
        _COMMAND.fullmatch(name),
        f"The command is named '{name}'. Use small letters, digits and hyphens.",
    )
    require(
        command.name == name,
        f"The command registered as '{name}' calls itself '{command.name}'. Write "
        f"@click.command('{name}').",
    )
    _check_tree(command, f"`clinicadl {name}`")
    _check_imports(command, name)


def _check_tree(command: click.Command, where: str) -> None:
    require(
        command.get_short_help_str(),
        f"{where} has no help. Give its function a docstring: the first line stands in "
        "`clinicadl --help`.",
    )
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            _check_option(parameter, where)
    shown = CliRunner().invoke(command, ["--help"])
    require(
        shown.exit_code == 0,
        f"{where} --help fails with exit code {shown.exit_code}: {shown.exception!r}.",
    )
    for name, below in getattr(command, "commands", {}).items():
        _check_tree(below, f"{where[:-1]} {name}`")


def _check_option(option: click.Option, where: str) -> None:
    for spelling in (*option.opts, *option.secondary_opts):
        require(
            spelling not in _RESERVED,
            f"{where} has an option {spelling}, which `clinicadl` takes itself. "
            "Rename it.",
        )
        require(
            _KEBAB.fullmatch(spelling),
            f"{where} has an option {spelling}; options are kebab-case, "
            f"{spelling.lower().replace('_', '-')}.",
        )
    require(
        option.hidden or option.help,
        f"{where} has no help for {option.opts[0]}. Say what it does, with its unit.",
    )


def _check_imports(command: click.Command, name: str) -> None:
    """Import the command's module in a fresh process, and see what came with it."""
    module = getattr(command.callback, "__module__", None)
    if module in (None, "__main__"):
        return
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; import {module}; "
        f"print(*[m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    require(
        done.returncode == 0,
        f"The module {module} of `clinicadl {name}` cannot be imported by itself: "
        f"{done.stderr.strip()[-400:]}",
    )
    heavy = done.stdout.splitlines()[-1].split()
    require(
        not heavy,
        f"`clinicadl {name}` imports {', '.join(heavy)} when its module is imported, "
        "so its --help takes seconds. Import them inside the function.",
    )
