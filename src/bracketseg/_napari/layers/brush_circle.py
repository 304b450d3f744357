"""napari's circle around the brush."""

from napari.components import ViewerModel


def without_background(viewer: ViewerModel) -> None:
    """Take away the background that napari 0.9 gives to the circle around the brush.

    It is not around the circle but in the corner of the canvas, and stays there when the brush
    is put away. Drawn after a picture of labels has got another size it has brought down the
    whole process, within Mesa's drawing.
    """
    canvas = getattr(viewer, "canvas", None)
    overlays = getattr(canvas, "overlays", {})
    if "_brush_circle" in overlays:
        overlays["_brush_circle"].box = False
