"""What is asked of an interpretation: checked before anything is opened."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from clinicadl_trust.attribution.explanation import EXPLANATIONS
from clinicadl_trust.attribution.interpretation.reference import DEFAULTS, REFERENCES
from clinicadl_trust.attribution.methods import DIFFERENTIABLE
from clinicadl_trust.exceptions import AttributionError, did_you_mean

__all__ = ["METHODS", "Request"]

#: Everything that ``attributions`` knows.
METHODS = (*DIFFERENTIABLE, *EXPLANATIONS)

_LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Request:
    """One method, and how maps are made and measured.

    Attributes
    ----------
    method : str
        One of ``METHODS``.
    baselines : str or None
        A key of ``REFERENCES``; by default what suits the method.
    target : str, int or None
        A class, or an output, by name or number; by default disease, or the only one.
    n_samples : int or None
        Steps or draws, as of ``attributions``.
    n_steps : int
        Of the deletion and insertion curves; 0 for none.
    randomise : bool
        Whether maps are compared with those of a network with random weights.
    n_cascade : int
        Images whose maps are compared as layer after layer is made random, drawn.
    tolerance : float
        Of the pointing game, in mm.
    batch_size : int or None
        Images in a pass: a bound on memory. By default the training's.
    seed : int
        Of every draw.

    Raises
    ------
    AttributionError
        If a name is unknown or a number makes no sense.
    """

    method: str
    baselines: str | None = None
    target: str | int | None = None
    n_samples: int | None = None
    n_steps: int = 20
    randomise: bool = True
    n_cascade: int = 0
    tolerance: float = 0.0
    batch_size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise AttributionError(
                f"No attribution method is called '{self.method}'."
                f"{did_you_mean(self.method, METHODS)}"
            )
        if self.baselines is not None and self.baselines not in REFERENCES:
            raise AttributionError(
                f"baselines = '{self.baselines}' is unknown."
                f"{did_you_mean(self.baselines, REFERENCES)}"
            )
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= _LARGEST_SEED:
                raise AttributionError(
                    f"{name} = {value} makes no sense: give {least} or more."
                )

    def filled(self, has_healthy: bool, batch_size: int) -> Request:
        """Fill in what depends on the run.

        Parameters
        ----------
        has_healthy : bool
            Whether some of its training images are of healthy participants.
        batch_size : int
            Its own.
        """
        baselines = None
        if self.method in DEFAULTS:
            baselines = self.baselines or DEFAULTS[self.method]
            if self.baselines is None and baselines == "healthy" and not has_healthy:
                baselines = "training"
        size = self.batch_size or batch_size
        return replace(self, baselines=baselines, batch_size=size)

    def cascaded(self, n_images: int) -> frozenset[int]:
        """Draw the images that layers are made random for.

        Parameters
        ----------
        n_images : int
            Of the group.

        Returns
        -------
        frozenset of int
            Their numbers.
        """
        drawn = np.random.default_rng(self.seed).permutation(n_images)
        return frozenset(drawn[: self.n_cascade].tolist())

    def to_dict(self) -> dict[str, Any]:
        """Return what ``interpretation.json`` says of it."""
        return asdict(self)


_LEAST = {
    "n_samples": 1,
    "n_steps": 0,
    "n_cascade": 0,
    "tolerance": 0,
    "batch_size": 1,
    "seed": 0,
}
