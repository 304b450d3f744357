"""Kills the docks again and again while somebody labels, and looks at what is left.

    python -m tests.robustness.window_kills --kills 50 --seed 1

Each process goes on where the one before was killed. A pixel of a mask on the disk has to be what
it was on the screen at some moment of the last two seconds, and is shown so again.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.robustness import crashes
from tests.robustness.window_work import ANNOTATOR, ROLES, work

from bracketseg.brackets.images import read_image
from bracketseg.brackets.luma import luma
from bracketseg.labeling.drafts import DraftStore
from bracketseg.labeling.mask_store import LabelingFolder

LOST = 2.0
"""Seconds of work that may be lost."""

_STARTING = 120.0

# All is imported once: a process is there in a second.
_PRELOAD = ["bracketseg._napari.brackets.dock", "bracketseg._napari.truth.dock", "pandas"]


@dataclass(frozen=True, slots=True)
class Seen:
    """The masks of a scene as they were on the screen."""

    time: float
    scene: str
    masks: dict[str, NDArray[np.bool_]]


class WindowKiller:
    """Begins to label in processes of their own, and ends them when it pleases."""

    def __init__(self, place: Path, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._place = place
        self._data = place / "data"
        crashes.make_set(self._data)
        self._lumas = {
            folder.name: {role: luma(read_image(folder / f"{role}.png")) for role in ROLES}
            for folder in sorted(self._data.iterdir())
        }
        self._labels = self._data / "labels" / ANNOTATOR
        self._context: Any = multiprocessing.get_context(
            "spawn" if sys.platform == "win32" else "forkserver"
        )
        if sys.platform != "win32":
            multiprocessing.set_forkserver_preload(_PRELOAD)
        self.drafts = self.accepted = 0
        self.longest = 0.0
        self._seen: list[Seen] = []
        self._killed = 0.0

    def kill(self, number: int, after: float | None = None) -> None:
        """Label for some seconds, be killed, and look at every scene.

        Parameters
        ----------
        number : int
            Of the kill, from which follows what is done.
        after : float, optional
            Seconds; by default up to six.

        Raises
        ------
        NotWholeError
            If a file is not whole or older work is lost.
        """
        journal = self._place / f"journal{number}"
        before = {
            (scene, role): self._on_disk(scene, role) for scene in self._lumas for role in ROLES
        }
        said = self._place / "said"
        child = self._context.Process(
            target=work, args=(self._data, journal, said, number), daemon=True
        )
        child.start()
        begin = time.monotonic()
        while not journal.exists() or not journal.stat().st_size:
            if child.exitcode is not None or time.monotonic() - begin > _STARTING:
                child.kill()
                raise crashes.NotWholeError(f"the docks do not start: {said.read_text()[-2000:]}")
            time.sleep(0.02)
        child.join(self._rng.uniform(0, 6) if after is None else after)
        self._killed = time.monotonic()
        child.kill()
        child.join()
        self._seen = _read(journal, self._lumas)
        begun = {entry.scene: entry for entry in reversed(self._seen)}
        for (scene, role), mask in before.items():
            if mask is not None and scene in begun and (begun[scene].masks[role] != mask).any():
                raise crashes.NotWholeError(f"{scene} {role}: is shown as it was not saved")
        self.look()

    def look(self) -> None:
        """Compare what is on the disk with what was on the screen.

        Raises
        ------
        NotWholeError
            As :meth:`kill`.
        """
        if self._labels.exists():
            crashes.look(self._labels)
        times = [*(entry.time for entry in self._seen), self._killed]
        # Where others use the machine as well, the docks stand still at times.
        patience = LOST + float(np.diff(times).max())
        for scene in {entry.scene for entry in self._seen}:
            states = [entry for entry in self._seen if entry.scene == scene]
            for role in ROLES:
                found = self._on_disk(scene, role)
                # Nothing is there where nobody did anything yet.
                lost = self._lost(states, role, states[0].masks[role] if found is None else found)
                self.longest = max(self.longest, lost)
                if lost > patience:
                    raise crashes.NotWholeError(
                        f"{scene} {role}: work of {lost:.1f} s is lost in {self._labels}"
                    )

    def _lost(self, states: list[Seen], role: str, found: NDArray[np.bool_]) -> float:
        """Say how many seconds before its end the mask on the disk was on the screen."""
        known, since = np.zeros_like(found), self._killed
        for entry in reversed(states):
            known |= entry.masks[role] == found
            if known.all():
                return self._killed - since
            since = entry.time
        return np.inf

    def _on_disk(self, scene: str, role: Any) -> NDArray[np.bool_] | None:
        draft = DraftStore(self._labels / "drafts").load(scene)
        if draft is not None:
            self.drafts += 1
            return draft.restore(self._lumas[scene]).mask(role)
        if not self._labels.exists():
            return None
        labeling = LabelingFolder.at(self._labels)
        if labeling.path_of(scene, role) is None:
            return None
        self.accepted += 1
        return labeling.mask(scene, role)


def _read(journal: Path, lumas: dict[str, dict[str, NDArray[np.uint8]]]) -> list[Seen]:
    """Read what was on the screen; a last line that is not whole does not count."""
    seen = []
    for line in journal.read_text().splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        when, scene, *written = line.split()
        masks = {}
        for role, bits in zip(ROLES, written, strict=True):
            shape = lumas[scene][role].shape
            packed = np.frombuffer(bytes.fromhex(bits), np.uint8)
            masks[role] = np.unpackbits(packed, count=shape[0] * shape[1]).reshape(shape) > 0
        seen.append(Seen(float(when), scene, masks))
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        killer = WindowKiller(Path(place), given.seed)
        for number in range(given.kills):
            killer.kill(number)
        print(
            f"{given.kills} kills, at most {killer.longest:.1f} s of work lost in {killer.drafts} "
            f"masks of drafts and {killer.accepted} of accepted scenes"
        )


if __name__ == "__main__":
    main()
