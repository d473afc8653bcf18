"""Draw, analyse and count, in several processes."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.trust_check.measurement import Measurement, Tally, TrustCheck
from clinicadl_trust.trust_check.scenario import Procedure, Scenario, Setting
from clinicadl_trust.trust_check.scenarios import choose_scenarios

__all__ = ["Progress", "run_trust_check"]

#: Told the scenario, the setting, and the share of all work that is done.
Progress = Callable[[str, str, float], None]

#: Replicates drawn from one seed: the unit of work, the same for any number of jobs.
_BLOCK = 25

#: Scenario, number of the setting, number of the block, replicates.
_Task = tuple[str, int, int, int]


def run_trust_check(
    names: Sequence[str] = (),
    *,
    replicates: int = 1000,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> TrustCheck:
    """Measure how often procedures are right, ours and naive ones.

    Parameters
    ----------
    names : sequence of str
        Scenarios; all of them by default.
    replicates : int
        Data sets drawn per setting.
    seed : int
        The same seed gives the same numbers, whatever ``n_jobs``.
    n_jobs : int
        Processes.
    progress : callable, optional
        Called after each block of replicates.

    Returns
    -------
    TrustCheck
        When interrupted from the keyboard, the settings that were finished.

    Raises
    ------
    StatisticsError
        If a scenario is unknown, or a number is less than 1.
    """
    for name, number in (("replicates", replicates), ("n_jobs", n_jobs)):
        if number < 1:
            raise StatisticsError(f"{name}={number} is too few: give 1 or more.")
    scenarios = choose_scenarios(names)
    tasks = [
        (scenario.name, place, block, min(_BLOCK, replicates - start))
        for scenario in scenarios
        for place in range(len(scenario.settings))
        for block, start in enumerate(range(0, replicates, _BLOCK))
    ]
    counted: dict[tuple[str, int], list[Tally]] = {}
    left = dict.fromkeys(((t[0], t[1]) for t in tasks), 0)
    for task in tasks:
        left[task[0], task[1]] += 1
    is_complete = True
    try:
        for done, (task, tallies) in enumerate(_work(tasks, seed, n_jobs), start=1):
            _collect(counted, left, task, tallies)
            if progress is not None:
                setting = _setting(task[0], task[1])
                progress(task[0], setting.title, done / len(tasks))
    except KeyboardInterrupt:
        is_complete = False
    made = tuple(
        measurement
        for scenario in scenarios
        for place, setting in enumerate(scenario.settings)
        if left[scenario.name, place] == 0
        for measurement in _judge(scenario, setting, counted[scenario.name, place])
    )
    return TrustCheck(made, replicates, seed, is_complete)


def _collect(
    counted: dict[tuple[str, int], list[Tally]],
    left: dict[tuple[str, int], int],
    task: _Task,
    tallies: list[Tally],
) -> None:
    key = task[0], task[1]
    left[key] -= 1
    if key not in counted:
        counted[key] = tallies
        return
    for sum_, part in zip(counted[key], tallies, strict=True):
        sum_.add(part)


def _judge(
    scenario: Scenario, setting: Setting, tallies: list[Tally]
) -> Iterator[Measurement]:
    for procedure, tally in zip(setting.procedures, tallies, strict=True):
        names = scenario.name, setting.title, procedure.name
        yield Measurement.of(names, setting.kind, procedure.naive, tally)


def _work(
    tasks: list[_Task], seed: int, n_jobs: int
) -> Iterator[tuple[_Task, list[Tally]]]:
    if n_jobs == 1:
        for task in tasks:
            yield _block(task, seed)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    yield from parallel(delayed(_block)(task, seed) for task in tasks)


def _setting(scenario: str, place: int) -> Setting:
    return choose_scenarios([scenario])[0].settings[place]


def _block(task: _Task, seed: int) -> tuple[_Task, list[Tally]]:
    """Draw and analyse some replicates, from a seed that is theirs alone."""
    name, place, block, size = task
    setting = _setting(name, place)
    # Of the names, so that a setting's numbers do not depend on which others are run.
    key = zlib.crc32(f"{name}/{setting.title}".encode())
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key, block)))
    tallies = [Tally() for _ in setting.procedures]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _ in range(size):
            try:
                data = setting.draw(rng)
            except StatisticsError:  # some draw what they analyse
                for tally in tallies:
                    tally.refusals += 1
                continue
            for procedure, tally in zip(setting.procedures, tallies, strict=True):
                _count(setting, procedure, data, tally)
    return task, tallies


def _count(setting: Setting, procedure: Procedure, data: object, tally: Tally) -> None:
    try:
        hit, label = setting.hit(procedure, data)
    except StatisticsError:
        hit, label = None, None
    if hit is None:
        tally.refusals += 1
        return
    tally.answers += 1
    tally.hits += hit
    if label is not None:
        tally.labels[label] += 1
