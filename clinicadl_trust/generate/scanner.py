"""How a scanner shows a brain: contrast, gain, bias field, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinicadl_trust.generate.brain import TISSUES, Brain
from clinicadl_trust.generate.deformation import Lattice
from clinicadl_trust.generate.grid import Grid
from clinicadl_trust.generate.options import GeneratorOptions
from clinicadl_trust.generate.streams import stream

__all__ = ["CONTRAST", "Scanner", "acquire", "draw_scanner"]

#: Intensity of each tissue, white matter's being 1; ``detail`` says how much of the
#: template's fine T1w structure shows.
CONTRAST = {
    "T1w": {
        "csf": 0.27,
        "gm": 0.72,
        "wm": 1.0,
        "lesion": 0.66,
        "bone": 0.16,
        "scalp": 1.05,
        "detail": 1.0,
    },
    "FLAIR": {
        "csf": 0.18,
        "gm": 1.2,
        "wm": 1.0,
        "lesion": 1.75,
        "bone": 0.14,
        "scalp": 0.8,
        "detail": -0.4,
    },
}

#: Stored intensity of white matter.
_WHITE = 1000.0

_BIAS = Lattice(90.0)


@dataclass(frozen=True)
class Scanner:
    """An intensity profile.

    Attributes
    ----------
    gain, gamma : float
        White matter's intensity, and the bend of the curve, 1 being neutral.
    bias : numpy.ndarray
        Knots of the logarithm of what bias correction left.
    noise : float
        Standard deviation of the noise, white matter being 1.
    """

    gain: float
    gamma: float
    bias: np.ndarray
    noise: float


def draw_scanner(
    name: str, site: str, dataset: str, options: GeneratorOptions
) -> Scanner:
    """Draw a scanner: part of its profile is its study's, part its site's."""
    gain = gamma = 0.0
    for level, label in (("dataset", dataset), ("site", site), ("scanner", name)):
        rng = stream(options.seed, "profile", level, label)
        gain += rng.normal(0, 0.06)
        gamma += rng.normal(0, 0.05)
    rng = stream(options.seed, "coil", name)
    bias = rng.normal(0, 0.12, _BIAS.shape)
    noise = 0.03 * np.exp(options.site_effect * rng.normal(0, 0.25))
    return Scanner(
        gain=float(np.exp(options.site_effect * gain)),
        gamma=float(np.exp(options.site_effect * gamma)),
        bias=options.site_effect * bias,
        noise=float(noise * options.noise),
    )


def acquire(
    brain: Brain,
    contrast: np.ndarray,
    scanner: Scanner,
    modality: str,
    grid: Grid,
    rng: np.random.Generator,
) -> np.ndarray:
    """Scan a brain.

    Parameters
    ----------
    brain : Brain
        What each voxel is made of.
    contrast : numpy.ndarray, shape (len(TISSUES),)
        The person's own factors.
    scanner : Scanner
        The machine.
    modality : {"T1w", "FLAIR"}
        The sequence.
    grid : Grid
        The voxels.
    rng : numpy.random.Generator
        The visit's stream.

    Returns
    -------
    numpy.ndarray of int16, shape ``grid.shape``
        With Rician noise, white matter at about 1000.
    """
    ideal = sum(
        np.float32(CONTRAST[modality][name] * factor) * brain.tissues[name]
        for name, factor in zip(TISSUES, contrast, strict=True)
    )
    drift = rng.normal(0, 0.02)
    bias = _BIAS.evaluate(scanner.bias + rng.normal(0, 0.02, _BIAS.shape), grid)
    signal = np.clip(ideal, 0, None) ** np.float32(scanner.gamma)
    signal = signal * np.exp(bias + np.float32(drift)) * np.float32(scanner.gain)
    real, imaginary = rng.standard_normal((2, *grid.shape), dtype=np.float32)
    sd = np.float32(scanner.noise)
    noisy = np.hypot(signal + sd * real, sd * imaginary)
    return np.rint(np.clip(noisy * _WHITE, 0, 32767)).astype(np.int16)
