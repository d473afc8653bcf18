"""The affine that a head is moved by: twelve parameters and their matrix.

A point ``x`` of the head (mm, world space) comes to lie at::

    y = c + t + R Z H (x - c)

with ``c`` the centre of the field of view, ``t`` the translation, ``R`` the rotation
about the fixed axes x, then y, then z, ``Z`` the zooms and ``H`` the shears, an upper
triangular matrix with ones on its diagonal. Every matrix that keeps left and right
apart has exactly one such set of parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.generate.grid import CROP_ORIGIN, CROP_SHAPE

__all__ = ["AFFINE_PARAMETERS", "affine_matrix", "affine_parameters", "draw_affine"]

#: Columns of ``participants.tsv``: translations in mm, rotations in degrees,
#: logarithms of the zooms, shears.
AFFINE_PARAMETERS = (
    *("affine_tx", "affine_ty", "affine_tz"),
    *("affine_rx", "affine_ry", "affine_rz"),
    *("affine_zx", "affine_zy", "affine_zz"),
    *("affine_hxy", "affine_hxz", "affine_hyz"),
)

#: The point that rotations, zooms and shears leave where it is, in mm.
CENTRE = tuple(o + (n - 1) / 2 for o, n in zip(CROP_ORIGIN, CROP_SHAPE, strict=True))

#: Standard deviations at size 1, and how many of them a draw may reach.
_SD = np.repeat([5.0, 5.0, 0.05, 0.05], 3)
_REACH = 2.0


def affine_matrix(parameters: Sequence[float] | Mapping[str, float]) -> np.ndarray:
    """Return the matrix of twelve parameters.

    Parameters
    ----------
    parameters : sequence or mapping of float
        In the order of, or named as, ``AFFINE_PARAMETERS``: translations in mm,
        rotations in degrees, logarithms of the zooms, shears.

    Returns
    -------
    numpy.ndarray, shape (4, 4)
        From world to world, in mm: where a point of the unmoved head comes to lie.

    Raises
    ------
    ConfigError
        If they are not twelve finite numbers.
    """
    from scipy.spatial.transform import Rotation

    if isinstance(parameters, Mapping):
        parameters = [parameters[name] for name in AFFINE_PARAMETERS]
    values = np.asarray(parameters, dtype=float)
    if values.shape != (12,) or not np.isfinite(values).all():
        raise ConfigError(
            f"An affine has 12 finite parameters ({', '.join(AFFINE_PARAMETERS)}); "
            f"got {values.tolist()}."
        )
    shift, angles, zooms, shears = values.reshape(4, 3)
    triangle = np.eye(3)
    triangle[np.triu_indices(3, 1)] = shears
    rotation = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = rotation @ np.diag(np.exp(zooms)) @ triangle
    matrix[:3, 3] = CENTRE + shift - matrix[:3, :3] @ CENTRE
    return matrix


def affine_parameters(matrix: np.ndarray) -> np.ndarray:
    """Return the twelve parameters of a matrix, the inverse of ``affine_matrix``.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (4, 4)
        From world to world, in mm.

    Returns
    -------
    numpy.ndarray, shape (12,)
        In the order and the units of ``AFFINE_PARAMETERS``.

    Raises
    ------
    ConfigError
        If it is no invertible affine, or turns left into right.
    """
    from scipy.spatial.transform import Rotation

    matrix = np.asarray(matrix, dtype=float)
    last = [0.0, 0.0, 0.0, 1.0]
    if matrix.shape != (4, 4) or not np.array_equal(matrix[3], last):
        raise ConfigError(
            f"An affine is a 4x4 matrix whose last row is {last}; got "
            f"{matrix.tolist()}."
        )
    linear = matrix[:3, :3]
    if not np.linalg.det(linear) > 0:
        raise ConfigError(
            "The affine is singular or turns left into right (determinant "
            f"{np.linalg.det(linear):.3g}): it has no such parameters."
        )
    rotation, upper = np.linalg.qr(linear)
    # QR is unique up to signs; zooms are positive.
    signs = np.sign(np.diag(upper))
    rotation, upper = rotation * signs, upper * signs[:, None]
    zooms = np.diag(upper)
    shears = (upper / zooms[:, None])[np.triu_indices(3, 1)]
    shift = matrix[:3, 3] - CENTRE + linear @ CENTRE
    angles = Rotation.from_matrix(rotation).as_euler("xyz", degrees=True)
    return np.concatenate([shift, angles, np.log(zooms), shears])


def draw_affine(rng: np.random.Generator, size: float) -> np.ndarray:
    """Draw an affine.

    Parameters
    ----------
    rng : numpy.random.Generator
        The visit's stream.
    size : float
        Of the standard deviations: at 1, 5 mm, 5 degrees, zooms of 5 % and shears
        of 0.05. No draw is beyond two of them.

    Returns
    -------
    numpy.ndarray, shape (12,)
        See ``AFFINE_PARAMETERS``.
    """
    return size * _SD * np.clip(rng.standard_normal(12), -_REACH, _REACH)
