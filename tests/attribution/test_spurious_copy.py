"""A feature that copies another in training: which penalty removes it.

After a demonstration in the repository of Erion et al. (2021), Nature Machine
Intelligence 3, 620-631: y = x1, and x2 = x1 in training only. The network begins with
both in equal use, and saturated at both kinds of image, so that a penalty on its
gradient there has little to take hold of. Expected gradients look along the way from
the baseline, where the output changes.
"""

from functools import cache

import pytest
import torch
from torch import nn

from clinicadl_trust.attribution import Explained, attributions
from clinicadl_trust.attribution.constraints import RightReasons

#: Where x2 follows x1, and where it does not.
X1 = torch.tensor([0.0, 0.0, 1.0, 1.0])
X2 = torch.tensor([0.0, 1.0, 0.0, 1.0])


class Saturated(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)
        with torch.no_grad():
            self.linear.weight.fill_(10.0)
            self.linear.bias.fill_(-6.0)

    def forward(self, images):
        return torch.sigmoid(self.linear(images.flatten(1)))


def as_images(x1, x2):
    return torch.stack([x1, x2], dim=1).reshape(-1, 1, 1, 2)


@cache
def train(method, weight, n_steps=250):
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 2, (256,), generator=generator).float()
    images = as_images(x, x)
    only_x1 = as_images(torch.ones(64), torch.zeros(64))
    network, constraint = Saturated(), RightReasons(scale="none")
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(n_steps):
        rows = torch.randint(len(images), (64,), generator=generator)
        found = attributions(
            network,
            images[rows],
            method,
            n_samples=1,
            create_graph=True,
            generator=generator,
        )
        penalty = constraint(Explained(found, mask=only_x1))
        output = network(images[rows])[:, 0]
        loss = nn.functional.binary_cross_entropy(output, x[rows]) + weight * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def dependence(network):
    """What x2 changes in the output, as a part of what x1 changes."""
    with torch.no_grad():
        output = network(as_images(X1, X2))[:, 0]
    by_x1 = output[X1 == 1].mean() - output[X1 == 0].mean()
    by_x2 = output[X2 == 1].mean() - output[X2 == 0].mean()
    return float(by_x2 / by_x1)


@pytest.mark.parametrize(
    ("method", "weight", "least", "most"),
    [
        ("expected_gradients", 0.0, 0.99, 1.01),
        ("gradient", 1.0, 0.05, 0.9),
        ("gradient_x_input", 1.0, 0.9, 1.1),
        ("expected_gradients", 1.0, -0.01, 0.01),
    ],
)
def test_what_is_left_of_the_copy(method, weight, least, most):
    assert least < dependence(train(method, weight)) < most


def test_the_repaired_network_is_right_without_the_copy():
    network = train("expected_gradients", 1.0)
    with torch.no_grad():
        output = network(as_images(X1, X2))[:, 0]
    assert torch.equal(output > 0.5, X1 > 0.5)
    assert (output - X1).abs().max() < 0.02
