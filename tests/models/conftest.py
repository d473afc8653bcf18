"""Fixtures of the tests of runs: what is trained is trained once."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def image(caps_options):
    """The image type of ``caps_dir``."""
    from clinicadl_trust.generate import image_type

    return image_type(caps_options)


@pytest.fixture(scope="session")
def runs_dir(tmp_path_factory):
    """Where runs and their shared cache go."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def spec(caps_dir, cohort, image, runs_dir):
    """A small run on ``caps_dir``, not done yet."""
    from trainer_runs import make_spec

    return make_spec(caps_dir, cohort, image, runs_dir)


@pytest.fixture(scope="session")
def regression(spec):
    """The MAPS of a regression, made of ClinicaDL's classes only."""
    from dataclasses import replace

    from trainer_runs import CONFIG, change

    from clinicadl_trust.models.run import run

    config = change(CONFIG, training={"epochs": 1})
    output = spec.output.with_name("age")
    task = spec.cohort.task("age")
    return run(replace(spec, task=task, config=config, output=output))


@pytest.fixture(scope="session")
def finished(spec):
    """The MAPS of ``spec``, run without interruption."""
    from clinicadl_trust.models.run import run

    return run(spec)
