import re

import pytest

from clinicadl_trust.benchmark import read_experiment
from clinicadl_trust.benchmark.folder import read_resolved, write_resolved
from clinicadl_trust.benchmark.reading import read_run_section
from clinicadl_trust.exceptions import ConfigError

GENERATED = """\
name = "small"
seed = 3
[cohort]
label = "diagnosis"
[cohort.generate]
participants = 20
[sealed_test]
strategy = "MatchedTestSet"
fraction = 0.3
[splits.people]
strategy = "ParticipantKFold"
n_splits = 3
[models.ridge]
type = "scikit-learn"
features = { name = "voxels" }
estimator = { name = "sklearn.linear_model.LogisticRegression", C = 1.0 }
"""


def right(name, config, task):
    """Check no model."""


def read(tmp_path, text, check=right):
    path = tmp_path / "experiment.toml"
    path.write_text(text)
    return read_experiment(path, check)


def mistakes(tmp_path, text, check=right):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text, check)
    lines = str(error.value).splitlines()
    assert "experiment.toml" in lines[0]
    return lines[1:-1] if len(lines) > 1 else lines


def test_defaults_are_written_out(tmp_path):
    experiment = read(tmp_path, GENERATED)
    assert list(experiment.models) == ["ridge", "metadata", "majority"]
    assert experiment.models["ridge"].seeds == [3]
    assert experiment.splits["people"].options == {"n_splits": 3, "seed": 3}
    assert experiment.cohort.generate == {"participants": 20, "seed": 3}
    assert list(experiment.all_splits) == ["sealed", "people"]


def test_seeds_of_a_section_are_kept(tmp_path):
    text = GENERATED.replace("n_splits = 3", "n_splits = 3\nseed = 8")
    text = text.replace('name = "voxels" }', 'name = "voxels" }\nseeds = [1, 2]')
    experiment = read(tmp_path, text)
    assert experiment.splits["people"].options["seed"] == 8
    assert experiment.models["ridge"].seeds == [1, 2]


def test_the_resolved_file_reads_back_equal(tmp_path):
    experiment = read(
        tmp_path,
        GENERATED
        + """\
[models.cnn]
type = "trainer"
transforms = [ { name = "ZNormalization" }, { name = "Crop", size = [1, 2, 3] } ]
network = { name = "CNN", channels = [8, 16], act = ["relu", { inplace = false }] }
""",
    )
    write_resolved(experiment, tmp_path)
    assert read_resolved(tmp_path) == experiment


def test_paths_start_at_the_file(tmp_path, caps_dir):
    (tmp_path / "caps").symlink_to(caps_dir)
    text = re.sub(r"\[cohort.generate\]\n.*\n", 'caps = "caps"\n', GENERATED)
    kind = (
        '{ data_type = "t1_linear", suffix = "T1w", with_entities = { res = "8x8x8" } }'
    )
    text = text.replace('caps = "caps"', f'caps = "caps"\nimage = {kind}')
    experiment = read(tmp_path, text)
    assert experiment.cohort.caps == tmp_path / "caps"
    assert experiment.cohort.participants == tmp_path / "caps" / "participants.tsv"


def test_every_mistake_is_told_with_its_line(tmp_path):
    text = """\
name = "wrong"
bogus = 1
[cohort]
label = "diagnosis"
[cohort.generate]
sitess = 3
effect = -1
[sealed_test]
strategy = "MatchedTestSet"
fraction = 3
[splits.a]
strategy = "ParticipantKFold"
n_split = 4
n_repeats = 0
[splits.b]
strategy = "LeaveOneSiteOutt"
[models.ridge]
type = "scikit-learn"
splits = ["c"]
seeds = [1, 1]
[statistics]
confidence_level = 2
[run]
n_jobs = "2"
threds = 1
"""
    found = mistakes(tmp_path, text)
    expected = [
        ("line 2, bogus", "unknown key"),
        ("line 6, cohort.generate.sitess", "Did you mean 'sites'"),
        ("line 7, cohort.generate.effect", "greater than or equal to 0"),
        ("line 10, sealed_test.fraction", "3"),
        ("line 13, splits.a.n_split", "Did you mean 'n_splits'"),
        ("line 14, splits.a.n_repeats", "1 or more"),
        ("line 16, splits.b.strategy", "Did you mean 'LeaveOneSiteOut'"),
        ("line 17, models.ridge", "'seeds' names a value twice"),
        ("line 22, statistics.confidence_level", "less than 1; got 2"),
        ("line 24, run.n_jobs", "valid integer; got '2'"),
        ("line 25, run.threds", "Did you mean 'threads'"),
    ]
    assert len(found) == len(expected)
    for line, (place, message) in zip(found, expected, strict=True):
        assert line.strip().startswith(place)
        assert message in line


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('label = "diagnosis"', 'label = "diagnossis"', "Did you mean 'diagnosis'"),
        (
            'label = "diagnosis"',
            'label = "diagnosis"\npositive = "ADD"',
            "line 5, cohort.positive: Positive class 'ADD'",
        ),
        ('label = "diagnosis"\n', "", "line 3, cohort.label: this key is needed"),
        ("[cohort.generate]\nparticipants = 20\n", "", "name either 'caps'"),
        ("[splits.people]", "[splits.sealed]", "name of the sealed test group"),
        ('"MatchedTestSet"\nfraction = 0.3', '"ScanKFold"', "nothing is sealed"),
        ("[models.ridge]", "[models.metadata]", "name of a baseline"),
        ("[models.ridge]", '[models."a/b"]', "a name becomes a folder"),
        ("[models.ridge]", "[model.ridge]", "unknown key. Did you mean 'models'"),
        ("seed = 3", "seed = -3", "line 2, seed: Input should be greater"),
        ("seed = 3", "seed = 4294967296", "line 2, seed: Input should be less than"),
        (
            "n_splits = 3",
            "n_splits = 3\nseed = 4294967296",
            "line 13, splits.people.seed: seed must be 0 or more, up to 4294967295",
        ),
        (
            "fraction = 0.3",
            "fraction = 0.3\nseed = 4294967296",
            "line 10, sealed_test.seed: seed must be 0 or more, up to 4294967295",
        ),
        (
            'type = "scikit-learn"',
            'type = "scikit-learn"\nseeds = [1, 4294967296]',
            "line 15, models.ridge.seeds[1]: Input should be less than 4294967296",
        ),
        ('name = "small"\n', "", "name: this key is needed"),
        (
            "[models.ridge]",
            '[chance_test]\nmodels = ["rigde"]\n[models.ridge]',
            "line 14, chance_test.models: no model is called 'rigde'. Did you mean",
        ),
        (
            "[models.ridge]",
            '[chance_test]\nmodels = ["majority"]\n[models.ridge]',
            "chance_test.models: 'majority' learns nothing",
        ),
        (
            "[models.ridge]",
            '[chance_test]\nsplits = ["sealed", "peopel"]\n[models.ridge]',
            "line 14, chance_test.splits: 'peopel' is no split. Did you mean 'people'",
        ),
        (
            "[models.ridge]",
            '[chance_test]\nsplits = ["x"]\n[splits.x]\nstrategy = "ScanKFold"\n'
            "[models.ridge]",
            "chance_test.splits: 'x' leaks on purpose",
        ),
        (
            "[models.ridge]",
            "[chance_test]\npermutations = 9\n[models.ridge]",
            "chance_test.permutations: Input should be greater than or equal to 19",
        ),
        (
            '[models.ridge]\ntype = "scikit-learn"\n',
            '[chance_test]\n[models.ridge]\ntype = "trainer"\n',
            "line 13, chance_test: no model is of type 'scikit-learn'",
        ),
        (
            "[models.ridge]",
            '[statistics]\nreference = "metadta"\n[models.ridge]',
            "line 14, statistics.reference: no model is called 'metadta'. Did you mean "
            "'metadata'",
        ),
        ("[run]", "[run]", None),
    ],
)
def test_one_mistake(tmp_path, old, new, expected):
    if expected is None:
        read(tmp_path, GENERATED)
    else:
        assert any(
            expected in line for line in mistakes(tmp_path, GENERATED.replace(old, new))
        )


def test_models_on_unknown_splits(tmp_path):
    text = GENERATED + 'splits = ["sealed", "peeple"]\n'
    (line,) = mistakes(tmp_path, text)
    assert line.strip().startswith(
        "line 17, models.ridge.splits: 'peeple' is no split."
    )
    assert "Did you mean 'people'" in line


def test_no_model_at_all_is_a_mistake(tmp_path):
    text = GENERATED[: GENERATED.index("[models.ridge]")] + "[models]\n"
    (line,) = mistakes(tmp_path, text)
    assert "line 13, models: name at least one model: [models.NAME]" in line


def test_a_name_whose_table_is_wrong_is_not_said_to_be_unknown(tmp_path):
    text = GENERATED.replace('"ParticipantKFold"', "3").replace(
        'type = "scikit-learn"', 'type = 3\nsplits = ["people"]'
    )
    text += '[models.other]\ntype = "x"\nsplits = ["people"]\n'
    found = mistakes(tmp_path, text + '[statistics]\nreference = "ridge"\n')
    assert [line.strip().split(":")[0] for line in found] == [
        "line 11, splits.people.strategy",
        "line 14, models.ridge.type",
    ]


def test_sections_that_are_no_tables(tmp_path):
    text = 'models = 3\nsplits = ["a"]\nrun = 1\nname = "x"\n'
    found = "\n".join(mistakes(tmp_path, text))
    assert "models: write tables [models.NAME]; got 3" in found
    assert "splits: write tables [splits.NAME]" in found
    assert "run: this is a table: write [run]" in found
    assert "cohort: this table is needed" in found


def test_a_models_mistake_is_at_the_key_or_value_it_quotes(tmp_path):
    def check(name, config, task):
        if name == "ridge":
            assert task.classes == ("CN", "AD")
            raise ConfigError("No estimator 'sklearn.linear_model.LogisticRegression'.")

    (line,) = mistakes(tmp_path, GENERATED, check)
    assert line.strip().startswith("line 16, models.ridge.estimator.name: No estimator")


def test_a_strategy_whose_column_is_missing(tmp_path, caps_dir, cohort):
    table = cohort.table.drop(columns="site")
    table.to_csv(tmp_path / "people.tsv", sep="\t", index=False, na_rep="n/a")
    text = re.sub(
        r"\[cohort.generate\]\n.*\n",
        f'caps = "{caps_dir}"\nparticipants = "people.tsv"\n',
        GENERATED,
    ).replace('"ParticipantKFold"\nn_splits = 3', '"LeaveOneSiteOut"')
    found = mistakes(tmp_path, text)
    assert "line 3, cohort.image: No image" in found[0]
    assert "needs the column 'site'" in found[1]


def test_absent_folders_and_tables(tmp_path):
    text = re.sub(r"\[cohort.generate\]\n.*\n", 'caps = "nowhere"\n', GENERATED)
    (line,) = mistakes(tmp_path, text)
    assert "line 5, cohort.caps: No CAPS folder" in line
    text = text.replace('caps = "nowhere"', 'caps = "nowhere"\nparticipants = "no.tsv"')
    assert "line 6, cohort.participants: No" in mistakes(tmp_path, text)[1]


def test_the_nearest_path_is_told(tmp_path):
    (tmp_path / "data" / "caps").mkdir(parents=True)
    (tmp_path / "data" / "capps.toml").touch()
    text = re.sub(r"\[cohort.generate\]\n.*\n", 'caps = "data/capps"\n', GENERATED)
    (line,) = mistakes(tmp_path, text)
    assert f"Did you mean '{tmp_path / 'data' / 'caps'}'?" in line
    (line,) = mistakes(tmp_path, text.replace("data/capps", "daata/caps"))
    assert f"Did you mean '{tmp_path / 'data' / 'caps'}'?" in line
    (line,) = mistakes(tmp_path, text.replace("data/capps", "data/x/y/z"))
    assert (
        f"'{tmp_path / 'data'}' holds capps.toml, caps. A relative path starts at"
        in line
    )


def test_a_folder_that_is_no_caps_is_one_mistake(tmp_path):
    (tmp_path / "bids").mkdir()
    text = re.sub(r"\[cohort.generate\]\n.*\n", 'caps = "bids"\n', GENERATED)
    (line,) = mistakes(tmp_path, text)
    assert "has no dataset_description.json, so it is not a CAPS" in line


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("[models.Ridge]", "'ridge' differs from it by capitals alone"),
        ('[models.other]\nlabel = "ridge"', "line 18, models.other.label: 'ridge' is"),
    ],
)
def test_two_models_that_would_be_taken_for_one(tmp_path, added, told):
    (line,) = mistakes(tmp_path, f'{GENERATED}{added}\ntype = "scikit-learn"\n')
    assert told in line


def test_a_syntax_error_has_its_line(tmp_path):
    (line,) = mistakes(tmp_path, 'name = "x"\nseed = zero\n')
    assert "is not valid TOML" in line
    assert "line 2" in line
    assert "The line reads: seed = zero." in line


def test_an_absent_file(tmp_path):
    with pytest.raises(ConfigError, match="No experiment file at"):
        read_experiment(tmp_path / "absent.toml")


def test_the_run_section_is_known_before_the_rest_is_checked(tmp_path):
    path = tmp_path / "experiment.toml"
    path.write_text("bogus = 1\n[run]\nn_jobs = 3\n")
    assert read_run_section(path).n_jobs == 3
    path.write_text("[run]\nn_jobs = 0\n")
    assert read_run_section(path).n_jobs == 1


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ("n_splits = 3", "n_splits = 30", "line 11, splits.people", "30"),
        (
            '20\n[sealed_test]\nstrategy = "MatchedTestSet"\nfraction = 0.3',
            '20\nsites = 1\n[splits.sites]\nstrategy = "LeaveOneSiteOut"',
            "line 9, splits.sites.strategy",
            "site",
        ),
        (
            '"MatchedTestSet"\nfraction = 0.3',
            '"ParticipantKFold"',
            "line 8, sealed_test.strategy",
            "makes 5",
        ),
    ],
)
def test_splits_that_cannot_be_made(tmp_path, old, new, place, told):
    assert old in GENERATED
    (line,) = mistakes(tmp_path, GENERATED.replace(old, new))
    assert line.strip().startswith(place)
    assert told in line


def test_rows_without_an_image_are_named_before_anything_is_run(
    tmp_path, caps_dir, cohort
):
    table = cohort.table.copy()
    table.loc[0, "session_id"] = "ses-M999"
    table.to_csv(tmp_path / "people.tsv", sep="\t", index=False, na_rep="n/a")
    kind = (
        '{ data_type = "t1_linear", suffix = "T1w", with_entities = { res = "8x8x8" } }'
    )
    source = f'caps = "{caps_dir}"\nparticipants = "people.tsv"\nimage = {kind}\n'
    text = re.sub(r"\[cohort.generate\]\n.*\n", lambda _: source, GENERATED)
    (line,) = mistakes(tmp_path, text)
    assert line.strip().startswith("line 6, cohort.participants: 1 rows")
    assert "ses-M999" in line
    read(tmp_path, text.replace("[sealed", 'missing_images = "exclude"\n[sealed'))


SEVERAL = GENERATED.replace('"diagnosis"', '["age", "score"]').replace(
    "LogisticRegression", "Ridge"
)


def test_several_labels_are_one_regression(tmp_path):
    experiment = read(tmp_path, SEVERAL)
    assert experiment.cohort.labels == ["age", "score"]
    assert experiment.statistics.metrics == ["error", "mae", "r2"]
    write_resolved(experiment, tmp_path)
    assert read_resolved(tmp_path) == experiment


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"score"]', '"scores"]', "no column 'scores'. Did you mean 'score'?"),
        ('"score"]', '"age"]', "name a column twice"),
        ('"score"]', '"sex"]', "A regression needs a numeric label; 'sex'"),
        (', "score"]', "]", "at least 2 items"),
        ('"score"]', '"score"]\npositive = "AD"', "several labels are for a regress"),
        ('"score"]', '"score"]\ntask = "classification"', "not by a classification"),
        ("[models", "[chance_test]\n[models", "labels are redrawn one at a time"),
    ],
)
def test_several_labels_that_are_wrong(tmp_path, old, new, message):
    found = mistakes(tmp_path, SEVERAL.replace(old, new, 1))
    assert any(message in line for line in found), found
