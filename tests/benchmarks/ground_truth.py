"""Ground truth and metrics of a 1900x1060 bracket, beside other ways of making the same.

    python tests/benchmarks/ground_truth.py

The ways take turns. Prints Markdown rows.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from scenes import write_mosaics
from table import in_turns, print_head, print_rows

from bracketseg.brackets.images import read_image
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.luma import luma
from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.metrics import measure, roc_auc
from bracketseg.labeling.coverage import coverage
from bracketseg.labeling.label_folder import label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import Otsu
from bracketseg.labeling.records import LabelingInfo
from bracketseg.scene_pool import Threads

SHAPE = (1060, 1900)
ROUNDS = 9
SCENES = 12


def main() -> None:
    print_head()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        for suffix in (".jpg", ".png"):
            folder = write_mosaics(home / f"brackets{suffix}", SCENES, SHAPE, suffix)
            brackets = find_brackets(folder).brackets
            if suffix == ".jpg":
                low, high = (brackets[0].frame(role).read() for role in ("low", "high"))
                make_masks(low, high)
            paths = [bracket.frame(role).path for bracket in brackets for role in ("low", "high")]
            folders = {
                "bracketseg": partial(label, brackets, home),
                "only decode the frames": partial(decode, paths),
            }
            print_rows(f"label {SCENES} scenes of {suffix[1:].upper()}", in_turns(folders, ROUNDS))
    for work, way in metrics().items():
        print_rows(work, in_turns({"bracketseg": way}, ROUNDS))


def make_masks(low: np.ndarray, high: np.ndarray) -> None:
    ways = {
        "bracketseg": lambda: ours(low, high),
        "OpenCV's own calls": lambda: opencv(low, high, first_of_ycrcb),
        "OpenCV with its grey, another luma": lambda: opencv(low, high, grey),
        "scikit-image": lambda: scikit_image(low, high),
    }
    print_rows("luma, Otsu, both masks, coverage", in_turns(ways, ROUNDS))


def decode(paths: list[Path]) -> None:
    for _ in Threads().in_order(paths, read_image):
        pass


def ours(low: np.ndarray, high: np.ndarray) -> object:
    masks = {}
    for role, frame in (("low", low), ("high", high)):
        values = luma(frame)
        masks[role] = Otsu().bounds(values, role).mask(values)
    return coverage(masks["low"], masks["high"])


def first_of_ycrcb(frame: np.ndarray) -> np.ndarray:
    return cv2.extractChannel(cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb), 0)


def grey(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


def opencv(
    low: np.ndarray, high: np.ndarray, luma_of: Callable[[np.ndarray], np.ndarray]
) -> object:
    masks = []
    for frame, kind in ((low, cv2.THRESH_BINARY), (high, cv2.THRESH_BINARY_INV)):
        values = luma_of(frame)
        masks.append(cv2.threshold(values, 0, 255, kind | cv2.THRESH_OTSU)[1])
    union = cv2.bitwise_or(*masks)
    remainder = cv2.bitwise_not(union)
    pieces = cv2.connectedComponents(remainder)[0]
    return [cv2.countNonZero(mask) for mask in (*masks, union)], pieces


def scikit_image(low: np.ndarray, high: np.ndarray) -> object:
    from skimage.color import rgb2ycbcr
    from skimage.filters import threshold_otsu
    from skimage.measure import label as components

    values = [rgb2ycbcr(frame)[..., 0] for frame in (low, high)]
    masks = [values[0] > threshold_otsu(values[0]), values[1] <= threshold_otsu(values[1])]
    union = masks[0] | masks[1]
    return [mask.mean() for mask in (*masks, union)], components(~union).max()


def label(brackets: object, home: Path) -> None:
    out = Path(tempfile.mkdtemp(dir=home))
    rules = dict.fromkeys(("low", "high"), Otsu())
    folder = LabelingFolder.create(out, LabelingInfo(method="otsu", ranges=rules))
    for _ in label_brackets(brackets, rules, folder):
        pass


def metrics() -> dict[str, Callable[[], object]]:
    random = np.random.default_rng(0)
    probability = np.clip(random.normal(0.4, 0.2, SHAPE), 0, 1).astype(np.float32)
    reference = probability + random.normal(0, 0.1, SHAPE) > 0.5
    prediction = probability >= 0.5
    return {
        "all metrics of a pair of masks": lambda: measure(confusion(reference, prediction)),
        "ROC AUC from float32": lambda: roc_auc(reference, probability),
    }


if __name__ == "__main__":
    main()
