from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from clinicadl_trust.benchmark import execution
from clinicadl_trust.benchmark import run as benchmark_run
from clinicadl_trust.benchmark.workers import Workers


class Here(Workers):
    """Does at once, in this process, what workers are asked."""

    def submit(self, function: Callable, *args, **kwargs) -> Future:
        future: Future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def working_here():
    """Have benchmarks work in this process: a worker imports torch for seconds.

    What workers are and how they end is tested in ``test_workers.py``, and whole
    benchmarks by them in ``test_whole_benchmark.py`` and ``test_chance.py``.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark_run, "Workers", Here)
        patch.setattr(execution, "settle", lambda directory: None)
        yield


@pytest.fixture
def here():
    with working_here():
        yield


@pytest.fixture(scope="module")
def module_here():
    with working_here():
        yield
