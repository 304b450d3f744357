"""Tiles cover a frame once, read what the network needs, and keep to their budget."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bracketseg.learning.tiling import Box, Tile, choose_tile, map_tiles, plan_tiles, read_tile

sizes = st.integers(1, 150)
shapes = st.tuples(sizes, sizes)
grids = st.sampled_from([1, 2, 8, 16])


alike = st.booleans()


def test_tiles_that_read_parts_of_one_size_worked_by_hand() -> None:
    plan = plan_tiles((40, 10), tile=(16, 16), halo=9, grid=8, alike=True)

    assert [step.source for step in plan] == [Box(0, 0, 40, 16)] * 3
    assert [step.target.top for step in plan] == [0, 16, 32]
    plan = plan_tiles((80, 10), tile=(16, 16), halo=8, grid=8, alike=True)
    assert [step.source.top for step in plan] == [0, 8, 24, 40, 48]
    assert {step.source.height for step in plan} == {32}


def test_a_plan_worked_by_hand() -> None:
    plan = plan_tiles((40, 10), tile=(16, 16), halo=9, grid=8)

    assert plan == (
        Tile(source=Box(0, 0, 32, 16), target=Box(0, 0, 16, 10)),
        Tile(source=Box(0, 0, 40, 16), target=Box(16, 0, 32, 10)),
        Tile(source=Box(16, 0, 40, 16), target=Box(32, 0, 40, 10)),
    )
    assert plan[2].crop == (slice(16, 24), slice(0, 10))


@given(shapes, shapes, st.integers(0, 60), grids, alike)
@settings(max_examples=60, deadline=None)
def test_every_pixel_is_written_once(
    shape: tuple[int, int], tile: tuple[int, int], halo: int, grid: int, alike: bool
) -> None:
    written = np.zeros(shape, int)
    for step in plan_tiles(shape, tile=tile, halo=halo, grid=grid, alike=alike):
        written[step.target.slices] += 1

    assert (written == 1).all()


@given(shapes, shapes, st.integers(0, 60), grids, alike)
@settings(max_examples=60, deadline=None)
def test_what_is_read_lies_on_the_grid_and_holds_the_halo(
    shape: tuple[int, int], tile: tuple[int, int], halo: int, grid: int, alike: bool
) -> None:
    height, width = (-(-length // grid) * grid for length in shape)
    for step in plan_tiles(shape, tile=tile, halo=halo, grid=grid, alike=alike):
        read, write = step.source, step.target
        assert all(edge % grid == 0 for edge in (read.top, read.left, read.bottom, read.right))
        assert 0 <= read.top <= max(0, write.top - halo)
        assert 0 <= read.left <= max(0, write.left - halo)
        assert height >= read.bottom >= min(height, write.bottom + halo)
        assert width >= read.right >= min(width, write.right + halo)


@given(shapes, shapes, st.integers(0, 60), grids, st.sampled_from([(), (3,)]))
@settings(max_examples=60, deadline=None)
def test_the_identity_comes_back(
    shape: tuple[int, int],
    tile: tuple[int, int],
    halo: int,
    grid: int,
    channels: tuple[int, ...],
) -> None:
    frame = np.random.default_rng(0).integers(0, 255, shape + channels, np.uint8)
    plan = plan_tiles(shape, tile=tile, halo=halo, grid=grid)

    stitched = map_tiles(frame, plan, lambda part: part, np.zeros_like(frame))

    np.testing.assert_array_equal(stitched, frame)


@given(shapes, shapes, st.integers(0, 60), grids, alike)
@settings(max_examples=60, deadline=None)
def test_a_tile_reads_what_the_whole_padded_frame_holds(
    shape: tuple[int, int], tile: tuple[int, int], halo: int, grid: int, alike: bool
) -> None:
    frame = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    bottom, right = (-length % grid for length in shape)
    whole = np.pad(frame, ((0, bottom), (0, 0), (0, 0)), mode=_mode(bottom, shape[0]))
    whole = np.pad(whole, ((0, 0), (0, right), (0, 0)), mode=_mode(right, shape[1]))

    for step in plan_tiles(shape, tile=tile, halo=halo, grid=grid, alike=alike):
        np.testing.assert_array_equal(read_tile(frame, step), whole[step.source.slices])


def _mode(missing: int, size: int) -> Literal["reflect", "edge"]:
    return "reflect" if missing < size else "edge"


def test_a_tile_inside_the_frame_is_not_copied() -> None:
    frame = np.zeros((64, 64), np.uint8)
    inside, *_ = plan_tiles((64, 64), tile=(16, 16), halo=16, grid=16)

    assert np.shares_memory(read_tile(frame, inside), frame)


@given(
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    st.integers(0, 200),
    st.integers(400_000, 4_000_000),
)
@settings(max_examples=40, deadline=None)
def test_a_chosen_tile_keeps_within_its_pixels(
    shape: tuple[int, int], halo: int, max_pixels: int
) -> None:
    tile = choose_tile(shape, max_pixels=max_pixels, halo=halo, grid=16)

    plan = plan_tiles(shape, tile=tile, halo=halo, grid=16)
    assert max(step.source.height * step.source.width for step in plan) <= max_pixels


def test_the_largest_part_counts_for_all_where_all_are_alike() -> None:
    sizes = {"max_pixels": 500_000, "halo": 144, "grid": 16}
    shape = (2000, 1500)
    alike = choose_tile(shape, **sizes, alike=True)

    def read(tile: tuple[int, int]) -> int:
        plan = plan_tiles(shape, tile=tile, halo=144, grid=16, alike=True)
        return sum(step.source.height * step.source.width for step in plan)

    assert read(alike) < 0.9 * read(choose_tile(shape, **sizes))
    parts = plan_tiles(shape, tile=alike, halo=144, grid=16, alike=True)
    assert len({(step.source.height, step.source.width) for step in parts}) == 1


def test_a_frame_that_fits_stays_whole() -> None:
    assert choose_tile((333, 517), max_pixels=336 * 528, halo=144, grid=16) == (336, 528)
    assert choose_tile((333, 517), max_pixels=336 * 528 - 1, halo=144, grid=16) != (336, 528)


def test_where_nothing_fits_the_smallest_reading_is_chosen() -> None:
    tile = choose_tile((500, 500), max_pixels=1, halo=32, grid=16)

    assert tile == (16, 16)


def test_a_hundred_megapixels_are_planned_without_a_sweat() -> None:
    tile = choose_tile((10_000, 10_000), max_pixels=1_500_000, halo=144, grid=16)

    assert 9 <= len(plan_tiles((10_000, 10_000), tile=tile, halo=144, grid=16)) <= 400


@pytest.mark.parametrize(
    "change", [{"shape": (0, 5)}, {"tile": (16, 0)}, {"halo": -1}, {"grid": 0}]
)
def test_sizes_that_mean_nothing_are_refused(change: dict[str, object]) -> None:
    arguments: dict[str, object] = {"shape": (5, 5), "tile": (16, 16), "halo": 0, "grid": 16}

    with pytest.raises(ValueError, match="at least"):
        plan_tiles(**(arguments | change))  # type: ignore[arg-type]
