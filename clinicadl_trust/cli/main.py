"""The group ``clinicadl``: commands are plugins, imported when they are called."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import click

from clinicadl_trust import __version__
from clinicadl_trust.cli import help_cache
from clinicadl_trust.exceptions import PluginError, TrustError
from clinicadl_trust.plugins import available, find

__all__ = ["cli"]

#: The help lines of our own commands: entry points carry no text, and importing a
#: command to ask it would make ``--help`` slow.
HELP = {
    "benchmark": "Run an experiment file: splits, models, statistics, report.",
    "compare": "Say which model is better, with an interval and one p-value.",
    "evaluate": "Estimate each model's performance with honest intervals.",
    "generate": "Make a synthetic CAPS with a known, planted effect.",
    "plugins": "List, write and check plugins.",
    "predict": "Predict with a trained model.",
    "report": "Write the HTML report of a benchmark.",
    "split": "Split participants without leaks, and audit splits.",
    "train": "Train one model on one fold.",
}

_OURS = "clinicadl-trust"


class PluginGroup(click.Group):
    """A group whose commands are entry points of ``clinicadl.commands``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the registered commands; none is imported."""
        return list(available("commands"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in available("commands"):
            return None
        try:
            plugin = find("commands", cmd_name)
            command = plugin.load()
        except PluginError as error:
            raise click.ClickException(str(error)) from error
        if not isinstance(command, click.Command):
            raise click.ClickException(
                f"'{plugin.value}' of {plugin.distribution} is no click command but "
                f"{type(command).__name__}; uninstall or mend that distribution."
            )
        if plugin.distribution != _OURS:
            help_cache.remember(plugin, command.get_short_help_str(limit=80))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest name when a command is unknown."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from error

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the help lines without importing a command."""
        rows = []
        for name, plugins in available("commands").items():
            if len(plugins) > 1:
                owners = ", ".join(p.distribution for p in plugins)
                text = f"(registered more than once: {owners})"
            elif plugins[0].distribution == _OURS:
                text = HELP.get(name, "")
            else:
                text = help_cache.recall(plugins[0]) or (
                    f"({plugins[0].distribution} {plugins[0].version})"
                )
            rows.append((name, text))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, print a user's mistake as one message, and exit 0, 1 or 2."""
        debug = "--debug" in (kwargs.get("args") or (args and args[0]) or sys.argv[1:])
        try:
            return super().main(*args, **kwargs)
        except TrustError as error:
            if debug:
                traceback.print_exc()
            click.secho(f"Error: {error}", err=True, fg="red")
        except OSError as error:
            if debug or error.filename is None:
                traceback.print_exc()
            click.secho(
                f"Error: {error.strerror or error}"
                f"{f': {str(error.filename)!r}' if error.filename else ''}. Check that "
                "the path exists, is writable and that the disk is not full.",
                err=True,
                fg="red",
            )
        sys.exit(1)


@click.group(
    cls=PluginGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="clinicadl-trust")
@click.option("-v", "--verbose", count=True, help="Say more; twice for debugging.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(verbose: int, debug: bool) -> None:
    """Results that one can defend, on ClinicaDL 2.

    From a CAPS folder and a participants table to leak-free splits, trained
    models, honest statistics and a report. Start with
    `clinicadl benchmark examples/quickstart.toml --output quickstart`.
    """
    level = [logging.WARNING, logging.INFO, logging.DEBUG][min(verbose, 2)]
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=level)
