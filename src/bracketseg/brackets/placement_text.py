"""By how much a frame was moved, in words."""

import numpy as np

from bracketseg.brackets.placement import (
    Placement,
    affine_part,
    corners,
    is_still,
    place_points,
)


def placement_text(placement: Placement, shape: tuple[int, ...]) -> str:
    """Say where a frame of (H, W, ...) was moved, and what is to be known of that.

    Examples
    --------
    >>> from bracketseg.brackets.alignment import Shift
    >>> placement_text(Shift(dx=3, dy=-2), (10, 10))
    'moved 3 right, 2 up'
    >>> placement_text(Shift(), (10, 10)), placement_text(Shift(reliable=False), (10, 10))
    ('stays', 'stays: it shows too little in common with the others to be aligned')
    """
    if not placement.reliable:
        return "stays: it shows too little in common with the others to be aligned"
    note = f" ({placement.note})" if placement.note else ""
    if is_still(placement.matrix):
        return f"stays{note}"
    return f"moved {way_text(placement, shape)}{note}"


def way_text(placement: Placement, shape: tuple[int, ...]) -> str:
    """Say by how many pixels the middle of a frame moved, and by how much the frame is turned."""
    ends = corners(shape)
    middle = ends.mean(axis=0, keepdims=True)
    dx, dy = (round(float(by), 1) for by in (place_points(middle, placement.matrix) - middle)[0])
    matrix = affine_part(placement, shape).matrix
    degrees = float(
        np.degrees(np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1]))
    )
    parts = (
        f"{abs(dx):g} {'right' if dx > 0 else 'left'}" if dx else "",
        f"{abs(dy):g} {'down' if dy > 0 else 'up'}" if dy else "",
        f"turned {abs(degrees):.1f}°" if abs(degrees) >= 0.05 else "",
    )
    return ", ".join(part for part in parts if part) or "less than 1"
