"""Measures the metrics, and how fast the Metrics dock follows a brush, at 1900x1060.

Run it while the machine does nothing else:

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/metrics.py

The dock is measured without a canvas, whose redraws are napari's. Each line has the time that
passed and, beside it, the time of the processor, which says more where the machine is busy.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
from event_loop import EventLoopProbe

from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.curves import curves
from bracketseg.evaluation.metrics import measure, roc_auc
from bracketseg.evaluation.overlay import compose

SHAPE = (1060, 1900)
STROKES = 20
WAIT = 10.0


def main() -> None:
    rng = np.random.default_rng(0)
    probability = np.clip(rng.normal(0.4, 0.2, SHAPE), 0, 1).astype(np.float32)
    reference = probability + rng.normal(0, 0.1, SHAPE) > 0.5
    prediction = probability >= 0.5
    stored = np.rint(probability.astype(np.float64) * 65535).astype(np.uint16)
    print(f"{'milliseconds':44}{'passed':>10}{'processor':>11}")
    row("confusion", lambda: measure(confusion(reference, prediction)))
    row("overlay", lambda: compose(reference, prediction))
    row("ROC AUC, float32", lambda: roc_auc(reference, probability))
    row("ROC AUC, uint16", lambda: roc_auc(reference, stored))
    row("curves, float32", lambda: curves(reference, probability))
    row("curves, uint16", lambda: curves(reference, stored))
    follow(reference, prediction, probability)


def row(name: str, action: Callable[[], object], repeats: int = 9) -> None:
    passed, processor = [], []
    for _ in range(repeats):
        start = time.perf_counter(), time.thread_time()
        action()
        passed.append(time.perf_counter() - start[0])
        processor.append(time.thread_time() - start[1])
    say(name, statistics.median(passed), statistics.median(processor))


def say(name: str, passed: float, processor: float) -> None:
    print(f"{name:44}{1000 * passed:10.1f}{1000 * processor:11.1f}")


def follow(reference: np.ndarray, prediction: np.ndarray, probability: np.ndarray) -> None:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QApplication, QWidget

    application = QApplication.instance() or QApplication([])
    from bracketseg._napari.layers.provenance import METADATA_KEY
    from bracketseg._napari.metrics.dock import MetricsDock

    def ours(kind: str) -> dict[str, object]:
        return {METADATA_KEY: {"kind": kind, "scene": "scene", "role": "low"}}

    def until(done: Callable[[], bool]) -> float:
        start = time.perf_counter()
        while not done() and time.perf_counter() - start < WAIT:
            application.processEvents()
            time.sleep(0.001)
        return time.perf_counter() - start

    def open_dock(name: str) -> MetricsDock:
        start = time.perf_counter(), time.thread_time()
        dock = MetricsDock(viewer)
        dock.resize(440, 800)
        dock.show()
        application.processEvents()
        say(name, time.perf_counter() - start[0], time.thread_time() - start[1])
        return dock

    viewer = ViewerModel()
    viewer.add_image(probability, metadata=ours("probability"), visible=False)
    truth = viewer.add_labels(reference.astype(np.uint8), metadata=ours("ground truth"))
    viewer.add_labels(prediction.astype(np.uint8), metadata=ours("prediction"))
    truth.brush_size = 40
    dock = open_dock("open the dock")
    model = dock.findChild(QWidget, "metrics.table").model()

    def cell(line: int) -> str:
        return str(model.index(line, 0).data())

    until(lambda: model.rowCount() > 0 and cell(5) != "…")
    for overlay in (False, True):
        if overlay:
            dock.findChild(QWidget, "metrics.overlay").click()
        counted, ranked, processor, gaps = [], [], [], []
        for stroke in range(STROKES):
            before = cell(9)
            place = (20 + 50 * stroke, 300 + 500 * overlay)
            truth.paint(place, 1 - truth.data[place])
            probe, start = EventLoopProbe(), time.process_time()
            probe.start()
            first = until(lambda before=before: cell(9) != before)
            counted.append(first)
            ranked.append(first + until(lambda: cell(5) != "…"))
            processor.append(time.process_time() - start)
            gaps.append(probe.stop()[0].seconds)
        what = "with overlay" if overlay else "without overlay"
        say(f"a stroke to the counts, {what}", statistics.median(counted), 0)
        say("... to ROC AUC", statistics.median(ranked), statistics.median(processor))
        say("... longest gap of the event loop", statistics.median(gaps), 0)
    open_dock("open the dock again")


if __name__ == "__main__":
    main()
