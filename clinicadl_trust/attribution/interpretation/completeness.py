"""Whether attributions add up to what they explain."""

from __future__ import annotations

__all__ = ["COMPLETE", "completeness_error"]

#: Methods whose attributions sum to f(x) - f(baseline).
COMPLETE = ("integrated_gradients", "expected_gradients")


def completeness_error(total: float, score: float, reference: float) -> float:
    """Return how far attributions are from adding up to what they explain.

    Parameters
    ----------
    total : float
        The sum of an image's attributions.
    score : float
        f(x), what is explained of it.
    reference : float
        f(x'), of its baseline; its mean over a reference set.

    Returns
    -------
    float
        |total - (score - reference)| / |score - reference|; nan where the image and
        its baseline have one score.

    References
    ----------
    Sundararajan, Taly, Yan (2017), Axiomatic attribution for deep networks, ICML,
    section 3 (completeness).
    """
    difference = score - reference
    if difference == 0:
        return float("nan")
    return abs(total - difference) / abs(difference)
