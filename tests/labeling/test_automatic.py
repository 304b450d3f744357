import numpy as np
import pytest

from bracketseg.brackets.luma import luma
from bracketseg.errors import LabelingError
from bracketseg.labeling import automatic
from bracketseg.labeling.automatic import Automatic, find_ranges
from bracketseg.labeling.label_folder import label_bracket
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.records import LabelingInfo
from bracketseg.labeling.saved_scene import open_annotation


def camera(radiance, ev, *, white=255, noise=0.0, rng=None):
    """A frame of a camera with a square-root response; radiance 1 clips at 0 EV."""
    exposure = radiance * 2.0**ev
    if rng is not None:
        exposure = exposure + rng.normal(0, noise, radiance.shape)
    return np.rint(white * np.sqrt(np.clip(exposure, 0, 1))).astype(np.uint8)


def bracket(radiance, **settings):
    evs = {"low": -2, "medium": 0, "high": 2}
    return {role: camera(radiance, ev, **settings) for role, ev in evs.items()}


@pytest.fixture
def ramp():
    """Radiance from 0 to 4, every value in many pixels, grey as RGB: (200, 1000, 3)."""
    values = np.linspace(0.001, 2, 1000) ** 2
    return np.repeat(np.tile(values, (200, 1))[..., None], 3, axis=2)


@pytest.mark.parametrize("white", [255, 248, 236])
def test_the_bounds_stand_where_the_frames_clip(ramp, white):
    found = {role: rule.found for role, rule in find_ranges(bracket(ramp, white=white)).items()}
    # The medium frame clips at radiance 1, which the low frame shows at half of its white.
    assert found["low"].lo == pytest.approx(white / 2, abs=2)
    assert found["low"].hi == 255
    assert found["high"].lo == 0
    assert found["high"].hi == pytest.approx(white, abs=2)
    assert found["high"].hi <= found["high"].clips_at
    assert found["high"].clips_at == pytest.approx(white, abs=1)


def test_each_range_is_explained_in_a_sentence(ramp):
    found = find_ranges(bracket(ramp))
    lo, hi = found["low"].found.lo, found["high"].found.hi
    assert found["low"].found.why == f"low from {lo:g}: above it, the medium frame clips"
    assert found["high"].found.why == f"high up to {hi:g}: above it, the high frame clips"


def test_without_a_medium_frame_the_low_one_takes_over_from_the_high_one(ramp):
    frames = bracket(ramp)
    del frames["medium"]
    found = find_ranges(frames)
    # The high frame clips at radiance 1/4, which the low frame shows at a quarter of its white.
    assert found["low"].found.lo == pytest.approx(255 / 4, abs=2)
    assert found["low"].found.why.endswith("the high frame clips")
    assert found["high"].found.hi == pytest.approx(253, abs=2)


def test_where_nothing_clips_the_high_frame_is_good_and_the_low_one_is_not_needed(ramp, rng):
    frames = bracket(ramp / 40, rng=rng, noise=0.002)
    # Something bright that moved is no reason to take the low frame.
    frames["low"][0, :3] = [[100] * 3, [250] * 3, [250] * 3]
    frames["medium"][0, :3] = 254
    found = find_ranges(frames)
    low, high = found["low"].found, found["high"].found
    assert (low.lo, low.hi) == (256, 255)
    assert (high.lo, high.hi) == (0, 255)
    assert low.why == "low is empty: the medium frame does not clip"
    assert high.why == "high up to 255: the high frame does not clip"


def test_where_all_of_the_high_frame_clips_its_mask_is_empty(ramp):
    frames = bracket(np.full_like(ramp, 0.9))
    found = find_ranges(frames)
    values = luma(frames["high"])
    assert not found["high"].bounds(values, "high").mask(values).any()


def test_noise_is_measured_and_the_low_frame_waits_for_more_of_it_to_be_lost(ramp, rng):
    quiet = find_ranges(bracket(ramp, rng=rng, noise=0.002))["low"].found
    loud = find_ranges(bracket(ramp, rng=rng, noise=0.02))["low"].found
    assert 0 < quiet.noise < loud.noise / 3
    assert quiet.lo < loud.lo


@pytest.mark.parametrize(("channel", "weight"), [(0, 0.299), (1, 0.587), (2, 0.114)])
def test_one_clipped_channel_is_enough(ramp, channel, weight):
    share = np.full(3, 0.25)
    share[channel] = 1
    found = find_ranges(bracket(ramp * share))["high"].found
    # That channel clips at radiance 1/4; the others are then at half of their white.
    assert found.hi == pytest.approx(weight * 255 + (1 - weight) * 127.5, abs=3)


def test_a_few_odd_pixels_of_a_rare_luma_do_not_move_a_bound(ramp, rng):
    frames = bracket(ramp * 0.2, rng=rng, noise=0.01)
    before = find_ranges(frames)["high"].found.hi
    # Pure blue that clips has a luma of 29 only.
    frames["high"][0, :3] = (0, 0, 255)
    assert find_ranges(frames)["high"].found.hi == before


def test_nor_do_two_where_there_is_no_noise(ramp):
    frames = bracket(ramp * 0.1)
    before = find_ranges(frames)["high"].found.hi
    frames["high"][0, :2] = (0, 0, 255)
    assert find_ranges(frames)["high"].found.hi == before


def test_pixels_that_jpeg_left_just_below_white_are_clipped_ones(ramp, rng):
    frames = bracket(ramp, rng=rng, noise=0.005)
    before = find_ranges(frames)
    for role in ("medium", "high"):
        odd = (frames[role] == 255) & (rng.random(frames[role].shape) < 0.02)
        frames[role][odd] = 247
    after = find_ranges(frames)
    assert after["low"].found.lo == pytest.approx(before["low"].found.lo, abs=3)
    assert after["high"].found.hi == pytest.approx(247, abs=3)
    assert before["high"].found.hi > 247


def test_pixels_just_below_white_are_clipped_ones_too(ramp, rng):
    frames = bracket(ramp, rng=rng, noise=0.005)
    for role in ("medium", "high"):
        clipped = (frames[role] == 255).all(axis=2)
        frames[role][clipped & (rng.random(clipped.shape) < 0.04)] = 252
    assert find_ranges(frames)["high"].found.hi < 252


def test_what_moved_and_does_not_clip_is_no_reason_to_take_the_darker_frame(ramp, rng):
    frames = bracket(ramp, rng=rng, noise=0.002)
    before = find_ranges(frames)["low"].found.lo
    moved = (frames["low"] > 50) & (frames["low"] < 70)
    frames["low"][moved] += rng.choice(np.array([-15, 15], np.int8), moved.sum()).astype(np.uint8)
    assert find_ranges(frames)["low"].found.lo == pytest.approx(before, abs=5)


@pytest.mark.parametrize(("red", "is_worth_it"), [(135, False), (200, True)])
def test_a_clipped_pixel_counts_by_how_much_it_lost(rng, red, is_worth_it):
    # A twentieth of the pixels clip in red, from 127 on; in the low frame all have a luma of 110.
    shown = np.full((150, 140, 3), 110.0)
    shown[::20] = [red, *[(110 - 0.299 * red) / 0.701] * 2]
    found = find_ranges(bracket(4 * (shown / 255) ** 2, rng=rng, noise=0.01))["low"].found
    assert (found.lo < 108) == is_worth_it


def test_16_bit_frames_and_grey_ones_have_the_same_range(ramp):
    frames = bracket(ramp)
    found = find_ranges(frames)
    wide = {role: frame.astype(np.uint16) * 257 for role, frame in frames.items()}
    grey = {role: frame[..., 0] for role, frame in frames.items()}
    assert find_ranges(wide) == found
    assert find_ranges(grey) == found
    assert find_ranges(frames | {"medium": grey["medium"]}) == found


def test_a_large_frame_is_looked_at_in_steps(ramp, monkeypatch):
    large = bracket(np.repeat(ramp, 6, axis=0))
    seen = []
    monkeypatch.setattr(automatic, "luma", lambda frame: seen.append(frame.size) or luma(frame))
    found = find_ranges(large)
    assert max(seen) < large["low"].size / 2
    monkeypatch.setattr(automatic, "ENOUGH_PIXELS", 10**9)
    whole = find_ranges(large)
    assert found["low"].found.lo == pytest.approx(whole["low"].found.lo, abs=1)
    assert found["high"].found.hi == pytest.approx(whole["high"].found.hi, abs=1)


def test_frames_that_do_not_belong_together_are_refused(ramp):
    frames = bracket(ramp)
    with pytest.raises(LabelingError, match="no low frame"):
        find_ranges({"high": frames["high"]})
    with pytest.raises(LabelingError, match="in one size"):
        find_ranges(frames | {"medium": frames["medium"][:-1]})


def test_a_rule_that_was_not_found_yet_says_what_it_takes(ramp):
    with pytest.raises(LabelingError, match="needs the whole bracket"):
        Automatic().bounds(np.zeros((2, 2), np.uint8), "low")


def test_a_range_that_was_found_comes_back_with_the_scene(brackets, tmp_path):
    bracket = brackets[0]
    rules = {"low": Automatic(), "high": Automatic()}
    folder = LabelingFolder.create(tmp_path / "masks", LabelingInfo(method="auto", ranges=rules))
    made = label_bracket(bracket, rules, folder).masks
    lumas = {role: luma(bracket.frame(role).read()) for role in rules}
    opened = open_annotation(folder, bracket.scene, lumas).annotation
    for role in rules:
        assert opened.rule(role) == made[role].origin
        assert opened.rule(role).found.why
        assert (opened.bounds(role).lo, opened.bounds(role).hi) == (made[role].lo, made[role].hi)
        assert folder.rule(bracket.scene, role) == made[role].origin
        np.testing.assert_array_equal(opened.mask(role), folder.mask(bracket.scene, role))


def test_one_role_alone_can_be_found(brackets, tmp_path):
    rules = {"high": Automatic()}
    folder = LabelingFolder.create(tmp_path / "masks", LabelingInfo(method="auto", ranges=rules))
    assert label_bracket(brackets[0], rules, folder).masks.keys() == {"high"}
