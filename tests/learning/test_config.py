import subprocess
import sys

import pytest
from pydantic import ValidationError

from bracketseg.learning.config import LOSSES, NetworkConfig, PredictConfig, TrainConfig


def test_defaults_are_those_of_the_paper():
    config = TrainConfig()
    assert config.epochs == 50
    assert config.learning_rate == 0.001
    assert config.batch_size == 32
    assert config.image_size == 512
    assert config.filters == (16, 32, 64, 128, 256)
    assert config.loss == "bce"
    # 200 of 1500 images, rounded.
    assert config.validation == 0.15
    assert config.network == NetworkConfig()


def test_losses_in_the_order_of_the_tables():
    assert LOSSES == ("bce", "focal", "dice-bce")


@pytest.mark.parametrize("config", [NetworkConfig, TrainConfig, PredictConfig])
def test_every_field_says_what_it_is(config):
    for name, field in config.model_fields.items():
        assert field.description, name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "medium"),
        ("loss", "l2"),
        ("epochs", 0),
        ("batch_size", 0),
        ("image_size", 100),
        ("image_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("validation", 0.0),
        ("validation", 1.0),
        ("seed", -1),
        ("filters", ()),
        ("filters", (16, 0)),
        ("device", "gpu"),
        ("device", "cuda:x"),
        ("precision", "int8"),
        ("learning_rat", 0.1),
    ],
)
def test_what_cannot_be_is_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        TrainConfig(**{field: value})


def test_a_config_does_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        TrainConfig().epochs = 3


def test_a_config_survives_json():
    config = TrainConfig(role="high", filters=(4, 8), learning_rate=1e-4)
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config


def test_only_what_leaves_the_result_alone_may_change_on_resuming():
    fixed = TrainConfig().fixed()
    assert set(TrainConfig.model_fields) - set(fixed) == {"epochs", "device", "precision"}


def test_configs_come_without_torch():
    code = "import sys, bracketseg.learning.config, bracketseg.learning.events; "
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
