"""Disks that are full, folders that may not be written to, folders that are gone."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from bracketseg._napari.truth import background_writer
from bracketseg.labeling.mask_store import LabelingFolder


@pytest.fixture
def folder(make_set):
    return make_set(3)


class Trouble:
    """Keeps everything below a folder from being written."""

    advice: str

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.attempts = 0
        self._monkeypatch = monkeypatch
        self._real = {name: getattr(Path, name) for name in ("write_bytes", "mkdir", "is_dir")}

    def refuse(self, code, *names):
        for name in names:

            def refused(path, *arguments, real=self._real[name], **options):
                if path.is_relative_to(self.folder) and not path.is_dir():
                    self.attempts += 1
                    raise OSError(code, os.strerror(code), str(path))
                return real(path, *arguments, **options)

            self._monkeypatch.setattr(Path, name, refused)

    def move(self, name):
        """Move the folder elsewhere, and count how often somebody looks for it."""

        def looked(path, real=self._real["is_dir"]):
            self.attempts += path == self.folder
            return real(path)

        self.folder.rename(self.folder.with_name(name))
        self._monkeypatch.setattr(Path, "is_dir", looked)

    def end(self):
        for name, real in self._real.items():
            self._monkeypatch.setattr(Path, name, real)


class FullDisk(Trouble):
    advice = "Make room"

    def begin(self):
        self.refuse(errno.ENOSPC, "write_bytes")


class ReadOnly(Trouble):
    advice = "save to another folder"

    def begin(self):
        self.refuse(errno.EROFS, "write_bytes", "mkdir")


class Forbidden(Trouble):
    advice = "save to another folder"

    def begin(self):
        self.refuse(errno.EACCES, "write_bytes", "mkdir")


class Renamed(Trouble):
    advice = "put the folder back"

    def begin(self):
        self.move("elsewhere")

    def end(self):
        super().end()
        self.folder.with_name("elsewhere").rename(self.folder)


class Removed(Trouble):
    advice = "put the folder back"

    def begin(self):
        shutil.copytree(self.folder, self.folder.with_name("backup"))
        self.move("removed")
        shutil.rmtree(self.folder.with_name("removed"))

    def end(self):
        super().end()
        self.folder.with_name("backup").rename(self.folder)


def troubles(*kinds):
    return pytest.mark.parametrize("trouble", kinds, indirect=True)


@pytest.fixture
def trouble(request, folder, monkeypatch):
    return request.param(folder, monkeypatch)


@pytest.fixture
def toasts():
    """What napari showed beside the dock."""
    shown = []
    notification_manager.notification_ready.connect(shown.append)
    yield shown
    notification_manager.notification_ready.disconnect(shown.append)


@pytest.fixture
def retry(monkeypatch):
    """Set after how many seconds what could not be written is tried again."""

    def after(seconds):
        monkeypatch.setattr(background_writer, "RETRY", seconds)

    return after


def work(annotator):
    """Move a bound and paint a stroke; gives the mask."""
    annotator.type_bound("low", "lo", 64)
    annotator.paint("low", (5, 5), (5, 20), label=1)
    annotator.paint("low", (40, 70), label=0)
    return annotator.mask("low")


@troubles(FullDisk, ReadOnly, Forbidden, Renamed, Removed)
def test_it_is_said_once_and_saved_when_it_is_mended(annotator, folder, trouble, retry, toasts):
    retry(0.1)
    annotator.open(folder)
    # The scenes beside it are loaded ahead: they can be shown when the folder is gone.
    annotator.go_to("s001")
    annotator.go_to("s000")
    trouble.begin()
    mask = work(annotator)
    seen = {annotator.text("gt.status")}

    def watch():
        seen.add(annotator.text("gt.status"))
        return seen

    annotator.wait(lambda: watch() and "Not saved" in annotator.text("gt.status"))
    message = annotator.text("gt.status")
    assert str(folder) in message
    assert trouble.advice in message
    assert "kept in memory" in message
    assert message.count("⚠") == 1
    # The work goes on, on other scenes too, and is there.
    annotator.click("gt.skip")
    annotator.wait(lambda: watch() and annotator.shown == "s001")
    annotator.go_to("s000")
    np.testing.assert_array_equal(annotator.mask("low"), mask)
    # After some more attempts it is still the same message.
    before = trouble.attempts
    annotator.wait(lambda: watch() and trouble.attempts > before + 1)
    assert len({text.partition("⚠")[2] for text in seen if "⚠" in text}) == 1
    assert toasts == []
    trouble.end()
    annotator.wait(lambda: "⚠" not in annotator.text("gt.status"))
    assert (folder / "labels/Ana/drafts/s000.json").exists()
    np.testing.assert_array_equal(annotator.mask("low"), mask)


@troubles(FullDisk, ReadOnly, Renamed)
def test_accepted_masks_are_saved_by_themselves_later(annotator, folder, trouble, retry):
    retry(0.1)
    annotator.open(folder)
    trouble.begin()
    mask = work(annotator)
    annotator.click("gt.accept")
    annotator.says("Not saved")
    trouble.end()
    annotator.wait(lambda: (folder / "labels/Ana/s000.json").exists())
    annotator.wait(lambda: "⚠" not in annotator.text("gt.status"))
    saved = LabelingFolder.open(folder / "labels" / "Ana")
    np.testing.assert_array_equal(saved.mask("s000", "low"), mask)
    assert saved.record("s000").masks["low"].edited_pixels > 0


@troubles(FullDisk, ReadOnly, Removed)
def test_accept_does_not_wait_for_the_next_attempt(annotator, folder, trouble, retry):
    retry(1e6)
    annotator.open(folder)
    trouble.begin()
    mask = work(annotator)
    annotator.says("Not saved")
    trouble.end()
    annotator.click("gt.accept")
    annotator.wait(lambda: (folder / "labels/Ana/s000.json").exists())
    annotator.wait(lambda: "⚠" not in annotator.text("gt.status"))
    saved = LabelingFolder.open(folder / "labels" / "Ana")
    np.testing.assert_array_equal(saved.mask("s000", "low"), mask)


def test_another_folder_takes_what_could_not_be_saved(annotator, folder, tmp_path, monkeypatch):
    ReadOnly(folder, monkeypatch).begin()
    annotator.open(folder)
    masks = {"s000": work(annotator)}
    annotator.click("gt.accept")
    annotator.wait(lambda: annotator.shown == "s001")
    annotator.says("save to another folder")
    masks["s001"] = work(annotator)
    out = tmp_path / "elsewhere"
    out.mkdir()
    annotator.docks[1].choose_folder = lambda: out
    annotator.click("gt.folder")
    annotator.wait(lambda: (out / "s000.json").exists())
    annotator.wait(lambda: (out / "drafts" / "s001.json").exists())
    annotator.wait(lambda: "⚠" not in annotator.text("gt.status"))
    np.testing.assert_array_equal(annotator.mask("low"), masks["s001"])
    annotator.click("gt.accept")
    annotator.wait(lambda: annotator.shown == "s002")
    annotator.wait(lambda: (out / "s001.json").exists())
    saved = LabelingFolder.open(out)
    for scene, mask in masks.items():
        np.testing.assert_array_equal(saved.mask(scene, "low"), mask)


def test_what_others_made_meanwhile_is_not_replaced(
    annotator, folder, command, retry, snapshot, monkeypatch
):
    retry(0.1)
    annotator.open(folder)
    mask = work(annotator)
    trouble = Renamed(folder, monkeypatch)
    trouble.begin()
    annotator.click("gt.accept")
    annotator.says("no longer there")
    trouble.end()
    # Before the next attempt: this thread does both.
    labels = folder / "labels" / "Ana"
    shutil.rmtree(folder / "labels", ignore_errors=True)
    assert command("label", folder, "--method", "otsu", "--out", labels).status == 0
    before = snapshot(labels)
    annotator.says("made in another way")
    after = snapshot(labels)
    assert {name: after[name] for name in before} == before
    annotator.go_to("s000")
    np.testing.assert_array_equal(annotator.mask("low"), mask)
    annotator.answer(True)
    annotator.click("gt.accept")
    assert len(annotator.questions) == 1
    annotator.wait(lambda: "⚠" not in annotator.text("gt.status"))
    np.testing.assert_array_equal(LabelingFolder.open(labels).mask("s000", "low"), mask)


@pytest.mark.parametrize("answer", [False, True])
def test_closing_asks_before_unsaved_work_goes(annotator, folder, retry, monkeypatch, answer):
    retry(1e6)
    annotator.open(folder)
    trouble = Renamed(folder, monkeypatch)
    mask = work(annotator)
    trouble.begin()
    annotator.click("gt.accept")
    annotator.says("Not saved")
    annotator.answer(answer)
    annotator.close_dock()
    assert len(annotator.questions) == 1
    assert "Not saved" in annotator.questions[0]
    assert str(folder) in annotator.questions[0]
    assert ("Ground truth (bracketseg)" in annotator.window.window.dock_widgets) is not answer
    trouble.end()
    if not answer:
        annotator.close_dock()
        assert len(annotator.questions) == 1
        saved = LabelingFolder.open(folder / "labels" / "Ana")
        np.testing.assert_array_equal(saved.mask("s000", "low"), mask)
