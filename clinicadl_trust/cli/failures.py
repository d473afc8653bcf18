"""What a user reads when a command fails: one message, or a bug to report."""

from __future__ import annotations

import errno
import platform
import sys
import traceback
from typing import IO, Any

import click

from clinicadl_trust import __version__
from clinicadl_trust.exceptions import TrustError

__all__ = ["Failure", "explain"]

_REMEDIES = {
    errno.EACCES: "Ask for the right to use it, or choose another place.",
    errno.EPERM: "Ask for the right to use it, or choose another place.",
    errno.EROFS: "That disk cannot be written to: choose another place.",
    errno.ENOSPC: "The disk is full: free some space, then try again.",
    errno.EFBIG: "The file is too large for that disk or your limit (ulimit -f): "
    "choose another place, or raise the limit.",
    errno.ENOTEMPTY: "Choose another name, or remove what is there.",
    errno.EDQUOT: "Your quota is used up: free some space, then try again.",
    errno.ENOENT: "Check the path.",
    errno.EEXIST: "Choose another name, or remove what is there.",
    errno.ENOTDIR: "A file stands where a folder is needed: check the path.",
    errno.EISDIR: "A folder stands where a file is needed: check the path.",
    errno.EMFILE: "Allow more open files (ulimit -n), then try again.",
}


class Failure(click.ClickException):
    """A failed command: its cause explained, exit code 1.

    Parameters
    ----------
    cause : BaseException
        What was raised.
    debug : bool
        Show the traceback even where the message says all.
    owner : str
        The distribution whose command failed, to be told of a bug.
    """

    def __init__(self, cause: BaseException, debug: bool, owner: str) -> None:
        explained = explain(cause)
        super().__init__(explained or _bug(owner))
        self.cause = cause
        self.traced = debug or explained is None

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message, below the traceback if there is one to show."""
        if self.traced:
            lines = traceback.format_exception(self.cause)
            click.echo("".join(lines), err=True, nl=False, file=file)
        click.secho(f"Error: {self.message}", err=True, fg="red", file=file)


def explain(cause: BaseException) -> str | None:
    """Return what to tell the user, None when the cause is a bug.

    Parameters
    ----------
    cause : BaseException
        What was raised.

    Returns
    -------
    str or None
        The message of a ``TrustError``, the path and remedy of an error of the disk,
        or what an interruption means.
    """
    if isinstance(cause, TrustError):
        return str(cause)
    if isinstance(cause, KeyboardInterrupt):
        return (
            "Interrupted. What was complete is kept; the same command, given again, "
            "goes on from there."
        )
    if isinstance(cause, MemoryError):
        return (
            "The memory is full. Use a smaller batch, fewer jobs or a coarser "
            "resolution."
        )
    if isinstance(cause, OSError) and cause.errno in _REMEDIES:
        where = f": '{cause.filename}'" if cause.filename else ""
        return f"{cause.strerror}{where}. {_REMEDIES[cause.errno]}"
    return None


def _bug(owner: str) -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"The lines above are a bug in {owner}, not a mistake of yours. Please send "
        "them to its authors with the command you gave (clinicadl-trust "
        f"{__version__}, Python {version}, {platform.system()})."
    )
