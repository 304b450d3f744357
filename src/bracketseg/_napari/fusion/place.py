"""Where fused pictures are saved, and how a person chooses it."""

from contextlib import suppress
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from bracketseg._napari.fusion.material import Material
from bracketseg._napari.layers.frames import source_of
from bracketseg.brackets.own_folder import place_of
from bracketseg.fusion.formats import SUFFIXES, Format, format_of, fused_name

FUSED_FOLDER = "fused"
"""Where pictures are saved unless another place is chosen: a folder beside the brackets."""

_FILTERS: dict[Format, str] = {
    "png": "PNG, 8 bits (*.png)",
    "tiff": "TIFF, 16 bits (*.tif *.tiff)",
    "jpg": "JPEG (*.jpg *.jpeg)",
    "exr": "Radiance map (*.exr)",
}


def proposed(material: Material, folder: Path | None, last: Path | None) -> Path:
    """Propose a file for what is fused.

    Parameters
    ----------
    material : Material
    folder : Path or None
        The folder of brackets that is open.
    last : Path or None
        What was saved last: the next one lies beside it and is of its format.
    """
    if last is not None:
        return last.with_name(fused_name(material.scene, format_of(last)))
    file = source_of(material.layers[0])
    if folder is None or file is None or not file.is_relative_to(folder):
        folder = Path.home() if file is None else file.parent
    beside = place_of(folder, FUSED_FOLDER, Path.home() / f"bracketseg-{FUSED_FOLDER}")
    return beside / fused_name(material.scene, "png")


def choose_file(parent: QWidget, proposal: Path) -> Path | None:
    """Ask for the file to save to; None where a person has thought better of it."""
    folder, to = proposal.parent, format_of(proposal)
    # In a folder that is not there the dialog would start in that of the process.
    made = not folder.exists()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    # We ask about a file that is there ourselves, once its name is complete.
    chosen, way = QFileDialog.getSaveFileName(
        parent,
        "Save the fused picture",
        str(proposal),
        ";;".join(_FILTERS.values()),
        _FILTERS[to],
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    if made:
        with suppress(OSError):
            folder.rmdir()
    if not chosen:
        return None
    path = Path(chosen)
    wanted = next((to for to, title in _FILTERS.items() if title == way), to)
    # Many dialogs leave a name as it is when another kind of file is taken.
    if not path.suffix or (wanted != to and path.suffix == proposal.suffix):
        return path.with_suffix(SUFFIXES[wanted])
    return path
