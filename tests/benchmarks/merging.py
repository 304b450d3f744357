"""From frames and masks to a radiance and to a picture, and what others make of the frames."""

import shutil
import subprocess
import tempfile
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from simulated import STOPS, WHITE, Simulated

from bracketseg.brackets.luma import luma
from bracketseg.evaluation.fidelity import mu_law

Frames = tuple[NDArray[np.uint8], ...]
TIMES = np.array([2.0**ev for ev in STOPS], np.float32)


def weights_of(low: NDArray[np.bool_], high: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Take the masked frames, and the medium one where neither is: (3, H, W), not normalized.

    Where both are, each counts as long as it was exposed, as it has gathered so much light.
    """
    low_time, medium_time, high_time = TIMES
    medium = ~(low | high)
    return np.stack([low * low_time, medium * medium_time, high * high_time]).astype(np.float32)


def merged(scene: Simulated, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weighted mean of what the frames say of the radiance; weights (3, H, W) or (3, H, W, 3)."""
    weights = weights[..., None] if weights.ndim == 3 else weights
    total = weights.sum(axis=0)
    parts = zip(weights, scene.radiances, strict=True)
    return sum(weight * radiance for weight, radiance in parts) / np.maximum(total, 1e-9)


def debevec_opencv(scene: Simulated) -> NDArray[np.float32]:
    """Debevec and Malik's radiance by OpenCV, which is told the camera's true response."""
    response = np.repeat(np.maximum(scene.inverse, 1e-6)[:, None, None], 3, axis=2)
    merge = cv2.createMergeDebevec()
    return merge.process(list(scene.frames), times=TIMES, response=response)


def debevec_weights(scene: Simulated, *, by_time: bool = False) -> NDArray[np.float32]:
    """Debevec and Malik's weights, to their advantage.

    For each channel by itself, with the true response, a hat that ends at the camera's true
    white, and the mean of logarithms; where all three weights are 0, the frame that is left.
    With `by_time` each frame also counts as long as it was exposed, and radiances are averaged.
    """
    values = [frame.astype(np.float32) for frame in scene.frames]
    hats = np.stack([np.clip(np.minimum(v, scene.clips_at - v), 0, None) for v in values])
    # Nothing is known where all are black or white: the low frame is the last to clip.
    none = hats.sum(axis=0) == 0
    hats[0][none & (values[1] > 127)] = 1
    hats[2][none & (values[1] <= 127)] = 1
    if by_time:
        return merged(scene, hats * TIMES[:, None, None, None])
    logs = np.log(np.maximum(np.stack(scene.radiances), 1e-5))
    return np.exp((hats * logs).sum(axis=0) / hats.sum(axis=0))


def best_frame(scene: Simulated) -> NDArray[np.float32]:
    """The frame that is nearest to the truth, pixel by pixel: what nobody can know."""
    stack = np.stack(scene.radiances)
    truth = mu_law(scene.truth, WHITE)
    errors = np.stack([((mu_law(one, WHITE) - truth) ** 2).sum(axis=2) for one in stack])
    chosen = errors.argmin(axis=0)[None, ..., None]
    return np.take_along_axis(stack, chosen, axis=0)[0]


def best_ranges(scene: Simulated) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The masks of the low and the high frame by the ranges that the truth itself would choose.

    All pairs of lo and hi are tried, by sums over the joint histogram of both frames' luma.
    """
    low, high = luma(scene.frames[0]), luma(scene.frames[-1])
    pairs = (low.astype(np.intp) << 8 | high).ravel()
    truth = mu_law(scene.truth, WHITE)

    def errors(takes_low: bool, takes_high: bool) -> NDArray[np.float64]:
        """Of the pixels with a low luma under lo and a high luma under hi + 1: (257, 257)."""
        masks = (np.full(low.shape, takes) for takes in (takes_low, takes_high))
        error = ((mu_law(merged(scene, weights_of(*masks)), WHITE) - truth) ** 2).sum(axis=2)
        sums = np.zeros((257, 257))
        counts = np.bincount(pairs, error.ravel(), 1 << 16).reshape(256, 256)
        sums[1:, 1:] = counts.cumsum(axis=0).cumsum(axis=1)
        return sums

    neither, one, other, both = (errors(*takes) for takes in product((False, True), repeat=2))
    total = neither[:, -1:] - neither
    total += one
    total += other[-1, -1] - other[:, -1:] - other[-1:] + other
    total += both[-1:] - both
    lo, above = np.unravel_index(np.argmin(total), total.shape)
    return low >= lo, high < above


def brightest_unclipped(scene: Simulated) -> NDArray[np.float32]:
    """The brightest frame of which no channel clips, pixel by pixel; the low one if all clip."""
    good = [(frame < scene.clips_at).all(axis=2) for frame in scene.frames]
    weights = np.stack([~(good[1] | good[2]), good[1] & ~good[2], good[2]])
    return merged(scene, weights.astype(np.float32))


def blended(frames: Frames, weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture for a display: frames blended at many scales (Burt and Adelson 1983)."""
    shares = weights / weights.sum(axis=0)
    scales = max(1, int(np.log2(min(frames[0].shape[:2]))) - 2)
    total: list[NDArray[np.float32]] = []
    for frame, share in zip(frames, shares, strict=True):
        picture, part = frame.astype(np.float32), share
        for scale in range(scales):
            rest = picture
            if scale < scales - 1:
                picture = cv2.pyrDown(picture)
                rest = rest - cv2.pyrUp(picture, dstsize=rest.shape[1::-1])
            layer = rest * part[..., None]
            part = cv2.pyrDown(part)
            if len(total) <= scale:
                total.append(layer)
            else:
                total[scale] = total[scale] + layer
    result = total[-1]
    for layer in reversed(total[:-1]):
        result = cv2.pyrUp(result, dstsize=layer.shape[1::-1]) + layer
    return np.clip(np.rint(result), 0, 255).astype(np.uint8)


def mertens(frames: Frames) -> NDArray[np.uint8]:
    """Mertens, Kautz and Van Reeth's fusion by OpenCV, with the exposure weight that it lacks."""
    merge = cv2.createMergeMertens(1.0, 1.0, 1.0)
    return np.clip(np.rint(merge.process(list(frames)) * 255), 0, 255).astype(np.uint8)


def has_enfuse() -> bool:
    """Whether enfuse is on the PATH."""
    return shutil.which("enfuse") is not None


def enfuse(frames: Frames) -> NDArray[np.uint8]:
    """Give what enfuse makes of the frames with its defaults."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / f"{number}.png" for number in range(len(frames))]
        for file, frame in zip(files, frames, strict=True):
            cv2.imwrite(str(file), frame[..., ::-1])
        out = folder / "out.png"
        command = ["enfuse", "--output", str(out), *map(str, files)]
        subprocess.run(command, check=True, capture_output=True)
        picture = cv2.imread(str(out))
    return np.ascontiguousarray(picture[..., 2::-1])
