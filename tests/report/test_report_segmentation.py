"""The report of a segmentation: Dice first, volumes against one another."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.predictions import write_predictions
from clinicadl_trust.report import write_report
from clinicadl_trust.stats import compare, evaluate, write_statistics


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("segmentation")
    rng = np.random.default_rng(0)
    people = np.arange(30)
    ill = people < 20
    parts = []
    for name, gain in (("unet", 0.0), ("attention", 0.2)):
        dice = np.where(ill, rng.uniform(0.2, 0.6, 30) + gain, np.nan)
        volume = np.where(ill, rng.uniform(500, 5000, 30).round(), 0.0)
        parts.append(
            pd.DataFrame(
                {
                    "participant_id": [f"sub-{n:02}" for n in people],
                    "session_id": "ses-M000",
                    "site": [f"site-{n % 2}" for n in people],
                    "split_strategy": "sealed",
                    "model": name,
                    "label": parts[0]["label"] if parts else volume,
                    "score": volume * 0.9 + 20,
                    "dice": dice,
                    "surface_distance": 10 * (1 - dice),
                    "false_positive_volume": np.where(ill, np.nan, 20.0),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    write_predictions(table, folder / "predictions.tsv")
    rows = pd.concat([evaluate(table), compare(table, "dice")], ignore_index=True)
    write_statistics(rows, folder / "statistics.tsv")
    info = {
        "name": "masks",
        "task": {"kind": "segmentation", "label": "lesion", "classes": []},
        "primary_metric": "dice",
        "models": {"unet": {"type": "trainer"}, "attention": {"type": "trainer"}},
        "splits": {"sealed": {"sealed": True, "unit": "participant", "n_folds": 1}},
    }
    (folder / "benchmark.json").write_text(json.dumps(info))
    return re.sub(r"\s+", " ", write_report(folder).read_text())


def test_it_says_what_was_asked(page):
    assert "how well <strong>lesion</strong> can be outlined" in page
    assert "averaged over the people who have lesions" in page
    for title in ("Dice", "Surface distance (mm)", "False positive volume (mm3)"):
        assert title in page


def test_it_speaks_of_no_baseline(page):
    assert "learned anything from the image" not in page
    assert "guesses from age, sex and site, <em>majority" not in page


def test_the_better_model_is_named(page):
    assert re.search(r"attention does better than unet", page)


def test_volumes_are_drawn_against_one_another(page):
    assert "Predicted against true volumes" in page
    assert "Volumes in mm3: 30 scans of 30 participants" in page
