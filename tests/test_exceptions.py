import pytest

from clinicadl_trust import exceptions
from clinicadl_trust.exceptions import TrustError, did_you_mean


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("leave-one-site-out", "LeaveOneSiteOut"),
        ("leaveonesiteout", "LeaveOneSiteOut"),
        ("LeaveOneSite", "LeaveOneSiteOut"),
        ("n_split", "n-splits"),
    ],
)
def test_the_nearest_name_is_proposed(name, near):
    text = did_you_mean(name, ["LeaveOneSiteOut", "n-splits", "zebra"])
    assert f"Did you mean '{near}'?" in text
    assert text.endswith("Known names: LeaveOneSiteOut, n-splits, zebra.")


def test_nothing_near_is_not_guessed():
    assert (
        did_you_mean("xyz", ["ParticipantKFold"]) == " Known names: ParticipantKFold."
    )
    assert did_you_mean("xyz", []) == " Known names: none."


def test_every_error_is_a_trust_error():
    raised = [getattr(exceptions, name) for name in exceptions.__all__]
    errors = [item for item in raised if isinstance(item, type)]
    assert len(errors) > 8 and all(issubclass(error, TrustError) for error in errors)
