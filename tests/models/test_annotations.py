"""Who is annotated: nested draws, the healthy known, and the validation too."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.models.annotations import (
    annotated_participants,
    how_often,
    of_patients,
)
from clinicadl_trust.models.options import read_options

ROWS = pd.DataFrame(
    {
        "participant_id": [f"sub-{n // 2:02}" for n in range(40)],
        "session_id": ["ses-1", "ses-2"] * 20,
        # The first ten have a lesion, at their second visit only.
        "lesion": [0.0, 5.0] * 10 + [0.0] * 20,
    }
)
PATIENTS = {f"sub-{n:02}" for n in range(10)}
HEALTHY = {f"sub-{n:02}" for n in range(10, 20)}


def drawn(number, seed=0):
    return annotated_participants(ROWS, "lesion", number, seed)


def test_the_first_five_are_among_the_first_ten():
    sets = [drawn(number) - HEALTHY for number in range(1, 11)]
    assert [len(each) for each in sets] == [*range(1, 11)]
    assert all(small < large for small, large in pairwise(sets))
    assert sets[-1] == PATIENTS


def test_empty_masks_are_known():
    assert drawn(1) >= HEALTHY
    assert drawn(None) == PATIENTS | HEALTHY


def test_seeds_draw_others():
    assert len({drawn(2, seed) for seed in range(20)}) > 5
    assert drawn(2, 3) == drawn(2, 3)


def test_more_than_there_are_is_refused():
    with pytest.raises(ConfigError, match=r"annotated = 11.*10 training participants"):
        drawn(11)


def test_images_of_a_patient_are_told_by_any_of_them():
    found = of_patients(ROWS, "lesion")
    assert {*ROWS["participant_id"][found]} == PATIENTS
    assert found.sum() == 20


def weights_of(annotated, other, healthy, share):
    """Weights of images of annotated patients, of other patients and of the healthy."""
    there = [annotated, other, healthy]
    known = pd.Series(np.repeat([True, False, True], there))
    weights = how_often(known, pd.Series(np.repeat([True, True, False], there)), share)
    return np.split(weights.to_numpy(), np.cumsum(there)[:-1])


@pytest.mark.parametrize("number", [1, 3, 9])
@pytest.mark.parametrize("healthy", [0, 40])
def test_the_share_of_patients_drawn_is_the_one_asked_for(number, healthy):
    annotated, others, rest = weights_of(number, 10 - number, healthy, 0.4)
    assert annotated.sum() == pytest.approx(0.4 * 10)
    assert others.sum() == pytest.approx(0.6 * 10)
    assert len({*annotated}) == len({*others}) == 1
    assert (rest == 1).all()


def test_a_cohort_of_patients_is_drawn_as_it_was_in_the_published_study():
    annotated, others, _ = weights_of(5, 43, 0, 0.5)
    assert {*annotated} == {0.5 / (5 / 48)} and {*others} == {0.5 / (1 - 5 / 48)}


@pytest.mark.parametrize("there", [(4, 0, 3), (0, 4, 3), (0, 0, 3)])
def test_where_all_patients_are_alike_each_image_is_drawn_as_often(there):
    assert all((each == 1).all() for each in weights_of(*there, 0.4))


def test_a_share_without_a_number_is_refused():
    with pytest.raises(ConfigError, match=r"annotated_share = 0\.5.*annotated = 5"):
        read_options("few", {"annotated_share": 0.5})
