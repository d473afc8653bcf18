"""What goes with the label and is not the disease: a mark, or a pattern.

The *mark* is a bright capsule taped to the skin, outside the brain, such as is used
to tell left from right. The *pattern* is a smooth brightening inside the
cerebellum, where no lesion is ever planted.
"""

from __future__ import annotations

import numpy as np

from clinicadl_trust.generate.options import GeneratorOptions
from clinicadl_trust.generate.placement import Placement, occupied
from clinicadl_trust.generate.streams import stream

__all__ = ["brightness", "confounder_share", "draw_confounder"]

#: Centre in the template and radius, in mm, and intensity at strength 1, white
#: matter's being 1.
_MARK = ((48.0, 56.0, 49.0), 9.0, 1.5)
_PATTERN = ((26.0, -64.0, -38.0), 22.0, 0.35)


def draw_confounder(
    participant_id: str, is_patient: bool, options: GeneratorOptions
) -> dict[str, bool]:
    """Draw whether a participant has the confounder.

    Parameters
    ----------
    participant_id : str
        Whose stream to draw from.
    is_patient : bool
        The label.
    options : GeneratorOptions
        With ``confounder_association``: patients have the confounder with
        probability ``(1 + association) / 2``, controls with ``(1 - association) / 2``.

    Returns
    -------
    dict of str to bool
        ``confounder``: in the image; ``unconfounded``: in the other one, where a fair
        coin decides.
    """
    draw, coin = stream(options.seed, "confounder", participant_id).random(2)
    sign = 1 if is_patient else -1
    return {
        "confounder": bool(draw < (1 + sign * options.confounder_association) / 2),
        "unconfounded": bool(coin < 0.5),
    }


def confounder_share(
    placement: Placement,
    brain: np.ndarray,
    changed: np.ndarray,
    options: GeneratorOptions,
) -> np.ndarray | None:
    """Return where a confounder is, or would be.

    Parameters
    ----------
    placement : Placement
        Where the voxels lie in the template: it moves with the head.
    brain : numpy.ndarray of bool, shape (x, y, z)
        The brain mask; the mark is outside, the pattern inside.
    changed : numpy.ndarray, shape (x, y, z)
        Fraction of each voxel that the disease has changed: no pattern there.
    options : GeneratorOptions
        With ``confounder``.

    Returns
    -------
    numpy.ndarray of float32, shape (x, y, z), or None
        From 0 to 1; None without a confounder.
    """
    if options.confounder == "none":
        return None
    is_mark = options.confounder == "mark"
    centre, radius, _ = _MARK if is_mark else _PATTERN
    offset = placement.points - np.reshape(centre, (3, 1, 1, 1)).astype(np.float32)
    distance = np.sqrt(np.sum(offset**2, axis=0))
    if is_mark:
        share = occupied(radius - distance, placement.width) * ~brain
    else:
        share = np.clip(1 - (distance / radius) ** 2, 0, 1) ** 2
        share *= brain & (changed == 0)
    return np.asarray(share, dtype=np.float32)


def brightness(options: GeneratorOptions) -> np.float32:
    """Return what a confounder adds to the intensity, white matter's being 1."""
    *_, level = _MARK if options.confounder == "mark" else _PATTERN
    return np.float32(level * options.confounder_strength)
