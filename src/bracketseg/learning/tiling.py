"""Plan the tiles that a large frame is predicted in.

A plan is data: which part of the frame each tile reads, and which part of the result it
writes. The writing parts cover every pixel once; the reading parts are larger by a halo,
so that no written pixel can tell that the frame was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

ScalarT = TypeVar("ScalarT", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels: `top <= y < bottom`, `left <= x < right`."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns as an index into an (H, W, ...) array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Tile:
    """One step of a plan.

    Attributes
    ----------
    source
        What is read. It begins at a multiple of the grid and its sides are multiples of it,
        so it may reach past the frame at the bottom and at the right: see `read_tile`.
    target
        What is written. It lies inside the frame and inside `source`.
    """

    source: Box
    target: Box

    @property
    def crop(self) -> tuple[slice, slice]:
        """Where `target` lies in an array made from `source`."""
        top, left = self.target.top - self.source.top, self.target.left - self.source.left
        return slice(top, top + self.target.height), slice(left, left + self.target.width)


def plan_tiles(
    shape: tuple[int, int], *, tile: tuple[int, int], halo: int, grid: int, alike: bool = False
) -> tuple[Tile, ...]:
    """Cut a frame into tiles.

    Parameters
    ----------
    shape : (H, W)
        Size of the frame in pixels.
    tile : (height, width)
        Size of what one tile writes, in pixels; rounded up to a multiple of `grid`.
    halo : int
        Pixels that are read on each side beyond what is written, where the frame has them;
        rounded up to a multiple of `grid`.
    grid : int
        Step of the coarsest feature map of the network, in pixels: what a tile reads begins
        and ends at multiples of it, so that pooling falls as it does in the whole frame.
    alike : bool
        Let all tiles read parts of one size: those at the edges read more of the frame.

    Returns
    -------
    tuple of Tile
        Row by row. The targets cover every pixel exactly once.

    Raises
    ------
    ValueError
        A size is below 1, or the halo is negative.

    Examples
    --------
    >>> [step.target for step in plan_tiles((20, 16), tile=(16, 16), halo=3, grid=16)]
    [Box(top=0, left=0, bottom=16, right=16), Box(top=16, left=0, bottom=20, right=16)]
    """
    if min(*shape, *tile, grid) < 1 or halo < 0:
        raise ValueError(
            f"shape {shape}, tile {tile} and grid {grid} must be at least 1, halo {halo} at least 0"
        )
    rows = _cut(shape[0], tile[0], halo, grid, alike=alike)
    columns = _cut(shape[1], tile[1], halo, grid, alike=alike)
    return tuple(
        Tile(
            source=Box(row.read[0], column.read[0], row.read[1], column.read[1]),
            target=Box(row.write[0], column.write[0], row.write[1], column.write[1]),
        )
        for row, column in product(rows, columns)
    )


def choose_tile(
    shape: tuple[int, int], *, max_pixels: int, halo: int, grid: int, alike: bool = False
) -> tuple[int, int]:
    """Choose the size of a tile so that no tile reads more than `max_pixels`.

    Of all sizes that keep within it, the one that reads the fewest pixels altogether is
    taken, that is the one that loses the least to halos: a frame that fits stays whole, one
    that is a little too large is halved across its longer side.

    Parameters
    ----------
    shape, halo, grid, alike
        As in `plan_tiles`.
    max_pixels : int
        The most pixels that one tile may read. Where not even the smallest tile keeps within
        it, the tile that reads the least is chosen.

    Returns
    -------
    (height, width)
        What a tile writes, in pixels: multiples of `grid`.

    Examples
    --------
    >>> choose_tile((1060, 1900), max_pixels=1_500_000, halo=144, grid=16)
    (1072, 960)
    """
    heights, widths = (
        [_cost(_cut(size, side, halo, grid, alike=alike), side) for side in _sides(size, grid)]
        for size in shape
    )

    def preference(pair: tuple[_Cost, _Cost]) -> tuple[int, int]:
        largest = pair[0].largest * pair[1].largest
        return max(largest, max_pixels), pair[0].total * pair[1].total

    height, width = min(product(heights, widths), key=preference)
    return height.side, width.side


def read_tile(frame: NDArray[ScalarT], tile: Tile) -> NDArray[ScalarT]:
    """Read what a tile needs, padded by reflection where it reaches past the frame.

    Only the bottom and the right are padded. The frame's last row and column are not repeated,
    except along an axis that is too short to be reflected, where the last pixel is repeated:
    as `bracketseg.learning.unet.UNet` pads by itself.

    Parameters
    ----------
    frame : (H, W) or (H, W, C) array
    tile : Tile
        A step of a plan for this frame.

    Returns
    -------
    array of the size of `tile.source`, dtype of `frame`
        A view where nothing needs padding.
    """
    height, width = frame.shape[:2]
    if tile.source.bottom <= height and tile.source.right <= width:
        return frame[tile.source.slices]
    # These index the whole frame, so that the padding is the same however it was cut.
    rows = _inside(tile.source.top, tile.source.bottom, height)
    columns = _inside(tile.source.left, tile.source.right, width)
    return frame[rows[:, np.newaxis], columns]


def map_tiles(
    frame: NDArray[Any],
    tiles: Iterable[Tile],
    function: Callable[[NDArray[Any]], NDArray[ScalarT]],
    out: NDArray[ScalarT],
) -> NDArray[ScalarT]:
    """Run a function over a frame tile by tile and put the results together.

    Parameters
    ----------
    frame : (H, W) or (H, W, C) array
    tiles : iterable of Tile
        A plan for this frame.
    function
        From what a tile reads, (h, w) or (h, w, C), to a result of the same height and width.
    out : (H, W) or (H, W, K) array
        Where the results go.

    Returns
    -------
    `out`

    Examples
    --------
    >>> import numpy as np
    >>> frame = np.arange(12).reshape(3, 4)
    >>> tiles = plan_tiles((3, 4), tile=(2, 2), halo=2, grid=2)
    >>> map_tiles(frame, tiles, np.negative, np.empty((3, 4), int))[0].tolist()
    [0, -1, -2, -3]
    """
    for tile in tiles:
        out[tile.target.slices] = function(read_tile(frame, tile))[tile.crop]
    return out


@dataclass(frozen=True, slots=True)
class _Cut:
    """One tile along one axis, from and up to (without) a pixel."""

    read: tuple[int, int]
    write: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Cost:
    """What tiles with this side read along one axis: the largest one, and all of them."""

    side: int
    largest: int
    total: int


def _round_up(size: int, grid: int) -> int:
    return -(-size // grid) * grid


def _inside(first: int, last: int, size: int) -> NDArray[np.intp]:
    """Give the pixels that stand for `first <= i < last` on an axis that ends at `size`."""
    index = np.arange(first, last)
    if last - size < size:
        return np.minimum(index, 2 * (size - 1) - index) if last > size else index
    return np.minimum(index, size - 1)


def _cut(size: int, side: int, halo: int, grid: int, *, alike: bool) -> list[_Cut]:
    side, halo, padded = (_round_up(length, grid) for length in (side, halo, size))
    cuts = [
        _Cut(
            read=(max(0, start - halo), min(padded, start + side + halo)),
            write=(start, min(size, start + side)),
        )
        for start in range(0, size, side)
    ]
    if not alike:
        return cuts
    length = max(stop - start for start, stop in (cut.read for cut in cuts))
    begins = [min(cut.read[0], padded - length) for cut in cuts]
    return [
        _Cut(read=(begin, begin + length), write=cut.write)
        for begin, cut in zip(begins, cuts, strict=True)
    ]


def _cost(cuts: list[_Cut], side: int) -> _Cost:
    lengths = [stop - start for start, stop in (cut.read for cut in cuts)]
    return _Cost(side, max(lengths), sum(lengths))


def _sides(size: int, grid: int) -> Iterator[int]:
    """Sides that cut `size` into 1, 2, 3, ... nearly equal parts, largest first."""
    steps = _round_up(size, grid) // grid
    yield from sorted({-(-steps // parts) * grid for parts in range(1, steps + 1)}, reverse=True)
