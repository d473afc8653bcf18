"""``clinicadl interpret`` as a user meets it: one run, and all runs of a benchmark."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from clinicadl_trust.cli.main import cli
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.generate import image_type, mask_type

sys.path.append(str(Path(__file__).parents[1] / "models"))
from trainer_runs import CONFIG, change, make_spec

QUICK = ["--curve-steps", "2", "--no-randomise"]


@pytest.fixture(scope="module")
def benchmark(caps_dir, cohort, caps_options, tmp_path_factory):
    """What a benchmark leaves: two seeds of a model with masks, one of another."""
    from clinicadl_trust.models.run import run

    folder = tmp_path_factory.mktemp("benchmark")
    spec = make_spec(caps_dir, cohort, image_type(caps_options), folder)
    source = mask_type(caps_options)
    table = {"data_type": source.data_type, "suffix": source.suffix}
    masks = {"truth": table | {"with_entities": dict(source.with_entities)}}
    short = change(CONFIG, training={"epochs": 1})
    masked = change(short, masks=masks)
    for name, config, seed in (
        ("masked", masked, 0),
        ("masked", masked, 1),
        ("plain", short, 0),
        ("majority", {"type": "majority"}, 0),
    ):
        output = folder / "runs" / f"{name}-{seed}"
        run(replace(spec, model=name, config=config, seed=seed, output=output))
    return folder


def call(*arguments):
    return CliRunner().invoke(
        cli, ["interpret", *map(str, arguments)], env={"COLUMNS": "120"}
    )


def test_all_networks_of_a_benchmark(benchmark, tmp_path):
    result = call(benchmark, *QUICK)
    assert result.exit_code == 0, result.output
    assert "runs/masked-0 (1 of 3)" in result.stderr
    assert "lesion_auprc" in result.stdout
    assert "attributions by gradient need not add up" in result.stdout
    folder = benchmark / "interpretation" / "test" / "gradient"
    table = pd.read_csv(folder / "attribution_metrics.tsv", sep="\t")
    assert len(table) == 3 * 12
    # Models without masks are measured against the masks of the others.
    assert table.groupby("model")["lesion_auprc"].count().to_dict() == {
        "masked": 12,
        "plain": 6,
    }
    stable = pd.read_csv(folder / "stability.tsv", sep="\t")
    assert stable["n_maps"].eq(2).all() and len(stable) == 12
    assert set(stable["model"]) == {"masked"}
    for name in ("evaluate", "compare"):
        args = [folder / "attribution_metrics.tsv", "--metric", "lesion_auprc"]
        args += ["--output", tmp_path / f"{name}.tsv"]
        made = CliRunner().invoke(cli, [name, *map(str, args)])
        assert made.exit_code == 0, made.output
        rows = pd.read_csv(tmp_path / f"{name}.tsv", sep="\t")
        assert rows["metric"].eq("lesion_auprc").all()
        assert rows["value"].notna().all()
    args = ["evaluate", str(folder / "stability.tsv"), "-m", "stability_spearman"]
    made = CliRunner().invoke(cli, [*args, "--output", str(tmp_path / "s.tsv")])
    assert made.exit_code == 0, made.output


def test_stability_is_that_of_the_maps(benchmark):
    from scipy.stats import spearmanr

    from clinicadl_trust.attribution import interpret, stability
    from clinicadl_trust.attribution.interpretation import interpretations

    runs = [benchmark / "runs" / f"masked-{seed}" for seed in (0, 1)]
    for maps in runs:
        interpret(maps, n_steps=2, randomise=False)
    table = stability(runs, part=0.05)
    row = table.iloc[3]
    maps = [
        nib.load(interpretations(each)[0].map_of(row.participant_id, row.session_id))
        for each in runs
    ]
    first, second = (each.get_fdata().ravel() for each in maps)
    expected = spearmanr(first, second).statistic
    assert row.stability_spearman == pytest.approx(expected, abs=1e-6)
    tops = [set(np.argsort(-v)[: round(0.05 * v.size)]) for v in (first, second)]
    assert row.stability_top_dice == pytest.approx(
        len(tops[0] & tops[1]) / len(tops[0])
    )
    with pytest.raises(AttributionError, match="two or more"):
        stability(runs[:1])
    with pytest.raises(AttributionError, match="no finished interpretation"):
        stability(runs, method="occlusion")


def test_one_run_and_one_model(benchmark):
    maps = benchmark / "runs" / "plain-0"
    result = call(maps, *QUICK, "--group", "validation", "--method", "gradient_x_input")
    assert result.exit_code == 0, result.output
    assert "n/a in lesion_*: the model has no mask" in result.stdout
    assert "trust/interpretation/validation/gradient_x_input" in result.stdout
    table = "interpretation/validation/integrated_gradients/attribution_metrics.tsv"
    options = ("--group", "validation", "--model", "plain", "--baselines", "blurred")
    method = ("--method", "integrated_gradients", "--samples", 2)
    result = call(benchmark, *QUICK, *options, *method, "--cascade", 1)
    assert result.exit_code == 0, result.output
    assert "(1 of 1)" in result.stderr
    steps = pd.read_csv(benchmark / Path(table).with_name("cascade.tsv"), sep="\t")
    assert [*steps["step"]] == [*range(1, 1 + len(steps))] and len(steps) > 2
    assert (benchmark / table).is_file()
    stale = [
        benchmark / Path(table).with_name(f"{name}.tsv")
        for name in ("cascade", "stability")
    ]
    stale[1].write_text("of maps that were replaced\n")
    result = call(benchmark, *QUICK, *options, *method, "--overwrite")
    assert result.exit_code == 0, result.output
    assert not [path for path in stale if path.exists()]


def test_other_participants(benchmark, caps_dir, cohort, tmp_path):
    settings = benchmark / "runs" / "plain-0" / "training" / "split-1" / "trust"
    tested = pd.read_csv(settings / "predictions_test.tsv", sep="\t")
    path = tmp_path / "others.tsv"
    cohort.table.merge(tested[["participant_id", "session_id"]].head(3)).to_csv(
        path, sep="\t", index=False
    )
    maps = benchmark / "runs" / "plain-0"
    options = ("--participants", path, "--group", "others", *QUICK)
    result = call(maps, *options)
    assert result.exit_code == 1
    assert "--participants needs the --caps" in result.output
    mask = (
        '{data_type = "t1_linear", suffix = "mask", with_entities = {desc = "atrophy"}}'
    )
    result = call(maps, *options, "--caps", caps_dir, "--mask", mask)
    assert result.exit_code == 0, result.output
    (table,) = settings.glob("interpretation/others/gradient/attribution_metrics.tsv")
    assert len(pd.read_csv(table, sep="\t")) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "gradients"], "Did you mean 'gradient'"),
        (["--baselines", "zero", "--method", "occlusion"], "Did you mean 'zeros'"),
        (["--target", "MS", "--method", "occlusion"], "'MS' is no output"),
        (["--model", "plane"], "Did you mean 'plain'"),
        (["--mask", "{a ="], "is no inline TOML table"),
        (["--mask", "none.nii.gz", "--method", "lrp"], "No mask 'lesion' at"),
        (["--mask", "lesions"], "has no 'lesions'"),
        (["--group", "tests"], "Did you mean 'test'"),
    ],
)
def test_what_is_wrong_is_told(benchmark, arguments, message):
    result = call(benchmark, *QUICK, *arguments)
    assert result.exit_code == 1
    assert message in result.output.replace("\n", " ")
    assert "Traceback" not in result.output


def test_a_folder_without_networks_is_told(benchmark, tmp_path):
    result = call(tmp_path)
    assert result.exit_code == 1 and "0 finished runs" in result.output
    result = call(benchmark / "runs" / "majority-0")
    assert "type 'majority', not a network" in result.output
    settings = tmp_path / "maps" / "training" / "split-0" / "trust" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({}))
    assert "is not finished" in call(tmp_path / "maps").output
