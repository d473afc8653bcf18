"""Shares of right answers, one image of each participant."""

from __future__ import annotations

from functools import partial

import numpy as np

from clinicadl_trust.stats import proportion
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]


def _wald(data: tuple[int, int]) -> Answer:
    count, n = data
    share = count / n
    return Answer.around(share, 1.96 * float(np.sqrt(share * (1 - share) / n)))


_PROCEDURES = (
    Procedure("share +- 1.96 standard errors", _wald, True),
    Procedure("proportion: Wilson", lambda d: proportion(*d)),
    Procedure(
        "proportion: Clopper and Pearson",
        lambda d: proportion(d[0], d[1], "clopper-pearson"),
    ),
)


def _draw(rng: np.random.Generator, n: int, share: float) -> tuple[int, int]:
    return int(rng.binomial(n, share)), n


SCENARIO = Scenario(
    name="shares",
    title="A share near 1, or of few participants",
    naive=(
        "A share is given plus and minus 1.96 standard errors. Near 1 the standard "
        "error is itself unknown, and where every answer is right it is 0."
    ),
    ours=(
        "Wilson's interval, or Clopper and Pearson's, which never covers less than it "
        "says."
    ),
    settings=tuple(
        Setting(
            f"{n} participants, share {share:g}",
            partial(_draw, n=n, share=share),
            _PROCEDURES,
            truth=share,
        )
        for n in (20, 50, 200)
        for share in (0.5, 0.8, 0.9, 0.95, 0.98)
    ),
)
