"""One thread for small matrices: to share them costs more than the work."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def one_thread(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let the linear algebra of a function run in one thread.

    A fit makes thousands of products and factorisations of small matrices. On two
    processors they took three times as long with two threads as with one.

    Parameters
    ----------
    function : callable
        What fits.
    """

    @wraps(function)
    def inner(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with _controller().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return inner


@cache
def _controller() -> ThreadpoolController:
    """Find the libraries once; numpy and scipy have loaded theirs by now."""
    return ThreadpoolController()
