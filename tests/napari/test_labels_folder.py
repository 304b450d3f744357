import os
from pathlib import Path

import pytest

import bracketseg
from bracketseg._napari.session import labels_folder as module
from bracketseg._napari.session.labeled_scenes import labelings_beside
from bracketseg._napari.session.labels_folder import labels_folder, root_of, short_path
from bracketseg._napari.session.runs_folder import own_trainings, runs_folder, runs_folders


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "own_labels", lambda: tmp_path / "home" / "bracketseg-labels")
    return tmp_path / "home" / "bracketseg-labels"


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A folder that nobody may write to."""
    folder = tmp_path / "disc" / "trip"
    folder.mkdir(parents=True)

    def access(path, mode, real=os.access):
        return real(path, mode) and not (mode & os.W_OK and Path(path) == folder)

    monkeypatch.setattr(os, "access", access)
    return folder


def test_labels_lie_beside_the_brackets(tmp_path):
    assert labels_folder(tmp_path) == tmp_path / "labels"
    # Also of one that is not there, such as a drive that was unplugged.
    assert labels_folder(tmp_path / "gone") == tmp_path / "gone" / "labels"
    assert root_of(tmp_path / "labels" / "Ana", tmp_path) == tmp_path


def test_nothing_goes_into_the_package(own):
    samples = Path(bracketseg.__file__).parent / "sample_data" / "brackets"
    assert labels_folder(samples / "garden_gate") == own / "garden_gate"
    assert root_of(own / "garden_gate" / "me", samples / "garden_gate") == own.parent


def test_two_locked_folders_of_one_name_have_two_places(own, locked, tmp_path, monkeypatch):
    place = labels_folder(locked)
    assert place.parent == own
    assert place.name.startswith("trip-")
    monkeypatch.setattr(os, "access", lambda *_: False)
    other = tmp_path / "other" / "trip"
    other.mkdir(parents=True)
    assert labels_folder(other) not in (place, other / "labels")


def test_labels_that_may_be_written_in_a_locked_folder_stay_there(own, locked):
    (locked / "labels").mkdir()
    assert labels_folder(locked) == locked / "labels"


def test_labels_of_a_locked_folder_are_found_at_both_places(own, locked, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    places = [locked / "labels" / "Bo", labels_folder(locked) / "Ana"]
    for place in places:
        place.mkdir(parents=True)
    assert labelings_beside(locked) == places


def test_a_path_is_written_as_a_person_knows_it(tmp_path):
    assert short_path(tmp_path / "set" / "labels" / "me", tmp_path / "set") == "set/labels/me"
    assert short_path(Path.home() / "x" / "y", None) == "~/x/y"
    assert short_path(tmp_path / "x", tmp_path / "set") == str(tmp_path / "x")


@pytest.mark.parametrize("locked_by", ["rights", "package"])
def test_trainings_go_where_labels_would(locked, tmp_path, monkeypatch, locked_by):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert runs_folder(tmp_path) == tmp_path / "runs"
    assert runs_folders(tmp_path) == (tmp_path / "runs",)
    assert own_trainings(tmp_path) == ()
    package = Path(bracketseg.__file__).parent / "sample_data" / "brackets" / "garden_gate"
    folder = locked if locked_by == "rights" else package
    place = runs_folder(folder)
    assert place.parent == tmp_path / "home" / "bracketseg-runs"
    assert place.name == labels_folder(folder).name
    assert runs_folders(folder) == (place, folder / "runs")
    (place / "low-bce").mkdir(parents=True)
    assert own_trainings(folder) == (place / "low-bce",)
