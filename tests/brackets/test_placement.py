import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.handheld import turned

from bracketseg.brackets.alignment import Shift, shift_image
from bracketseg.brackets.homography import Homography
from bracketseg.brackets.placement import (
    affine_part,
    common_region,
    is_still,
    place_image,
    place_points,
    valid_regions,
)

offsets = st.integers(-6, 6)


def homography(matrix):
    return Homography(rows=tuple(map(tuple, matrix.tolist())))


def test_points_go_through_the_denominator():
    matrix = np.array([[2, 0, 1], [0, 2, 0], [0, 1, 1]])
    assert place_points(np.array([[3.0, 1.0]]), matrix).tolist() == [[3.5, 1.0]]


def test_a_shift_places_as_it_shifts():
    image = np.arange(48, dtype=np.uint8).reshape(6, 8)
    shift = Shift(dx=2, dy=-1)
    np.testing.assert_array_equal(place_image(image, shift.matrix), shift_image(image, shift))
    np.testing.assert_array_equal(
        place_image(image > 20, shift.matrix, smooth=False), shift_image(image > 20, shift)
    )
    assert place_image(image, Shift().matrix) is image
    colours = np.dstack([image, image + 1, image + 2])
    filled = place_image(colours, shift.matrix, 7)
    assert filled[:, 0].tolist() == [[7, 7, 7]] * 6
    assert filled.dtype == np.uint8
    assert is_still(Shift().matrix)
    assert not is_still(shift.matrix)


def test_the_valid_regions_by_hand():
    by = [Shift(), Shift(dx=1, dy=0), Shift(dx=-1, dy=-1)]
    assert [region.astype(int).tolist() for region in valid_regions((2, 4, 3), by)] == [
        [[0, 1, 1, 0], [0, 0, 0, 0]],
        [[1, 1, 0, 0], [0, 0, 0, 0]],
        [[0, 0, 0, 0], [0, 0, 1, 1]],
    ]


def test_a_frame_that_could_not_be_placed_takes_nothing_from_the_others():
    regions = valid_regions((3, 4), [Shift(), Shift(dx=2, reliable=False)])
    assert regions[0].all()
    assert not regions[1][:, 2:].any()


@settings(deadline=None)
@given(st.lists(st.builds(Shift, dx=offsets, dy=offsets), min_size=1, max_size=4))
def test_valid_is_what_every_frame_shows(shifts):
    rows, columns = np.mgrid[0:5, 0:7]
    common = common_region((5, 7), shifts)
    inside = [
        (rows - s.dy >= 0) & (rows - s.dy < 5) & (columns - s.dx >= 0) & (columns - s.dx < 7)
        for s in shifts
    ]
    np.testing.assert_array_equal(common, np.all(inside, axis=0) if inside else True)
    # The region of each frame is the common one, where that frame lies.
    for shift, region in zip(shifts, valid_regions((5, 7), shifts), strict=True):
        lies_in = np.zeros_like(common)
        for row, column in np.argwhere(common):
            if 0 <= row - shift.dy < 5 and 0 <= column - shift.dx < 7:
                lies_in[row - shift.dy, column - shift.dx] = True
        # What lies beyond the reference is valid too, if all frames reach there.
        assert (region | ~lies_in).all()


def test_the_region_of_a_turned_frame_agrees_with_a_picture_of_ones():
    shape = (60, 90)
    placement = homography(turned(4, 5, -3))
    matrix = np.array([[1, 0, 235.0], [0, 1, 170], [0, 0, 1]])
    placement = homography(np.linalg.inv(matrix) @ placement.matrix @ matrix)
    ones = place_image(np.ones(shape, np.float32), placement.matrix)
    region = common_region(shape, [placement])
    assert (ones[region] > 0.999).all()
    assert (ones[~region] < 1).all()
    assert 0.5 < region.mean() < 1


def test_an_affine_placement_is_its_own_affine_part():
    part = affine_part(homography(turned(3, 4, 5)), (400, 560))
    np.testing.assert_allclose(part.matrix, turned(3, 4, 5), atol=1e-9)
    assert part.deviation < 1e-6


def test_what_a_layer_cannot_show_of_a_homography_is_told():
    tilted = homography(turned(0, 0, 0, tilt=4e-5))
    part = affine_part(tilted, (400, 560))
    assert part.matrix[2].tolist() == [0, 0, 1]
    assert 3 < part.deviation < 5
