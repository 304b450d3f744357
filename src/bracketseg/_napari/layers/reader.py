"""Open brackets and masks as layers.

napari asks :func:`get_reader` about each path that the manifest's patterns match. What
belongs to no bracket and is no mask is declined, so that another reader takes it.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.utils.notifications import show_info, show_warning

from bracketseg._napari.layers.provenance import (
    MASK_OPACITY,
    METADATA_KEY,
    MaskKind,
    Provenance,
    frame_name,
    further_frame_name,
    mask_colormap,
    mask_layer_name,
    parse_mask_layer_name,
    probability_layer_name,
    provenance_of,
)
from bracketseg.brackets.bracket import MASK_ROLES, Bracket, Frame, MaskRole
from bracketseg.brackets.images import IMAGE_SUFFIXES, read_header, read_image
from bracketseg.brackets.layouts import BracketSet, bracket_of, find_brackets
from bracketseg.brackets.masks import (
    MASK_SUFFIXES,
    find_masks,
    probability_name,
    read_mask,
    read_probability,
)
from bracketseg.errors import BracketError, FrameError
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.record_files import INFO_NAME
from bracketseg.labeling.records import LabelingInfo

LayerData = tuple[Any, dict[str, Any], str]
NothingToAdd = tuple[None]
LayerReader = Callable[[str | Sequence[str]], list[LayerData] | list[NothingToAdd]]

_TIFF_SUFFIXES = (".tif", ".tiff")
_PROBABILITY_MAX = np.float32(65535)
_WHITE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}


def get_reader(path: str | Sequence[str]) -> LayerReader | None:
    """Say whether a path is a bracket or a mask, and how to read it.

    Parameters
    ----------
    path : str or sequence of str
        A folder, a frame, a mask or a probability map. Several paths, which napari wants
        stacked into one layer, are declined.

    Returns
    -------
    callable or None
        A function from the same path to layers; None where the path is none of ours.

    Raises
    ------
    BracketSegError
        If the path is ours but broken.
    """
    if not isinstance(path, str):
        return None
    source = Path(path)
    if source.is_dir():
        return _folder_reader(source)
    if source.suffix.lower() in IMAGE_SUFFIXES and source.is_file():
        return _file_reader(source)
    return None


def bracket_layers(bracket: Bracket, *, without: frozenset[Path] = frozenset()) -> list[LayerData]:
    """Read the frames of a bracket as Image layers, dark to bright.

    The medium frame, or the bright one of two, is what the eye takes for the scene: it
    is visible, the others are one click away. Their data stay as they are on disk.

    Parameters
    ----------
    bracket : Bracket
    without : frozenset of Path
        Frames to leave out.

    Returns
    -------
    list of layer data
        uint8, uint16 or float32; (H, W, 3) for colour, (H, W) for grey.

    Raises
    ------
    FrameError
        If a frame cannot be read.
    """
    roles = bracket.roles
    shown = roles.get("medium", roles["high"])
    return [
        _frame_layer(bracket, frame, shown) for frame in bracket.frames if frame.path not in without
    ]


def _frame_layer(bracket: Bracket, frame: Frame, shown: Frame) -> LayerData:
    pixels = frame.read()
    role = bracket.role_of(frame)
    provenance: Provenance = {
        "kind": "frame",
        "scene": bracket.scene,
        "role": role,
        "path": str(frame.path),
        "ev": float(frame.ev),
        "exposure": asdict(frame.exposure),
        "ev_source": bracket.ev_source,
    }
    options: dict[str, Any] = {
        "name": frame_name(bracket.scene, role)
        if role
        else further_frame_name(bracket.scene, frame.ev - shown.ev),
        "rgb": pixels.ndim == 3,
        "visible": frame == shown,
        "metadata": {METADATA_KEY: provenance},
    }
    if pixels.ndim == 2:
        # Left to itself napari stretches 16-bit and float pictures to their own range,
        # which makes frames of different exposure look alike.
        options["contrast_limits"] = (0.0, _WHITE[pixels.dtype.name])
    return pixels, options, "image"


def _kind_of(info: LabelingInfo | None) -> MaskKind:
    return "prediction" if info and info.method == "network" else "ground truth"


def _mask_layer(
    path: Path, scene: str, role: MaskRole, kind: MaskKind, info: LabelingInfo | None = None
) -> LayerData:
    provenance: Provenance = {"kind": kind, "scene": scene, "role": role, "path": str(path)}
    if info:
        provenance |= {"method": info.method, "annotator": info.annotator}
    options = {
        "name": mask_layer_name(scene, role, kind),
        "colormap": mask_colormap(role),
        "opacity": MASK_OPACITY,
        "metadata": {METADATA_KEY: provenance},
    }
    return read_mask(path).astype(np.uint8), options, "labels"


def _probability_layer(
    path: Path, scene: str, role: MaskRole, *, visible: bool = True
) -> LayerData:
    provenance: Provenance = {
        "kind": "probability",
        "scene": scene,
        "role": role,
        "path": str(path),
    }
    options = {
        "name": probability_layer_name(scene, role),
        "rgb": False,
        "visible": visible,
        "contrast_limits": (0.0, 1.0),
        "colormap": "viridis",
        "metadata": {METADATA_KEY: provenance},
    }
    return read_probability(path) / _PROBABILITY_MAX, options, "image"


def _folder_reader(folder: Path) -> LayerReader | None:
    masks = find_masks(folder)
    if masks and (folder / INFO_NAME).is_file():
        return _labeling_reader(folder)
    try:
        found = find_brackets(folder)
    except BracketError:
        found = None
    if found and found.brackets:
        return lambda _path: _read_first_bracket(found)
    if masks and _is_mask(next(iter(masks.values()))):
        return _labeling_reader(folder)
    if found:
        # napari says no more than that the folder was refused.
        show_warning(str(found.problems[0]))
    return None


def _is_mask(path: Path) -> bool:
    """Whether a picture has one channel that holds only 0 and one other value."""
    try:
        header = read_header(path)
    except FrameError:
        # napari's own writer saves Labels with 32 bits, which no frame has.
        return path.suffix.lower() in _TIFF_SUFFIXES
    if len(header.shape) != 2:
        return False
    pixels = read_image(path)
    return not np.any((pixels != 0) & (pixels != pixels.max()))


def _read_first_bracket(found: BracketSet) -> list[LayerData] | list[NothingToAdd]:
    if found.problems:
        show_warning(
            f"{found.path.name}: {len(found.problems)} of its scenes cannot be used. "
            f"The first problem is: {found.problems[0]}"
        )
    first = found.brackets[0]
    if len(found.brackets) > 1:
        show_info(
            f"Opened {first.scene}, the first of {len(found.brackets)} brackets in "
            f"{found.path.name}. To see another, open its folder or one of its frames."
        )
    return _read_bracket(first)


def _read_bracket(bracket: Bracket) -> list[LayerData] | list[NothingToAdd]:
    # Somebody who drops all frames of a bracket at once has each of them read by itself.
    here = _open_frames()
    layers = bracket_layers(bracket, without=here)
    if layers:
        return layers
    show_info(f"{bracket.scene} is open already.")
    return [(None,)]


def _open_frames() -> frozenset[Path]:
    """Files of the frames that the current window shows."""
    # Without this module there is no window, and asking napari for one would import Qt.
    if "napari._qt.qt_main_window" not in sys.modules:
        return frozenset()
    viewer = napari.current_viewer()
    found = (provenance_of(layer.metadata) for layer in viewer.layers) if viewer else ()
    return frozenset(Path(layer["path"]) for layer in found if layer and layer["kind"] == "frame")


def _labeling_reader(folder: Path) -> LayerReader:
    labeling = LabelingFolder.open(folder)

    def read(_path: str | Sequence[str]) -> list[LayerData]:
        scenes = list(dict.fromkeys(scene for scene, _ in labeling.masks))
        first = scenes[0]
        if len(scenes) > 1:
            show_info(
                f"Opened the masks of {first}, the first of {len(scenes)} scenes in "
                f"{folder.name}. To see another, open its mask files."
            )
        probabilities = {role: folder / probability_name(first, role) for role in MASK_ROLES}
        return [
            _probability_layer(path, first, role, visible=False)
            for role, path in probabilities.items()
            if path.is_file()
        ] + [
            _mask_layer(
                labeling.masks[first, role], first, role, _kind_of(labeling.info), labeling.info
            )
            for role in MASK_ROLES
            if (first, role) in labeling.masks
        ]

    return read


def _file_reader(path: Path) -> LayerReader | None:
    for role in MASK_ROLES:
        scene = path.stem.removesuffix(f"_{role}_probability")
        if path.name == probability_name(scene, role):
            return lambda _path: [_probability_layer(path, scene, role)]
    return _mask_file_reader(path) or _frame_reader(path)


def _mask_file_reader(path: Path) -> LayerReader | None:
    if path.suffix.lower() not in MASK_SUFFIXES:
        return None
    # napari's save dialog proposes the layer's name as the file's.
    named = parse_mask_layer_name(path.stem)
    if named is not None:
        scene, role, kind = named
        return lambda _path: [_mask_layer(path, scene, role, kind)]
    stored = {file: key for key, file in find_masks(path.parent).items()}
    if path in stored and _is_mask(path):
        scene, role = stored[path]
        info = LabelingFolder.open(path.parent).info
        return lambda _path: [_mask_layer(path, scene, role, _kind_of(info), info)]
    if path.stem.lower().endswith("mask") and _is_mask(path):
        # Whose mask it is only the person knows.
        return lambda _path: [(read_mask(path).astype(np.uint8), {"name": path.stem}, "labels")]
    return None


def _frame_reader(path: Path) -> LayerReader | None:
    bracket = bracket_of(path)
    if bracket is None:
        return None
    return lambda _path: _read_bracket(bracket)
