"""Several processes learn what one does; started by torchrun, as a person would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bracketseg.errors import TrainingError
from bracketseg.learning import optimization
from bracketseg.learning.batches import augment
from bracketseg.learning.config import NetworkConfig
from bracketseg.learning.events import Finished
from bracketseg.learning.process_group import ProcessGroup, lost_process
from bracketseg.learning.training import train
from bracketseg.learning.unet import Dropout, Noise, UNet

SCRIPT = Path(__file__).with_name("train_together.py")


def torchrun(brackets, masks, config, out, *options, restarts=0, status=0, **when):
    """Train with two processes; give what they printed on standard error."""
    settings = config.model_dump(include={"epochs", "batch_size", "image_size", "loss", "seed"})
    given = [
        part for key, value in settings.items() for part in (f"--{key.replace('_', '-')}", value)
    ]
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2),
        *("--max-restarts", restarts, "--monitor-interval", 0.1, SCRIPT),
        *("train", brackets[0].folder.parent, "--masks", masks, "--out", out, "--role", "low"),
        *("--validation", config.validation, "--device", "cpu", "--precision", "float32"),
        *given,
        *options,
    ]
    told = {name.upper(): str(epoch) for name, epoch in when.items()}
    told["DIED"] = str(out.with_name("died"))
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | told | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == status, done.stderr[-3000:]
    return done.stderr


@pytest.fixture
def config(tiny):
    """Batches of three and two images: the processes have one and two, and then one each."""
    # The command has no option for a smaller network.
    network = {"filters": (16, 32, 64, 128, 256), "batch_size": 3, "image_size": 16}
    return tiny.model_copy(update=network | {"loss": "dice-bce", "epochs": 2})


def assert_close(history, one, other):
    first, second = history(one), history(other)
    assert len(first) == len(second)
    for mine, theirs in zip(first, second, strict=True):
        assert mine.keys() == theirs.keys()
        for name in mine:
            assert float(mine[name]) == pytest.approx(float(theirs[name]), rel=1e-4, abs=1e-5), name
    assert json.loads((one / "split.json").read_text()) == json.loads(
        (other / "split.json").read_text()
    )


def test_two_processes_learn_what_one_does_though_one_is_killed(setting, config, history):
    brackets, masks, folder = setting
    longer = config.model_copy(update={"epochs": 3})
    alone, together = folder / "alone", folder / "together"
    list(train(brackets, masks, longer, alone))
    said = torchrun(brackets, masks, config, together, restarts=1, die_in_epoch=2)
    assert said.count("epoch 1/2:") == 1, "one process tells it, and it was not done again"
    assert said.count("epoch 2/2:") == 1
    assert said.count("This will take about") == 2, "one process tells it, whenever it begins"
    assert (folder / "died").exists()
    assert {path.name for path in together.iterdir()} == {path.name for path in alone.iterdir()}
    # One process goes on where two have stopped.
    events = list(train(brackets, masks, longer, together, resume=True))
    assert isinstance(events[-1], Finished)
    assert_close(history, alone, together)


def test_two_processes_stop_together(setting, config):
    brackets, masks, folder = setting
    out = folder / "stopped"
    said = torchrun(brackets, masks, config, out, status=1, stop_in_epoch=1)
    assert "--resume goes on" in said
    assert "was lost" not in said
    assert (out / "last.pt").is_file()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_parts_cover_a_batch_in_order(size):
    parts = [ProcessGroup(rank=rank, size=size).part(5) for rank in range(size)]
    assert [i for part in parts for i in range(5)[part]] == list(range(5))


def test_parts_of_a_batch_are_turned_and_drop_as_the_whole_does():
    images = torch.randint(0, 256, (7, 8, 8, 3), dtype=torch.uint8)
    masks = images[..., 0] > 99
    whole = augment((images, masks), np.random.default_rng(5))
    part = augment((images[3:], masks[3:]), np.random.default_rng(5), first=3)
    assert all(torch.equal(a[3:], b) for a, b in zip(whole, part, strict=True))
    unet = UNet(NetworkConfig(filters=(3, 5), dropout=0.5)).train()
    x = torch.rand(7, 3, 8, 8)
    with torch.no_grad():
        unet.seed_dropout(9)
        every = unet(x)
        unet.seed_dropout(9, first=3)
        torch.testing.assert_close(unet(x[3:]), every[3:])
    dropped = Dropout(0.5, Noise(1)).train()(torch.ones(8, 2, 8, 8))
    assert len(dropped.flatten(1).unique(dim=0)) == 8, "images drop different values"


def test_a_lost_process_is_an_error_of_ours():
    expected = pytest.raises(TrainingError, match="another process of this training was lost")
    with expected, lost_process():
        raise torch.distributed.DistNetworkError("Connection closed by peer")


def test_a_process_lost_before_the_first_step_is_too(config, monkeypatch):
    def closed(_network):
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(optimization, "DistributedDataParallel", closed)
    with pytest.raises(TrainingError, match="another process of this training was lost"):
        optimization.Optimization(config, torch.device("cpu"), None, ProcessGroup(size=2))
