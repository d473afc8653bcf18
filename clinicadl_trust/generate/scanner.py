"""How a scanner shows a head: contrast, gain, bias field, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinicadl_trust.generate.deformation import Lattice
from clinicadl_trust.generate.head import Head
from clinicadl_trust.generate.options import GeneratorOptions
from clinicadl_trust.generate.person import Person
from clinicadl_trust.generate.streams import stream

__all__ = ["CONTRAST", "WHITE_MATTER", "Scanner", "acquire", "draw_scanner"]

#: Intensity of each tissue, white matter's being 1; of ``detail``, how much of the
#: template's fine T1w structure shows.
CONTRAST = {
    "T1w": {
        "csf": 0.27,
        "gm": 0.72,
        "wm": 1.0,
        "lesion": 0.66,
        "bone": 0.16,
        "muscle": 0.5,
        "scalp": 1.05,
        "detail": 1.0,
    },
    "FLAIR": {
        "csf": 0.18,
        "gm": 1.2,
        "wm": 1.0,
        "lesion": 1.75,
        "bone": 0.14,
        "muscle": 0.45,
        "scalp": 0.8,
        "detail": -0.4,
    },
}

#: Stored intensity of white matter in a neutral scanner.
WHITE_MATTER = 1000

_BIAS = Lattice(90.0)


@dataclass(frozen=True)
class Scanner:
    """An intensity profile.

    Attributes
    ----------
    gain, gamma : float
        White matter's intensity, and the bend of the intensity curve; 1 is neutral.
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
    scanner: str, site: str, dataset: str, options: GeneratorOptions
) -> Scanner:
    """Draw a scanner: part of its profile is its study's, part its site's."""
    gain = gamma = 0.0
    for level in (dataset, site, scanner):
        rng = stream(options.seed, "profile", level)
        gain += rng.normal(0, 0.06)
        gamma += rng.normal(0, 0.05)
    rng = stream(options.seed, "coil", scanner)
    bias = rng.normal(0, 0.12, _BIAS.shape)
    noise = 0.03 * np.exp(options.site_effect * rng.normal(0, 0.25))
    return Scanner(
        gain=float(np.exp(options.site_effect * gain)),
        gamma=float(np.exp(options.site_effect * gamma)),
        bias=options.site_effect * bias,
        noise=float(noise * options.noise),
    )


def acquire(
    head: Head,
    person: Person,
    scanner: Scanner,
    modality: str,
    rng: np.random.Generator,
    *,
    added: np.ndarray | None = None,
) -> np.ndarray:
    """Scan a head.

    Parameters
    ----------
    head : Head
        What each voxel is made of.
    person : Person
        Whose tissues have their own intensity.
    scanner : Scanner
        The machine.
    modality : {"T1w", "FLAIR"}
        The sequence.
    rng : numpy.random.Generator
        The visit's stream.
    added : numpy.ndarray, shape ``head.grid.shape``, optional
        Intensity of what is no tissue, white matter's being 1.

    Returns
    -------
    numpy.ndarray of int16, shape ``head.grid.shape``
        With Rician noise, white matter at about ``WHITE_MATTER``.
    """
    ideal = np.zeros(head.grid.shape, dtype=np.float32)
    for name, level in CONTRAST[modality].items():
        ideal += np.float32(level * person.contrast.get(name, 1.0)) * head.tissues[name]
    if added is not None:
        ideal += added
    drift = np.float32(rng.normal(0, 0.02))
    bias = _BIAS.evaluate(scanner.bias + rng.normal(0, 0.02, _BIAS.shape), head.grid)
    curved = np.clip(ideal, 0, None) ** np.float32(scanner.gamma)
    signal = curved * np.exp(bias + drift) * np.float32(scanner.gain)
    real, imaginary = np.float32(scanner.noise) * rng.standard_normal(
        (2, *head.grid.shape), dtype=np.float32
    )
    volume = WHITE_MATTER * np.hypot(signal + real, imaginary)
    return np.rint(np.clip(volume, 0, np.iinfo(np.int16).max)).astype(np.int16)
