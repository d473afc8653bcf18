"""``--statistic NAME``: any plugin of ``clinicadl.statistics`` on a table."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["run_statistic"]

#: Rows of a bare table that are printed; all of them are written.
_SHOWN = 20


def run_statistic(
    name: str,
    predictions: pd.DataFrame,
    settings: Sequence[str],
    options: Mapping[str, Any],
    output: Path | None,
) -> None:
    """Run a statistic by name, print its result and write it as a table.

    Parameters
    ----------
    name : str
        Of a plugin of kind ``statistics``.
    predictions : pandas.DataFrame
        A predictions table.
    settings : sequence of str
        ``KEY=VALUE``, for the statistic's own options.
    options : mapping
        What the command's own options say; those that the statistic does not have
        are refused unless they are None.
    output : pathlib.Path or None
        The TSV to write; by default ``NAME.tsv`` here.

    Raises
    ------
    PluginError
        If there is no such plugin, or it breaks its contract.
    """
    from clinicadl_trust.exceptions import PluginError, TrustError
    from clinicadl_trust.plugins import find

    plugin = find("statistics", name)
    function = plugin.load()
    arguments = _arguments(plugin.name, function, settings, options)
    try:
        result = function(predictions, **arguments)
    except TrustError:
        raise
    except Exception as error:
        raise PluginError(
            f"The statistic '{plugin.name}' of {plugin.distribution} failed on this "
            f"table: {type(error).__name__}: {error}"
        ) from error
    frame = _frame(plugin.name, result)
    _show(result)
    _save(frame, output or Path(f"{plugin.name}.tsv"))


def _arguments(
    name: str,
    function: Callable[..., Any],
    settings: Sequence[str],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Put the command's options and --set together, checked against the signature."""
    from clinicadl_trust.exceptions import did_you_mean

    parameters = dict(list(inspect.signature(function).parameters.items())[1:])
    arguments = _common(name, parameters, options)
    for pair in settings:
        key, equals, value = (part.strip() for part in pair.partition("="))
        key = key.replace("-", "_")
        message = ""
        if not (key and equals):
            message = f"'{pair}' is not of the form KEY=VALUE."
        elif key not in parameters:
            message = f"'{key}' is no option of '{name}'."
            message += did_you_mean(key, parameters)
        if message:
            raise click.BadParameter(message, param_hint="--set")
        arguments[key] = _value(value, str(parameters[key].annotation))
    missing = [
        key
        for key, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and key not in arguments
    ]
    if missing:
        needed = " ".join(f"--set {key}=..." for key in missing)
        raise click.UsageError(f"'{name}' needs {needed}")
    return arguments


def _common(
    name: str, parameters: Mapping[str, inspect.Parameter], options: Mapping[str, Any]
) -> dict[str, Any]:
    given = {key: value for key, value in options.items() if value not in (None, ())}
    metrics = given.pop("metrics", None)
    if metrics and "metrics" in parameters:
        given["metrics"] = list(metrics)
    elif metrics:
        given["metric"] = metrics[0] if len(metrics) == 1 else list(metrics)
    silent = {"group", "confidence_level"}  # these have defaults on the command line
    wrong = [k for k in given if k not in parameters and k not in silent]
    if wrong:
        option = f"--{wrong[0].replace('_', '-')}"
        raise click.UsageError(
            f"{option} is no option of '{name}'. It has: {', '.join(parameters)}."
        )
    several = metrics and len(metrics) > 1 and "metrics" not in parameters
    if several and "Sequence" not in str(parameters["metric"].annotation):
        raise click.UsageError(f"'{name}' takes one --metric, not {len(metrics)}.")
    return {key: value for key, value in given.items() if key in parameters}


def _value(text: str, annotation: str) -> Any:
    """Read a number, a list or a truth value as JSON; anything else is text."""
    if annotation in ("str", "str | None", "<class 'str'>"):  # a model may be called 1
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return {"True": True, "False": False, "None": None}.get(text, text)


def _frame(name: str, result: Any) -> pd.DataFrame:
    import pandas as pd

    from clinicadl_trust.exceptions import PluginError

    several = result if isinstance(result, Sequence) else [result]
    frames = [
        item if isinstance(item, pd.DataFrame) else getattr(item, "to_frame", None)
        for item in several
    ]
    if not frames or any(frame is None for frame in frames):
        raise PluginError(
            f"The statistic '{name}' returns {type(result).__name__}, and neither a "
            "table nor a result with to_frame(). Its authors can check it with "
            "`clinicadl plugins check`."
        )
    made = [frame() if callable(frame) else frame for frame in frames]
    return pd.concat(made, ignore_index=True)


def _show(result: Any) -> None:
    """Print a result within the width of the screen; rows of tables are not folded."""
    import shutil

    import pandas as pd

    width = min(shutil.get_terminal_size().columns, 110)
    for item in result if isinstance(result, Sequence) else [result]:
        text = str(item)
        if isinstance(item, pd.DataFrame):
            text = item.head(_SHOWN).to_string(
                index=False, line_width=width, max_colwidth=30, na_rep="n/a"
            )
            if len(item) > _SHOWN:
                text += f"\n... {len(item)} rows in all"
        for line in text.splitlines():
            click.echo("\n".join(_folded(line, width)))


def _folded(line: str, width: int) -> list[str]:
    indent = re.match(r"\s*", line).group() + "  "  # type: ignore[union-attr]
    if len(line) <= width or re.search(r"\S {2,}\S", line):
        return [line]
    return textwrap.wrap(line, width, subsequent_indent=indent)


def _save(frame: pd.DataFrame, output: Path) -> None:
    from clinicadl_trust.exceptions import OutputError
    from clinicadl_trust.tables import write_table

    if output.is_file():
        with output.open(encoding="utf-8", errors="replace") as stream:
            first = stream.readline().rstrip("\n").split("\t")
        if "label" in first or first[:2] == ["kind", "metric"] != list(frame)[:2]:
            raise OutputError(
                f"'{output}' holds another kind of table, and would be overwritten. "
                "Choose another --output."
            )
    write_table(output, frame)
    click.echo(f"{len(frame)} row{'s' * (len(frame) != 1)} in '{output}'.")
