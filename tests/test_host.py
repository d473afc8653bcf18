"""ClinicaDL learns our plugins, and its private parts are where we think they are."""

import copy
import json
import subprocess
import sys
import warnings
from enum import Enum
from importlib import import_module
from types import ModuleType

import pytest
from fake_distribution import forget_modules, make_distribution

from clinicadl_trust.exceptions import PluginError
from clinicadl_trust.host import factories
from clinicadl_trust.host.factories import FACTORIES, connect

# ------------------------------------------------------------------ without ClinicaDL


def test_importing_us_is_quick_and_imports_neither_torch_nor_clinicadl():
    script = (
        "import sys, time\n"
        "from clinicadl_trust.host import connect\n"
        "start = time.perf_counter(); connect()\n"
        "print(time.perf_counter() - start, *sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    seconds, *modules = result.stdout.split()
    assert float(seconds) < 0.1
    assert not {"torch", "clinicadl", "monai", "pandas", "numpy"} & set(modules)


def test_a_host_whose_internals_have_moved_is_warned_of():
    moved = ModuleType("clinicadl.models.factory")
    with pytest.warns(RuntimeWarning, match="has no Enum ImplementedModel"):
        factories._open(moved, "models")


def test_another_release_of_the_host_is_warned_of_once(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "3.1.0")
    monkeypatch.setattr(factories, "_version_checked", False)

    class Names(str, Enum):
        ONE = "One"

    for _ in range(2):
        module = ModuleType("clinicadl.models.factory")
        module.ImplementedModel = Names
        if "_asks_plugins" in vars(Names):
            del Names._asks_plugins
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            factories._open(module, "models")
        said = [str(warning.message) for warning in caught]
        if _ == 0:
            assert len(said) == 1
            assert "ClinicaDL 3.1.0 is installed" in said[0]
        else:
            assert not said


# --------------------------------------------------------------------------- factories


@pytest.mark.parametrize("kind", FACTORIES)
def test_each_factory_of_the_host_is_where_we_think_it_is(kind):
    factory = FACTORIES[kind]
    module = import_module(factory.module)
    names = getattr(module, factory.names)
    assert issubclass(names, str)
    assert issubclass(names, Enum)
    assert vars(names)["_asks_plugins"]
    for member in names:
        assert isinstance(getattr(module, member.value + factory.suffix), type)
    with pytest.raises(ValueError, match="NotThere"):
        names("NotThere")


def test_modules_keep_their_own_loaders():
    import inspect

    for factory in FACTORIES.values():
        module = import_module(factory.module)
        assert type(module.__loader__).__name__ == "SourceFileLoader"
        assert inspect.getsource(module)


def test_a_package_imported_twice_has_one_finder():
    # As a coverage tool may do: a new module with the name of the old one.
    from importlib.util import module_from_spec

    spec = factories.__spec__
    again = module_from_spec(spec)
    sys.modules[spec.name] = again
    try:
        spec.loader.exec_module(again)
        before = list(sys.meta_path)
        again.connect()
        assert sys.meta_path == before
    finally:
        sys.modules[spec.name] = factories


def test_connecting_twice_changes_nothing():
    module = import_module("clinicadl.models.factory")
    before = module.ImplementedModel._missing_
    finders = list(sys.meta_path)
    connect()
    assert module.ImplementedModel._missing_ == before
    assert sys.meta_path == finders


SOURCE = """
from clinicadl.callbacks import Callback
from clinicadl.infer.simple import SimpleInferer, SimpleInfererConfig
from clinicadl.losses.config import MSELossConfig
from clinicadl.metrics.config import MAEMetricConfig
from clinicadl.models.supervised import SupervisedModel, SupervisedModelConfig
from clinicadl.networks.config import CNNConfig
from clinicadl.optim.optimizers.config import AdamConfig
from clinicadl.transforms.config import ZNormalizationConfig
from clinicadl.utils.config import ObjectConfig
from clinicadl.utils.objects import HasConfig


import torch
class LabLossConfig(MSELossConfig):
    @classmethod
    def _get_class(cls):
        return torch.nn.MSELoss


class LabOptimizerConfig(AdamConfig):
    @classmethod
    def _get_class(cls):
        return torch.optim.Adam


class LabMetricConfig(MAEMetricConfig): ...
class LabNetworkConfig(CNNConfig): ...
class LabTransformConfig(ZNormalizationConfig): ...


class LabInfererConfig(SimpleInfererConfig):
    @classmethod
    def _get_class(cls):
        return LabInferer


class LabInferer(SimpleInferer):
    _config_type = LabInfererConfig


class LabModelConfig(SupervisedModelConfig):
    @classmethod
    def _get_class(cls):
        return LabModel


class LabModel(SupervisedModel):
    _config_type = LabModelConfig


class LabCallbackConfig(ObjectConfig["LabCallback"]):
    every: int

    @classmethod
    def _get_class(cls):
        return LabCallback


class LabCallback(Callback, HasConfig[LabCallbackConfig]):
    _config_type = LabCallbackConfig

    def __init__(self, every: int = 1):
        self.config = self._config_type(every=every)
"""

ENTRIES = {
    "callbacks": {"LabCallback": "lab_plugins:LabCallback"},
    "inferers": {"LabInferer": "lab_plugins:LabInferer"},
    "losses": {
        "LabLoss": "lab_plugins:LabLossConfig",
        "Alias": "lab_plugins:LabLossConfig",
    },
    "metrics": {"LabMetric": "lab_plugins:LabMetricConfig"},
    "models": {"LabModel": "lab_plugins:LabModel", "Gone": "lab_plugins:Gone"},
    "networks": {"LabNetwork": "lab_plugins:LabNetworkConfig"},
    "optimizers": {"LabOptimizer": "lab_plugins:LabOptimizerConfig"},
    "transforms": {"LabTransform": "lab_plugins:LabTransformConfig"},
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Another laboratory's distribution, with a plugin of each kind of ClinicaDL's."""
    folder = tmp_path_factory.mktemp("site")
    make_distribution(folder, "lab-plugins", ENTRIES, {"lab_plugins": SOURCE})
    sys.path.insert(0, str(folder))
    yield import_module("lab_plugins")
    sys.path.remove(str(folder))
    forget_modules(folder)


@pytest.mark.parametrize(
    ("reader", "cls", "options"),
    [
        ("callbacks.factory.get_callback_from_dict", "LabCallback", {"every": 2}),
        ("infer.factory.get_inferer_from_dict", "LabInferer", {}),
        ("losses.factory.get_loss_function_from_dict", "LabLossConfig", {}),
        ("metrics.factory.get_metric_from_dict", "LabMetricConfig", {}),
        (
            "networks.factory.get_network_from_dict",
            "LabNetworkConfig",
            {"in_shape": (1, 4, 4), "num_outputs": 1, "conv_args": {"channels": [2]}},
        ),
        (
            "optim.optimizers.factory.get_optimizer_from_dict",
            "LabOptimizerConfig",
            {"lr": 0.5},
        ),
        ("transforms.factory.get_transform_from_dict", "LabTransformConfig", {}),
    ],
)
def test_a_plugin_comes_back_through_the_hosts_own_factory(lab, reader, cls, options):
    module, _, function = f"clinicadl.{reader}".rpartition(".")
    made = getattr(lab, cls)(**options)
    content = json.loads(json.dumps(made.to_dict(), default=str))
    again = getattr(import_module(module), function)(content)
    assert type(again) is getattr(lab, cls)
    assert again.to_dict() == made.to_dict()


def test_a_model_of_plugins_comes_back_from_json(lab, tmp_path):
    from clinicadl.models.factory import get_model_from_json

    network = lab.LabNetworkConfig(
        in_shape=(1, 4, 4, 4), num_outputs=1, conv_args={"channels": [2]}
    )
    model = lab.LabModel(
        network, lab.LabLossConfig(), lab.LabOptimizerConfig(), lab.LabInferer()
    )
    model.to_json(tmp_path / "model.json")
    again = get_model_from_json(tmp_path / "model.json")
    assert type(again) is lab.LabModel
    assert type(again.inferer) is lab.LabInferer


def test_a_broken_plugin_hurts_who_asks_for_it_only(lab):
    from clinicadl.models.factory import ImplementedModel

    with pytest.raises(PluginError, match=r"'Gone' .* of lab-plugins 1.0 cannot be"):
        ImplementedModel("Gone")
    assert ImplementedModel("LabModel").value == "LabModel"


def test_a_plugin_under_another_name_than_its_class_is_refused(lab):
    from clinicadl.losses.factory import ImplementedLoss

    with pytest.raises(PluginError, match="must be a class named 'AliasConfig'"):
        ImplementedLoss("Alias")


# ------------------------------------------------------------------------------ loaders


class Numbers:
    """A dataset of numbers, as far as a loader minds."""

    def __new__(cls, n):
        import pandas as pd
        from clinicadl.data.datasets import Dataset

        class Data(Dataset):
            def __init__(self):
                people = [f"sub-{index:02d}" for index in range(n)]
                ids = {"participant_id": people, "session_id": ["ses-M000"] * n}
                self._df = pd.DataFrame(ids)

            def eval(self): ...
            def train(self): ...
            def get_sample_info(self, idx, column):
                return self._df.loc[idx, column]

            def __len__(self):
                return n

            def __getitem__(self, idx):
                return {"number": idx}

        return Data()


def epochs(split, numbers=(1, 2)):
    orders = []
    for epoch in numbers:
        split.train_loader.set_epoch(epoch)
        orders.append([s["number"] for batch in split.train_loader for s in batch])
    return orders


def seeded(seed):
    from clinicadl_trust.host.loaders import SeededSplit

    split = SeededSplit(0, Numbers(20), Numbers(5), seed=seed)
    split.build_train_loader(batch_size=4, shuffle=True, pin_memory=False)
    split.build_val_loader(batch_size=4, pin_memory=False)
    return split


def test_the_order_of_batches_differs_by_epoch_and_by_seed():
    first, second = epochs(seeded(0))
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    assert epochs(seeded(0)) == [first, second]
    # Neighbouring seeds: run 1's epoch 1 is not run 0's epoch 2.
    others = epochs(seeded(1), (0, 1, 2, 3))
    assert not {tuple(order) for order in others} & {tuple(first), tuple(second)}


def test_validation_keeps_its_order_and_options_rebuild_the_loader():
    split = seeded(0)
    order = [s["number"] for batch in split.val_loader for s in batch]
    assert order == list(range(5))
    before = split.train_loader
    assert split.train_loader is before
    split.build_train_loader(batch_size=5, shuffle=False, pin_memory=False)
    assert split.train_loader.batch_size == 5
    assert epochs(split)[0] == list(range(20))
    validation = split.val_loader
    split.build_val_loader(batch_size=2, pin_memory=False)
    assert split.val_loader is not validation


def test_the_host_alone_still_does_not_shuffle():
    """When this fails, ClinicaDL was mended: ``SeededSplit`` may go."""
    from clinicadl.split import Split

    split = Split(0, Numbers(20), Numbers(5))
    split.build_train_loader(batch_size=4, shuffle=True, pin_memory=False)
    first, second = epochs(split)
    assert first == second


# ------------------------------------------------------------------------------ batches


def points(shape=(1, 3, 4, 5), n=3):
    import torch
    import torchio as tio
    from clinicadl.data.structures import DataPoint

    return [
        DataPoint(
            image=tio.ScalarImage(tensor=torch.randn(*shape)),
            participant_id=f"sub-{index}",
            session_id="ses-M000",
            label=index,
        )
        for index in range(n)
    ]


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_stacked_batch_is_a_batch(channels_last):
    import torch
    from clinicadl.data.dataloader import Batch

    from clinicadl_trust.host.memory import stack

    samples = points()
    ours, theirs = stack(samples), Batch(samples)
    for batch in (ours, theirs):
        batch.to("cpu", channels_last=channels_last)
    for dtype in (None, torch.float64):
        a, b = (batch.get_field("image", dtype=dtype) for batch in (ours, theirs))
        assert torch.equal(a, b)
        assert (a.dtype, a.stride()) == (b.dtype, b.stride())
    a[:] = 0
    assert samples[0].image.tensor.abs().sum() > 0, "a batch is a copy"
    labels = ours.get_field("label", ensure_channel_dim=True)
    assert labels.shape == (3, 1)


def test_a_batch_of_several_shapes_is_left_to_the_host():
    from clinicadl_trust.host.memory import stack

    batch = stack([*points(), *points(shape=(1, 2, 2, 2))])
    assert isinstance(batch.get_field("image"), list)


# --------------------------------------------------------------------------------- MAPS


def test_pip_freeze_runs_once_and_is_put_back(monkeypatch):
    from clinicadl.utils import env

    from clinicadl_trust.host import maps

    calls = []
    monkeypatch.setattr(maps, "_freeze", lambda: calls.append(1) or "torch==2.6")
    maps._frozen.cache_clear()
    original = env._freeze_packages
    for _ in range(2):
        with maps.one_freeze():
            assert env._freeze_packages() == "torch==2.6"
    assert len(calls) == 1
    assert env._freeze_packages is original
    maps._frozen.cache_clear()


def test_quiet_keeps_prints_away_and_logging_as_it_was(capsys):
    import logging

    from clinicadl_trust.host.maps import quiet

    host = logging.getLogger("clinicadl")
    before = copy.copy(host.handlers)
    with quiet():
        print("noise")
        host.addHandler(logging.StreamHandler())
        host.warning("noise")
    assert host.handlers == before
    assert "noise" not in "".join(capsys.readouterr())
    logging.getLogger("clinicadl_trust").setLevel(logging.INFO)
    try:
        with quiet():
            print("asked for")
    finally:
        logging.getLogger("clinicadl_trust").setLevel(logging.NOTSET)
    assert "asked for" in capsys.readouterr().out


def test_weights_are_the_best_else_the_last_and_only_one(tmp_path):
    from clinicadl_trust.host.maps import weights_of

    with pytest.raises(FileNotFoundError, match="no trained weights"):
        weights_of(tmp_path)
    models = tmp_path / "training" / "split-0" / "models"
    for name in ("final", "best_models/best-loss"):
        (models / name).mkdir(parents=True)
        (models / name / "model.pt").touch()
    assert weights_of(tmp_path).parent.name == "best-loss"
    (models / "best_models" / "best-auc").mkdir()
    (models / "best_models" / "best-auc" / "model.pt").touch()
    with pytest.raises(FileNotFoundError, match="2 sets of weights"):
        weights_of(tmp_path)
