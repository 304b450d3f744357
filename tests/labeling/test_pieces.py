import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import label

from bracketseg.labeling.pieces import count_pieces

regions = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(regions, st.integers(1, 40))
def test_bands_count_what_the_whole_has(region, band):
    assert count_pieces(region, band=band) == label(region, connectivity=2, return_num=True)[1]


@pytest.mark.parametrize("band", [1, 9, 12, 100])
def test_a_piece_that_winds_through_all_bands_is_one(band):
    drawn = """
    #.#.#
    #.#.#
    #.###
    #...#
    #####
    """
    region = np.array([[sign == "#" for sign in row] for row in drawn.split()])
    assert count_pieces(region, band=band) == 1
    # Without its last row it is the left column, and the rest.
    assert count_pieces(region[:-1], band=band) == 2
