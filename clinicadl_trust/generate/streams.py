"""Random numbers that depend on a name, never on the order of the work.

Everything random in a generated cohort is drawn from the stream of what it
belongs to: a scanner, a participant's anatomy, a session's noise. So one image is
the same whichever process makes it, and the label of a participant, drawn from a
stream of its own, moves no other number.
"""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["stream"]


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of the random numbers that belong to a name.

    Parameters
    ----------
    seed : int
        The seed of the whole cohort, 0 or more.
    *names : str or int
        What the numbers are for, for example ``"noise", "sub-0001", "ses-M000"``.

    Returns
    -------
    numpy.random.Generator
        A fresh generator at the start of that stream.
    """
    # A hash, because SeedSequence takes integers and Python's own hash() of a
    # text differs from one process to the next.
    digest = hashlib.sha256("\0".join(map(str, names)).encode()).digest()
    words = np.frombuffer(digest[:16], dtype="<u4")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))
