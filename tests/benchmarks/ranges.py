"""Measures how long rules take to find their ranges, at 1900x1060, as multiples of Otsu.

Run it while the machine does nothing else:

    python tests/benchmarks/ranges.py

"rule" is the finding alone, of both frames and from their pixels; "label" is all that
`bracketseg label` does for a bracket, from reading three or two JPEGs to writing the masks. Times
are those of the processor, the least of several.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
from scenes import write_scenes

from bracketseg.brackets.bracket import MASK_ROLES, Bracket
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.luma import luma
from bracketseg.labeling.label_folder import label_bracket
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.records import LabelingInfo
from bracketseg.labeling.rules import FOUND_RULES, Rule, found_for

SHAPE = (1060, 1900)


def main() -> None:
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = write_scenes(Path(name) / "set", 1, SHAPE, ".jpg")
        (bracket,) = find_brackets(folder).brackets
        frames = {role: frame.read() for role, frame in bracket.roles.items()}
        print(f"{'milliseconds (times Otsu)':28}{'rule':>16}{'label':>16}")
        otsu: list[float] = []
        for method in ("otsu", *(other for other in FOUND_RULES if other != "otsu")):
            rules: dict[str, Rule] = dict.fromkeys(MASK_ROLES, FOUND_RULES[method])

            def find(rules: dict[str, Rule] = rules) -> None:
                for role, rule in found_for(rules, frames).items():
                    rule.bounds(luma(frames[role]), role)

            info = LabelingInfo(method=method, ranges=rules)
            out = LabelingFolder.create(Path(name) / method, info)
            times = [least(find), least(labelling(bracket, rules, out))]
            otsu = otsu or times
            cells = (
                f"{1000 * one:9.1f} ({one / other:.2f})"
                for one, other in zip(times, otsu, strict=True)
            )
            print(f"{method:28}{''.join(f'{cell:>16}' for cell in cells)}")


def labelling(bracket: Bracket, rules: dict[str, Rule], out: LabelingFolder) -> Callable[[], None]:
    def label() -> None:
        label_bracket(bracket, rules, out)

    return label


def least(action: Callable[[], None], repeats: int = 9) -> float:
    found = []
    for _ in range(repeats):
        start = time.thread_time()
        action()
        found.append(time.thread_time() - start)
    return min(found)


if __name__ == "__main__":
    main()
