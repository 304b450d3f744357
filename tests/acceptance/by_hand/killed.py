"""Labels a scene and then waits to be killed; run by `test_killed.py` as a program.

    python killed.py FOLDER WANTED

FOLDER holds the brackets. WANTED becomes an `.npz` of the masks as they were on the screen.
"""

import sys
from pathlib import Path

import napari
import numpy as np
from qtpy.QtWidgets import QApplication, QWidget

from bracketseg.brackets.files import atomic_write

folder, wanted = map(Path, sys.argv[1:])
viewer = napari.Viewer(show=True)
docks = [
    viewer.window.add_plugin_dock_widget("bracketseg", name)[1]
    for name in ("Brackets", "Ground truth")
]


def find(name):
    return next(found for dock in docks if (found := dock.findChild(QWidget, name)) is not None)


def wait(condition):
    while not condition():
        QApplication.processEvents()


wait(lambda: "Getting" not in find("gt.status").text())
find("gt.annotator").setText("Ana")
find("gt.annotator").editingFinished.emit()
find("brackets.folder").setText(str(folder))
find("brackets.open").click()
wait(lambda: "s000 low ground truth" in viewer.layers and find("gt.low.range").isEnabled())
find("gt.low.range").setValue((37, 111))
find("gt.high.range").setValue((9, 99))
for role, label in (("low", 1), ("high", 0)):
    layer = viewer.layers[f"s000 {role} ground truth"]
    layer.brush_size = 7
    for spot in ((10, 10), (30, 50), (55, 75)):
        layer.paint(spot, label)
masks = {
    role: np.asarray(viewer.layers[f"s000 {role} ground truth"].data) for role in ("low", "high")
}
with atomic_write(wanted) as temporary:
    np.savez(temporary, **masks)
napari.run()
