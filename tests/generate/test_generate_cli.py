import pandas as pd
import pytest
from click.testing import CliRunner

from clinicadl_trust.cli.main import cli
from clinicadl_trust.generate import GeneratorOptions

SMALL = ["--participants", "2", "--sites", "1", "--resolution", "16", "--n-jobs", "1"]


def run(*arguments):
    return CliRunner().invoke(cli, ["generate", *map(str, arguments)])


def test_the_command_makes_a_caps_and_says_where(tmp_path):
    result = run(
        tmp_path / "caps",
        *SMALL,
        *("--regions", "Amygdala_L", "--regions", "Amygdala_R"),
    )
    assert result.exit_code == 0, result.output
    assert f"2 participants in '{tmp_path / 'caps'}'" in result.output
    table = pd.read_csv(tmp_path / "caps" / "participants.tsv", sep="\t")
    assert table["participant_id"].nunique() == 2


def test_every_option_of_the_generator_is_on_the_command_line():
    text = run("--help").output
    for name in GeneratorOptions.model_fields:
        assert f"--{name.replace('_', '-')} " in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--effect", "-1"], 1, "Option 'effect' = -1.0"),
        (["--regions", "Hippocampus"], 1, "Did you mean 'Hippocampus_"),
        (["--modality", "PET"], 2, "'PET' is not one of"),
        (["--effct", "1"], 2, "No such option"),
        (["--n-jobs", "0"], 2, "-1 for one per core"),
    ],
)
def test_a_mistake_is_explained_without_traceback(tmp_path, arguments, code, message):
    result = run(tmp_path / "caps", *SMALL, *arguments)
    assert result.exit_code == code
    assert message in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "caps").exists()


def test_a_progress_bar_counts_participants(tmp_path, capsys):
    from clinicadl_trust.generate import generate_caps

    options = GeneratorOptions(participants=2, sites=1, resolution=16)
    generate_caps(tmp_path / "caps", options, progress=True)
    assert "100%" in capsys.readouterr().out
