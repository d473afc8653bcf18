"""Several images of one participant, taken for several participants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clinicadl_trust.stats import mcnemar, proportion
from clinicadl_trust.trust_check.scenario import Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

_ACCURACY = 0.8


@dataclass(frozen=True)
class Answers:
    """Right (1) and wrong (0) answers of two equal models, by image."""

    first: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]
    who: npt.NDArray[np.intp]


@dataclass(frozen=True)
class _People:
    """Participants whose images are right with a chance of their own (beta-binomial).

    ``icc`` is the correlation of two answers of one participant.
    """

    participants: int
    images: int
    icc: float
    is_uneven: bool = False

    def __call__(self, rng: np.random.Generator) -> Answers:
        sizes = np.full(self.participants, self.images)
        if self.is_uneven:
            sizes = rng.geometric(1 / self.images, self.participants)
        who = np.repeat(np.arange(self.participants), sizes)
        scale = (1 - self.icc) / self.icc
        shape = _ACCURACY * scale, (1 - _ACCURACY) * scale
        chance = rng.beta(*shape, size=(2, self.participants))[:, who]
        first, second = (rng.random(chance.shape) < chance).astype(float)
        return Answers(first, second, who)


_SHARE = (
    Procedure("Wilson interval of all images", lambda d: proportion(d.first), True),
    Procedure(
        "proportion(cluster=participant)", lambda d: proportion(d.first, cluster=d.who)
    ),
)
_DIFFERENCE = (
    Procedure(
        "McNemar's test of all images", lambda d: mcnemar(d.first, d.second), True
    ),
    Procedure(
        "mcnemar(cluster=participant)", lambda d: mcnemar(d.first, d.second, d.who)
    ),
)
_DESIGNS = (
    ("60 participants x 5 images, ICC .2", _People(60, 5, 0.2)),
    ("60 participants x 5 images, ICC .5", _People(60, 5, 0.5)),
    ("60 participants x 5 images, ICC .8", _People(60, 5, 0.8)),
    ("60 participants, 1 to about 20 images, ICC .5", _People(60, 5, 0.5, True)),
    ("30 participants x 3 images, ICC .5", _People(30, 3, 0.5)),
)

SCENARIO = Scenario(
    name="repeated-images",
    title="Several images of one participant",
    naive=(
        "Each image is counted as if it came from another person. Images of one person "
        "are alike, so there is less to learn from them than their number says: "
        "intervals are too short, and equal models are found to differ."
    ),
    ours="The participant is declared as the cluster, and participants are counted.",
    settings=(
        *(
            Setting(f"accuracy of .8, {title}", draw, _SHARE, truth=_ACCURACY)
            for title, draw in _DESIGNS
        ),
        *(
            Setting(f"two equal models, {title}", draw, _DIFFERENCE, "rejection")
            for title, draw in _DESIGNS
        ),
    ),
)
