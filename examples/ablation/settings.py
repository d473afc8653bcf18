"""What is compared: a constraint without remedies, with each, and with all of them."""

from __future__ import annotations

from typing import Any

__all__ = ["SETTINGS"]

#: Weights were chosen on a seed that is not among those compared.
_WEIGHT, _BALANCED = 3.0, 0.3
#: Steps, of the 64 of a training of 8 epochs.
_WARMUP, _ANNEAL = 20, 50
_CLIP = 1.0
_WAIT = 0.6

_SCALED = {"name": "HealthyGradient", "mode": "supervised", "weight": _WEIGHT}
_RAW = {**_SCALED, "scale": "none"}
_UNSUPERVISED = {"name": "HealthyGradient"}
_NOTHING = {**_SCALED, "weight": 0}
_EXPECTED = {**_SCALED, "method": "expected_gradients", "baselines": "rolled"}
_INTEGRATED = {**_SCALED, "method": "integrated_gradients", "n_samples": 2}


def _host(*constraints: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"constraints": constraints, "smooth": False, "wait": 0.0, **options}


def _smooth(*constraints: dict[str, Any], **options: Any) -> dict[str, Any]:
    chosen = {"smooth": True, "wait": 0.0, **options}
    return {"constraints": constraints or (_SCALED,), **chosen}


#: Name to the options of the model; ``clip``, ``epochs`` and ``start``, which is added
#: to the seed of the initial weights, are of the training.
SETTINGS: dict[str, dict[str, Any]] = {
    "unconstrained": _host(_NOTHING),
    "unconstrained, smooth": _smooth(_NOTHING),
    "no remedy": _host(_RAW),
    "rescaling": _host(_SCALED),
    "smooth": _smooth(_RAW),
    "smooth, rescaling": _smooth(),
    "+ waiting": _smooth(wait=_WAIT),
    "+ warm-up": _smooth(warmup=_WARMUP),
    "+ annealing": _smooth(anneal=_ANNEAL),
    "+ balance": _smooth({**_SCALED, "weight": _BALANCED}, balance=True),
    "+ clipping": _smooth(clip=_CLIP),
    "all": _smooth(
        {**_SCALED, "weight": _BALANCED},
        warmup=_WARMUP,
        anneal=_ANNEAL,
        balance=True,
        clip=_CLIP,
    ),
    "every 4 steps": _smooth(every=4),
    "expected gradients": _smooth(_EXPECTED),
    "expected gradients, half of the images": _smooth({**_EXPECTED, "fraction": 0.5}),
    "expected gradients, 4 samples": _smooth({**_EXPECTED, "n_samples": 4}),
    "integrated and expected": _smooth(
        {**_EXPECTED, "label": "EG", "weight": _WEIGHT / 2},
        {**_INTEGRATED, "label": "IG", "weight": _WEIGHT / 2},
    ),
    "constraint alone": _smooth(loss_weight=0.0),
    "unsupervised": _smooth(_UNSUPERVISED),
    "unsupervised, 12 epochs": _smooth(_UNSUPERVISED, epochs=12),
    "unsupervised, 12 epochs, waiting": _smooth(_UNSUPERVISED, epochs=12, wait=_WAIT),
    "unsupervised, 12 epochs, balance": _smooth(
        {**_UNSUPERVISED, "weight": 0.1}, balance=True, epochs=12
    ),
    "unconstrained, smooth, another start, 12 epochs": _smooth(
        _NOTHING, epochs=12, start=1000
    ),
}
