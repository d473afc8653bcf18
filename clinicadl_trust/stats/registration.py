"""How far two affine registrations put the voxels of the brain apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clinicadl_trust.exceptions import StatisticsError

__all__ = ["registration_error"]


def registration_error(
    estimated: npt.ArrayLike,
    true: npt.ArrayLike,
    mask: npt.ArrayLike,
    affine: npt.ArrayLike,
) -> np.ndarray:
    """Return the mean distance between where two affines bring each voxel of a mask.

    Parameters
    ----------
    estimated, true : array-like of shape (4, 4) or (n_images, 4, 4)
        From world to world, in mm.
    mask : array-like of shape (x, y, z)
        Other than zero where a voxel counts, before it is moved.
    affine : array-like of shape (4, 4)
        From the mask's voxels to world, in mm.

    Returns
    -------
    numpy.ndarray of shape () or (n_images,)
        In mm; 0 where both are the same.

    Raises
    ------
    StatisticsError
        If a matrix is no finite affine, or no voxel counts.

    See Also
    --------
    clinicadl_trust.generate.affine_matrix
        From twelve parameters to a matrix.

    Notes
    -----
    ``mean_x |E x - T x|`` over the voxels' centres x. Jenkinson (1999), FMRIB Technical
    Report TR99MJ1, takes the root mean square of the same distances over a sphere,
    which has a closed form; the mean over a mask weighs far voxels less and counts
    the brain alone.
    """
    first, second = (_affines(each) for each in (estimated, true))
    inside = np.argwhere(np.asarray(mask))
    if not len(inside):
        raise StatisticsError(
            "The mask is empty: there is no voxel to measure a distance at. Give the "
            "brain's."
        )
    points = np.column_stack([inside, np.ones(len(inside))]) @ _affines(affine).T
    apart = points @ np.swapaxes(first - second, -1, -2)
    return np.linalg.norm(apart[..., :3], axis=-1).mean(axis=-1)


def _affines(values: npt.ArrayLike) -> np.ndarray:
    matrices = np.asarray(values, dtype=float)
    ok = matrices.ndim >= 2 and matrices.shape[-2:] == (4, 4)
    if not ok or not np.isfinite(matrices).all() or (matrices[..., 3, :3] != 0).any():
        raise StatisticsError(
            "An affine is a finite 4x4 matrix whose last row is 0, 0, 0, 1; got "
            f"{matrices.tolist() if matrices.size < 40 else matrices.shape}."
        )
    return matrices
