"""Put the sections together into one page, and write it whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from clinicadl_trust import __version__
from clinicadl_trust.exceptions import OutputError, TrustError
from clinicadl_trust.report import text
from clinicadl_trust.report.attributions.viewers import write_viewers
from clinicadl_trust.report.benchmark import Benchmark
from clinicadl_trust.report.glossary import TERMS
from clinicadl_trust.report.load import read_benchmark
from clinicadl_trust.report.sections import BUILDERS, Section
from clinicadl_trust.tables import write_whole

__all__ = ["render_report", "write_report"]


def write_report(
    directory: str | os.PathLike[str], output: str | os.PathLike[str] | None = None
) -> Path:
    """Write the report of a benchmark as one self-contained HTML page.

    The page holds its own style and figures, no script, and asks nothing of the
    network. The same folder gives the same bytes. Where networks were interpreted,
    viewers of their mean maps are written to a folder beside it.

    Parameters
    ----------
    directory : path-like
        A folder that ``clinicadl benchmark`` wrote, finished or not.
    output : path-like, optional
        The page; by default ``report.html`` in the folder. An existing one is
        replaced.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    ConfigError
        If the folder holds no benchmark, or a file in it cannot be read.
    OutputError
        If the page cannot be written there.
    """
    benchmark = read_benchmark(directory)
    path = Path(output) if output is not None else benchmark.directory / "report.html"
    if path.is_dir():
        raise OutputError(f"'{path}' is a folder. Give the path of an HTML file.")
    page = render_report(benchmark, write_viewers(benchmark, path))
    write_whole(path, page)
    return path


def render_report(benchmark: Benchmark, viewers: Sequence[tuple[str, str]] = ()) -> str:
    """Return the page of a benchmark as HTML.

    Parameters
    ----------
    benchmark : Benchmark
        What it is about.
    viewers : sequence of tuple of str
        Files beside the page that it links to: what each shows, and its address.
    """
    built = (_build(module, benchmark) for module in BUILDERS)
    sections = [section for section in built if section is not None]
    name = str(benchmark.info.get("name") or benchmark.directory.resolve().name)
    return (
        _environment()
        .get_template("page.html")
        .render(
            name=name,
            question=str(benchmark.info.get("question") or ""),
            finished=str(benchmark.info.get("finished") or "")[:10],
            unfinished=bool(benchmark.info) and not benchmark.info.get("finished"),
            facts=_facts(sections),
            sections=sections,
            viewers=viewers,
            version=__version__,
            style=Markup(_style()),
        )
    )


def _build(module: object, benchmark: Benchmark) -> Section | None:
    """Build a section; what its data do not allow is said in its place."""
    try:
        return module.build(benchmark)  # type: ignore[attr-defined]
    except TrustError as error:
        name = module.__name__.rsplit(".", 1)[-1]  # type: ignore[attr-defined]
        return Section(name, name.capitalize(), "empty.html", {}, (str(error),))


def _facts(sections: list[Section]) -> list[tuple[str, str]]:
    return next((s.content["facts"] for s in sections if "facts" in s.content), [])


def _style() -> str:
    folder = resources.files("clinicadl_trust.report") / "templates"
    return (folder / "style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("clinicadl_trust.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "code": text.code,
        "joined": text.joined,
    }
    environment.globals |= {"TERMS": TERMS, "count": text.count}
    return environment
