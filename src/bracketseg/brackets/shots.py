"""Photographs as grouping sees them: when, with what, and how much light."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from bracketseg.brackets.exposure import relative_evs
from bracketseg.brackets.images import ImageHeader
from bracketseg.brackets.natural_order import natural_key

PAUSE = 120.0
"""Seconds without a photograph that end a bracket, unless the others are as far apart."""

_USUAL_PAUSES = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One photograph.

    Attributes
    ----------
    path : Path
        Its file.
    ev : float
        Exposure value in stops, of the parts that all photographs of its kind have.
    time : float or None
        Of the camera's clock, in seconds, when the exposure began.
    duration : float
        Exposure time in seconds; 0 if unknown.
    f_number, bias, mode
        As EXIF says; None if unknown.
    kind : tuple
        Camera, height and width: photographs of two kinds are never of one bracket.
    """

    path: Path
    ev: float
    time: float | None = None
    duration: float = 0.0
    f_number: float | None = None
    bias: float | None = None
    mode: int | None = None
    kind: tuple[str, int, int] = ("", 0, 0)


def shots_of(headers: dict[Path, ImageHeader]) -> tuple[list[Shot], list[Path]]:
    """Make shots of pictures.

    Returns
    -------
    list of Shot
        Those whose EXIF has an exposure time. Their exposure values can be compared within
        one kind.
    list of Path
        The others.
    """
    kinds: dict[tuple[str, int, int], list[Path]] = {}
    silent: list[Path] = []
    for path, header in headers.items():
        if header.exposure.time is None:
            silent.append(path)
        else:
            kind = (header.capture.camera, header.shape[0], header.shape[1])
            kinds.setdefault(kind, []).append(path)
    shots: list[Shot] = []
    for kind, paths in kinds.items():
        exposures = [headers[path].exposure for path in paths]
        evs = relative_evs(exposures) or [0.0] * len(paths)
        for path, exposure, ev in zip(paths, exposures, evs, strict=True):
            capture = headers[path].capture
            shots.append(
                Shot(
                    path=path,
                    ev=ev,
                    time=capture.time,
                    duration=exposure.time or 0.0,
                    f_number=exposure.f_number,
                    bias=capture.bias,
                    mode=capture.mode,
                    kind=kind,
                )
            )
    return shots, silent


def runs(shots: Iterable[Shot]) -> list[list[Shot]]:
    """Sort photographs by time and part them where a bracket cannot go on.

    Returns
    -------
    list of list of Shot
        Each of one camera, one size, and without a long pause; in the order of their
        times, else of their names.
    """
    kinds: dict[tuple[object, ...], list[Shot]] = {}
    for shot in shots:
        kinds.setdefault((*shot.kind, shot.time is None), []).append(shot)
    parts: list[list[Shot]] = []
    for kind in kinds.values():
        kind.sort(key=lambda shot: (shot.time or 0.0, natural_key(shot.path.name)))
        pauses = gaps(kind)
        longest = max(PAUSE, _USUAL_PAUSES * median(pauses)) if pauses else PAUSE
        parts.append(kind[:1])
        for shot, pause in zip(kind[1:], pauses, strict=True):
            if pause > longest:
                parts.append([])
            parts[-1].append(shot)
    return parts


def gaps(shots: Sequence[Shot]) -> list[float]:
    """Seconds between the end of each exposure and the next; 0 where no time is known."""
    return [
        max(0.0, second.time - first.time - first.duration)
        if first.time is not None and second.time is not None
        else 0.0
        for first, second in pairwise(shots)
    ]
