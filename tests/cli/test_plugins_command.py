import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from click.testing import CliRunner
from fake_distribution import forget_modules, make_distribution

from clinicadl_trust.cli import plugin_states
from clinicadl_trust.cli.main import cli
from clinicadl_trust.cli.scaffold import scaffold
from clinicadl_trust.exceptions import ConfigError, OutputError


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    yield site
    forget_modules(site)


def run(*args):
    return CliRunner().invoke(cli, ["plugins", *map(str, args)])


def rows(output):
    """The table of `plugins list` by name: its other cells, the state last."""
    lines = [line.split(None, 4) for line in output.splitlines() if "  " in line]
    return {cells[1]: (*cells[:1], *cells[2:]) for cells in lines[1:]}


LAB = {
    "fine": "class FineLoss: pass",
    "absent": "import fake_absent",
    "loud": "print('hello'); raise ValueError('two\\nlines')",
    "leaving": "import sys; sys.exit(3)",
    "crashing": "import os; os._exit(7)",
    "heavy": "try:\n    import torch\nexcept Exception:\n    pass\nHeavyLoss = 1",
    "last": "LastLoss = 1",
}


@pytest.fixture
def lab(site):
    entries = {
        f"{name.title()}Loss": f"fakelab_{name}:{name.title()}Loss" for name in LAB
    }
    modules = {f"fakelab_{name}": source for name, source in LAB.items()}
    return make_distribution(site, "fake-lab", {"losses": entries}, modules, "0.9")


def test_every_plugin_is_a_line_with_its_state(lab):
    result = run("list", "--kind", "losses")
    assert result.exit_code == 0
    assert result.output.split()[:5] == [
        "KIND", "NAME", "DISTRIBUTION", "VERSION", "STATE",
    ]  # fmt: skip
    assert "hello" not in result.output
    states = {}
    for name, (kind, distribution, number, state) in rows(result.output).items():
        if distribution == "clinicadl-trust":
            continue  # our own
        assert (kind, distribution, number) == ("losses", "fake-lab", "0.9")
        states[name] = state
    assert states == {
        "FineLoss": "ok",
        "AbsentLoss": "broken: ModuleNotFoundError: No module named 'fake_absent'",
        "LoudLoss": "broken: ValueError: two lines",
        "LeavingLoss": "broken: SystemExit: 3",
        "CrashingLoss": "broken: ends Python with code 7 when it is imported",
        "HeavyLoss": "unchecked: needs torch",
        "LastLoss": "ok",
    }
    assert not any(name.startswith("fakelab_") for name in sys.modules)
    assert "`clinicadl plugins list --check`" in result.output


def test_a_clash_is_shown_on_both_lines(site):
    for lab in ("fake-a", "fake-b"):
        make_distribution(
            site, lab, {"losses": {"Same": "fakelab_x:Same"}}, {"fakelab_x": "Same = 1"}
        )
    output = run("list", "--kind", "losses").output
    assert output.count("clash: registered by fake-a and fake-b") == 2


def test_a_plugin_that_never_ends_its_import_is_given_up(site, monkeypatch):
    monkeypatch.setattr(plugin_states, "PATIENCE", 3)
    make_distribution(
        site,
        "fake-lab",
        {"losses": {"Endless": "fakelab_endless:x"}},
        {"fakelab_endless": "import time; time.sleep(60)"},
    )
    output = run("list", "--kind", "losses").output
    assert "broken: is not imported after 3 s" in output


def test_the_states_are_found_one_by_one(lab, tmp_path):
    result = tmp_path / "states"
    entries = [(n, f"fakelab_{n}:{n.title()}Loss", "x") for n in ("fine", "absent")]
    plugin_states.child(str(result), True, entries)
    lines = [json.loads(line) for line in result.read_text().splitlines()]
    assert [word for word, _ in lines] == ["ok", "broken"]


def test_our_own_plugins_are_listed_and_light_ones_work():
    result = run("list")
    assert result.exit_code == 0
    for name in ("ParticipantKFold", "ClassificationModel", "evaluate", "plugins"):
        _, distribution, _, _ = rows(result.output)[name]
        assert distribution == "clinicadl-trust"
    assert "broken" not in result.output and "clash" not in result.output
    only = run("list", "--kind", "split-strategies").output
    assert {row[0] for row in rows(only).values()} == {"split_strategies"}


GOOD = '''
import click

@click.command("fake-good")
@click.option("--some-number", default=1, help="Of images.")
def good(some_number):
    """Do good."""

@click.command("fake-bad")
@click.option("--some_number", default=1)
def bad(some_number):
    pass
'''


def test_check_reports_on_each_plugin_of_a_distribution(site):
    entries = {"fake-good": "fakelab_c:good", "fake-bad": "fakelab_c:bad"}
    make_distribution(site, "fake-lab", {"commands": entries}, {"fakelab_c": GOOD})
    result = run("check", "Fake_Lab")
    assert result.exit_code == 1
    assert "ok      commands fake-good\n" in result.output
    assert "FAILED  commands fake-bad\n        `clinicadl fake-bad` has no help" in (
        result.output
    )
    assert "1 of the 2 plugins of Fake_Lab break their contract" in result.output


def test_a_plugin_that_breaks_its_check_does_not_hide_the_others(site):
    source = GOOD + "\nclass Odd(click.Command):\n    def get_short_help_str(self):\n"
    source += "        1 / 0\n\nodd = Odd('fake-aaa')\n"
    entries = {"fake-aaa": "fakelab_o:odd", "fake-good": "fakelab_o:good"}
    make_distribution(site, "fake-lab", {"commands": entries}, {"fakelab_o": source})
    result = run("check", "fake-lab")
    assert result.exit_code == 1
    assert "FAILED  commands fake-aaa\n        ZeroDivisionError" in result.output
    assert "ok      commands fake-good\n" in result.output


def test_check_passes_when_all_pass(site):
    entries = {"commands": {"fake-good": "fakelab_c:good"}}
    make_distribution(site, "fake-lab", entries, {"fakelab_c": GOOD})
    assert run("check", "fake-lab").exit_code == 0


def test_check_of_an_unknown_distribution_is_answered_with_the_nearest():
    result = run("check", "clinicadl-trusty")
    assert result.exit_code == 1
    assert "Did you mean 'clinicadl-trust'?" in result.output


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My Lab", "cannot name a package"),
        ("1lab", "cannot name a package"),
        ("../lab", "cannot name a package"),
        ("import", "a word of Python's own"),
        ("json", "a word of Python's own"),
        ("tests", "the name of many packages' tests"),
        ("split", "`clinicadl split` exists already"),
        ("numpy", "installed already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(tmp_path, name, message):
    with pytest.raises(ConfigError, match=message):
        scaffold(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_plugin_is_never_written_over_another(tmp_path):
    (tmp_path / "my-lab").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        scaffold("my-lab", tmp_path)


def test_underscores_become_hyphens_and_nothing_is_left_unfilled(tmp_path):
    folder = scaffold("my_new_lab", tmp_path / "deep")
    assert folder == tmp_path / "deep" / "my-new-lab"
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*"))
    assert files == [
        ".gitignore",
        "README.md",
        "my_new_lab/__init__.py",
        "my_new_lab/command.py",
        "my_new_lab/constraint.py",
        "my_new_lab/model.py",
        "my_new_lab/split.py",
        "pyproject.toml",
        "tests/test_my_new_lab.py",
    ]
    for name in files:
        text = (folder / name).read_text()
        assert "$" not in text and "tmpl" not in text
    assert "class MyNewLabModel(" in (folder / "my_new_lab" / "model.py").read_text()
    assert not list(folder.parent.glob("*.partial"))


def pip_install(folder: Path, target: Path) -> None:
    """Install as a user does; without the index where setuptools is new enough."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    try:
        if tuple(map(int, version("setuptools").split(".")[:2])) >= (70, 1):
            command += ["--no-build-isolation", "--no-index"]
    except PackageNotFoundError:
        pass
    subprocess.run([*command, "--target", str(target), str(folder)], check=True)


ELSEWHERE = '''
"""What a MAPS asks: the model comes back by ClinicaDL's own factory."""


def test_clinicadl_reads_the_model_from_json_by_its_name(tmp_path):
    import clinicadl_trust  # all that it takes
    from clinicadl.models.factory import get_model_from_json
    from clinicadl_trust.testing import example_parts
    from fake_lab.model import FakeLabModel

    model = FakeLabModel(**example_parts(), sparsity=0.25)
    model.to_json(tmp_path / "model.json")
    again = get_model_from_json(tmp_path / "model.json")
    assert type(again) is FakeLabModel and again.config.sparsity == 0.25


def test_the_penalty_is_added_to_the_loss():
    import torch
    from clinicadl_trust.testing import example_batch, example_parts
    from fake_lab.model import FakeLabModel

    torch.manual_seed(0)
    model = FakeLabModel(**example_parts(), sparsity=0.0)
    batch = example_batch()
    plain = model.forward_step(batch)
    model.config.sparsity = 2.0
    weights = sum(p.abs().sum() for p in model.network.parameters())
    torch.testing.assert_close(model.forward_step(batch), plain + 2 * weights)


def test_a_maps_made_with_the_plugins_reopens(tmp_path):
    from click.testing import CliRunner
    from clinicadl_trust.cli.main import cli
    from clinicadl_trust.generate import GeneratorOptions, generate_caps

    options = GeneratorOptions(participants=24, sessions=1, resolution=8, seed=1)
    caps = generate_caps(tmp_path / "caps", options)
    table, splits, maps = caps / "participants.tsv", tmp_path / "splits", tmp_path / "m"
    config = tmp_path / "model.toml"
    config.write_text(
        'type = "trainer"\\n'
        'model = { name = "FakeLabModel", sparsity = 0.125 }\\n'
        "training = { epochs = 1, patience = 0 }\\n"
    )
    image = '{data_type = "t1_linear", suffix = "T1w", with_entities = {res = "8x8x8"}}'
    for args in (
        ["split", "make", table, splits, "--strategy", "FakeLabAgeBands"]
        + ["--label", "diagnosis", "--option", "n-bands=2"],
        ["train", caps, table, splits / "FakeLabAgeBands", maps, "--config", config]
        + ["--label", "diagnosis", "--image", image, "--threads", "1"],
    ):
        result = CliRunner().invoke(cli, list(map(str, args)))
        assert result.exit_code == 0, result.output

    from clinicadl.train import Trainer
    from fake_lab.model import FakeLabModel

    model = Trainer.from_maps(maps).model
    assert type(model) is FakeLabModel and model.config.sparsity == 0.125
'''


def test_a_scaffolded_plugin_installs_works_and_passes_its_own_test(tmp_path):
    assert run("new", "fake-lab", "--output", tmp_path).exit_code == 0
    folder, target = tmp_path / "fake-lab", tmp_path / "installed"
    pip_install(folder, target)
    elsewhere = tmp_path / "elsewhere" / "test_factory.py"
    elsewhere.parent.mkdir()
    elsewhere.write_text(ELSEWHERE)
    environment = {
        **os.environ,
        "PYTHONPATH": str(target),
        "XDG_CONFIG_HOME": str(tmp_path),
        "OMP_NUM_THREADS": "1",
    }

    def python(*args):
        return subprocess.run(
            [sys.executable, "-m", *args],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    tests = [str(folder / "tests"), str(elsewhere)]
    tested = python("pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert tested.returncode == 0, tested.stdout
    assert "11 passed" in tested.stdout

    listed = rows(python("clinicadl_trust", "plugins", "list").stdout)
    origin = ("fake-lab", "0.1.0")
    assert listed["FakeLabAgeBands"] == ("split_strategies", *origin, "ok")
    assert listed["FakeLabModel"] == ("models", *origin, "unchecked: needs torch")
    constraint = ("attribution_constraints", *origin, "unchecked: needs torch")
    assert listed["FakeLabSymmetry"] == constraint
    assert listed["fake-lab"] == ("commands", *origin, "ok")
    assert "  fake-lab " in python("clinicadl_trust", "--help").stdout
