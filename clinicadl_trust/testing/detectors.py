"""The contract of an outlier detector."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinicadl_trust.testing.contract import ContractError, make_example, require

__all__ = ["check_detector"]


def check_detector(cls: type, example: Any = None) -> None:
    """Check that a class keeps the contract of an outlier detector.

    As in scikit-learn, larger scores are more normal, and ``decision_function`` is
    negative for what ``predict`` calls an outlier.

    Parameters
    ----------
    cls : type
        A scikit-learn estimator.
    example : object, optional
        An instance; by default one made of defaults.

    Raises
    ------
    ContractError
        Naming what is broken and how to mend it. It is an ``AssertionError``.
    """
    from sklearn.base import clone

    detector = make_example(cls, example)
    for name in ("fit", "score_samples", "decision_function", "predict"):
        require(
            callable(getattr(detector, name, None)),
            f"{cls.__name__} has no {name}. Derive it from sklearn.base.OutlierMixin "
            "and BaseEstimator.",
        )
    rng = np.random.default_rng(0)
    normal, far = rng.normal(size=(200, 3)), np.full((5, 3), 8.0)
    try:
        fitted = clone(detector).fit(normal)
        scores = fitted.score_samples(np.vstack([normal, far]))
        decision = fitted.decision_function(np.vstack([normal, far]))
        predicted = fitted.predict(np.vstack([normal, far]))
    except Exception as error:
        raise ContractError(
            f"{cls.__name__} cannot be cloned, fitted and scored: "
            f"{type(error).__name__}: {error}"
        ) from error
    require(
        np.shape(scores) == (205,) and np.median(scores[:200]) > np.max(scores[200:]),
        f"{cls.__name__}.score_samples must give one score an image, lower for what is "
        "abnormal.",
    )
    require(
        np.array_equal(np.asarray(predicted) == -1, np.asarray(decision) < 0),
        f"{cls.__name__}.predict must be -1 where decision_function is negative.",
    )
