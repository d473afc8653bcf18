"""A clinical score of disability that follows from what the disease has changed.

In the manner of the EDSS [1]_, from 0 to 10 in half steps, and saturating::

    score = 10 (1 - 2 ** (-burden / 1.5)) + noise

The burden is 0 in controls, 1 in the mean patient at the first visit of a cohort of
effect 1, whose score is thus 3.7, and the score is 5 at a burden of 1.5. For lesions
it is the planted volume over its expectation in such a patient; for atrophy, the
severity.

References
----------
.. [1] Kurtzke (1983), Neurology 33(11), 1444-1452.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clinicadl_trust.generate.disease import Disease
from clinicadl_trust.generate.options import GeneratorOptions
from clinicadl_trust.generate.streams import stream

__all__ = ["add_score", "amount_at", "expected_score"]

#: The burden at which the score is half of its maximum.
_HALF, _MOST, _STEP = 1.5, 10.0, 0.5


def amount_at(visit: dict[str, Any], options: GeneratorOptions) -> float:
    """Return how severe the disease is at a visit; see ``Disease.change``."""
    severity: float = visit["severity"]
    return severity * (1 + options.progression * visit["years"])


def expected_score(burden: float | np.ndarray) -> float | np.ndarray:
    """Return the score without its noise and its steps."""
    return _MOST * (1 - 2 ** (-burden / _HALF))


def add_score(
    visit: dict[str, Any], disease: Disease, options: GeneratorOptions
) -> dict[str, Any]:
    """Return the row of a visit with its ``burden`` and its ``score``.

    Parameters
    ----------
    visit : dict
        A row of ``plan_cohort``.
    disease : Disease
        What it has.
    options : GeneratorOptions
        With ``score_noise``, a standard deviation in points of the score.
    """
    name, session = visit["participant_id"], visit["session_id"]
    burden = disease.burden(amount_at(visit, options), name)
    noise = stream(options.seed, "score", name, session).normal(0, 1)
    exact = expected_score(burden) + options.score_noise * noise
    score = _STEP * np.rint(np.clip(exact, 0, _MOST) / _STEP)
    return visit | {"burden": round(burden, 4), "score": float(score)}
