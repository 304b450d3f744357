"""The labelling of one frame while a person works on it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bracketseg.brackets.bracket import MaskRole
from bracketseg.errors import LabelingError
from bracketseg.labeling.history import Patch
from bracketseg.labeling.prediction import Basis, Prediction
from bracketseg.labeling.ranges import Bounds

FOREGROUND, UNTOUCHED, BACKGROUND = 1, 0, -1
"""The values of a correction: painted in, left to the rule, painted out."""


class RoleAnnotation:
    """Luma, rule and strokes of one role, and the mask that follows from them.

    Attributes
    ----------
    name : str
        Scene and role, for messages.
    role : {"low", "high"}
    luma : (H, W) uint8
    rule : Basis
    valid : (H, W) bool or None
        Outside it the mask is empty; None is everywhere.
    """

    def __init__(
        self, name: str, role: MaskRole, luma: NDArray[np.uint8], rule: Basis | None
    ) -> None:
        if luma.ndim != 2 or luma.dtype != np.uint8 or luma.size == 0:
            raise LabelingError(
                f"{name}: a luma is (height, width) of uint8, but this is {luma.dtype} of the "
                f"shape {luma.shape}"
            )
        if rule is None:
            raise LabelingError(f"{name}: there is no rule; give a manual range or Otsu")
        self.name = name
        self.role = role
        self.luma = luma
        self.check(rule)
        self.rule = rule
        self.valid: NDArray[np.bool_] | None = None
        self._strokes: NDArray[np.int8] | None = None
        self._stroke_pixels = 0
        self._bounds: Bounds | None = None
        self._mask: NDArray[np.bool_] | None = None

    def start_with(self, strokes: NDArray[np.int8]) -> None:
        """Take over a copy of the strokes of an earlier day.

        Raises
        ------
        LabelingError
            If they do not fit the frame, or hold other values than -1, 0 and 1.
        """
        if strokes.shape != self.luma.shape:
            raise LabelingError(
                f"{self.name}: corrections of {strokes.shape} do not fit the frame of "
                f"{self.luma.shape} (rows, columns); label this frame anew"
            )
        if strokes.dtype != np.int8 or strokes.min() < BACKGROUND or strokes.max() > FOREGROUND:
            raise LabelingError(f"{self.name}: corrections are int8 of -1, 0 and 1 only")
        self._strokes = strokes.copy()
        self._stroke_pixels = int(np.count_nonzero(strokes))

    def check(self, rule: Basis) -> None:
        """Refuse a prediction that does not fit the frame.

        Raises
        ------
        LabelingError
            If it is of another size.
        """
        if isinstance(rule, Prediction) and rule.mask.shape != self.luma.shape:
            raise LabelingError(
                f"{self.name}: a prediction of {rule.mask.shape} does not fit the frame of "
                f"{self.luma.shape} (rows, columns); predict this frame anew"
            )

    def bounds(self) -> Bounds | None:
        """Give the bounds that the rule comes to on this frame; None for a prediction."""
        if self._bounds is None and not isinstance(self.rule, Prediction):
            self._bounds = self.rule.bounds(self.luma, self.role)
        return self._bounds

    def mask(self) -> NDArray[np.bool_]:
        """Give what the rule selects with the strokes on top: (H, W) bool, read-only."""
        if self._mask is None:
            mask = self._bare()
            if self._strokes is not None and self._stroke_pixels:
                mask &= self._strokes != BACKGROUND
                mask |= self._strokes == FOREGROUND
                if self.valid is not None:
                    mask &= self.valid
            mask.flags.writeable = False
            self._mask = mask
        return self._mask

    def painted(self) -> NDArray[np.int8] | None:
        """Give a copy of the strokes; None where there is none."""
        return self._strokes.copy() if self._strokes is not None and self._stroke_pixels else None

    def edited_pixels(self) -> int:
        """Count the pixels in which the mask differs from what the rule selects."""
        if not self._stroke_pixels:
            return 0
        return int(np.count_nonzero(self._bare() != self.mask()))

    def set_rule(self, rule: Basis) -> None:
        """Take another rule."""
        self.rule = rule
        self._bounds = None
        self._mask = None

    def limit(self, valid: NDArray[np.bool_] | None) -> bool:
        """Leave the mask empty outside a region; returns whether it was not already.

        Raises
        ------
        LabelingError
            If the region is of another size than the frame.
        """
        if valid is not None and valid.shape != self.luma.shape:
            raise LabelingError(
                f"{self.name}: a region of {valid.shape} does not fit the frame of "
                f"{self.luma.shape} (rows, columns); align this bracket anew"
            )
        if valid is None or self.valid is None:
            same = valid is self.valid
        else:
            same = np.array_equal(valid, self.valid)
        self.valid = valid
        if not same:
            self._mask = None
        return not same

    def flat(self, indices: tuple[ArrayLike, ...]) -> NDArray[np.intp]:
        """Turn rows and columns into sorted indices into all pixels, each once.

        Raises
        ------
        LabelingError
            If a pixel lies outside the frame.
        """
        arrays = [np.asarray(index) for index in indices]
        if not any(array.size for array in arrays):
            return np.empty(0, np.intp)
        try:
            flat = np.ravel_multi_index(tuple(arrays), self.luma.shape).ravel()
        except (TypeError, ValueError) as error:
            raise LabelingError(
                f"{self.name}: these pixels cannot be painted on a frame of {self.luma.shape} "
                f"(rows, columns): {error}"
            ) from error
        flat = np.sort(flat)  # np.unique takes seconds for a frame
        return flat[np.diff(flat, prepend=-1) > 0]

    def patch(self, flat: NDArray[np.intp], new: NDArray[np.int8]) -> Patch:
        """Make a patch of the pixels `flat` that are not painted as `new` says already."""
        old: NDArray[np.int8] = (
            self._strokes.ravel()[flat]
            if self._strokes is not None
            else np.zeros(flat.shape, np.int8)
        )
        changed = old != new
        # No frame has 2^32 pixels: four bytes an index do.
        return Patch(flat=flat[changed].astype(np.uint32), old=old[changed], new=new[changed])

    def put(self, flat: NDArray[np.uint32], values: NDArray[np.int8]) -> None:
        """Write strokes."""
        if self._strokes is None:
            self._strokes = np.zeros(self.luma.shape, np.int8)
        pixels = self._strokes.reshape(-1)
        self._stroke_pixels += int(np.count_nonzero(values)) - int(np.count_nonzero(pixels[flat]))
        pixels[flat] = values
        self._mask = None

    def _bare(self) -> NDArray[np.bool_]:
        """Give the mask without strokes, in memory of its own."""
        if isinstance(self.rule, Prediction):
            mask = self.rule.mask.copy()
        else:
            if self._bounds is None:
                self._bounds = self.rule.bounds(self.luma, self.role)
            mask = self._bounds.mask(self.luma)
        if self.valid is not None:
            mask &= self.valid
        return mask
