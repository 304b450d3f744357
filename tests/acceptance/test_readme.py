"""The README's commands, run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

from bracketseg._napari.session.session import NEXT, NEXT_UNLABELLED, PREVIOUS
from bracketseg._napari.truth.keys import KEYS

README = Path(__file__).parents[2] / "README.md"


def test_every_command_of_the_readme_runs(command, tmp_path, monkeypatch):
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
        for line in block.splitlines()
        if line.startswith("bracketseg ")
    ]
    assert [shlex.split(line)[1] for line in lines] == [
        *(
            "info",
            "label",
            "label",
            "label",
            "predict",
            "train",
            "train",
            "predict",
            "evaluate",
            "fuse",
        ),
        *("export", "compare"),
    ]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample_data").symlink_to(README.parent / "sample_data")
    for line in lines:
        # As it stands, but for the length of the trainings.
        arguments = re.sub(r"--epochs \d+ --batch-size \d+ --image-size \d+", SHORT, line)
        done = command(*shlex.split(arguments)[1:])
        assert done.status == 0, (line, done.err)
    assert (tmp_path / "scenes.csv").is_file()
    assert (tmp_path / "run-low.onnx").is_file()
    assert (tmp_path / "comparison" / "tables.md").is_file()


SHORT = "--epochs 1 --batch-size 8 --image-size 16"


def test_the_python_of_the_readme_runs(monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(README.parent)
    names: dict[str, object] = {}
    exec(compile(code, str(README), "exec"), names)
    assert names["mask"].shape == names["luma"].shape
    assert 0 <= names["threshold"] <= 255


@pytest.mark.parametrize(
    "path",
    [
        "sample_data/brackets/garden_gate",
        "sample_data/README.md",
        "src/bracketseg/models/README.md",
    ],
)
def test_what_the_readme_speaks_of_is_there(path):
    assert path in README.read_text(encoding="utf-8")
    assert (README.parent / path).exists()


def test_the_table_of_keys_is_that_of_the_docks():
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", README.read_text(encoding="utf-8"), re.M)
    start = rows.index(("key", "what it does")) + 1
    shown = [(key.text, key.title) for key in (PREVIOUS, NEXT, NEXT_UNLABELLED, *KEYS)]
    assert rows[start : start + len(shown)] == shown
