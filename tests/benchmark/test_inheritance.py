import pytest
from test_experiment_file import GENERATED, mistakes, read

BASE = (
    GENERATED
    + """\
[models.cnn]
type = "trainer"
label = "Plain"
seeds = [0, 1]
transforms = [ { name = "ZNormalization" } ]
network = { name = "CNN", channels = [8, 16], act = { name = "relu", slope = 1 } }
training = { epochs = 9, batch_size = 4 }
"""
)


def models(tmp_path, text):
    return read(tmp_path, BASE + text).models


def test_a_model_takes_over_what_it_does_not_say(tmp_path):
    found = models(
        tmp_path,
        """\
[models.longer]
like = "cnn"
training = { epochs = 90 }
""",
    )
    longer, cnn = found["longer"], found["cnn"]
    assert longer.config["training"] == {"epochs": 90, "batch_size": 4}
    assert longer.config["network"] == cnn.config["network"]
    assert longer.seeds == [0, 1] and longer.type == "trainer"
    assert longer.label is None and cnn.label == "Plain"
    assert "like" not in longer.config


def test_options_of_another_class_are_not_taken_over(tmp_path):
    text = """\
[models.other]
like = "cnn"
transforms = []
network = { channels = [4], act = { name = "gelu" } }
[models.unet]
like = "other"
network = { name = "UNet" }
"""
    found = models(tmp_path, text)
    assert found["other"].config["transforms"] == []
    expected = {"name": "CNN", "channels": [4], "act": {"name": "gelu"}}
    assert found["other"].config["network"] == expected
    assert found["unet"].config["network"] == {"name": "UNet"}
    assert found["unet"].config["transforms"] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[models.a]\nlike = "cn"\ntype = "trainer"', "'cn'. Did you mean 'cnn'"),
        ("[models.a]\nlike = 3\ntype = 'trainer'", "no model of this file is called 3"),
        (
            '[models.a]\nlike = "b"\ntype = "trainer"\n[models.b]\nlike = "a"\n'
            'type = "trainer"',
            "in a circle: a -> b -> a",
        ),
        ('[models.a]\nlike = "a"\ntype = "trainer"', "in a circle: a -> a"),
    ],
)
def test_what_no_model_can_be_like(tmp_path, text, said):
    found = mistakes(tmp_path, BASE + text)
    assert any(said in line and "like" in line for line in found), found
