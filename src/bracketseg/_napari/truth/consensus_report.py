"""The annotators among each other, and the labelling they agree on, in a window."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from bracketseg._napari.session.labeled_scenes import labelings_in
from bracketseg._napari.session.labels_folder import labels_folder
from bracketseg._napari.session.session import Session
from bracketseg._napari.truth.background_writer import BackgroundWriter
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg._napari.widgets.report_window import ReportWindow, done_text
from bracketseg.brackets.bracket import MASK_ROLES, Bracket
from bracketseg.brackets.masks import find_masks
from bracketseg.errors import LabelingError
from bracketseg.labeling.consensus import (
    Consensus,
    Spread,
    consensus_csv,
    make_consensus,
    read_consensus,
)
from bracketseg.labeling.label_folder import SceneFailed, SceneLabeled
from bracketseg.labeling.mask_store import LabelingFolder

CONSENSUS_FOLDER = "consensus"

WAIT_MS = 20
"""How often it is looked whether the disk is done."""


class ConsensusReport:
    """Makes the labelling that the annotators agree on, and shows how far they are apart.

    Parameters
    ----------
    session : Session
    parent : QWidget
    writer : BackgroundWriter
        What it has not written yet is waited for.
    ask : callable
        Takes a question; returns whether the answer is yes.
    tell : callable
        Takes the reason why there is nothing to average.

    Attributes
    ----------
    busy : bool
        Whether it has begun and not come to an end.
    """

    def __init__(
        self,
        session: Session,
        parent: QWidget,
        writer: BackgroundWriter,
        *,
        ask: Callable[[str], bool],
        tell: Callable[[str], object],
    ) -> None:
        self._session = session
        self._writer = writer
        self._ask = ask
        self._tell = tell
        self.busy = False
        self._jobs = JobGroup()
        self._consensus: Consensus | None = None
        self._saved = self._failures = 0
        self.window = ReportWindow(
            "gt.consensus",
            "Annotators: mean ranges and spread",
            ("Scene", "Role", "By", "Lo", "Hi", "Lo spread", "Hi spread"),
            parent,
        )
        self.window.stop_wanted.connect(self.stop)
        self.window.export_wanted.connect(self._export)
        self._again = True
        self._waiting = QTimer(self.window)
        self._waiting.setSingleShot(True)
        self._waiting.setInterval(WAIT_MS)
        self._waiting.timeout.connect(self._wait)
        # They go with the dock, and what is still on its way then has nowhere to go.
        self.window.destroyed.connect(lambda *_, jobs=self._jobs: jobs.cancel())

    def start(self) -> None:
        """Begin once what waits to be written is on the disk: the averages take it in."""
        self.busy = True
        self._writer.flush(now=True)
        self._wait()

    def stop(self) -> None:
        """Stop after the scenes in hand; the masks that were written stay."""
        if self.busy:
            self._jobs.cancel()
            self._end("Stopped.")

    def _wait(self) -> None:
        if self._writer.writing:
            self._waiting.start()
        elif self._again and not self._writer.idle:
            # What was done while another write was under way.
            self._again = False
            self._writer.flush(now=True)
            self._waiting.start()
        else:
            self._look()

    def _look(self) -> None:
        folder = self._session.folder
        if folder is None:
            self._give_up(
                "Averaging takes the labels of a folder: open one in the Brackets dock first."
            )
            return
        self._jobs.run(
            partial(_look_at, labels_folder(folder)),
            on_done=self._average,
            on_error=lambda error: self._give_up(str(error)),
            description="looking who has labelled",
        )

    def _average(self, there: "_There") -> None:
        question = f"{there.out} holds masks that are no average. Replace them with the average?"
        if there.by_others and not self._ask(question):
            self._close()
            return
        self._jobs.run(
            partial(
                _averages,
                there.annotators,
                list(self._session.brackets),
                there.out,
                overwrite=there.overwrite,
            ),
            on_event=self._event,
            on_done=lambda _: self._end(
                f"{done_text(self._saved, self._failures)} Saved in {there.out}"
            ),
            on_error=lambda error: self._end(str(error)),
            description="averaging annotators",
        )
        self.window.show()

    def _give_up(self, reason: str) -> None:
        self._tell(reason)
        self._close()

    def _close(self) -> None:
        self.busy = False
        self.window.deleteLater()

    def _end(self, text: str) -> None:
        self.busy = False
        self.window.end(text)

    def _event(self, event: Consensus | SceneLabeled | SceneFailed) -> None:
        if isinstance(event, Consensus):
            self._show(event)
        elif isinstance(event, SceneFailed):
            self._failures += 1
            self.window.add_row([event.scene, str(event.error)])
        else:
            self._saved += 1
            self.window.set_progress(f"{event.index} of {event.total}")

    def _show(self, consensus: Consensus) -> None:
        self._consensus = consensus
        lines = [f"Annotators: {', '.join(consensus.annotators)}."]
        for role in MASK_ROLES:
            if role not in consensus.overall:
                continue
            mean, spread = consensus.overall[role], consensus.spread(role)
            apart = (
                f"; they are {spread[0].range:.1f} apart in lo and {spread[1].range:.1f} in hi, "
                "on average"
                if spread
                else "; no scene was labelled by two"
            )
            lines.append(f"{role.title()}: mean range [{mean.lo:.1f}, {mean.hi:.1f}]{apart}.")
        if consensus.predicted:
            masks = [f"{scene} {role} by {who}" for scene, role, who in consensus.predicted]
            lines.append(
                "Not in the means, because they began from a prediction and have no range: "
                f"{_listed(masks)}."
            )
        if consensus.elsewhere:
            masks = [
                f"{scene} {role} by {who} on {frame}"
                for scene, role, who, frame in consensus.elsewhere
            ]
            lines.append(
                f"Not in the means, because they were chosen on other frames: {_listed(masks)}."
            )
        self.window.set_heading("\n".join(lines))
        for scene, roles in consensus.scenes.items():
            for role, found in roles.items():
                self.window.add_row(
                    [
                        scene,
                        role,
                        str(len(found.chosen)),
                        f"{found.mean.lo:.1f}",
                        f"{found.mean.hi:.1f}",
                        *(_apart(spread, len(found.chosen)) for spread in (found.lo, found.hi)),
                    ]
                )

    def _export(self, path: Path) -> None:
        if self._consensus is not None:
            self.window.write(path, consensus_csv(self._consensus))


@dataclass(frozen=True)
class _There:
    """What lies in the folder of all labels."""

    annotators: list[Path]
    out: Path
    overwrite: bool
    by_others: bool


def _look_at(labels: Path) -> _There:
    out = labels / CONSENSUS_FOLDER
    annotators = _annotators(labels, out)
    if not annotators:
        raise LabelingError(f"{labels}: nobody has saved masks here yet. Accept a scene first.")
    if len(annotators) == 1:
        raise LabelingError(
            f"Only {annotators[0].name} has saved masks here, and an average takes two annotators: "
            "have somebody else type their name above and label, too."
        )
    overwrite = out.is_dir() and bool(find_masks(out))
    return _There(annotators, out, overwrite, by_others=overwrite and not _is_consensus(out))


def _apart(spread: Spread, annotators: int) -> str:
    """Say how far annotators are apart; one alone is not apart from anybody."""
    return f"{spread.range:.1f} (sd {spread.deviation:.1f})" if annotators > 1 else "–"


def _listed(masks: list[str]) -> str:
    """Name the first few."""
    more = len(masks) - 3
    return f"{', '.join(masks[:3])}{f' and {more} more' if more > 0 else ''}"


def _averages(
    folders: list[Path], brackets: list[Bracket], out: Path, *, overwrite: bool
) -> Iterator[Consensus | SceneLabeled | SceneFailed]:
    yield read_consensus(folders, brackets)
    yield from make_consensus(folders, brackets, out, overwrite=overwrite)


def _annotators(labels: Path, out: Path) -> list[Path]:
    """List the labellings that people made by hand."""
    found = []
    for path in labelings_in(labels):
        if path == out or not find_masks(path):
            continue
        info = LabelingFolder.open(path).info
        if info is not None and info.method == "manual":
            found.append(path)
    return found


def _is_consensus(path: Path) -> bool:
    info = LabelingFolder.open(path).info
    return info is not None and info.annotator.startswith("consensus of ")
