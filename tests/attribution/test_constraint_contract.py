import pytest
import torch

from clinicadl_trust.attribution import AttributionConstraint
from clinicadl_trust.plugins import available
from clinicadl_trust.testing import (
    ContractError,
    check_attribution_constraint,
    check_plugin,
)

OURS = [plugins[0] for plugins in available("attribution_constraints").values()]


@pytest.mark.parametrize("plugin", OURS, ids=lambda plugin: plugin.name)
def test_ours_keep_the_contract(plugin):
    check_plugin(plugin)


def test_there_are_seven():
    assert len(OURS) == 7


class Forgetful(AttributionConstraint):
    """Forgets its option."""

    def __init__(self, size=1.0):
        pass

    def _penalty(self, explained):
        return explained.attributions.abs().mean()


class Detached(AttributionConstraint):
    """Cuts the graph."""

    def _penalty(self, explained):
        return explained.attributions.abs().mean().detach().requires_grad_()


class Many(AttributionConstraint):
    """Gives a tensor of voxels."""

    def __call__(self, explained):
        return explained.attributions

    def _penalty(self, explained):
        return torch.zeros(())


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (Forgetful, "does not keep size"),
        (Detached, "would train nothing"),
        (Many, "one finite number"),
        (AttributionConstraint, "is abstract"),
    ],
)
def test_what_breaks_it_is_named(cls, said):
    with pytest.raises(ContractError, match=said):
        check_attribution_constraint(cls)
