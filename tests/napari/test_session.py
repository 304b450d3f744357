import errno
import gc
import sys
import threading
import weakref
from datetime import UTC, datetime
from itertools import pairwise

import cv2
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils._proxies import PublicOnlyProxy

from bracketseg._napari.layers.provenance import provenance_of
from bracketseg._napari.session import annotator_name, role_keeper
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets import jobs
from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.layouts import find_brackets
from bracketseg.errors import BracketError
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo, MaskRecord, SceneRecord


@pytest.fixture(autouse=True)
def config(monkeypatch, tmp_path):
    """A folder of the user's settings that is not the real one."""
    path = tmp_path / "config"
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: path)
    return path


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Background work is done before the call that starts it returns, Qt loaded or not."""
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: None)


@pytest.fixture
def session(viewer, config):
    return session_of(viewer)


@pytest.fixture
def folder(tmp_path, scene):
    """Three scenes: attic, barn, cave."""
    for name in ("attic", "barn", "cave"):
        scene(f"set/{name}")
    return tmp_path / "set"


@pytest.fixture
def log(session):
    """The signals that the session sent, in their order."""
    sent = []
    session.scene_leaving.connect(lambda bracket: sent.append(f"leaving {bracket.scene}"))
    session.scene_changed.connect(lambda bracket: sent.append(f"changed {bracket.scene}"))
    session.folder_changed.connect(lambda folder: sent.append(f"folder {folder.name}"))
    session.notice.connect(lambda text: sent.append(f"notice {text}"))
    return sent


def label(path, *scenes, annotator="ana"):
    """Save masks that cover half of each scene."""
    info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES, annotator=annotator)
    labeling = LabelingFolder.create(path, info)
    mask = np.zeros((24, 32), bool)
    mask[:12] = True
    for scene in scenes:
        made = {
            role: MaskRecord(origin=DEFAULT_RANGES[role], frame=f"{role}.png", frame_sha256="")
            for role in ("low", "high")
        }
        record = SceneRecord(scene=scene, masks=made, time=datetime.now(UTC))
        labeling.save_scene({"low": mask, "high": mask}, record)


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_a_viewer_has_one_session_and_does_not_live_longer_for_it(viewer):
    assert session_of(PublicOnlyProxy(viewer)) is session_of(viewer)
    other = ViewerModel()
    assert session_of(other) is not session_of(viewer)
    gone = weakref.ref(other)
    del other
    gc.collect()
    assert gone() is None


def test_opening_a_folder_finds_its_scenes_in_batches(session, folder, monkeypatch):
    monkeypatch.setattr("bracketseg._napari.session.folder_scan.BATCH", 2)
    batches, problems = [], []
    session.scenes_found.connect(batches.append)
    session.scan_finished.connect(problems.append)
    session.open_folder(folder)
    assert [[bracket.scene for bracket in batch] for batch in batches] == [
        ["attic", "barn"],
        ["cave"],
    ]
    assert [bracket.scene for bracket in session.brackets] == ["attic", "barn", "cave"]
    assert problems == [()]
    assert not session.scanning


def test_scenes_that_cannot_be_used_are_problems_and_the_others_are_there(session, folder):
    (folder / "barn" / "high.png").write_bytes(b"no picture")
    session.open_folder(folder)
    assert [bracket.scene for bracket in session.brackets] == ["attic", "cave"]
    assert len(session.problems) == 1
    assert "barn" in str(session.problems[0])


def test_a_folder_without_brackets_is_said_aloud(session, tmp_path, log):
    (tmp_path / "empty").mkdir()
    session.open_folder(tmp_path / "empty")
    assert session.brackets == []
    assert log[-1].startswith("notice")
    assert "holds no bracket" in log[-1]


def test_one_picture_opens_its_bracket(session, folder):
    session.open_folder(folder / "barn" / "low.png")
    assert [bracket.scene for bracket in session.brackets] == ["barn"]
    assert session.folder == folder / "barn"


def test_masks_beside_the_brackets_are_no_brackets(session, tmp_path, picture):
    for name, gain in (("a", 0.4), ("b", 1.0), ("c", 2.5)):
        picture(f"plain/{name}.png", gain)
    label(tmp_path / "plain" / "labels" / "ana", "plain")
    for role in ("low", "high"):
        picture(f"plain/labels/ana/plain_{role}_corrections.png", colour=False)
    session.open_folder(tmp_path / "plain")
    assert [bracket.scene for bracket in session.brackets] == ["plain"]
    assert session.problems == ()


def test_pictures_among_the_labels_only_are_no_brackets(session, tmp_path, picture, log):
    for role in ("low", "high"):
        picture(f"set/labels/ana/drawn_{role}.jpg")
    session.open_folder(tmp_path / "set")
    assert session.brackets == []
    assert "holds no bracket" in log[-1]


def test_a_selected_scene_is_shown_as_layers(session, viewer, folder):
    session.open_folder(folder)
    session.select("barn")
    assert names(viewer) == ["barn low", "barn medium", "barn high"]
    assert [layer.visible for layer in viewer.layers] == [False, True, False]
    assert session.current.scene == "barn"
    assert viewer.layers.selection.active.name == "barn medium"


def test_the_old_frames_are_there_while_leaving_and_the_new_ones_when_changed(
    session, viewer, folder
):
    session.open_folder(folder)
    session.select("attic")
    seen = []
    session.scene_leaving.connect(lambda bracket: seen.append((bracket.scene, names(viewer)[0])))
    session.scene_changed.connect(lambda bracket: seen.append((bracket.scene, names(viewer)[0])))
    session.select("barn")
    assert seen == [("attic", "attic low"), ("barn", "barn low")]


def test_the_next_scene_takes_the_place_of_the_last_and_layers_of_the_user_stay(
    session, viewer, folder
):
    session.open_folder(folder)
    session.select("attic")
    viewer.add_image(np.zeros((4, 4)), name="mine")
    viewer.add_labels(np.zeros((24, 32), int), name="painted")
    viewer.layers["attic low"].visible = True
    session.select("barn")
    assert names(viewer) == ["barn low", "barn medium", "barn high", "mine", "painted"]
    assert viewer.layers["barn low"].visible
    for role in ("low", "medium", "high"):
        layer = viewer.layers[f"barn {role}"]
        found = provenance_of(layer.metadata)
        assert (found["scene"], found["role"]) == ("barn", role)
        assert found["path"] == str(folder / "barn" / f"{role}.png")
        assert (layer.data == session.current.frame(role).read()).all()


def test_frames_go_below_labels_that_are_there_first(session, viewer, folder):
    viewer.add_labels(np.zeros((24, 32), int), name="painted")
    session.open_folder(folder)
    session.select("attic")
    assert names(viewer) == ["attic low", "attic medium", "attic high", "painted"]


def test_scenes_of_other_types_get_layers_of_their_own(session, viewer, tmp_path, scene):
    scene("set/colour")
    scene("set/grey", colour=False)
    scene("set/deep", dtype=np.uint16)
    session.open_folder(tmp_path / "set")
    for name in ("colour", "grey", "deep", "grey", "colour"):
        session.select(name)
        assert names(viewer) == [f"{name} low", f"{name} medium", f"{name} high"]
        assert all(layer.rgb == (name != "grey") for layer in viewer.layers)
    session.select("grey")
    assert viewer.layers["grey low"].contrast_limits == [0, 255]


def test_the_view_fits_a_scene_of_another_size_and_stays_for_one_of_the_same(
    session, viewer, tmp_path, scene
):
    for name in ("attic", "barn", "cave"):
        scene(f"set/{name}")
    for path in (tmp_path / "set" / "cave").iterdir():
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (64, 48)))
    painted = viewer.add_labels(np.zeros((1000, 1000), int), name="painted")
    session.scene_changed.connect(lambda _: setattr(painted, "data", np.zeros((24, 32), int)))
    # napari 0.9 moved the camera.
    camera = getattr(viewer, "scene", viewer).camera
    session.open_folder(tmp_path / "set")
    session.select("attic")
    assert camera.center[1:] == (11.5, 15.5)
    camera.center = (0, 3, 4)
    session.select("barn")
    assert camera.center[1:] == (3, 4)
    session.select("cave")
    assert camera.center[1:] == (23.5, 31.5)
    session.select("attic")
    assert camera.center[1:] == (11.5, 15.5)
    assert viewer.layers.extent.world.tolist() == [[0, 0], [23, 31]]


def test_frames_that_somebody_opened_are_not_opened_twice(session, viewer, folder):
    viewer.open(str(folder / "attic"), plugin="bracketseg")
    assert len(viewer.layers) == 3
    session.open_folder(folder)
    session.select("attic")
    assert names(viewer) == ["attic low", "attic medium", "attic high"]
    session.select("barn")
    assert names(viewer) == ["barn low", "barn medium", "barn high"]


def test_frames_that_the_user_removed_come_back_when_selected_again(session, viewer, folder):
    session.open_folder(folder)
    session.select("attic")
    viewer.layers.clear()
    session.select("attic")
    assert names(viewer) == ["attic low", "attic medium", "attic high"]


def test_selecting_the_scene_that_is_shown_does_nothing(session, folder, log):
    session.open_folder(folder)
    session.select("attic")
    log.clear()
    session.select("attic")
    assert log == []


def test_a_scene_that_does_not_exist_is_refused(session, folder):
    session.open_folder(folder)
    with pytest.raises(BracketError, match="no such scene"):
        session.select("castle")


def test_next_and_previous_stop_at_the_ends(session, folder):
    session.open_folder(folder)
    assert session.next()
    assert session.current.scene == "attic"
    assert not session.previous()
    assert session.next()
    assert session.next()
    assert session.current.scene == "cave"
    assert not session.next()
    assert session.previous()
    assert session.current.scene == "barn"


def test_a_frame_that_cannot_be_read_leaves_the_scene_before_on_show(session, folder, log):
    session.open_folder(folder)
    session.select("attic")
    (folder / "cave" / "low.png").unlink()
    failed = []
    session.scene_failed.connect(lambda bracket, error: failed.append((bracket.scene, str(error))))
    log.clear()
    session.select("cave")
    assert session.current.scene == "attic"
    assert failed[0][0] == "cave"
    assert "low.png" in failed[0][1]
    assert log == [f"notice ⚠ {failed[0][1]}"]


def test_opening_another_folder_leaves_the_scene_first(session, viewer, folder, scene, log):
    session.open_folder(folder)
    session.select("attic")
    paths = []
    session.scene_leaving.connect(lambda _: paths.append(session.labeling_path))
    log.clear()
    other = scene("other/dome").parent
    session.open_folder(other)
    assert log == ["leaving attic", "folder other"]
    assert paths == [folder / "labels" / "me"]
    assert names(viewer) == []
    session.select("dome")
    assert log[2:] == ["changed dome"]


@pytest.fixture
def follow(session):
    """Show the first scene that is found, as the Brackets dock does."""
    session.scenes_found.connect(lambda _: session.current or session.loading or session.next())


@pytest.fixture
def turns(monkeypatch):
    """What waits for its turn of the event loop; it comes when the test says so."""
    waiting = []
    monkeypatch.setattr("bracketseg._napari.widgets.turns.next_turn", waiting.append)
    return waiting


def take_turns(viewer, waiting, until):
    """Take turns until something holds; gives how many layers came or went in each."""
    counts = [len(viewer.layers)]
    while not until():
        waiting.pop(0)()
        counts.append(len(viewer.layers))
    return [after - before for before, after in pairwise(counts)]


@pytest.mark.usefixtures("follow")
def test_another_folder_is_shown_in_the_same_layers(session, viewer, folder, picture, tmp_path):
    session.open_folder(folder)
    before = list(viewer.layers)
    before[0].visible, before[0].gamma = True, 0.5
    for role, gain in (("low", 0.4), ("medium", 1.0), ("high", 2.5)):
        picture(f"other/dome/{role}.png", gain)
        path = tmp_path / f"other/dome/{role}.png"
        assert cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (64, 48)))
    session.open_folder(tmp_path / "other")
    assert list(viewer.layers) == before
    assert names(viewer) == ["dome low", "dome medium", "dome high"]
    assert [layer.data.shape for layer in before] == [(48, 64, 3)] * 3
    assert [layer.visible for layer in before] == [True, True, False]
    assert before[0].gamma == 0.5
    assert viewer.layers.extent.world.tolist() == [[0, 0], [47, 63]]


@pytest.mark.usefixtures("follow")
def test_layers_come_and_go_one_in_each_turn(session, viewer, folder, picture, tmp_path, turns):
    session.open_folder(folder)
    steps = take_turns(viewer, turns, lambda: session.current)
    assert [step for step in steps if step] == [1, 1, 1]
    long_bracket(picture, "long/tower")
    session.open_folder(tmp_path / "long")
    three = list(viewer.layers)
    steps = take_turns(viewer, turns, lambda: session.current)
    assert [step for step in steps if step] == [1, 1]
    assert set(three) < set(viewer.layers)
    exposures = [provenance_of(layer.metadata)["ev"] for layer in viewer.layers]
    assert exposures == sorted(exposures)
    session.open_folder(folder)
    steps = take_turns(viewer, turns, lambda: session.current and not turns)
    assert [step for step in steps if step] == [-1, -1]
    assert names(viewer) == ["attic low", "attic medium", "attic high"]


def test_the_scene_before_stays_whole_until_the_next_has_its_layers(
    session, viewer, folder, picture, tmp_path, turns, log
):
    scenes = folder
    long_bracket(picture, "set/tower")
    session.open_folder(scenes)
    session.select("attic")
    take_turns(viewer, turns, lambda: session.current and not turns)
    shown = {layer.name: layer.data for layer in viewer.layers}
    log.clear()
    session.select("tower")
    while session.current.scene == "attic":
        assert session.loading.scene == "tower"
        assert {name: viewer.layers[name].data for name in shown} == shown
        assert log == []
        turns.pop(0)()
    assert log == ["leaving attic", "changed tower"]
    assert session.loading is None


def test_who_goes_on_meanwhile_gets_the_scene_that_was_asked_for_last(
    session, viewer, folder, picture, turns, log
):
    long_bracket(picture, "set/tower")
    session.open_folder(folder)
    session.select("attic")
    take_turns(viewer, turns, lambda: session.current and not turns)
    log.clear()
    session.select("tower")
    turns.pop(0)()
    session.select("barn")
    take_turns(viewer, turns, lambda: not turns)
    assert log == ["leaving attic", "changed barn"]
    assert names(viewer) == ["barn low", "barn medium", "barn high"]


def test_a_folder_without_brackets_leaves_no_layers(session, viewer, folder, tmp_path, turns):
    session.open_folder(folder)
    session.select("attic")
    take_turns(viewer, turns, lambda: session.current and not turns)
    (tmp_path / "empty").mkdir()
    session.open_folder(tmp_path / "empty")
    assert not any(layer.visible for layer in viewer.layers)
    steps = take_turns(viewer, turns, lambda: not turns)
    assert [step for step in steps if step] == [-1, -1, -1]
    assert names(viewer) == []


def test_hidden_frames_get_the_thumbnails_of_their_scene(session, viewer, picture, tmp_path):
    for scene, gain in (("dark", 0.3), ("light", 0.8)):
        for role, more in (("low", 0.5), ("medium", 1.0), ("high", 2.0)):
            picture(f"set/{scene}/{role}.png", gain * more)
    session.open_folder(tmp_path / "set")
    session.select("dark")
    low = viewer.layers["dark low"]
    assert not low.visible
    dark = low.thumbnail[..., :3].mean()
    session.select("light")
    assert low.name == "light low"
    assert low.thumbnail[..., :3].mean() > 1.5 * dark > 0


def test_masks_go_beside_the_brackets_by_the_name_of_the_annotator(session, folder):
    assert session.labeling_path is None
    session.open_folder(folder)
    assert session.labeling_path == folder / "labels" / "me"
    paths = []
    session.labeling_changed.connect(paths.append)
    session.annotator = "  Ana/../B "
    assert session.annotator == "Ana/../B"
    assert session.labeling_path == folder / "labels" / "Ana_.._B"
    session.labeling_path = folder / "elsewhere"
    assert paths == [folder / "labels" / "Ana_.._B", folder / "elsewhere"]
    session.labeling_path = None
    assert session.labeling_path == folder / "labels" / "Ana_.._B"


@pytest.mark.parametrize("name", ["..", ".", "", "con", "NUL.txt", "a\\b", "x" * 500, "tab\there"])
def test_no_name_of_an_annotator_leads_out_of_the_labels(session, folder, name):
    session.open_folder(folder)
    session.annotator = name
    path = session.labeling_path
    assert path.parent == folder / "labels"
    path.mkdir(parents=True)
    assert path.resolve().parent == (folder / "labels").resolve()


def test_the_annotator_is_kept_and_nothing_is_written_before(config, session, folder):
    session.open_folder(folder)
    session.select("attic")
    session.annotator = ""
    assert not config.exists()
    session.annotator = "Zoë"
    assert session_of(ViewerModel()).annotator == "Zoë"


@pytest.mark.parametrize("kept", ["[]", '{"annotator": 7}', "{", "[" * 100_000, ""])
def test_a_broken_settings_file_gives_no_name(config, kept):
    config.mkdir()
    (config / "annotator.json").write_text(kept)
    assert session_of(ViewerModel()).annotator == ""


def test_a_name_that_cannot_be_kept_holds_until_the_end(config, session, log):
    config.write_text("a file where the folder should be")
    session.annotator = "Ana"
    assert session.annotator == "Ana"
    assert "cannot be kept" in log[-1]


def test_who_labelled_what_is_read_from_the_labels(session, folder):
    label(folder / "labels" / "ana", "attic", "cave")
    label(folder / "labels" / "ben", "cave", annotator="Ben")
    session.open_folder(folder)
    assert sorted(session.labeled) == ["attic", "cave"]
    assert [labels.annotator for labels in session.labeled["cave"]] == ["ana", "Ben"]
    assert session.labeled["attic"][0].coverage.union == 0.5
    assert not session.is_labeled("attic")
    session.annotator = "ana"
    assert session.is_labeled("attic")
    assert not session.is_labeled("barn")


def test_a_broken_labelling_is_a_problem_and_no_more(session, folder):
    label(folder / "labels" / "ana", "attic", "barn")
    label(folder / "labels" / "ben", "cave")
    (folder / "labels" / "ana" / "attic.json").write_text("{")
    (folder / "labels" / "ben" / "labeling.json").write_text("{")
    session.open_folder(folder)
    assert len(session.brackets) == 3
    assert {str(problem).partition(":")[0] for problem in session.problems} == {
        str(folder / "labels" / "ana" / "attic.json"),
        str(folder / "labels" / "ben" / "labeling.json"),
    }
    assert session.labeled["attic"][0].coverage is None


def test_next_unlabelled_skips_what_this_annotator_has_done_and_starts_over(session, folder, log):
    label(folder / "labels" / "me", "barn", annotator="")
    label(folder / "labels" / "ben", "cave")
    session.open_folder(folder)
    session.select("attic")
    assert session.next_unlabelled()
    assert session.current.scene == "cave"
    assert session.next_unlabelled()
    assert session.current.scene == "attic"
    label(folder / "labels" / "me", "attic", "cave", annotator="")
    session.scene_saved.emit("attic")
    session.scene_saved.emit("cave")
    assert not session.next_unlabelled()
    assert log[-1] == "notice All 3 scenes are labelled."


def test_a_scene_counts_as_labelled_as_soon_as_it_is_saved(session, folder, monkeypatch):
    session.open_folder(folder)
    changed = []
    session.labeled_changed.connect(changed.append)
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: [].append)
    session.scene_saved.emit("attic")
    assert session.is_labeled("attic")
    assert changed == [frozenset({"attic"})]


def test_what_was_saved_is_read_back(session, folder):
    session.open_folder(folder)
    label(session.labeling_path, "attic", annotator="")
    session.scene_saved.emit("attic")
    assert session.labeled["attic"][0].coverage.low == 0.5


def long_bracket(picture, name, count=5):
    for index in range(count):
        gain = 2.0 ** (index - 2)
        picture(f"{name}/EV{index - count // 2}.png", gain)


def test_other_frames_of_a_long_bracket_can_be_low_and_high(
    session, viewer, tmp_path, picture, log
):
    long_bracket(picture, "dome")
    session.open_folder(tmp_path / "dome")
    session.select("dome")
    first, *_, last = session.current.frames
    log.clear()
    session.choose_roles(first, last)
    assert log == ["leaving dome", "changed dome"]
    assert session.current.roles["low"] == first
    assert session.bracket("dome") == session.current
    by_role = {
        provenance_of(layer.metadata)["role"]: provenance_of(layer.metadata)["path"]
        for layer in viewer.layers
    }
    assert by_role["low"] == str(first.path)
    assert by_role["high"] == str(last.path)
    session.choose_roles(*session.current.frames[1:4:2])
    assert names(viewer) == ["dome EV-2.0", "dome low", "dome medium", "dome high", "dome EV+2.0"]


def test_choosing_roles_needs_a_scene_and_the_darker_frame_as_low(session, tmp_path, picture, log):
    long_bracket(picture, "dome")
    session.open_folder(tmp_path / "dome")
    frames = session.brackets[0].frames
    with pytest.raises(BracketError, match="no scene is shown"):
        session.choose_roles(frames[0], frames[1])
    session.select("dome")
    with pytest.raises(BracketError, match="has to be darker"):
        session.choose_roles(frames[3], frames[1])
    assert session.current.chosen is None


def test_the_role_whose_frame_is_picked_counts_at_once_and_until_another_is_shown(session, folder):
    session.open_folder(folder)
    session.select("attic")
    roles = []
    session.scene_leaving.connect(lambda _: roles.append(session.role))

    def turned_away(_bracket):
        session.show_role("high")

    session.scene_leaving.connect(turned_away)
    session.show_role("high")
    session.choose_roles(session.current.frame("medium"), session.current.frame("high"))
    assert roles == ["low"]
    assert session.role == "low"
    session.scene_leaving.disconnect(turned_away)
    session.show_role("high")
    session.select("barn")
    assert session.role == "high"


def test_chosen_frames_are_there_at_the_next_start_and_for_the_command(
    session, tmp_path, picture, log
):
    long_bracket(picture, "dome")
    session.open_folder(tmp_path / "dome")
    assert not (tmp_path / "dome" / "bracketseg.json").exists()
    session.select("dome")
    usual = session.current.roles
    session.choose_roles(*session.current.frames[1:4:2])
    chosen = session.current.roles
    (found,) = find_brackets(tmp_path / "dome").brackets
    assert found.roles == chosen != usual
    again = session_of(ViewerModel())
    again.open_folder(tmp_path / "dome" / "EV0.png")
    again.select("dome")
    assert again.current.roles == chosen
    again.choose_roles(usual["low"], usual["high"])
    assert not (tmp_path / "dome" / "bracketseg.json").exists()


def test_a_choice_that_cannot_be_kept_is_said_once_and_holds(
    session, tmp_path, picture, log, monkeypatch
):
    long_bracket(picture, "dome")
    session.open_folder(tmp_path / "dome")
    session.select("dome")

    def read_only(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("bracketseg.brackets.choices.write_json", read_only)
    frames = session.current.frames
    log.clear()
    session.choose_roles(frames[0], frames[2])
    session.choose_roles(frames[1], frames[3])
    told = [line for line in log if line.startswith("notice")]
    assert len(told) == 1
    assert "bracketseg.json" in told[0]
    assert session.bracket("dome").chosen == (frames[1], frames[3])


def test_the_last_of_several_quick_choices_is_kept(session, tmp_path, picture, monkeypatch):
    long_bracket(picture, "dome")
    session.open_folder(tmp_path / "dome")
    session.select("dome")
    frames = session.current.frames
    monkeypatch.undo()
    calls, started = [], threading.Event()
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: calls.append)
    real = role_keeper.keep_choice

    def slow(folder, bracket):
        if not started.is_set():
            started.set()
            assert free.wait(20)
        real(folder, bracket)

    free = threading.Event()
    monkeypatch.setattr(role_keeper, "keep_choice", slow)
    for low, high in ((0, 1), (0, 2), (1, 3)):
        session.choose_roles(frames[low], frames[high])
    free.set()
    for _ in range(2):
        for job in jobs.running_jobs():
            assert job.wait(20)
        while calls:
            calls.pop(0)()
    (found,) = find_brackets(tmp_path / "dome").brackets
    assert found.chosen == (frames[1], frames[3])


def test_a_broken_file_of_choices_is_a_problem_and_stays_as_it_is(session, tmp_path, picture, log):
    long_bracket(picture, "dome")
    broken = tmp_path / "dome" / "bracketseg.json"
    broken.write_text("{")
    session.open_folder(tmp_path / "dome")
    assert [bracket.scene for bracket in session.brackets] == ["dome"]
    assert [str(problem).partition(":")[0] for problem in session.problems] == [str(broken)]
    session.select("dome")
    session.choose_roles(*session.current.frames[1:4:2])
    assert broken.read_text() == "{"
    assert "bracketseg.json" in [line for line in log if line.startswith("notice")][-1]


def test_alignment_moves_layers_says_how_far_and_leaves_their_pixels(session, viewer, held, log):
    session.open_folder(held.parent)
    session.select("held")
    assert session.shifts == {}
    low = viewer.layers["held low"]
    plain = low.data
    log.clear()
    moved = []
    session.shifts_changed.connect(lambda bracket: moved.append(bracket.scene))
    session.align = "shift"
    assert session.shifts == {
        held / "low.png": Shift(dx=-3, dy=2),
        held / "medium.png": Shift(),
        held / "high.png": Shift(dx=4, dy=-5),
    }
    assert low.metadata["bracketseg"]["shift"] == [-3, 2]
    assert low.translate.tolist() == [2, -3]
    assert viewer.layers["held high"].translate.tolist() == [-5, 4]
    assert low.data is plain
    session.align = "off"
    assert low.translate.tolist() == [0, 0]
    assert session.shifts == {}
    assert "shift" not in low.metadata["bracketseg"]
    # Nobody is told that the scene is left: whatever is being done to it goes on.
    assert moved == ["held", "held"]
    assert log == []


def test_alignment_counts_in_pixels_from_where_the_user_has_put_a_frame(session, viewer, held):
    session.open_folder(held.parent)
    session.select("held")
    low = viewer.layers["held low"]
    low.scale, low.translate = (0.5, 2), (10, 20)
    session.align = "shift"
    assert low.translate.tolist() == [11, 14]
    session.align = "off"
    assert low.translate.tolist() == [10, 20]


def test_alignment_goes_along_to_the_next_scene(session, viewer, held, scene):
    scene("hand/still")
    session.open_folder(held.parent)
    session.align = "shift"
    session.select("held")
    assert viewer.layers["held low"].translate.tolist() == [2, -3]
    session.select("still")
    assert viewer.layers["still low"].translate.tolist() == [0, 0]
    session.select("held")
    assert viewer.layers["held low"].translate.tolist() == [2, -3]


def test_what_was_made_from_a_frame_goes_along_when_it_is_aligned(session, viewer, held):
    session.open_folder(held.parent)
    session.select("held")

    def add(kind, scene="held"):
        ours = {"kind": kind, "scene": scene, "role": "low"}
        return viewer.add_labels(np.zeros((100, 120), int), metadata={"bracketseg": ours})

    prediction, other = add("prediction"), add("prediction", scene="another")
    strange = viewer.add_labels(np.zeros((100, 120), int))
    session.align = "shift"
    assert prediction.translate.tolist() == [2, -3]
    assert other.translate.tolist() == strange.translate.tolist() == [0, 0]
    session.align = "off"
    assert prediction.translate.tolist() == [0, 0]


def test_the_frames_are_read_once_for_both_ways_to_show_them(session, held, monkeypatch):
    from bracketseg._napari.session import scene_frames

    read, real = [], scene_frames.bracket_layers
    monkeypatch.setattr(
        scene_frames, "bracket_layers", lambda bracket: read.append(bracket.scene) or real(bracket)
    )
    session.open_folder(held.parent)
    session.select("held")
    session.align = "shift"
    session.align = "off"
    assert read == ["held"]


def test_keys_page_through_the_scenes(session, viewer, folder):
    from napari.utils.key_bindings import coerce_keybinding

    def press(key):
        viewer.keymap[coerce_keybinding(key)](viewer)

    session.open_folder(folder)
    press("PageDown")
    press("PageDown")
    assert session.current.scene == "barn"
    press("PageUp")
    assert session.current.scene == "attic"
    session.scene_saved.emit("barn")
    press("Control-PageDown")
    assert session.current.scene == "cave"
    assert ("Page Down", "Next scene") in session.shortcuts.table()


def test_closing_the_last_dock_ends_all_work_and_the_next_one_takes_it_up(
    session, folder, monkeypatch
):
    one, other = object(), object()
    session.attach(one)
    session.attach(other)
    monkeypatch.undo()
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: [].append)
    stuck = threading.Event()

    def endless(path, folder):
        while not stuck.wait(0.01):
            yield from ()
        return ()

    monkeypatch.setattr("bracketseg._napari.session.scene_list.scan_folder", endless)
    session.open_folder(folder)
    session.detach(one)
    assert [job.cancelled for job in jobs.running_jobs()] == [False]
    session.detach(other)
    assert [job.cancelled for job in jobs.running_jobs()] == [True]
    stuck.set()
    assert jobs.cancel_all(10)
    assert session.scanning
    monkeypatch.undo()
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: None)
    session.attach(one)
    assert len(session.brackets) == 3
    assert not session.scanning


def test_a_session_needs_neither_qt_nor_torch(tmp_path):
    import subprocess

    code = (
        "import sys; from napari.components import ViewerModel\n"
        "from bracketseg._napari.session.session import session_of\n"
        "session_of(ViewerModel())\n"
        "bad = [name for name in sys.modules if name.split('.')[0] in"
        " ('torch', 'qtpy', 'PyQt6', 'PySide6')]\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
