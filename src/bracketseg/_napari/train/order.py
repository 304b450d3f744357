"""What a person orders with Start or Resume, as the controls say it."""

from datetime import datetime
from pathlib import Path

from bracketseg._napari.train.controls import TrainControls
from bracketseg._napari.train.plan import Choice, plan_runs, why_not
from bracketseg._napari.train.source import TrainSource
from bracketseg.learning.runs import Run
from bracketseg.worker.requests import Train


class TrainOrder:
    """Reads the controls.

    Parameters
    ----------
    controls : TrainControls
    source : TrainSource
    """

    def __init__(self, controls: TrainControls, source: TrainSource) -> None:
        self._controls = controls
        self._source = source

    def choice(self) -> Choice | None:
        """Give what was chosen; None without a folder or without masks."""
        controls, folder, masks = self._controls, self._source.folder, self._source.masks
        if folder is None or masks is None:
            return None
        typed = controls.out.text().strip()
        return Choice(
            folder=folder,
            masks=masks,
            roles=controls.role.currentData(),
            losses=controls.loss.currentData(),
            out=Path(typed).expanduser().absolute() if typed else None,
        )

    def runs(self) -> tuple[tuple[Train, ...], str]:
        """Give the runs that Start begins, and why it cannot; that is empty if it can."""
        source, choice = self._source, self.choice()
        if source.folder is None:
            return (), "Choose a folder of brackets here, or open one in the Brackets dock."
        if source.problem:
            return (), f"⚠ {source.problem}"
        if source.material is None:
            return (), f"Looking for brackets and masks in {source.folder.name} …"
        if choice is None:
            return (), (
                "No masks of these brackets yet. Label scenes in the Ground truth dock, or choose "
                "a folder of masks."
            )
        problem = self._controls.form.problem()
        if problem:
            return (), f"⚠ {problem}"
        runs = plan_runs(choice, self._controls.form.config(), datetime.now())
        problem = why_not(choice, runs)
        return runs, f"⚠ {problem}" if problem else ""

    def rest_of(self, run: Run) -> Train | None:
        """Give what goes on with a run; None if the brackets or masks are not known.

        The run keeps all its settings; another device is taken where one was chosen.
        """
        source = self._source
        masks = run.masks if run.masks is not None and run.masks.is_dir() else None
        if masks is None and source.masks is not None:
            masks = source.masks.path
        if source.folder is None or masks is None:
            return None
        device = self._controls.device.currentData()
        chosen = {} if device == "auto" else {"device": device}
        config = run.config.model_copy(update=chosen)
        return Train(path=source.folder, masks=masks, config=config, out=run.path, resume=True)
