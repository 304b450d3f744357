from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from bracketseg._napari.brackets.scene_table import SceneTable, labels_text, scene_text
from bracketseg._napari.brackets.thumbnails import SIZE, Thumbnails
from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.labeled_scenes import LabelsRead, SceneLabels
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets import jobs
from bracketseg.brackets.layouts import find_brackets
from bracketseg.errors import FrameError
from bracketseg.labeling.coverage import Coverage

HALF = Coverage(low=0.2, high=0.3, union=0.5, remainder=0.5, pieces=1)
MOST = Coverage(low=0.2, high=0.8, union=0.9, remainder=0.1, pieces=1)


@pytest.fixture(autouse=True)
def at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: None)
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: tmp_path / "config")


@pytest.fixture
def brackets(tmp_path, scene):
    for name in ("attic", "barn", "cave"):
        scene(f"set/{name}")
    return list(find_brackets(tmp_path / "set").brackets)


@pytest.fixture
def session(viewer):
    return session_of(viewer)


@pytest.fixture
def thumbnails():
    return Thumbnails()


@pytest.fixture
def table(qapp, session, thumbnails, qtmodeltester):
    table = SceneTable(session, thumbnails)
    thumbnails.ready.connect(table.show_thumbnail)
    yield table
    qtmodeltester.check(table)


def labels(annotator, coverage=None, method=None):
    return SceneLabels(
        folder=Path(annotator), annotator=annotator, coverage=coverage, method=method
    )


def predicted(coverage=None):
    return labels("network", coverage, "network")


def icon_pixels(table, row, mode):
    icon = table.data(table.index(row, 0), Qt.ItemDataRole.DecorationRole)
    image = icon.pixmap(SIZE, SIZE, mode).toImage()
    return image.pixelColor(SIZE // 2, SIZE // 2).getRgb()


def test_a_row_says_what_is_known_of_a_scene(table, brackets, session):
    table.add(brackets[:2])
    table.add(brackets[2:])
    assert table.rowCount() == 3
    assert table.row_of("cave") == 2
    assert table.index(1, 0).data().split("\n") == [
        "barn",
        "3 frames, 4.0 EV (names)",
        "not labelled",
    ]
    session.open_folder(brackets[0].folder.parent)
    session.labeled["barn"] = (predicted(MOST), labels("ana", HALF))
    assert table.index(1, 0).data().endswith("\n50% covered, by ana, network")
    session.labeling_path = Path("ana")
    assert table.index(1, 0).data().endswith("\n✓ 50% covered, by ana, network")
    tooltip = table.index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert tooltip.endswith("Labelled by ana, 50% covered\nPredicted by network, 90% covered")


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ((), "not labelled"),
        ((labels("ana"),), "✓ by ana"),
        ((labels("ana", HALF),), "✓ 50% covered, by ana"),
        ((predicted(MOST), labels("ben", MOST), labels("ana")), "✓ by ana, ben, network"),
        ((predicted(MOST), labels("ana", HALF)), "✓ 50% covered, by ana, network"),
        ((predicted(MOST), labels("ben", HALF)), "50% covered, by ben, network"),
        ((predicted(MOST), labels("ben")), "by ben, network"),
        ((predicted(MOST),), "predicted: 90% covered"),
        ((predicted(),), "predicted"),
    ],
)
def test_labels_in_words_for_ana(known, text):
    assert labels_text(known, Path("ana")) == text


def test_the_span_is_that_of_the_outermost_frames(tmp_path, picture):
    for ev in (-3, 0, 1, 2):
        picture(f"long/EV{ev}.png", 2.0**ev)
    bracket = find_brackets(tmp_path / "long").brackets[0]
    assert scene_text(bracket) == "long\n4 frames, 5.0 EV (names)"


def test_new_labels_and_thumbnails_are_drawn(table, brackets, thumbnails, qtbot):
    table.add(brackets)
    drawn = []
    table.dataChanged.connect(lambda first, last: drawn.append((first.row(), last.row())))
    table.show_labels(frozenset({"barn", "cave", "stranger"}))
    assert drawn == [(1, 2)]
    thumbnails.ask(brackets[:1])
    assert drawn == [(1, 2), (0, 0)]


def test_the_thumbnail_of_the_selected_row_is_not_tinted(table, brackets, thumbnails):
    from qtpy.QtGui import QIcon

    table.add(brackets)
    blank = icon_pixels(table, 0, QIcon.Mode.Normal)
    thumbnails.ask(brackets)
    normal = icon_pixels(table, 0, QIcon.Mode.Normal)
    assert normal != blank
    assert icon_pixels(table, 0, QIcon.Mode.Selected) == normal


def test_the_thumbnail_is_that_of_the_middle_frame(brackets, thumbnails):
    thumbnails.ask(brackets[:1])
    picture = brackets[0].frame("medium").read()
    assert (thumbnails.get("attic") == picture).all()


def test_a_thumbnail_that_cannot_be_read_says_why_in_the_tooltip(table, brackets, thumbnails):
    brackets[0].frame("medium").path.write_bytes(b"broken")
    table.add(brackets)
    thumbnails.ask(brackets[:2])
    assert isinstance(thumbnails.get("attic"), FrameError)
    assert isinstance(thumbnails.get("barn"), np.ndarray)
    tooltip = table.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "medium.png: cannot be read" in tooltip


def test_only_so_many_thumbnails_are_kept_and_those_in_use_longest(brackets):
    thumbnails = Thumbnails(max_kept=2)
    thumbnails.ask(brackets[:2])
    thumbnails.ask(brackets[:1])
    thumbnails.ask(brackets[2:])
    assert thumbnails.get("attic") is not None
    assert thumbnails.get("barn") is None
    assert thumbnails.get("cave") is not None


def test_what_went_out_of_sight_is_not_read(brackets, monkeypatch, qtbot):
    import threading

    read, go_on = [], threading.Event()
    monkeypatch.undo()

    def slow(path, size, **shown):
        read.append(path.parent.name)
        go_on.wait(10)
        return np.zeros((4, 4), np.uint8)

    monkeypatch.setattr("bracketseg._napari.brackets.thumbnails.read_thumbnail", slow)
    thumbnails = Thumbnails()
    thumbnails.ask(brackets[:2])
    qtbot.waitUntil(lambda: read == ["attic"])
    thumbnails.ask(brackets[2:])
    go_on.set()
    qtbot.waitUntil(lambda: thumbnails.get("cave") is not None)
    assert read == ["attic", "cave"]
    assert jobs.cancel_all(10)


def test_another_folder_has_other_rows(table, brackets, thumbnails):
    table.add(brackets)
    table.clear()
    assert table.rowCount() == 0
    assert table.row_of("attic") is None
    table.add(brackets[1:])
    assert table.row_of("barn") == 0


def test_labels_read_from_elsewhere_count_per_folder(session, brackets):
    session.open_folder(brackets[0].folder.parent)
    session._labelings.add(LabelsRead(folder=Path("ana"), scenes={"attic": labels("ana")}))
    session._labelings.add(LabelsRead(folder=Path("ana"), scenes={"attic": labels("ana", HALF)}))
    assert session.labeled["attic"] == (labels("ana", HALF),)
