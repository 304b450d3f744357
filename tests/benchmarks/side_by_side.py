"""Fuses real brackets by different masks, for looking at: one sheet of pictures a bracket.

    python tests/benchmarks/side_by_side.py --real PATH --out sheets [SCENE ...]

The rows of a sheet: fused by manual ranges and by Otsu; by automatic ranges and, without any masks,
by Mertens' exposure fusion; the three frames; the masks of the three ways, orange of the low frame,
blue of the high one, white of both.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from mask_quality import Masks, real_frames, rule_methods
from merging import Frames, mertens
from numpy.typing import NDArray

from bracketseg.brackets.files import write_bytes
from bracketseg.fusion.display import display_picture
from bracketseg.fusion.exposures import Exposures, as_weight

WAYS = ("manual", "otsu", "auto")
WIDTH = 768
ORANGE, BLUE, WHITE = (230, 159, 0), (86, 180, 233), (255, 255, 255)
"""Of Okabe and Ito, which the colour-blind can tell apart."""

Picture = NDArray[np.uint8]


def fused(frames: Frames, masks: Masks) -> Picture:
    """Fuse as `bracketseg fuse` does."""
    low, high = map(as_weight, masks)
    exposures = Exposures(images=frames, evs=(-2.0, 0.0, 2.0), low=low, high=high)
    return np.rint(display_picture(exposures) * 255).astype(np.uint8)


def coloured(masks: Masks) -> Picture:
    """Show both masks in one picture."""
    low, high = masks
    picture = np.zeros((*low.shape, 3), np.uint8)
    picture[low], picture[high], picture[low & high] = ORANGE, BLUE, WHITE
    return picture


def row(pictures: list[tuple[str, Picture]], width: int) -> Picture:
    """Put titled pictures of one size beside each other, `width` pixels in all."""
    each = width // len(pictures)
    tiles = []
    for title, picture in pictures:
        height = round(picture.shape[0] * each / picture.shape[1])
        tile = cv2.resize(picture, (each, height), interpolation=cv2.INTER_AREA)
        cv2.rectangle(tile, (0, 0), (9 + 11 * len(title), 24), (0, 0, 0), -1)
        cv2.putText(tile, title, (4, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.6, WHITE, 1, cv2.LINE_AA)
        tiles.append(tile)
    return np.hstack(tiles)


def sheet(frames: Frames) -> Picture:
    """Put all pictures of a bracket together."""
    frames = tuple(_small(frame) for frame in frames)
    made = rule_methods()
    masks = {way: made[way](frames, 0) for way in WAYS}
    pictures = [(way, fused(frames, masks[way])) for way in WAYS]
    pictures.append(("mertens", mertens(frames)))
    width = 6 * (2 * WIDTH // 6)
    named = list(zip(("low", "medium", "high"), frames, strict=True))
    shown = [(way, coloured(masks[way])) for way in WAYS]
    rows = (pictures[:2], pictures[2:], named, shown)
    return np.vstack([row(pictures, width) for pictures in rows])


def _small(frame: Picture) -> Picture:
    height, width = frame.shape[:2]
    if width <= WIDTH:
        return frame
    size = (WIDTH, round(height * WIDTH / width))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--real", type=Path, required=True, help="the brackets")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets")
    parser.add_argument("scenes", nargs="*", help="which; all without")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, frames in real_frames(options.real, options.scenes):
        coded = cv2.imencode(".png", sheet(frames)[..., ::-1])[1]
        write_bytes(options.out / f"{name}.png", coded.tobytes())
        print(options.out / f"{name}.png", flush=True)


if __name__ == "__main__":
    main()
