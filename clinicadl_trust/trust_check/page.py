"""The results as one HTML page, naive procedures beside ours."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from clinicadl_trust import __version__
from clinicadl_trust.exceptions import OutputError
from clinicadl_trust.report.forest import Axis, make_axis
from clinicadl_trust.report.text import count
from clinicadl_trust.tables import write_whole
from clinicadl_trust.trust_check.measurement import (
    MONTE_CARLO_LEVEL,
    Measurement,
    TrustCheck,
)
from clinicadl_trust.trust_check.scenario import Kind, Scenario
from clinicadl_trust.trust_check.scenarios import choose_scenarios

__all__ = ["check_place", "render_page", "write_page"]

_VERDICTS = {
    "holds": "label holds",
    "fails": "label fails",
    "measured": "measured",
    "naive holds": "right here",
    "naive fails": "fails",
}

_CAPTIONS: dict[Kind, str] = {
    "coverage": "How often a 95 % interval holds the truth",
    "rejection": "How often a test at 5 % finds a difference where there is none",
}


@dataclass(frozen=True)
class _Figure:
    """One table: what was counted in one way, with the scale of its drawings."""

    key: str
    caption: str
    axis: Axis
    settings: list[tuple[str, list[Measurement]]]


@dataclass(frozen=True)
class _Section:
    """One scenario."""

    scenario: Scenario
    figures: list[_Figure]


def check_place(path: Path) -> None:
    """Refuse a place where no page can be written, before all is measured.

    Raises
    ------
    OutputError
        If it is a folder, would be its own table, or lies where nothing can be written.
    """
    if path.is_dir():
        raise OutputError(f"'{path}' is a folder. Give the path of an HTML file.")
    if path.suffix == ".tsv":
        raise OutputError(
            f"'{path}' is the name of the table that is written beside the page. Give "
            "a name that ends in .html."
        )
    folder = next(each for each in path.absolute().parents if each.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OutputError(
            f"'{path}' cannot be written: '{folder}' is no folder that you may write "
            "in. Choose another place."
        )


def write_page(checked: TrustCheck, path: Path) -> None:
    """Write the page whole or not at all; an existing one is replaced.

    Parameters
    ----------
    checked : TrustCheck
        What was measured.
    path : pathlib.Path
        An HTML file. It holds its own style and asks nothing of the network.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    write_whole(path, render_page(checked))


def render_page(checked: TrustCheck) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("clinicadl_trust.trust_check", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    measured = checked.measurements
    return environment.get_template("trust_check.html").render(
        checked=checked,
        facts=_facts(checked),
        sections=_sections(measured),
        level=f"{MONTE_CARLO_LEVEL:.0%}".replace("%", " %"),
        verdicts=_VERDICTS,
        count=count,
        style=Markup(_style("report", "style.css")),
        own_style=Markup(_style("trust_check", "trust_check.css")),
        version=__version__,
    )


def _facts(checked: TrustCheck) -> list[tuple[int, str]]:
    number = Counter(m.verdict for m in checked.measurements)
    labels = number["holds"] + number["fails"]
    naive = number["naive holds"] + number["naive fails"]
    return [
        (checked.replicates, "data sets drawn for each row"),
        (number["holds"], f"of {labels} labels hold"),
        (number["measured"], "procedures call themselves approximate"),
        (number["naive fails"], f"of {naive} naive analyses fail"),
    ]


def _sections(measured: Sequence[Measurement]) -> list[_Section]:
    sections = []
    for name, rows in groupby(measured, key=lambda m: m.scenario):
        by_kind: dict[Kind, list[Measurement]] = {}
        for row in rows:
            by_kind.setdefault(row.kind, []).append(row)
        figures = [_figure(name, kind, of_kind) for kind, of_kind in by_kind.items()]
        sections.append(_Section(choose_scenarios([name])[0], figures))
    return sections


def _figure(name: str, kind: Kind, rows: list[Measurement]) -> _Figure:
    promised = (0.93, 0.97) if kind == "coverage" else (0.03, 0.07)
    ends = [end for m in rows for end in (m.low, m.high)]
    axis = make_axis([*ends, *promised], bounds=(0.0, 1.0))
    settings = [(s, list(of)) for s, of in groupby(rows, key=lambda m: m.setting)]
    return _Figure(f"{name}-{kind}", _CAPTIONS[kind], axis, settings)


def _style(package: str, name: str) -> str:
    folder = resources.files(f"clinicadl_trust.{package}") / "templates"
    return (folder / name).read_text(encoding="utf-8")
