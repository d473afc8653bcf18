"""The group ``clinicadl``: commands are plugins, imported when they are called."""

from __future__ import annotations

import difflib
import errno
import logging
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from clinicadl_trust import __version__
from clinicadl_trust.cli import help_cache
from clinicadl_trust.cli.failures import Failure
from clinicadl_trust.exceptions import PluginError
from clinicadl_trust.plugins import Plugin, available, find

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["OURS", "cli"]

#: The help lines of our own commands: entry points carry no text, and importing a
#: command to ask it would make ``--help`` slow.
HELP = {
    "benchmark": "Run an experiment file: splits, models, statistics, report.",
    "compare": "Say which model is better, with an interval and one p-value.",
    "evaluate": "Estimate each model's performance with honest intervals.",
    "generate": "Make a synthetic CAPS with a known, planted effect.",
    "interpret": "Say what trained networks look at: maps, tables and metrics.",
    "plugins": "List, write and check plugins.",
    "predict": "Predict with a trained model.",
    "report": "Write the HTML report of a benchmark.",
    "split": "Split participants without leaks, and audit splits.",
    "train": "Train one model on one fold.",
    "trust-check": "Measure whether the statistics keep their word.",
}

#: The distribution of our own plugins.
OURS = "clinicadl-trust"

_DEBUG = "--debug"


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
            return _load(cmd_name)
        except PluginError:
            if ctx.resilient_parsing:  # the shell asks for completions
                return None
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest name when a command is unknown."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from error

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the help lines without importing a command."""
        rows = [(name, _line(name, ps)) for name, ps in available("commands").items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[CompletionItem]:
        """Complete a command's name without importing any, then our options."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=_line(name, plugins))
            for name, plugins in available("commands").items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and explain whatever it raises."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # `clinicadl ... | head`: click ends quietly
            owner = _owner(ctx.invoked_subcommand)
            raise Failure(error, ctx.params.get("debug", False), owner) from error

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, **extra: Any
    ) -> Any:
        """Take ``--debug`` wherever it stands, then run and exit 0, 1 or 2."""
        given = list(sys.argv[1:] if args is None else args)
        end = given.index("--") if "--" in given else len(given)
        kept = [arg for arg in given[:end] if arg != _DEBUG]
        if len(kept) < end:
            kept.insert(0, _DEBUG)
        return super().main(kept + given[end:], **extra)


@click.group(
    cls=PluginGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name=OURS)
@click.option("-v", "--verbose", count=True, help="Say more; twice for debugging.")
@click.option(
    _DEBUG,
    is_flag=True,
    help="Show the traceback of an error. May stand after the command, too.",
)
def cli(verbose: int, debug: bool) -> None:
    """Results that one can defend, on ClinicaDL 2.

    From a CAPS folder and a participants table to leak-free splits, trained
    models, honest statistics and a report. Start with
    `clinicadl benchmark examples/quickstart.toml --output quickstart`.
    """
    root = logging.getLogger()
    if not any(isinstance(handler, _Stderr) for handler in root.handlers):
        root.addHandler(_Stderr())
    level = [logging.WARNING, logging.INFO, logging.DEBUG][min(verbose, 2)]
    for name in ("clinicadl", "clinicadl_trust"):
        logging.getLogger(name).setLevel(level)


class _Stderr(logging.Handler):
    """Writes to the standard error of the moment, coloured by click where it can."""

    def emit(self, record: logging.LogRecord) -> None:
        colour = "yellow" if record.levelno >= logging.WARNING else None
        text = f"{record.levelname.capitalize()}: {record.getMessage()}"
        click.secho(text, err=True, fg=colour)


def _load(name: str) -> click.Command:
    plugin = find("commands", name)
    command = plugin.load()
    if not isinstance(command, click.Command):
        raise PluginError(
            f"'{plugin.value}' of {plugin.distribution} is no click command but "
            f"{type(command).__name__}. Mend or uninstall {plugin.distribution}."
        )
    if plugin.distribution != OURS:
        help_cache.remember(plugin, command.get_short_help_str(limit=80))
    return command


def _line(name: str, plugins: list[Plugin]) -> str:
    if len(plugins) > 1:
        owners = ", ".join(plugin.distribution for plugin in plugins)
        return f"(registered more than once: {owners})"
    plugin = plugins[0]
    if plugin.distribution == OURS:
        return HELP.get(name, "")
    remembered = help_cache.recall(plugin)
    return remembered or f"({plugin.distribution} {plugin.version})"


def _owner(command: str | None) -> str:
    plugins = available("commands").get(command or "", [])
    return plugins[0].distribution if plugins else OURS
