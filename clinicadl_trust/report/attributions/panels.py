"""The pictures: means of the classes, and participants chosen by a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import AttributionError, RunError
from clinicadl_trust.report.attributions.interpreted import Interpreted, Run
from clinicadl_trust.report.attributions.means import mean_map
from clinicadl_trust.report.attributions.participants import (
    AUPRC,
    Shown,
    choose_participants,
)
from clinicadl_trust.report.attributions.pictures import (
    Layer,
    Picture,
    draw_pictures,
    read_map,
    shared_limits,
)
from clinicadl_trust.report.text import count, number

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

__all__ = ["Panel", "panels"]

#: The mean map of patients minus healthy, among those of the classes.
DIFFERENCE = "difference"


@dataclass(frozen=True)
class Panel:
    """The pictures of all models of one thing: a class's mean, or a participant.

    Attributes
    ----------
    key, heading : str
        Its name in the page, and what it shows.
    pictures : tuple of Picture
        One per model.
    """

    key: str
    heading: str
    pictures: tuple[Picture, ...]

    @property
    def shares_scale(self) -> bool:
        """Whether a colour says the same in all of them."""
        return len({picture.limit for picture in self.pictures}) == 1


def panels(interpreted: Interpreted) -> tuple[list[Panel], list[str]]:
    """Draw the means of each class, then participants.

    Parameters
    ----------
    interpreted : Interpreted
        With one model at least.

    Returns
    -------
    panels : list of Panel
        What could be drawn, by the first method.
    problems : list of str
        What could not, in full sentences.
    """
    drawn, problems = [], list[str]()
    classes = interpreted.benchmark.task.classes
    means = {
        (name, heading): _collect(
            interpreted, problems, partial(_mean, name=name, classes=classes)
        )
        for name, heading in _classes(interpreted)
    }
    # Patients and the healthy are compared too: one scale for all classes.
    limits = shared_limits([layer for layers in means.values() for layer in layers])
    for (name, heading), layers in means.items():
        if layers:
            pictures = draw_pictures(layers, limits)
            drawn.append(Panel(f"mean-{name}", heading, tuple(pictures)))
    drawn += _difference(interpreted, problems)
    for shown in choose_participants(interpreted):
        panel = _participant(interpreted, shown, problems)
        if panel is not None:
            drawn.append(panel)
    return drawn, problems


def _difference(interpreted: Interpreted, problems: list[str]) -> list[Panel]:
    """Draw patients minus healthy, which is less than either: on a scale of its own."""
    if not any(DIFFERENCE in run.interpretation.means() for run in interpreted.runs):
        return []
    mean = partial(_mean, name=DIFFERENCE, classes=())
    layers = _collect(interpreted, problems, mean)
    if not layers:
        return []
    pictures = draw_pictures(layers, shared_limits(layers))
    return [Panel(f"mean-{DIFFERENCE}", "Patients minus healthy", tuple(pictures))]


def _classes(interpreted: Interpreted) -> list[tuple[str, str]]:
    """Return the names of means, patients before the healthy, and their headings."""
    classes = interpreted.benchmark.task.classes
    found: dict[str, None] = {}
    for run in interpreted.runs:
        try:
            found |= dict.fromkeys(run.interpretation.means())
        except RunError:
            continue
    names = [name for name in reversed(classes) if name in found]
    names += [name for name in found if name not in classes and name != DIFFERENCE]
    title = {"all": "Everyone"}
    return [(name, f"{title.get(name, name)} on average") for name in names]


def _collect(
    interpreted: Interpreted,
    problems: list[str],
    layer: Callable[[Sequence[Run]], tuple[SpatialImage, str]],
) -> list[Layer]:
    """Return what is to be drawn of each model."""
    layers = []
    for model in interpreted.models:
        runs = interpreted.of(model.name, interpreted.methods[0])
        if not runs:
            continue
        try:
            image, remark = layer(runs)
            layers.append(Layer(model.title, image, remark))
        except (AttributionError, RunError) as error:
            problems.append(str(error))
    return layers


def _mean(
    runs: Sequence[Run], name: str, classes: Sequence[str]
) -> tuple[SpatialImage, str]:
    return mean_map(runs, name, classes), f"Mean over {count(len(runs), 'run')}."


def _participant(
    interpreted: Interpreted, shown: Shown, problems: list[str]
) -> Panel | None:
    """Draw one image as its run with the lowest seed explained it."""
    place: list[Run] = []

    def layer(runs: Sequence[Run]) -> tuple[SpatialImage, str]:
        run = next(run for run in runs if len(_row(run, shown)))
        place.append(run)
        path = run.interpretation.map_of(shown.participant_id, shown.session_id)
        return read_map(path), _remark(_row(run, shown))

    layers = _collect(interpreted, problems, layer)
    if not layers:
        return None
    try:
        files = place[0].interpretation
        ids = (shown.participant_id, shown.session_id)
        background = read_map(files.image_of(*ids))
        path = files.mask_of(*ids)
        mask = None if path is None else read_map(path)
    except (AttributionError, RunError) as error:
        problems.append(str(error))
        return None
    heading = f"{shown.participant_id}, {shown.session_id}: {shown.why}"
    pictures = draw_pictures(layers, shared_limits(layers), background, mask)
    return Panel(f"participant-{shown.participant_id}", heading, tuple(pictures))


def _row(run: Run, shown: Shown) -> pd.DataFrame:
    ids = run.metrics[list(IDS)].astype(str)
    same = (ids["participant_id"] == shown.participant_id) & (
        ids["session_id"] == shown.session_id
    )
    return run.metrics[same]


def _remark(rows: pd.DataFrame) -> str:
    said = []
    for name, title in ((AUPRC, "AUPRC"), ("lesion_share_positive", "share inside")):
        if name in rows and rows[name].notna().any():
            said.append(f"{title} {number(float(rows[name].iloc[0]))}")
    return f"{', '.join(said)}." if said else ""
