from __future__ import annotations

import pytest
from click.testing import CliRunner

from clinicadl_trust.cli.report import report


@pytest.fixture
def directory(tmp_path):
    path = tmp_path / "benchmark"
    path.mkdir()
    (path / "benchmark.json").write_text('{"name": "empty"}')
    return path


def test_the_command_prints_the_path_of_the_page(directory, tmp_path):
    path = tmp_path / "page.html"
    result = CliRunner().invoke(report, [str(directory), "--output", str(path)])
    assert result.exit_code == 0, result.output
    assert result.output.strip() == str(path)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert not (directory / "report.html").exists()


def test_by_default_the_page_lies_in_the_benchmark(directory):
    result = CliRunner().invoke(report, [str(directory)])
    assert result.exit_code == 0, result.output
    assert "Nothing about performance" in (directory / "report.html").read_text("utf-8")


def test_without_a_folder_the_help_is_shown():
    result = CliRunner().invoke(report, [])
    assert result.exit_code in (0, 2)
    assert "BENCHMARK_DIRECTORY" in result.output


def test_a_missing_folder_is_named(tmp_path):
    result = CliRunner().invoke(report, [str(tmp_path / "absent")])
    assert result.exit_code == 1
    assert "absent" in str(result.exception)
