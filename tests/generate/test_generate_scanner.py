import dataclasses

import numpy as np
import pytest
from generate_scene import PERSON, scene

from clinicadl_trust.generate.disease import Lesions
from clinicadl_trust.generate.head import build_head
from clinicadl_trust.generate.options import GeneratorOptions
from clinicadl_trust.generate.scanner import WHITE_MATTER, acquire, draw_scanner
from clinicadl_trust.generate.streams import stream

NAMES = ("site-01-scanner-1", "site-01", "study-1")
CHANGE = Lesions(0, "periventricular", 10.0, (5.0, 7.0)).change(scene(), 1.0, "sub-001")
HEAD = build_head(PERSON, scene(), 40.0, CHANGE)


def scan(modality="T1w", names=NAMES, visit="one", **options):
    scanner = draw_scanner(*names, GeneratorOptions(**options))
    return acquire(HEAD, PERSON, scanner, modality, stream(0, visit))


def levels(image):
    return {
        name: float(np.median(image[HEAD.tissues[name] > 0.9]))
        for name in ("csf", "gm", "wm", "lesion")
    }


def test_t1w_and_flair_have_their_contrast():
    t1w, flair = levels(scan("T1w")), levels(scan("FLAIR"))
    assert t1w["csf"] < t1w["lesion"] < t1w["wm"]
    assert t1w["csf"] < t1w["gm"] < t1w["wm"]
    assert flair["csf"] < flair["wm"] < flair["gm"] < flair["lesion"]


def test_voxels_fit_their_type():
    image = scan()
    assert image.dtype == np.int16
    assert image.min() >= 0
    assert 1.2 * WHITE_MATTER < image.max() < 5 * WHITE_MATTER


def test_air_holds_nothing_but_noise():
    air = sum(v for k, v in HEAD.tissues.items() if k != "detail") < 1e-4
    assert air.sum() > 1000
    assert not scan(noise=0)[air].any()
    # The mean of Rician noise without signal is sqrt(pi / 2) of its deviation.
    scanner = draw_scanner(*NAMES, GeneratorOptions())
    expected = WHITE_MATTER * scanner.noise * np.sqrt(np.pi / 2)
    assert scan()[air].mean() == pytest.approx(expected, rel=0.05)


def test_scanners_differ_unless_asked_not_to():
    others = ("site-02-scanner-1", "site-02", "study-1")
    one, two = scan(noise=0), scan(names=others, noise=0)
    assert np.abs(one - two).mean() > 10
    one, two = scan(site_effect=0), scan(names=others, site_effect=0)
    assert np.array_equal(one, two)


def test_a_study_and_a_site_share_part_of_their_profile():
    """Scanners of one site are more alike than those of two studies."""
    gains = []
    for seed in range(200):
        options = GeneratorOptions(seed=seed)
        near = draw_scanner("a-2", "a", "study-1", options).gain
        far = draw_scanner("b-1", "b", "study-2", options).gain
        gains.append(
            np.log([draw_scanner("a-1", "a", "study-1", options).gain, near, far])
        )
    first, near, far = np.transpose(gains)
    assert np.corrcoef(first, near)[0, 1] == pytest.approx(2 / 3, abs=0.15)
    assert abs(np.corrcoef(first, far)[0, 1]) < 0.2


def test_visits_differ_a_little_and_people_have_their_own_contrast():
    one, two = scan(noise=0), scan(noise=0, visit="two")
    assert 1 < np.abs(one - two).mean() < 60
    brighter = dataclasses.replace(PERSON, contrast={**PERSON.contrast, "gm": 1.1})
    scanner = draw_scanner(*NAMES, GeneratorOptions(noise=0))
    image = acquire(HEAD, brighter, scanner, "T1w", stream(0, "one"))
    assert levels(image)["gm"] > 1.03 * levels(one)["gm"]
