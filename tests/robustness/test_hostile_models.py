"""Files that are given as models and are none, or that would do something else."""

import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.robustness.memory import peak_memory

from bracketseg.errors import ModelError
from bracketseg.learning.checkpoints import load_last, load_model, save_model
from bracketseg.learning.config import NetworkConfig
from bracketseg.learning.model_card import ModelCard, read_card
from bracketseg.learning.runs import find_runs, read_run
from bracketseg.learning.unet import UNet

NETWORK = NetworkConfig(filters=(2, 3))
CARD = ModelCard(
    role="high",
    network=NETWORK,
    image_size=64,
    ground_truth={"method": "masks"},
    loss="bce",
    seed=0,
    epoch=1,
    metrics={"dice": 0.5},
    versions={},
)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.fixture
def sprung(tmp_path: Path) -> Path:
    """What a trap makes."""
    return tmp_path / "sprung"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "best.safetensors"
    path.parent.mkdir()
    save_model(path, UNet(NETWORK), CARD)
    return path


def refused(path: Path, match: str | None = None) -> None:
    for source in (path, path.parent):
        with pytest.raises(ModelError, match=match) as raised:
            load_model(source)
        assert str(path.parent) in str(raised.value)


def change(model: Path, changes: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors, card = load_file(model), read_card(model)
    changes(tensors)
    save_file(tensors, model, metadata=card.metadata())


def describe(model: Path, **fields: str) -> None:
    save_file(load_file(model), model, metadata={**read_card(model).metadata(), **fields})


class TestPickles:
    def test_a_state_of_torch_named_as_a_model(self, model: Path, sprung: Path) -> None:
        torch.save({"model": Trap(sprung)}, model)
        refused(model, "no model|not a readable")
        assert not sprung.exists()

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_a_raw_pickle_named_as_a_model(self, model: Path, sprung: Path, protocol: int) -> None:
        model.write_bytes(pickle.dumps(Trap(sprung), protocol))
        refused(model)
        model.with_name("last.pt").write_bytes(model.read_bytes())
        with pytest.raises(ModelError, match=r"last\.pt cannot be read"):
            load_last(model.with_name("last.pt"))
        assert not sprung.exists()

    def test_a_pickle_within_the_archive_of_a_state(self, tmp_path: Path, sprung: Path) -> None:
        path = tmp_path / "last.pt"
        torch.save({"epoch": 1}, path)
        with zipfile.ZipFile(path) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in content.items():
                trap = pickle.dumps({"epoch": Trap(sprung)}, 2)
                archive.writestr(name, trap if name.endswith("data.pkl") else data)
        with pytest.raises(ModelError, match=r"last\.pt cannot be read"):
            load_last(path)
        assert not sprung.exists()

    def test_the_trap_would_spring(self, sprung: Path) -> None:
        pickle.loads(pickle.dumps(Trap(sprung)))
        assert sprung.exists()

    def test_an_array_of_objects_as_exposures(self, tmp_path: Path, sprung: Path) -> None:
        from bracketseg.brackets.sidecars import sidecar_evs

        path = tmp_path / "exposures.npy"
        np.save(path, np.array([Trap(sprung)], dtype=object), allow_pickle=True)
        assert sidecar_evs(path) is None
        assert not sprung.exists()


class TestTensors:
    def test_one_is_missing(self, model: Path) -> None:
        change(model, lambda tensors: tensors.pop("head.bias"))
        refused(model, "weights do not fit")

    def test_one_too_many(self, model: Path) -> None:
        change(model, lambda tensors: tensors.update(more=torch.zeros(3)))
        refused(model, "weights do not fit")

    @pytest.mark.parametrize("shape", [(), (0,), (2,), (1, 1), (1, 10**6)])
    def test_of_another_shape(self, model: Path, shape: tuple[int, ...]) -> None:
        change(model, lambda tensors: tensors.update({"head.bias": torch.zeros(shape)}))
        refused(model, "weights do not fit")

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int64, torch.bool])
    def test_of_another_type(self, model: Path, dtype: torch.dtype) -> None:
        change(model, lambda t: t.update({"head.bias": t["head.bias"].to(dtype)}))
        refused(model, "weights do not fit")

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
    def test_not_finite(self, model: Path, value: float) -> None:
        change(model, lambda tensors: tensors["head.weight"].fill_(value))
        refused(model, r"weights head\.weight are not finite")


class TestDescription:
    def test_of_a_network_larger_than_any_memory(self, model: Path) -> None:
        describe(model, network=json.dumps({"filters": [4096] * 8}))
        before = peak_memory()
        refused(model, "weights do not fit")
        assert peak_memory() - before < 1 << 30

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("role", '"medium"'),
            ("role", "null"),
            ("role", '["high"]'),
            ("network", "{}x"),
            ("network", '{"filters": []}'),
            ("network", '{"filters": [1e99]}'),
            ("network", '{"filters": [-1]}'),
            ("network", '{"in_channels": 1000000}'),
            ("network", "[" * 100_000),
            ("image_size", "0"),
            ("image_size", "-512"),
            ("image_size", "1e12"),
            ("image_size", "1" + "0" * 5000),
            ("image_size", '"big"'),
            ("loss", '"../../x"'),
            ("metrics", '{"dice": "much"}'),
            ("versions", "7"),
            ("ground_truth", "null"),
            ("ground_truth", '{"a":' * 2000 + "1" + "}" * 2000),
            ("more", "1"),
            ("bracketseg", "2"),
        ],
    )
    def test_is_no_description(self, model: Path, field: str, value: str) -> None:
        describe(model, **{field: value})
        refused(model)
        with pytest.raises(ModelError, match=r"best\.safetensors"):
            read_card(model)

    @pytest.mark.parametrize("length", [2**63 - 1, 2**64 - 1, 10**8, 2**20 + 1, 1000, 0, 1])
    def test_a_false_length_of_the_header(self, model: Path, length: int) -> None:
        data = model.read_bytes()
        model.write_bytes(struct.pack("<Q", length) + data[8:])
        refused(model)

    def test_a_header_that_points_outside(self, model: Path) -> None:
        data = model.read_bytes()
        end = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:end])
        header["head.bias"]["data_offsets"] = [0, 2**60]
        text = json.dumps(header).encode()
        model.write_bytes(struct.pack("<Q", len(text)) + text + data[end:])
        refused(model)

    def test_a_folder_or_a_link_in_place_of_the_file(self, model: Path) -> None:
        model.unlink()
        model.mkdir()
        refused(model)
        model.rmdir()
        model.symlink_to(model)
        refused(model)


@pytest.mark.parametrize("name", ["config.json", "history.csv", "environment.json", "metrics.json"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"epochs": 1e999, "role": [], "masks": 7, "started": {}}',
        b'{"epochs": ' + b"9" * 10_000 + b"}",
        b'{"role": "low", "role": "high", "epochs": NaN, "started": "9999-99-99"}',
        b"epoch,train_loss\n1,x\n",
        b'"' * 999,
        b"\xff\xfe\0",
    ],
)
def test_files_of_a_run_that_nobody_wrote(model: Path, name: str, content: bytes) -> None:
    (model.parent / "config.json").write_text('{"role": "high", "loss": "bce"}')
    (model.parent / name).write_bytes(content)
    try:
        read_run(model.parent)
    except ModelError as error:
        assert str(model.parent) in str(error)
    runs, broken = find_runs([model.parent])
    assert len(runs) + len(broken) == 1
