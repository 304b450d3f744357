"""The main job on the sample data, as the commands that a person would type."""

import shlex
import sys
from pathlib import Path

from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.brackets.masks import mask_name

LARGE_SCENE = "garden_gate"
"""The sample bracket that is large enough to look at."""

_SETTINGS = ("--epochs", "20", "--batch-size", "2", "--image-size", "128")


def demo_commands(data: Path, out: Path) -> list[list[str]]:
    """Give the arguments of each command of the demonstration, in their order.

    Parameters
    ----------
    data : Path
        A folder of brackets.
    out : Path
        Where the results go. Trainings that are there already are gone on with.
    """
    manual, otsu, predicted = out / "manual", out / "otsu", out / "prediction"
    runs = {role: out / f"{role}-run" for role in ("low", "high")}

    def resume(run: Path) -> list[str]:
        return ["--resume"] if (run / "last.pt").is_file() else []

    return [
        ["info", str(data)],
        ["label", str(data), "--method", "manual", "--out", str(manual)],
        ["label", str(data), "--method", "otsu", "--out", str(otsu)],
        *(
            [
                *("train", str(data), "--masks", str(manual), "--role", role, "--loss", "bce"),
                *("--out", str(run), *_SETTINGS, *resume(run)),
            ]
            for role, run in runs.items()
        ),
        [
            *("predict", str(data), "--out", str(predicted), "--probability"),
            *(part for role, run in runs.items() for part in (f"--{role}-model", str(run))),
        ],
        ["evaluate", "--reference", str(manual), "--prediction", str(predicted)],
        ["evaluate", "--reference", str(manual), "--prediction", str(otsu)],
        [
            *("compare", str(data), "--masks", str(manual), "--out", str(out / "comparison")),
            *_SETTINGS,
            *(["--resume"] if (out / "comparison").is_dir() else []),
        ],
    ]


def demo_epilogue(data: Path, out: Path) -> str:
    """Say where the results lie and how to look at them."""
    masks = " ".join(
        shlex.quote(str(out.resolve() / folder / mask_name(LARGE_SCENE, role)))
        for folder in ("manual", "prediction")
        for role in MASK_ROLES
    )
    return f"""
The results lie in {out.resolve()}:
  manual, otsu            ground truth by the manual range and by Otsu
  low-run, high-run       the two trained networks, with their curves in history.csv
  prediction              what the networks find, with probabilities
  comparison/report.html  Tables 1 and 2: three losses for both roles, on scenes kept back
(The evaluation above also counts the scenes that were trained on, so it flatters.)

To look at a bracket with its masks in napari:
  {_napari()} --plugin bracketseg {shlex.quote(str(data / LARGE_SCENE))} {masks}
"""


def _napari() -> str:
    """Give the napari beside this Python, which need not be on the path."""
    beside = Path(sys.executable).with_name("napari")
    return shlex.quote(str(beside)) if beside.exists() else "napari"
