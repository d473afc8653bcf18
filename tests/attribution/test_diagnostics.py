import pytest
import torch
from clinicadl.networks.config import CNNConfig
from test_constrained_model import SHAPE, batch, model

from clinicadl_trust.attribution import diagnose, diagnose_terms

BATCH_NORM = CNNConfig(
    in_shape=SHAPE, num_outputs=1, conv_args={"channels": [2, 2], "norm": "batch"}
)


def quadratic(matrix, centre, weights):
    away = weights - centre
    return away @ matrix @ away / 2


def test_two_quadratics_are_described_as_their_closed_forms_say():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(5, dtype=torch.float64, generator=generator).requires_grad_()
    halves = torch.randn(2, 5, 5, dtype=torch.float64, generator=generator)
    matrices = halves @ halves.transpose(1, 2)
    centres = torch.randn(2, 5, dtype=torch.float64, generator=generator)
    before = weights.detach().clone()

    def terms():
        a, b = (
            quadratic(m, c, weights) for m, c in zip(matrices, centres, strict=True)
        )
        return a, b

    found = diagnose_terms(terms, [weights])
    one, two = (m @ (before - c) for m, c in zip(matrices, centres, strict=True))
    unit = (one + two) / (one + two).norm()
    assert found.loss_norm == pytest.approx(float(one.norm()))
    assert found.penalty_norm == pytest.approx(float(two.norm()))
    cosine = torch.cosine_similarity(one, two, dim=0)
    assert found.cosine == pytest.approx(float(cosine))
    assert found.loss_curvature == pytest.approx(float(unit @ matrices[0] @ unit))
    assert found.penalty_curvature == pytest.approx(float(unit @ matrices[1] @ unit))
    assert found.penalty_noise == 0
    assert torch.equal(weights.detach(), before)


def test_the_noise_of_a_draw_is_its_variance():
    weights = torch.zeros(3, requires_grad=True)
    mean = torch.tensor([1.0, 2.0, 2.0])

    def terms():
        return weights.square().sum(), ((mean + 0.5 * torch.randn(3)) * weights).sum()

    found = diagnose_terms(terms, [weights], n_draws=1500)
    assert found.penalty_noise == pytest.approx(3 * 0.25 / 9, rel=0.1)


def test_nothing_to_compare_is_nan():
    weights = torch.ones(2, requires_grad=True)
    found = diagnose_terms(
        lambda: (weights.square().sum(), torch.zeros(())), [weights], n_draws=2
    )
    assert found.penalty_norm == 0 and found.cosine != found.cosine
    with pytest.raises(ValueError, match="at least 2"):
        diagnose_terms(lambda: (weights.sum(), weights.sum()), [weights], n_draws=1)


def test_one_sample_is_noisier_than_many_and_a_gradient_has_no_noise():
    constraint = {"name": "RightReasons", "method": "expected_gradients"}
    noise = []
    for n_samples in (1, 8):
        made = model(
            {**constraint, "baselines": "rolled", "n_samples": n_samples},
            mask_key="lesion",
        )
        noise.append(diagnose(made, batch(), n_draws=4).penalty_noise)
    assert noise[0] > 2 * noise[1] > 0
    made = model(smooth=False, network=BATCH_NORM)
    assert diagnose(made, batch(), n_draws=2).penalty_noise == 0
    made = model(every=3)
    made.constraint_step += 1
    found = diagnose(made, batch(), n_draws=2)
    assert found.penalty_noise == 0 and found.penalty_norm > 0
    assert int(made.constraint_step) == 1
    assert found.to_frame().shape == (1, 7)
