import logging
import sys

import pytest
from fake_distribution import forget_modules, make_distribution

from clinicadl_trust import plugins
from clinicadl_trust.exceptions import PluginError
from clinicadl_trust.plugins import KINDS, available, find, group, load, registered


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    forget_modules(tmp_path)


def test_listing_imports_nothing(site):
    make_distribution(
        site,
        "fake-lab",
        {"losses": {"FakeLoss": "fake_loss:FakeLossConfig"}},
        {"fake_loss": "raise RuntimeError('imported')"},
    )
    found = available("losses")["FakeLoss"]
    assert [(p.distribution, p.version, p.value) for p in found] == [
        ("fake-lab", "1.0", "fake_loss:FakeLossConfig")
    ]
    assert found[0] in registered()
    assert "fake_loss" not in sys.modules


def test_a_plugin_is_imported_when_it_is_asked_for(site):
    make_distribution(
        site,
        "fake-lab",
        {"losses": {"FakeSoftLoss": "fake_loss:Thing"}},
        {"fake_loss": "class Thing: pass"},
    )
    thing = load("losses", "FakeSoftLoss")
    assert thing is sys.modules["fake_loss"].Thing
    for forgiven in ("fake-soft-loss", "fakesoftloss", "FAKE_SOFT_LOSS"):
        assert load("losses", forgiven) is thing


def test_the_exact_name_goes_before_a_forgiven_one(site):
    entries = {"Twin": "fake_twins:one", "TWIN": "fake_twins:two"}
    modules = {"fake_twins": "one, two = 1, 2"}
    make_distribution(site, "fake-lab", {"losses": entries}, modules)
    assert load("losses", "Twin") == 1 and load("losses", "TWIN") == 2
    with pytest.raises(PluginError, match="'twin' is registered 2 times"):
        load("losses", "twin")


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import fake_not_there", "ModuleNotFoundError: No module named"),
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("this is no python", "SyntaxError"),
        ("import sys; sys.exit('gone')", "SystemExit: gone"),
        ("", "AttributeError"),
    ],
)
def test_a_broken_plugin_names_its_distribution_and_the_cause(site, source, cause):
    make_distribution(
        site,
        "fake-broken",
        {"losses": {"Broken": "fake_broken:Broken"}},
        {"fake_broken": source},
        version="2.5",
    )
    with pytest.raises(PluginError, match=cause) as raised:
        load("losses", "Broken")
    assert "'Broken' (clinicadl.losses) of fake-broken 2.5" in str(raised.value)
    assert raised.value.__cause__ is not None
    # Nobody else is harmed.
    assert load("split_strategies", "ParticipantKFold")


def test_a_name_registered_twice_is_refused_for_both(site, tmp_path):
    for lab in ("a", "b"):
        make_distribution(
            site,
            f"fake-lab-{lab}",
            {"losses": {"Same": f"fake_{lab}:Loss"}},
            {f"fake_{lab}": "class Loss: pass"},
        )
    with pytest.raises(PluginError, match="registered 2 times") as raised:
        find("losses", "Same")
    assert "fake-lab-a (fake_a:Loss)" in str(raised.value)
    assert "fake-lab-b (fake_b:Loss)" in str(raised.value)
    assert len(available("losses")["Same"]) == 2


def test_one_distribution_seen_twice_is_no_clash(site, tmp_path, monkeypatch):
    other = tmp_path / "elsewhere"
    for folder in (site, other):
        make_distribution(folder, "fake-lab", {"losses": {"Same": "fake_a:Loss"}})
    monkeypatch.syspath_prepend(str(other))
    assert find("losses", "Same").distribution == "fake-lab"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(PluginError, match="Did you mean 'LeaveOneSiteOut'"):
        load("split_strategies", "leave-one-site")
    with pytest.raises(PluginError, match="Did you mean 'losses'"):
        available("loss")


def test_a_malformed_distribution_is_passed_over_and_told_once(
    site, caplog, monkeypatch
):
    monkeypatch.setattr(plugins, "_passed_over", set())
    make_distribution(site, "fake-bad", "[clinicadl.losses]\nno equals sign here\n")
    make_distribution(site, "fake-good", {"losses": {"Good": "fake_good:Good"}})
    with caplog.at_level(logging.WARNING):
        assert "Good" in available("losses")
        assert "ParticipantKFold" in available("split_strategies")
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1 and "entry points of fake-bad cannot be read" in told[0]


def test_a_distribution_without_metadata_still_has_a_name(site):
    make_distribution(site, "fake-nameless", {"losses": {"Nameless": "fake_x:X"}})
    (site / "fake_nameless-1.0.dist-info" / "METADATA").unlink()
    plugin = find("losses", "Nameless")
    assert (plugin.distribution, plugin.version) == ("fake_nameless", "1.0")


def test_our_own_plugins_come_through_the_door():
    ours = [p for p in registered() if p.distribution == "clinicadl-trust"]
    names = {(p.kind, p.name) for p in ours}
    assert len(names) == len(ours)
    assert {("commands", "plugins"), ("models", "ClassificationModel")} <= names
    assert {p.kind for p in ours} <= set(KINDS)
    assert all(group(kind) == f"clinicadl.{kind}" for kind in KINDS)
