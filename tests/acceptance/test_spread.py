"""Scenes spread over processes: the same files as without, whatever dies on the way."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster

from bracketseg import cluster as cluster_module
from bracketseg.brackets.layouts import find_brackets
from bracketseg.cluster import Cluster
from bracketseg.errors import ClusterError
from bracketseg.labeling.label_folder import label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo
from bracketseg.learning import prediction_estimate


@pytest.fixture(scope="module")
def cluster():
    """Two processes with one thread each; a scene that kills two of them is given up."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit=None
        ) as started,
    ):
        yield started


@pytest.fixture
def scheduler(cluster):
    return cluster.scheduler_address


def contents(folder):
    """The bytes of every file, hidden ones too; of a record without the time of its making."""
    found = {}
    for path in folder.iterdir():
        if path.suffix == ".json" and "time" in (record := json.loads(path.read_text())):
            del record["time"]
            found[path.name] = record
        else:
            found[path.name] = path.read_bytes()
    return found


def test_each_command_gives_the_same_on_a_cluster(
    command, brackets, scheduler, tmp_path, monkeypatch
):
    monkeypatch.setattr(prediction_estimate, "WORTH_IT", 10)
    (brackets / "s2" / "low.png").write_bytes(b"no picture")
    evaluated = []
    for name, spread in (("here", ()), ("there", ("--scheduler", scheduler))):
        masks, predicted = tmp_path / name / "masks", tmp_path / name / "predicted"
        labelled = command("label", brackets, "--method", "otsu", "--out", masks, *spread)
        assert labelled.status == 1, labelled.err
        assert labelled.err.count("s2") == 1
        assert "1 left out, 5 done" in labelled.err
        options = ("--probability", "--device", "cpu", "--out", predicted)
        said = command("predict", brackets, *options, *spread).err
        assert "1 left out, 5 done" in said
        assert ("nobody knows beforehand" in said) == bool(spread)
        assert ("frames will take about" in said) == (not spread)
        folders = ("--reference", masks, "--prediction", predicted)
        evaluated.append(json.loads(command("evaluate", *folders, "--json", *spread).out))
    for folder in ("masks", "predicted"):
        assert contents(tmp_path / "here" / folder) == contents(tmp_path / "there" / folder)
    assert evaluated[0] == evaluated[1]
    assert len(evaluated[0]["scenes"]) == 10


def test_relative_paths_are_those_of_the_command(command, brackets, scheduler, monkeypatch):
    monkeypatch.chdir(brackets.parent)
    done = command("label", "brackets", "--method", "otsu", "--out", "m", "--scheduler", scheduler)
    assert done.status == 0, done.err
    assert (brackets.parent / "m" / "s5_high.png").is_file()


def label_with(rules, brackets, out, cluster):
    folder = LabelingFolder.create(out, LabelingInfo(method="manual", ranges=DEFAULT_RANGES))
    with Client(cluster, set_as_default=False) as client:
        return list(label_brackets(brackets, rules, folder, pool=Cluster(client)))


def deadly_rules(scene, marker, ranges=DEFAULT_RANGES):
    """Make a function of a bracket that kills its process at one scene, once if `marker` is set."""

    def rules(bracket):
        if bracket.scene == scene and (marker is None or not marker.exists()):
            if marker is not None:
                marker.touch()
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        return ranges

    return rules


def test_a_worker_that_dies_costs_a_retry(brackets, cluster, tmp_path):
    found = find_brackets(brackets).brackets
    marker, out = tmp_path / "died", tmp_path / "out"
    events = label_with(deadly_rules("s3", marker), found, out, cluster)
    assert marker.exists()
    assert [event.record.scene for event in events] == [bracket.scene for bracket in found]
    assert all((out / f"s{number}_low.png").is_file() for number in range(6))


def test_a_scene_that_every_worker_dies_of_is_left_out(brackets, cluster, tmp_path):
    found = find_brackets(brackets).brackets
    events = label_with(deadly_rules("s3", None), found, tmp_path / "out", cluster)
    failed = [event for event in events if hasattr(event, "error")]
    # Another one can have been with the same workers each time they died.
    assert "s3" in [event.scene for event in failed]
    assert all(isinstance(event.error, ClusterError) for event in failed)
    assert "each worker that was given this scene died" in str(failed[0].error)
    told = (tmp_path / "out" / "coverage.csv").read_text().splitlines()[1:]
    labelled = {line.partition(",")[0] for line in told}
    # Of another one the masks may have been saved before the worker died with it once more.
    assert labelled >= {bracket.scene for bracket in found} - {event.scene for event in failed}
    assert "s3" not in labelled


INTERRUPTED = """
import os, signal
from contextlib import contextmanager
from bracketseg import console
from bracketseg.cli import main

follow = console.progress_bar

@contextmanager
def interrupted():
    with follow() as progress:
        os.killpg(0, signal.SIGINT)  # as a terminal does: to this process and its workers
        yield progress

if __name__ == "__main__":
    console.progress_bar = interrupted
    main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups like these")
@pytest.mark.parametrize("workers", [("--workers", "2"), ()])
def test_an_interrupt_stops_after_what_is_in_hand(brackets, tmp_path, workers):
    script, out = tmp_path / "script.py", tmp_path / "out"
    script.write_text(INTERRUPTED)
    more = [brackets / f"s{number}" for number in range(6, 30)]
    for folder in more:
        folder.mkdir()
        for frame in (brackets / "s0").iterdir():
            (folder / frame.name).write_bytes(frame.read_bytes())
    options = ("label", brackets, "--method", "otsu", "--out", out, *workers)
    stopped = subprocess.run(
        [sys.executable, script, *options],
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=120,
    )
    assert stopped.returncode == 1
    assert "Stopping after what is in hand" in stopped.stderr
    assert "of 30 scenes are done" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    masks = {path.name for path in out.glob("*.png")}
    assert {"s0_low.png", "s0_high.png"} <= masks
    assert len(masks) < 30
    rows = (out / "coverage.csv").read_text().splitlines()[1:]
    assert 2 * len(rows) == len(masks)
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_what_is_asked_for_has_to_be_there(command, brackets, tmp_path, monkeypatch):
    options = ("label", brackets, "--method", "otsu", "--out", tmp_path / "out")
    monkeypatch.setattr(cluster_module, "_REACH_SECONDS", 1)
    nobody = command(*options, "--scheduler", "tcp://127.0.0.1:9")
    assert nobody.status == 1
    assert "tcp://127.0.0.1:9: no dask scheduler answers there" in nobody.err
    both = command(*options, "--scheduler", "tcp://127.0.0.1:9", "--workers", "2")
    assert both.status == 2
    with LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as idle:
        address = idle.scheduler_address
        assert "has no workers" in command(*options, "--scheduler", address).err
    monkeypatch.setitem(sys.modules, "distributed", None)
    missing = command(*options, "--workers", "2")
    assert missing.status == 1
    assert "pip install 'bracketseg[cluster]'" in missing.err
    assert not Path(tmp_path / "out").exists()


def test_another_version_on_a_worker_is_refused(
    command, brackets, scheduler, tmp_path, monkeypatch
):
    monkeypatch.setattr(cluster_module, "__version__", "0.0.0")
    options = ("label", brackets, "--method", "otsu", "--out", tmp_path / "out")
    refused = command(*options, "--scheduler", scheduler)
    assert refused.status == 1
    assert "and this is 0.0.0; install the same version everywhere" in refused.err
