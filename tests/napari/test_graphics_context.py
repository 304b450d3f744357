import numpy as np
import pytest
from qtpy.QtGui import QOffscreenSurface, QOpenGLContext

from bracketseg._napari.session.session import session_of


@pytest.fixture
def another_context():
    """A context beside that of the canvas, such as the one that Qt draws the window with."""
    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    assert context.create()
    yield lambda: context.makeCurrent(surface)
    context.doneCurrent()


def test_a_removed_layer_is_let_go_in_the_context_of_the_canvas(
    make_napari_viewer, another_context
):
    viewer = make_napari_viewer(show=True)
    session_of(viewer)
    canvas = viewer.window._qt_viewer.canvas.native
    layer = viewer.add_labels(np.ones((8, 8), np.uint8))
    seen = []
    viewer.layers.events.removed.connect(
        lambda _: seen.append(QOpenGLContext.currentContext() is canvas.context())
    )
    assert another_context()
    viewer.layers.remove(layer)
    assert seen == [True]
