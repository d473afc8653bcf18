"""From a network's raw outputs to scores: the one place where it is done."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, softmax

from clinicadl_trust.exceptions import PredictionsError, did_you_mean

__all__ = ["activate"]

_PROBABILITY = "probability"
_ACTIVATIONS = {
    "BCEWithLogitsLoss": "sigmoid",
    "CrossEntropyLoss": "softmax",
    "NLLLoss": "exponential",
    "MultiMarginLoss": "softmax",
    "BCELoss": _PROBABILITY,
    "L1Loss": "identity",
    "MSELoss": "identity",
    "HuberLoss": "identity",
    "SmoothL1Loss": "identity",
    "KLDivLoss": "exponential",
}


def activate(outputs: np.ndarray, activation: str) -> np.ndarray:
    """Turn a network's raw outputs into scores, the one place where it is done.

    Parameters
    ----------
    outputs : numpy.ndarray of shape (n_images, n_outputs)
        Raw outputs.
    activation : str
        ``sigmoid``, ``softmax``, ``exponential``, ``probability`` or ``identity``,
        or the name of a ClinicaDL loss that implies one.

    Returns
    -------
    numpy.ndarray of shape (n_images, n_outputs)
        Probabilities, or values for ``identity``.

    Raises
    ------
    PredictionsError
        If the activation is unknown, or an output is not finite.
    """
    outputs = np.asarray(outputs, dtype=float)
    kind = _ACTIVATIONS.get(activation, activation)
    if not np.isfinite(outputs).all():
        bad = int((~np.isfinite(outputs)).any(axis=-1).sum())
        raise PredictionsError(
            f"{bad} of {len(outputs)} predictions are not finite: the model diverged. "
            "Lower the learning rate, or clip gradients."
        )
    if kind == "sigmoid":
        return expit(outputs)
    if kind == "softmax":
        return softmax(outputs, axis=1)
    if kind == "exponential":
        return np.exp(outputs)
    if kind in ("identity", _PROBABILITY):
        return outputs
    known = sorted({*_ACTIVATIONS, *_ACTIVATIONS.values()})
    raise PredictionsError(
        f"No activation is known for '{activation}'.{did_you_mean(activation, known)}"
    )
