"""``clinicadl plugins``: list, write and check plugins."""

from __future__ import annotations

from pathlib import Path

import click

from clinicadl_trust.plugins import KINDS, Plugin, registered

__all__ = ["plugins"]

_COLOURS = {"broken": "red", "clash": "red", "unchecked": "yellow"}


@click.group(no_args_is_help=True)
def plugins() -> None:
    """List, write and check plugins.

    A plugin is a split strategy, a model, a loss, a command ... that any installed
    package registers; it then stands beside those that come with clinicadl-trust.
    """


@plugins.command("list", short_help="Show every plugin, and whether it works.")
@click.option(
    "--kind",
    type=click.Choice([kind.replace("_", "-") for kind in sorted(KINDS)]),
    metavar="KIND",
    help=f"Show one kind only: {', '.join(sorted(KINDS)).replace('_', '-')}.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Import those that need torch or ClinicaDL, too (10 to 30 s).",
)
def list_plugins(kind: str | None, check: bool) -> None:
    """Show every plugin with its kind, distribution, version and state.

    The state is `ok`, `broken` with the cause, `clash` for a name registered twice,
    or `unchecked` for one that needs torch or ClinicaDL, which take long to import.
    A broken plugin harms no other.
    """
    from clinicadl_trust.cli.plugin_states import find_states

    chosen = (kind or "").replace("-", "_")
    found = [p for p in registered() if p.kind == chosen or not kind]
    states = find_states(found, heavy=check)
    head = ("kind", "name", "distribution", "version", "state")
    rows = [
        (p.kind, p.name, p.distribution, p.version, str(state))
        for p, state in zip(found, states, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    click.secho(_line([name.upper() for name in head], widths), bold=True)
    for row, state in zip(rows, states, strict=True):
        click.secho(_line(row, widths), fg=_COLOURS.get(state.word))
    if any(state.word == "unchecked" for state in states):
        click.echo("\n`clinicadl plugins list --check` imports the unchecked ones too.")


@plugins.command("new", no_args_is_help=True)
@click.argument("name")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="The folder to write NAME/ into.  [default: here]",
)
def new_plugin(name: str, output: Path) -> None:
    """Write a plugin package to begin with.

    NAME is that of the new package, such as my-lab. It holds a split strategy, a
    model, a constraint on attributions, a command and their test; it installs with
    pip, works, and passes its test as it is.
    """
    from clinicadl_trust.cli.scaffold import scaffold

    folder = scaffold(name, output)
    click.echo(
        f"Wrote '{folder}'. Next:\n"
        f"  pip install -e {folder}\n"
        f"  clinicadl plugins check {folder.name}\n"
        f"  pytest {folder}"
    )


@plugins.command("check", no_args_is_help=True)
@click.argument("distribution")
def check_plugins(distribution: str) -> None:
    """Check that a distribution's plugins keep their contracts.

    DISTRIBUTION is a name from `clinicadl plugins list`. Each of its plugins is
    imported and tried: split strategies on a synthetic cohort, models on a batch,
    statistics on a predictions table. The exit code is 1 if any fails.
    """
    from clinicadl_trust.exceptions import PluginError
    from clinicadl_trust.testing import check_plugin

    failed = 0
    found = _of_distribution(distribution)
    for plugin in found:
        where = f"{plugin.kind} {plugin.name}"
        try:
            check_plugin(plugin)
        except Exception as error:  # whatever a plugin may raise
            failed += 1
            known = isinstance(error, PluginError)
            cause = error if known else f"{type(error).__name__}: {error}"
            click.secho(f"FAILED  {where}\n        {cause}", fg="red")
        else:
            click.echo(f"ok      {where}")
    if failed:
        raise PluginError(
            f"{failed} of the {len(found)} plugins of {distribution} break their "
            "contract, as said above."
        )


def _of_distribution(name: str) -> list[Plugin]:
    from clinicadl_trust.exceptions import PluginError, did_you_mean

    def folded(distribution: str) -> str:
        return distribution.lower().replace("_", "-").replace(".", "-")

    everything = registered()
    found = [p for p in everything if folded(p.distribution) == folded(name)]
    if not found:
        known = {plugin.distribution for plugin in everything}
        raise PluginError(
            f"No installed distribution named '{name}' registers a plugin."
            f"{did_you_mean(name, known)}"
        )
    return found


def _line(cells: list[str] | tuple[str, ...], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
