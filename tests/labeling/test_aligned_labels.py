import cv2
import numpy as np
import pytest
from tests.handheld import SHAPE, photograph, scene, turned

from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.placement import valid_regions
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.automatic import Automatic, find_ranges
from bracketseg.labeling.label_folder import SceneFailed, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange
from bracketseg.labeling.records import LabelingInfo
from bracketseg.labeling.saved_scene import open_annotation, save_annotation

HANDS = {"low": turned(1, 14, -6), "medium": np.eye(3), "high": turned(-2, -9, 12)}


class Placed:
    reliable, note = True, ""

    def __init__(self, matrix):
        self.matrix = matrix


@pytest.fixture
def held(tmp_path, rng):
    folder = tmp_path / "set" / "held"
    folder.mkdir(parents=True)
    for role, stops in (("low", -2), ("medium", 0), ("high", 2)):
        frame = photograph(scene(), stops, rng, HANDS[role])
        assert cv2.imwrite(str(folder / f"{role}.png"), frame[..., ::-1])
    return find_brackets(tmp_path / "set").brackets


def label(brackets, path, align):
    folder = LabelingFolder.create(path, LabelingInfo(method="manual", ranges=DEFAULT_RANGES))
    return folder, list(label_brackets(brackets, DEFAULT_RANGES, folder, align=align))


def test_masks_are_empty_where_not_all_aligned_frames_show_something(held, tmp_path):
    plain, _ = label(held, tmp_path / "plain", "off")
    cut, _ = label(held, tmp_path / "cut", "homography")
    regions = valid_regions(SHAPE, [Placed(matrix) for matrix in HANDS.values()])
    for role, region in (("low", regions[0]), ("high", regions[2])):
        before, after = plain.mask("held", role), cut.mask("held", role)
        assert (before & ~region).any()
        # The homography that was found is right to less than a pixel.
        border = cv2.dilate(region.view(np.uint8), np.ones((5, 5))) > 0
        inside = cv2.erode(region.view(np.uint8), np.ones((5, 5))) > 0
        assert not after[~border].any()
        np.testing.assert_array_equal(after[inside], before[inside])
        assert not (after & ~before).any()
        assert cut.record("held").masks[role].aligned == "homography"
        assert plain.record("held").masks[role].aligned is None
        # No rule gives this very mask.
        assert cut.rule("held", role) is None
        assert plain.rule("held", role) == DEFAULT_RANGES[role]


def test_frames_that_cannot_be_aligned_fail_as_a_scene(held, tmp_path):
    cv2.imwrite(str(held[0].frame("high").path), np.zeros((40, 40), np.uint8))
    (event,) = label(held, tmp_path / "cut", "shift")[1]
    assert isinstance(event, SceneFailed)
    assert "leave the alignment off" in str(event.error)


@pytest.fixture
def annotation():
    luma = np.full((4, 6), 100, np.uint8)
    return SceneAnnotation(
        "s", dict.fromkeys(MASK_ROLES, luma), dict.fromkeys(MASK_ROLES, ManualRange(lo=50, hi=150))
    )


REGION = np.zeros((4, 6), bool)
REGION[1:, 2:] = True


def test_a_limit_is_no_change_of_a_person_and_keeps_strokes(annotation):
    annotation.paint("low", ([0], [0]), False)
    annotation.paint("low", ([0], [1]), True)
    annotation.paint("low", ([2], [3]), False)
    revision, before = annotation.revision, annotation.mask("low")
    assert annotation.limit({"low": REGION}, "shift") == ["low"]
    np.testing.assert_array_equal(annotation.mask("low"), before & REGION)
    assert annotation.mask("high").all()
    assert annotation.revision == revision
    assert annotation.edited_pixels("low") == 1
    assert annotation.coverage().low == 11 / 24
    assert annotation.limit({"low": REGION.copy()}, "shift") == []
    # Nothing can be painted outside.
    assert not annotation.set_mask("low", annotation.mask("low") | ~REGION)
    assert annotation.limit({}, None) == ["low"]
    np.testing.assert_array_equal(annotation.mask("low"), before)
    with pytest.raises(LabelingError, match=r"s low: a region of \(2, 2\) does not fit"):
        annotation.limit({"low": REGION[:2, :2]}, "shift")


def test_limited_masks_are_saved_and_opened_as_they_are(annotation, tmp_path):
    annotation.limit({"low": REGION, "high": REGION}, "homography")
    folder = LabelingFolder.create(tmp_path, LabelingInfo(method="manual", ranges=DEFAULT_RANGES))
    save_annotation(folder, annotation, {"low": "low.png", "high": "high.png"})
    np.testing.assert_array_equal(folder.mask("s", "low"), REGION)
    assert folder.record("s").masks["high"].aligned == "homography"
    lumas = {role: annotation.luma(role) for role in MASK_ROLES}
    opened = open_annotation(folder, "s", lumas).annotation
    np.testing.assert_array_equal(opened.mask("low"), REGION)


def test_automatic_ranges_are_found_on_what_aligned_frames_share(held, tmp_path, rng):
    rules = dict.fromkeys(MASK_ROLES, Automatic())
    still = {}
    for role, stops in (("low", -2), ("medium", 0), ("high", 2)):
        still[role] = photograph(scene(), stops, rng)
    known = find_ranges(still)
    found = {}
    for align in ("off", "homography"):
        info = LabelingInfo(method="auto", ranges=rules)
        folder = LabelingFolder.create(tmp_path / align, info)
        assert not [e for e in label_brackets(held, rules, folder, align=align) if failed(e)]
        found[align] = {role: folder.record("held").masks[role].origin.found for role in MASK_ROLES}
    for role in MASK_ROLES:
        off, aligned, best = (f[role] for f in (found["off"], found["homography"], known_of(known)))
        assert aligned.noise < off.noise / 2
        assert abs(aligned.lo - best.lo) + abs(aligned.hi - best.hi) <= 12
    assert abs(found["off"]["low"].lo - known["low"].found.lo) > 20


def failed(event):
    return isinstance(event, SceneFailed)


def known_of(rules):
    return {role: rule.found for role, rule in rules.items()}
