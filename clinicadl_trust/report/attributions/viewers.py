"""Mean maps to turn about: files beside the page, opened when they are asked for."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from clinicadl_trust.exceptions import AttributionError, RunError
from clinicadl_trust.plots import relevance_limit
from clinicadl_trust.plots.collecting import collecting_little
from clinicadl_trust.plots.relevance import relevance_colormap
from clinicadl_trust.report.attributions.interpreted import (
    Interpreted,
    read_interpreted,
)
from clinicadl_trust.report.attributions.means import mean_map
from clinicadl_trust.report.benchmark import Benchmark
from clinicadl_trust.tables import write_whole

__all__ = ["write_viewers"]

#: What is weaker than this share of the limit is not drawn: nilearn's viewer cannot
#: fade, and would hide the anatomy below.
_HIDDEN_BELOW = 0.25


def write_viewers(benchmark: Benchmark, page: Path) -> tuple[tuple[str, str], ...]:
    """Write nilearn's viewer of the patients' mean map of each interpreted model.

    Parameters
    ----------
    benchmark : Benchmark
        Where the maps are.
    page : pathlib.Path
        The report; viewers go to a folder beside it that is named after it.

    Returns
    -------
    tuple of tuple of str
        What is shown, and its address from the page. Models whose images are not in
        MNI space have none.
    """
    if not benchmark.interpretations:
        return ()
    with collecting_little():
        return tuple(_written(read_interpreted(benchmark), page))


def _written(interpreted: Interpreted, page: Path) -> Iterator[tuple[str, str]]:
    """Write one viewer after the other."""
    classes = interpreted.benchmark.task.classes
    folder = page.with_name(f"{page.stem}-maps")
    for number, model in enumerate(interpreted.models):
        for name in _patients(interpreted):
            runs = interpreted.of(model.name, interpreted.methods[0])
            try:
                image = mean_map(runs, name, classes)
            except (AttributionError, RunError):  # said where the picture would be
                continue
            title = f"{model.title}, {name} on average"
            file = folder / f"model-{number + 1}.html"
            write_whole(file, _html(image, title))
            yield title, quote(f"{folder.name}/{file.name}")


def _patients(interpreted: Interpreted) -> tuple[str, ...]:
    """Return the class of the patients: the last one of the task."""
    return interpreted.benchmark.task.classes[-1:]


def _html(image: object, title: str) -> str:
    from nilearn.plotting import view_img

    limit = relevance_limit([image.get_fdata()]) or 1.0  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        # nilearn partitions a masked array, which NumPy asks it to do knowingly.
        warnings.filterwarnings("ignore", ".*'partition' will ignore", UserWarning)
        viewer = view_img(
            image,
            bg_img="MNI152",
            cmap=relevance_colormap(),
            vmax=limit,
            threshold=_HIDDEN_BELOW * limit,
            opacity=0.8,
            title=title,
            width_view=900,
        )
    return str(viewer.get_standalone())
