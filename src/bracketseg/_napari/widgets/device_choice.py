"""The list of devices, which only a process with torch knows."""

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QComboBox

from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.worker.client import Worker
from bracketseg.worker.requests import DevicesListed, ListDevices

_OPENING = (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress)


class DeviceChoice(QObject):
    """Fills a list of devices when a person first turns to it.

    A worker of its own is asked, so that nobody has to wait for the answer with a Start.

    Parameters
    ----------
    box : QComboBox
        Its entries hold the name of a device as data.
    make_worker : callable
        Makes the worker.
    """

    def __init__(self, box: QComboBox, make_worker: Callable[[], Worker] = Worker) -> None:
        super().__init__(box)
        self._box = box
        self.make_worker = make_worker
        self._asked = False
        box.installEventFilter(self)

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:  # noqa: ARG002, N802
        """Ask for the devices once the list is opened."""
        if a1 is not None and a1.type() in _OPENING and not self._asked:
            self._look()
        return False

    def _look(self) -> None:
        self._asked = True
        self._box.addItem("Looking for others …")
        model = self._box.model()
        item = model.item(self._box.count() - 1) if isinstance(model, QStandardItemModel) else None
        if item is not None:
            item.setEnabled(False)
        worker = self.make_worker()
        job = run_job(
            partial(worker.ask, ListDevices()),
            on_event=self._take,
            on_done=partial(self._end, worker, ""),
            on_error=lambda error: self._end(worker, str(error)),
            description="listing the devices",
        )
        self.destroyed.connect(partial(_close, job, worker))

    def _take(self, answer: object) -> None:
        if not isinstance(answer, DevicesListed):
            return
        for name, label in answer.devices:
            title = f"{name}: {label}"
            place = self._box.findData(name)
            if place >= 0:
                self._box.setItemText(place, title)
            else:
                self._box.insertItem(self._box.count() - 1, title, name)

    def _end(self, worker: Worker, problem: str, _result: object = None) -> None:
        worker.close()
        if problem:
            # The choice stays what it was; whoever starts something hears of it there, too.
            self._box.setItemText(self._box.count() - 1, problem)
        else:
            self._box.removeItem(self._box.count() - 1)


def _close(job: Job, worker: Worker, _choice: object = None) -> None:
    job.cancel()
    worker.close()
