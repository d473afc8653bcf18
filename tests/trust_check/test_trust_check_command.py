"""The command: exit codes, what is written, interruption."""

import subprocess
import sys

import click
import pandas as pd
import pytest
from click.testing import CliRunner

from clinicadl_trust import trust_check as package
from clinicadl_trust.cli.trust_check import trust_check
from clinicadl_trust.exceptions import OutputError
from clinicadl_trust.trust_check import SCENARIOS, Measurement, TrustCheck
from clinicadl_trust.trust_check.page import check_place


def run(*args):
    return CliRunner().invoke(trust_check, list(args))


def measurement(label="calibrated", verdict="holds", rate=0.95):
    return Measurement(
        scenario="shares",
        setting="a share",
        procedure="proportion",
        kind="coverage",
        naive=False,
        label=label,
        replicates=10,
        refused=0,
        rate=rate,
        low=rate - 0.01,
        high=rate + 0.01,
        bound_low=0.93,
        bound_high=0.97,
        verdict=verdict,
    )


@pytest.fixture
def found(monkeypatch):
    """Let the command find what a test says."""

    def say(*measurements, is_complete=True):
        made = TrustCheck(measurements, 10, 0, is_complete)
        monkeypatch.setattr(package, "run_trust_check", lambda *_, **__: made)

    return say


def test_the_list_names_every_scenario():
    result = run("--list")
    assert result.exit_code == 0
    assert all(f" {scenario.name} " in result.output for scenario in SCENARIOS)


def test_labels_that_hold_exit_with_0_and_leave_a_page_and_a_table(tmp_path):
    page = tmp_path / "new" / "check.html"
    result = run("-s", "shares", "-n", "30", "-j", "1", "-o", str(page))
    assert result.exit_code == 0, result.output
    assert "Every label holds." in result.output
    assert "shares" in result.output and "covers" in result.output
    table = pd.read_csv(page.with_suffix(".tsv"), sep="\t")
    assert set(table["scenario"]) == {"shares"} and set(table["replicates"]) == {30}
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_broken_label_exits_with_1_and_says_which(found, tmp_path):
    found(measurement(), measurement(verdict="fails", rate=0.8))
    result = run("-o", str(tmp_path / "a.html"))
    assert result.exit_code == 1
    assert "proportion calls itself calibrated" in result.output
    assert "0.800 [0.790, 0.810] instead of 0.93 to 0.97" in result.output
    assert "1 broken" in result.output and "Every label" not in result.output
    assert "1 label not kept" in (tmp_path / "a.html").read_text("utf-8")


def test_an_interruption_exits_with_1_and_keeps_what_is_complete(found, tmp_path):
    found(measurement(), is_complete=False)
    result = run("-o", str(tmp_path / "a.html"))
    assert result.exit_code == 1
    assert "Interrupted before all was measured: see the page." in result.output
    assert "Not finished." in (tmp_path / "a.html").read_text("utf-8")
    found(is_complete=False)
    result = run("-o", str(tmp_path / "b.html"))
    assert result.exit_code == 1 and "nothing was complete" in result.output
    assert not (tmp_path / "b.html").exists()


def test_a_place_that_cannot_be_written_is_refused_first(tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        check_place(tmp_path)
    with pytest.raises(OutputError, match="name of the table"):
        check_place(tmp_path / "a.tsv")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="no folder that you may write in"):
        check_place(tmp_path / "file" / "a.html")
    check_place(tmp_path / "new" / "folder" / "a.html")


@pytest.mark.parametrize(
    "wrong", [["-n", "0"], ["-j", "0"], ["--seed", "-1"], ["--nonsense"]]
)
def test_wrong_usage_exits_with_2(wrong):
    assert run(*wrong).exit_code == 2


def test_help_imports_nothing_slow():
    program = (
        "import sys\n"
        "from clinicadl_trust.cli.trust_check import trust_check\n"
        "trust_check(['--help'], standalone_mode=False)\n"
        "slow = {'torch', 'clinicadl', 'pandas', 'numpy', 'scipy', 'sklearn'}\n"
        "sys.exit(str(slow & set(sys.modules)) if slow & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Measure whether the statistics keep their word." in done.stdout
    assert isinstance(trust_check, click.Command)
