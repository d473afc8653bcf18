"""The contracts of what enters a MAPS, kept by ClinicaDL's classes, broken by ours."""

import sys
from typing import Any

import clinicadl.callbacks
import clinicadl.losses.config
import clinicadl.networks.config
import clinicadl.optim.optimizers.config
import pytest
import torch
from clinicadl.callbacks import Callback
from clinicadl.infer import SimpleInferer
from clinicadl.io.bids import BidsFileType, T1Linear
from clinicadl.losses.config import LossConfig, MSELossConfig
from clinicadl.models import ReconstructionModel, SupervisedModel
from clinicadl.models.supervised import SupervisedModelConfig
from clinicadl.utils.config import ObjectConfig
from clinicadl.utils.objects import HasConfig
from fake_distribution import forget_modules, make_distribution

from clinicadl_trust.caps import ImageType
from clinicadl_trust.plugins import available
from clinicadl_trust.testing import (
    ContractError,
    check_callback,
    check_config,
    check_inferer,
    check_model,
    check_plugin,
    example_batch,
    example_parts,
)

# -------------------------------------------------------------------------- models


def variant(name, config_name=None, config_fields=None, **members):
    """Make a SupervisedModel with other members and a configuration of its own."""
    config = type(
        config_name or f"{name}Config",
        (SupervisedModelConfig,),
        {
            "__doc__": "Configure.",
            "_get_class": classmethod(lambda cls: made),
            "__annotations__": config_fields or {},
        },
    )
    made = type(
        name,
        (SupervisedModel,),
        {"__doc__": "Be a model.", "_config_type": config, **members},
    )
    return made


@pytest.mark.parametrize("cls", [SupervisedModel, ReconstructionModel])
def test_clinicadls_own_models_keep_the_contract(cls):
    check_model(cls)


@pytest.mark.parametrize("name", list(available("models")))
def test_our_own_models_keep_the_contract(name):
    for plugin in available("models")[name]:
        check_plugin(plugin)


def test_a_batch_of_ones_own_is_used():
    seen = []

    def forward_step(self, batch):
        seen.append(len(batch))
        return SupervisedModel.forward_step(self, batch)

    watched = variant("Watched", forward_step=forward_step)
    check_model(
        watched, watched(**example_parts()), type(example_batch())(example_batch()[:3])
    )
    assert seen == [3]


def test_a_model_without_label_is_not_trained_unasked():
    def forward_step(self, batch):
        raise NotImplementedError("trained")

    class Silent(ReconstructionModel):
        """Be a model."""

    Silent.forward_step = forward_step
    Silent._config_type = type(
        "SilentConfig",
        (ReconstructionModel._config_type,),
        {"__doc__": "Configure.", "_get_class": classmethod(lambda cls: Silent)},
    )
    check_model(Silent)
    with pytest.raises(ContractError, match=r"fails on a batch: NotImpl.*trained"):
        check_model(Silent, batch=example_batch())


def stuck(self, optimizers, grad_scaler=None):
    """Forget the step."""


def undecided(self, batch):
    return self.loss(
        self.network(batch.get_field("image", dtype=torch.float32)) * float("nan"),
        batch.get_field("label", ensure_channel_dim=True, dtype=torch.float32),
    )


class NoConfig(SupervisedModel):
    """Forgot its own configuration."""


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (torch.nn.Linear, "subclass of clinicadl.models.base.Model"),
        (clinicadl.models.Model, "is abstract: it does not implement"),
        (NoConfig, r"_get_class\(\) returns <class.*SupervisedModel'>, not NoConfig"),
        (variant("Named", "OtherConfig"), "says name_ = 'Other'.*'NamedConfig'"),
        (
            variant("Fields", config_fields={"more": Any}),
            "cannot be made with network, loss, optimizer",
        ),
        (
            variant("Losses", get_loss_functions=lambda self: [self.loss]),
            r"get_loss_functions\(\) must return a dictionary",
        ),
        (
            variant("Optimizers", build_optimizers=lambda self: {}),
            r"build_optimizers\(\) must return a dictionary of torch optimizers",
        ),
        (variant("Stuck", optimization_step=stuck), "moves no weight"),
        (variant("Undecided", forward_step=undecided), "The loss of Undecided is"),
        (
            variant("Mute", evaluation_step=lambda self, batch: None),
            "evaluation_step must return a batch of 4; got NoneType",
        ),
    ],
)
def test_a_model_that_breaks_its_contract_is_told_how(cls, message):
    with pytest.raises(ContractError, match=message):
        check_model(cls)


def test_fields_that_differ_from_the_arguments_are_told():
    config = {"more": int}
    cls = variant("More", config_fields=config)
    cls._config_type.model_fields["more"].default = 1
    cls._config_type.model_rebuild(force=True)
    with pytest.raises(ContractError, match=r"only fields \['more'\], only arguments"):
        check_model(cls)


def test_a_model_that_changes_on_the_way_is_told():
    def label_key(self, network, loss, optimizer, inferer=None, label_key="label"):
        SupervisedModel.__init__(
            self, network, loss, optimizer, label_key=f"{label_key}x"
        )

    with pytest.raises(
        ContractError, match=r"comes back by Changing.from_json as some"
    ):
        check_model(variant("Changing", __init__=label_key))


# ----------------------------------------------------------------------- callbacks


class CountConfig(ObjectConfig["Count"]):
    """Configuration of ``Count``."""

    every: int

    @classmethod
    def _get_class(cls):
        return Count


class Count(Callback, HasConfig[CountConfig]):
    """Count epochs."""

    _config_type = CountConfig

    def __init__(self, every: int = 2):
        self.config = CountConfig(every=every)
        self.seen = 0

    def on_epoch_end(self, **kwargs):
        """Count."""
        self.seen += 1

    def state_dict(self):
        """Return what was counted."""
        return {"seen": self.seen}

    def load_state_dict(self, state_dict):
        """Go on from there."""
        self.seen = state_dict["seen"]


def miscounting(**members):
    return type("Count", (Count,), {"__doc__": "Count wrongly.", **members})


def of_count(cls):
    """Let a class made from ``Count`` have ``Count``'s configuration."""
    config = type(
        "CountConfig",
        (CountConfig,),
        {"__doc__": "C.", "_get_class": classmethod(lambda _: cls)},
    )
    cls._config_type = config
    init = Count.__init__

    def own(self, every: int = 2):
        init(self, every)
        self.config = config(every=every)

    cls.__init__ = own
    return cls


def test_a_callback_that_keeps_its_contract_passes():
    check_callback(Count)
    check_callback(Count, Count(every=5))


@pytest.mark.parametrize(
    "name",
    ["LoggerCallback", "ModelCheckpointCallback", "TrainingCheckpointCallback"],
)
def test_clinicadls_own_callbacks_keep_the_contract(name):
    check_callback(getattr(clinicadl.callbacks, name))


def test_a_callback_may_translate_its_configuration():
    # Its configuration holds one field for six arguments, and _from_config knows.
    early = clinicadl.callbacks.EarlyStoppingCallback
    check_callback(early, early("loss", patience=7))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"on_epoch_ends": lambda self, **kwargs: None},
            "on_epoch_ends is never called.*Did you mean 'on_epoch_end'",
        ),
        (
            {"on_epoch_end": lambda self, *, model: None},
            "on_epoch_end does not take .*state.*End its arguments with",
        ),
        (
            {"state_dict": lambda self: {"seen": Count}},
            "state_dict of Count does not come back from a checkpoint",
        ),
    ],
)
def test_a_callback_that_breaks_its_contract_is_told_how(members, message):
    with pytest.raises(ContractError, match=message):
        check_callback(of_count(miscounting(**members)))


class Bare(Callback):
    """Has no configuration."""


def test_a_callback_that_no_maps_can_hold_is_told():
    with pytest.raises(ContractError, match="no configuration, so a MAPS cannot hold"):
        check_callback(Bare)


# ------------------------------------------------------- configurations and inferers


class FineLossConfig(LossConfig):
    """Be fine."""

    scale: float = 2.0

    @classmethod
    def _get_class(cls):
        return FineLoss


class FineLoss(torch.nn.Module):
    """Be fine."""

    def __init__(self, scale=2.0):
        super().__init__()
        self.scale, self.reduction = scale, "mean"


@pytest.mark.parametrize(
    ("module", "kind", "base"),
    [
        (clinicadl.losses.config, "losses", "LossConfig"),
        (clinicadl.optim.optimizers.config, "optimizers", "OptimizerConfig"),
    ],
)
def test_clinicadls_own_configurations_keep_the_contract(module, kind, base):
    names = [n for n in dir(module) if n.endswith("Config") and n != base]
    assert len(names) > 4
    for name in names:
        check_config(getattr(module, name), kind)


def test_networks_are_given_a_small_volume():
    check_config(clinicadl.networks.config.ResNetConfig, "networks")
    with pytest.raises(ContractError, match="CNNConfig needs conv_args"):
        check_config(clinicadl.networks.config.CNNConfig, "networks")
    check_config(
        clinicadl.networks.config.CNNConfig, "networks", example_parts()["network"]
    )


def test_inferers_keep_the_contract():
    check_inferer(SimpleInferer)


class Fine(FineLossConfig):
    """Is not named as a configuration."""


class LostLossConfig(LossConfig):
    """Configure what torch does not have."""


class SecretLossConfig(FineLossConfig):
    """Hold what JSON cannot."""

    def to_dict(self, **kwargs):
        """Fail."""
        raise TypeError("a tensor")


class OpaqueLossConfig(FineLossConfig):
    """Hold what JSON turns into text."""

    scale: Any = torch.nn.Linear


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (MSELossConfig(), "register the class, not an instance"),
        (Fine, "must be called FineConfig"),
        (LostLossConfig, r"get_object\(\) fails: AttributeError"),
        (OpaqueLossConfig, "another kind of 'scale': a type became a str"),
        (SecretLossConfig, "cannot be written to JSON"),
    ],
)
def test_a_configuration_that_breaks_its_contract_is_told_how(cls, message):
    with pytest.raises(ContractError, match=message):
        check_config(cls, "losses")


def test_a_registered_plugin_is_read_by_clinicadls_factory(tmp_path, monkeypatch):
    source = f"from {__name__} import FineLossConfig\n"
    make_distribution(
        tmp_path,
        "fake-fine",
        {"losses": {"FineLoss": "fake_fine:FineLossConfig"}},
        {"fake_fine": source},
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    try:
        [plugin] = available("losses")["FineLoss"]
        check_plugin(plugin)
        monkeypatch.setattr(
            "clinicadl.losses.factory.get_loss_function_from_dict",
            lambda content: MSELossConfig(),
        )
        with pytest.raises(
            ContractError, match="get_loss_function_from_dict as a MSELossConfig"
        ):
            check_plugin(plugin)
    finally:
        forget_modules(tmp_path)


def test_a_name_that_clinicadl_has_is_refused(tmp_path, monkeypatch):
    entries = {"losses": {"MSELoss": "clinicadl.losses.config:MSELossConfig"}}
    make_distribution(tmp_path, "fake-lab", entries)
    monkeypatch.syspath_prepend(str(tmp_path))
    [plugin] = available("losses")["MSELoss"]
    with pytest.raises(ContractError, match="ClinicaDL has 'MSELoss' of its own"):
        check_plugin(plugin)


# ----------------------------------------------------------------------- image types


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("T1Linear", T1Linear()),
        (
            {"name": "T1Linear", "use_uncropped_image": True},
            T1Linear(use_uncropped_image=True),
        ),
        (
            {
                "data_type": "t1_linear",
                "suffix": "T1w",
                "with_entities": {"res": "[14]x.*"},
                "without_entities": {"run": ".*"},
            },
            BidsFileType(
                data_type="t1_linear",
                suffix="T1w",
                with_entities={"res": "[14]x.*"},
                without_entities={"run": ".*"},
            ),
        ),
    ],
)
def test_image_types_match_the_files_that_clinicadls_do(ours, theirs):
    space = "space-MNI152NLin2009cSym"
    endings = [
        f"{space}_desc-Crop_res-1x1x1_T1w.nii.gz",
        f"{space}_desc-Crop_res-1x1x1_T1w.nii",
        f"{space}_desc-Crop_res-1x1x1_T1w.json",
        f"{space}_desc-Crop_res-4x4x4_T1w.nii.gz",
        f"{space}_res-1x1x1_T1w.nii.gz",
        f"{space}_res-1x1x1_run-2_T1w.nii.gz",
        f"{space}_desc-Crop_res-1x1x1_FLAIR.nii.gz",
        "T1w.nii.gz",
    ]
    names = [f"sub-1_ses-1_{ending}" for ending in endings]
    image = ImageType.parse(ours)
    matched = [image.matches(name) for name in names]
    assert matched == [theirs.match(f"t1_linear/{name}") for name in names]
    assert any(matched) and not all(matched)
