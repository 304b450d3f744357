"""What needs no network: constant masks, and Otsu's threshold held against the ground truth."""

from collections.abc import Mapping
from dataclasses import dataclass

from bracketseg.brackets.bracket import Bracket, MaskRole
from bracketseg.brackets.luma import luma
from bracketseg.errors import LabelingError
from bracketseg.evaluation.baselines import baselines
from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.metrics import Metrics, measure
from bracketseg.evaluation.spread import Summary, summarize
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import Otsu
from bracketseg.labeling.saved_scene import refuse_other_frame
from bracketseg.report.results import RoleResults

ALL, NONE, OTSU = "All foreground", "No foreground", "Otsu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A row below the losses.

    Attributes
    ----------
    label : str
    summary : Summary
        Over the very scenes and seeds of the losses.
    """

    label: str
    summary: Summary


def otsu_metrics(bracket: Bracket, role: MaskRole, masks: LabelingFolder) -> Metrics:
    """Hold Otsu's mask of a frame against its ground truth.

    Raises
    ------
    BracketSegError
        If the frame or the mask cannot be read, their sizes differ, or the mask was made on
        another frame.
    """
    frame = bracket.frame(role)
    refuse_other_frame(masks, bracket.scene, role, frame.path)
    values = luma(frame.read())
    truth = masks.mask(bracket.scene, role)
    if truth.shape != values.shape:
        raise LabelingError(
            f"{masks.masks[bracket.scene, role]}: is {truth.shape} but {frame.path} is "
            f"{values.shape} (rows, columns). Label this frame again."
        )
    return measure(confusion(truth, Otsu().bounds(values, role).mask(values)))


def baseline_rows(results: RoleResults, otsu: Mapping[str, Metrics]) -> list[Baseline]:
    """Measure what stands below the losses, on the same scenes.

    Parameters
    ----------
    results : RoleResults
    otsu : mapping of str to Metrics
        Otsu against the ground truth; its row is there where all scenes are.
    """
    counts = results.any_counts()
    constant = {
        seed: {scene: baselines(found.counts).measured() for scene, found in scenes.items()}
        for seed, scenes in counts.items()
    }
    rows = [
        Baseline(
            label=label,
            summary=summarize(
                {
                    seed: {scene: both[which] for scene, both in scenes.items()}
                    for seed, scenes in constant.items()
                }
            ),
        )
        for which, label in enumerate((ALL, NONE))
    ]
    if all(scene in otsu for scene in results.scenes):
        by_seed = {
            seed: {scene: otsu[scene] for scene in scenes} for seed, scenes in counts.items()
        }
        rows.append(Baseline(label=OTSU, summary=summarize(by_seed)))
    return rows
