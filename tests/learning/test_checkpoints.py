import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from bracketseg.errors import ModelError
from bracketseg.learning.checkpoints import load_last, load_model, save_last, save_model
from bracketseg.learning.config import NetworkConfig
from bracketseg.learning.model_card import ModelCard, read_card
from bracketseg.learning.unet import UNet

NETWORK = NetworkConfig(filters=(2, 3))
CARD = ModelCard(
    role="high",
    network=NETWORK,
    image_size=64,
    ground_truth={"method": "manual", "lo": 0.0, "hi": 200.0},
    loss="dice-bce",
    seed=7,
    epoch=3,
    metrics={"dice": 0.1 + 0.2, "jaccard": 0.5},
    versions={"torch": torch.__version__},
)


@pytest.fixture
def saved(tmp_path):
    unet = UNet(NETWORK, torch.Generator().manual_seed(5))
    unet.to(memory_format=torch.channels_last)
    save_model(tmp_path / "best.safetensors", unet, CARD)
    return unet, tmp_path / "best.safetensors"


def test_a_model_comes_back_the_same_from_file_and_folder(saved):
    unet, path = saved
    for source in (path, path.parent):
        model = load_model(source)
        assert model.card == CARD
        assert model.path == path
        pairs = zip(unet.parameters(), model.unet.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
        assert not model.unet.training
        assert not any(p.requires_grad for p in model.unet.parameters())
    assert read_card(path.parent) == CARD


def test_the_description_is_json_in_the_metadata(saved):
    with safe_open(saved[1], framework="pt") as file:
        metadata = file.metadata()
    assert json.loads(metadata["role"]) == "high"
    assert json.loads(metadata["network"])["filters"] == [2, 3]
    assert set(ModelCard.model_fields) < set(metadata)


def test_the_same_model_makes_the_same_file(saved):
    unet, path = saved
    for _ in range(3):
        save_model(path.with_name("again.safetensors"), unet, CARD)
        assert path.with_name("again.safetensors").read_bytes() == path.read_bytes()


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"none\.safetensors does not exist"):
        load_model(tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match=f"{tmp_path.name} is no finished run"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"not a model", b"\x08\0\0\0\0\0\0\0{}      ", b"\0\0\0\0\0\1\0\0" + b"{" * 99],
)
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(content)
    for read in (load_model, read_card):
        with pytest.raises(ModelError, match=r"odd\.safetensors"):
            read(path)


def test_a_cut_off_file_is_refused(saved):
    path = saved[1]
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        load_model(path)


def test_weights_of_another_program_are_refused(saved):
    path = saved[1]
    save_file(load_file(path), path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="was not made by bracketseg"):
        load_model(path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("role", '"medium"', "role"),
        ("role", "{", "description is damaged"),
        ("image_size", None, "image_size"),
        ("network", '{"filters": [2, 3, 4]}', "weights do not fit"),
    ],
)
def test_a_false_description_is_refused(saved, field, value, message):
    path = saved[1]
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    if value is None:
        del metadata[field]
    else:
        metadata[field] = value
    save_file(load_file(path), path, metadata=metadata)
    with pytest.raises(ModelError, match=message) as raised:
        load_model(path)
    assert str(path) in str(raised.value)


def test_the_state_of_a_training_comes_back(tmp_path):
    path = tmp_path / "last.pt"
    state = {"a": torch.arange(3), "b": [{"loss": 0.1}], "c": None, "d": {"e": "f"}}
    save_last(path, state)
    back = load_last(path)
    assert torch.equal(back.pop("a"), state.pop("a"))
    assert back == state


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04broken"])
def test_a_damaged_state_is_refused(tmp_path, content):
    path = tmp_path / "last.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"last\.pt cannot be read"):
        load_last(path)
    with pytest.raises(ModelError, match="cannot be read"):
        load_last(tmp_path / "none.pt")


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return print, ("sprung",)


def test_code_in_a_state_is_not_run(tmp_path, capsys):
    path = tmp_path / "last.pt"
    torch.save({"model": Trap()}, path)
    with pytest.raises(ModelError, match="cannot be read"):
        load_last(path)
    assert capsys.readouterr().out == ""
    torch.save([1], path)
    with pytest.raises(ModelError, match="does not hold a training"):
        load_last(path)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "last.pt"
    save_last(path, {"epoch": 1})
    with pytest.raises(Exception, match=r"local|pickle"):
        save_last(path, {"epoch": lambda: 2})
    assert load_last(path) == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path, monkeypatch):
    write = Path.write_bytes

    def full(path, data):
        write(path, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    path = tmp_path / "last.pt"
    with pytest.raises(OSError, match="No space") as failure:
        save_last(path, {"weight": torch.zeros(1000)})
    assert failure.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_reading_a_model_does_not_wake_the_compiler_of_torch(saved):
    code = (
        "import sys; from pathlib import Path; "
        "from bracketseg.learning.checkpoints import load_model; "
        "load_model(Path(sys.argv[1])); sys.exit('torch._dynamo' in sys.modules)"
    )
    # It takes 90 MB and half a second.
    _, file = saved
    assert subprocess.run([sys.executable, "-c", code, str(file)], check=False).returncode == 0
