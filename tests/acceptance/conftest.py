import sys
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from bracketseg.cli import main


@dataclass
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the command as a person would, in this process."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bracketseg", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = ended.code
        printed = capsys.readouterr()
        return Outcome(status or 0, printed.out, printed.err)

    return run


@pytest.fixture
def brackets(tmp_path, rng):
    """A folder of six scenes `s0` to `s5`; each is noise around a bright and a dark half."""
    root = tmp_path / "brackets"
    for number in range(6):
        folder = root / f"s{number}"
        folder.mkdir(parents=True)
        scene = rng.integers(0, 60, (24, 40, 3)) + np.where(
            rng.random((24, 40, 1)) > 0.2 + number / 10, 130, 20
        )
        for role, gain in (("low", 0.7), ("medium", 1.0), ("high", 1.35)):
            frame = np.clip(scene * gain, 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"{role}.png"), frame)
    return root
