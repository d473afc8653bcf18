"""A constrained model through the Trainer: masks, logs, resuming, reopening."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from clinicadl.train import Trainer
from killed_runs import killed_and_resumed, same_as
from trainer_runs import CONFIG, change, make_spec, records

from clinicadl_trust.attribution import AttributionConstrainedModel
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.generate import mask_type
from clinicadl_trust.models.run import run


@pytest.fixture(scope="module")
def config(caps_options):
    source = mask_type(caps_options)
    return change(
        CONFIG,
        model={
            "name": "AttributionConstrainedModel",
            "mask_key": "truth",
            "warmup": 2,
            "anneal": 3,
            "balance": True,
            "constraints": [
                {"name": "HealthyGradient", "mode": "supervised", "weight": 0.1},
                {
                    "name": "TotalVariation",
                    "label": "Smoothness",
                    "method": "expected_gradients",
                    "baselines": "healthy",
                    "weight": 0.01,
                },
            ],
        },
        masks={
            "truth": {
                "data_type": source.data_type,
                "suffix": source.suffix,
                "with_entities": dict(source.with_entities),
            }
        },
    )


@pytest.fixture(scope="module")
def spec(caps_dir, cohort, image, config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("constrained")
    return make_spec(caps_dir, cohort, image, folder, config=config)


@pytest.fixture(scope="module")
def finished(spec):
    return run(spec)


def test_every_term_is_in_the_logs(finished):
    (log,) = finished.glob("training/split-1/logs/training_loss.tsv")
    table = pd.read_csv(log, sep="\t")
    assert {"loss", "HealthyGradient", "Smoothness"} <= {*table.columns}
    for name in ("HealthyGradient", "Smoothness"):
        assert table[name].iloc[0] == 0  # it waits
        assert (table[name] > 0).any()
    assert (records(finished) / "predictions_test.tsv").is_file()


def test_it_reopens(finished):
    trainer = Trainer.from_maps(finished)
    assert isinstance(trainer.model, AttributionConstrainedModel)
    assert [term.name for term in trainer.model.terms] == [
        "HealthyGradient",
        "Smoothness",
    ]
    assert trainer.model.config.balance and trainer.model.config.anneal == 3


def test_every_term_is_in_the_progress(spec, tmp_path, caplog):
    heard = []
    run(
        replace(spec, output=tmp_path / "maps"),
        progress=lambda done, phrase: heard.append(phrase),
    )
    shown = r"epoch \d of at most 3, loss [\d.e-]+, HealthyGradient [\d.e-]+, Smooth"
    assert sum(re.match(shown, phrase) is not None for phrase in heard) == 3
    assert "the constraints had 0.0" in caplog.text  # they still wait


def test_killed_and_resumed_it_ends_the_same(monkeypatch, spec, finished, tmp_path):
    again = killed_and_resumed(monkeypatch, spec, tmp_path / "maps")
    assert same_as(again, finished)


def test_a_mask_that_is_not_listed_is_told(spec, config, tmp_path):
    wrong = change(config, model={**config["model"], "mask_key": "thruth"})
    with pytest.raises(ConfigError, match="Did you mean 'truth'"):
        run(replace(spec, config=wrong, output=tmp_path / "maps"))
