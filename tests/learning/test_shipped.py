"""The models that the package brings work, and their card says what they are."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
from safetensors import safe_open

from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.luma import luma
from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.metrics import measure
from bracketseg.labeling.mask_store import file_sha256
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.learning.checkpoints import load_model
from bracketseg.learning.config import NetworkConfig
from bracketseg.learning.prediction import binarize, predict_probability
from bracketseg.learning.shipped import shipped_model

CARD = (files("bracketseg") / "models" / "README.md").read_text(encoding="utf-8")
BRACKETS = Path(__file__).parents[2] / "sample_data" / "brackets"
UNSEEN = ("boulevard", "hotel_chair", "lobby")
"""Sample brackets from maps that the models were not trained on."""


@pytest.mark.parametrize("role", MASK_ROLES)
def test_each_is_a_small_model_of_its_role_and_of_the_papers_shape(role):
    path = shipped_model(role)
    assert path.stat().st_size <= 5_000_000
    model = load_model(path)
    assert model.card.role == role
    assert model.card.network == NetworkConfig()
    assert model.card.ground_truth == DEFAULT_RANGES[role].model_dump(mode="json")
    with safe_open(path, framework="pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}  # noqa: SIM118
    assert {str(p.dtype) for p in model.unet.parameters()} == {"torch.float32"}


@pytest.mark.parametrize("role", MASK_ROLES)
def test_the_card_states_the_digest_of_the_file(role):
    (digest,) = re.findall(rf"\| `{role}\.safetensors` .*\| `([0-9a-f]{{64}})` \|", CARD)
    assert digest == file_sha256(shipped_model(role))


def test_the_maps_of_the_tested_brackets_were_not_trained_on():
    samples = (BRACKETS.parent / "README.md").read_text(encoding="utf-8")
    (trained,) = re.findall(r"19 maps \((.*?)\)", " ".join(CARD.split()))
    maps = {
        package: set(names.split(", "))
        for package, names in re.findall(r"`(.*?)`: ([\w, ]+)", trained)
    }
    assert sum(map(len, maps.values())) == 19
    for scene in UNSEEN:
        ((package, name),) = re.findall(rf"\| {scene} \| (\S+): \w+/(\w+)\.exr", samples)
        assert name not in maps[package]


@pytest.mark.parametrize("role", MASK_ROLES)
@pytest.mark.parametrize("scene", UNSEEN)
def test_they_do_far_better_than_a_constant_mask_on_an_unseen_bracket(role, scene):
    frame = find_brackets(BRACKETS / scene).brackets[0].frame(role).read()
    values = luma(frame)
    truth = DEFAULT_RANGES[role].bounds(values, role).mask(values)
    probability = predict_probability(load_model(shipped_model(role)), frame, device="cpu")
    reached = measure(confusion(truth, binarize(probability, 0.5)))
    foreground = reached.reference_foreground
    everything = 2 * foreground / (1 + foreground)
    assert 1 - reached.dice < 0.5 * (1 - everything)
    assert reached.dice > 0.8
    assert reached.sensitivity > 0.8
    assert reached.specificity > 0.8
