"""The annotators among each other, and the labelling they agree on, in a window."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from qtpy.QtWidgets import QWidget

from bracketseg._napari.session.labeled_scenes import LABELS_FOLDER, labelings_beside
from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg._napari.widgets.report_window import ReportWindow, counted
from bracketseg.brackets.bracket import MASK_ROLES, Bracket
from bracketseg.brackets.masks import find_masks
from bracketseg.errors import LabelingError
from bracketseg.labeling.consensus import (
    Consensus,
    consensus_csv,
    make_consensus,
    read_consensus,
)
from bracketseg.labeling.label_folder import SceneFailed, SceneLabeled
from bracketseg.labeling.mask_store import LabelingFolder

CONSENSUS_FOLDER = "consensus"


class ConsensusReport:
    """Makes the labelling that the annotators agree on, and shows how far they are apart.

    Parameters
    ----------
    session : Session
    parent : QWidget
    ask : callable
        Takes a question; returns whether the answer is yes.
    """

    def __init__(self, session: Session, parent: QWidget, ask: Callable[[str], bool]) -> None:
        self._session = session
        self._ask = ask
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
        self._job: Job | None = None

    def start(self) -> bool:
        """Begin; False where there is nothing to average or the answer was no.

        Raises
        ------
        LabelingError
            If nobody has labelled, or what is there cannot be read.
        """
        folder = self._session.folder
        if folder is None:
            raise LabelingError(
                "Averaging takes the labels of a folder: open one in the Brackets dock first."
            )
        out = folder / LABELS_FOLDER / CONSENSUS_FOLDER
        folders = _annotators(folder, out)
        if not folders:
            raise LabelingError(
                f"{folder / LABELS_FOLDER}: nobody has saved masks here yet. Accept a scene first."
            )
        overwrite = out.is_dir() and bool(find_masks(out))
        if overwrite and not _is_consensus(out):
            question = f"{out} holds masks that are no average. Replace them with the average?"
            if not self._ask(question):
                return False
        brackets = list(self._session.brackets)
        self._job = run_job(
            partial(_average, folders, brackets, out, overwrite=overwrite),
            on_event=self._event,
            on_done=lambda _: self.window.end(
                f"{counted(self._saved, self._failures)} Saved in {out}"
            ),
            on_error=lambda error: self.window.end(str(error)),
            description="averaging annotators",
        )
        # It goes with its dock, and what is still on its way then has nowhere to go.
        self.window.destroyed.connect(lambda *_, job=self._job: job.cancel())
        return True

    def stop(self) -> None:
        """Stop after the scenes in hand; the masks that were written stay."""
        if self._job is not None and self._job.running:
            self._job.cancel()
            self.window.end("Stopped.")

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
            masks = [f"{scene} {role} by {who}" for scene, role, who in consensus.predicted[:3]]
            more = len(consensus.predicted) - len(masks)
            lines.append(
                "Not in the means, because they began from a prediction and have no range: "
                f"{', '.join(masks)}{f' and {more} more' if more else ''}."
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
                        f"{found.lo.range:.1f} (sd {found.lo.deviation:.1f})",
                        f"{found.hi.range:.1f} (sd {found.hi.deviation:.1f})",
                    ]
                )

    def _export(self, path: Path) -> None:
        if self._consensus is not None:
            self.window.write(path, consensus_csv(self._consensus))


def _average(
    folders: list[Path], brackets: list[Bracket], out: Path, *, overwrite: bool
) -> Iterator[Consensus | SceneLabeled | SceneFailed]:
    yield read_consensus(folders)
    yield from make_consensus(folders, brackets, out, overwrite=overwrite)


def _annotators(folder: Path, out: Path) -> list[Path]:
    """List the labellings that people made by hand."""
    found = []
    for path in labelings_beside(folder):
        if path == out or not find_masks(path):
            continue
        info = LabelingFolder.open(path).info
        if info is not None and info.method == "manual":
            found.append(path)
    return found


def _is_consensus(path: Path) -> bool:
    info = LabelingFolder.open(path).info
    return info is not None and info.annotator.startswith("consensus of ")
