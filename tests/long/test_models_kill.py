"""kill -9 at random moments, again and again until the run is done."""

import multiprocessing
import random
import shutil
import time
from dataclasses import replace

import pytest

pytestmark = pytest.mark.long

REPEATS = 8


@pytest.fixture(scope="module")
def small_spec(tmp_path_factory):
    """A run of five epochs on a generated CAPS at 8 mm."""
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
    from trainer_runs import CONFIG, change, make_spec

    from clinicadl_trust.cohort import read_cohort
    from clinicadl_trust.generate import GeneratorOptions, generate_caps, image_type

    folder = tmp_path_factory.mktemp("killed")
    options = GeneratorOptions(participants=16, sites=2, resolution=8, seed=2)
    caps = generate_caps(folder / "caps", options)
    cohort = read_cohort(caps / "participants.tsv")
    config = change(CONFIG, training={"epochs": 5})
    return make_spec(caps, cohort, image_type(options), folder, config=config)


def _run(spec):
    from clinicadl_trust.models.run import run

    run(spec)


def test_a_run_killed_at_random_moments_ends_as_if_it_had_not_been(small_spec):
    from trainer_runs import records

    from clinicadl_trust.models.run import run

    start = time.monotonic()
    whole = run(small_spec)
    # Images are converted and modules imported now: what is left takes less.
    shutil.rmtree(whole)
    start = time.monotonic()
    whole = run(small_spec)
    length = time.monotonic() - start
    expected = {
        name: (records(whole) / name).read_bytes()
        for name in ("predictions_test.tsv", "predictions_validation.tsv")
    }
    # A forked child has everything imported, so that kills fall into the run itself.
    context = multiprocessing.get_context("fork")
    draw = random.Random(0)
    kills = 0
    for repeat in range(REPEATS):
        spec = replace(small_spec, output=small_spec.output.parent / f"maps-{repeat}")
        for _ in range(100):
            child = context.Process(target=_run, args=(spec,))
            child.start()
            child.join(draw.uniform(0, 0.9 * length))
            if child.exitcode is not None:
                assert child.exitcode == 0
                break
            child.kill()
            child.join()
            kills += 1
        for name, content in expected.items():
            assert (records(spec.output) / name).read_bytes() == content
    assert kills > REPEATS
