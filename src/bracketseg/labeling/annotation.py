"""The labelling of one scene while a person works on it: rules, strokes, undo."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.errors import LabelingError
from bracketseg.labeling.coverage import Coverage, coverage
from bracketseg.labeling.history import History, Patch
from bracketseg.labeling.prediction import Basis
from bracketseg.labeling.ranges import Bounds
from bracketseg.labeling.role_annotation import BACKGROUND, FOREGROUND, RoleAnnotation


class SceneAnnotation:
    """Masks of one scene: for each role a rule on the luma, and strokes on top of it.

    Instead of a rule a prediction can be what the strokes go on top of.

    A stroke stays where it was painted, whatever the rule does afterwards. Everything
    that changes a mask can be undone, in one history over both roles.

    Nothing is announced: whoever changes something gets told by the return value, and
    whoever watches compares :attr:`revision`.

    Parameters
    ----------
    scene : str
    lumas : mapping of role to (H, W) uint8
        Full-range BT.601 luma of the frame of each role; one role or both. The arrays
        are kept, not copied.
    rules : mapping of role to Basis
        One for each role in `lumas`; rules of other roles are left out.
    corrections : mapping of role to (H, W) int8, optional
        Strokes to begin with: 1 painted in, -1 painted out, 0 untouched. Copied.

    Raises
    ------
    LabelingError
        If an array is of another type or size, or a role has no rule.

    Examples
    --------
    >>> from bracketseg.labeling.ranges import ManualRange
    >>> luma = np.array([[10, 130, 250]], np.uint8)
    >>> scene = SceneAnnotation("0000", {"low": luma}, {"low": ManualRange(lo=120, hi=255)})
    >>> scene.paint("low", ([0], [0]), True)
    True
    >>> scene.set_rule("low", ManualRange(lo=200, hi=255))
    True
    >>> scene.mask("low")
    array([[ True, False,  True]])
    >>> scene.undo(), scene.mask("low").tolist()
    (True, [[True, True, True]])
    """

    def __init__(
        self,
        scene: str,
        lumas: Mapping[MaskRole, NDArray[np.uint8]],
        rules: Mapping[MaskRole, Basis],
        corrections: Mapping[MaskRole, NDArray[np.int8]] | None = None,
    ) -> None:
        self.scene = scene
        if not lumas:
            raise LabelingError(f"{scene}: there is no frame to label; choose one for low or high")
        self._roles = {
            role: RoleAnnotation(f"{scene} {role}", role, lumas[role], rules.get(role))
            for role in MASK_ROLES
            if role in lumas
        }
        for role, strokes in (corrections or {}).items():
            if role in self._roles:
                self._roles[role].start_with(strokes)
        self.aligned: Literal["shift", "homography"] | None = None
        self._history = History()
        self._revision = 0
        self._coverage: tuple[int, Coverage | None] | None = None

    @property
    def roles(self) -> tuple[MaskRole, ...]:
        """The roles that are labelled, low before high."""
        return tuple(self._roles)

    @property
    def revision(self) -> int:
        """A number that grows with each change, undone and redone ones included."""
        return self._revision

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone change to make again."""
        return self._history.can_redo

    def luma(self, role: MaskRole) -> NDArray[np.uint8]:
        """Give the (H, W) uint8 luma that was handed in."""
        return self._state(role).luma

    def rule(self, role: MaskRole) -> Basis:
        """Give the rule of a role, or the prediction that it began from."""
        return self._state(role).rule

    def bounds(self, role: MaskRole) -> Bounds | None:
        """Give the bounds that the rule comes to, both inclusive; None for a prediction."""
        return self._state(role).bounds()

    def mask(self, role: MaskRole) -> NDArray[np.bool_]:
        """Give the mask of a role: what the rule selects, with the strokes on top.

        Returns
        -------
        (H, W) bool
            Read-only, and the very same array until the mask of this role changes.
        """
        return self._state(role).mask()

    def corrections(self, role: MaskRole) -> NDArray[np.int8] | None:
        """Give a copy of the strokes.

        Returns
        -------
        (H, W) int8 or None
            1 painted in, -1 painted out, 0 untouched; None where nothing is painted.
        """
        return self._state(role).painted()

    def edited_pixels(self, role: MaskRole) -> int:
        """Count the pixels in which the mask differs from what the rule selects."""
        return self._state(role).edited_pixels()

    def coverage(self) -> Coverage | None:
        """Measure what the masks cover; kept until something changes.

        Counting the pieces of the remainder takes longer than all else here, about
        10 ms for 1900 x 1060 pixels: :meth:`fractions` goes without.

        Returns
        -------
        Coverage or None
            None where there is one role only, or the frames have different sizes.
        """
        if self._coverage is None or self._coverage[0] != self._revision:
            pair = self._pair()
            self._coverage = (self._revision, coverage(*pair) if pair else None)
        return self._coverage[1]

    def fractions(self) -> dict[str, float] | None:
        """Measure ``low``, ``high``, ``union`` and ``remainder`` only, each 0..1.

        Returns
        -------
        dict of str to float, or None
            As :class:`Coverage` names them; None as in :meth:`coverage`.
        """
        pair = self._pair()
        if pair is None:
            return None
        low, high = pair
        counts = {"low": low, "high": high, "union": low | high}
        found = {name: int(np.count_nonzero(mask)) / low.size for name, mask in counts.items()}
        return {**found, "remainder": 1 - found["union"]}

    def limits(self) -> dict[MaskRole, NDArray[np.bool_]]:
        """Give the regions outside which masks are empty, as :meth:`limit` took them."""
        return {role: state.valid for role, state in self._roles.items() if state.valid is not None}

    def limit(
        self,
        regions: Mapping[MaskRole, NDArray[np.bool_]],
        aligned: Literal["shift", "homography"] | None,
    ) -> list[MaskRole]:
        """Leave the masks empty where not all frames show something once they are aligned.

        That is no change of a person's: strokes outside stay and come back, there is nothing
        to undo, and :attr:`revision` is the same.

        Parameters
        ----------
        regions : mapping of role to (H, W) bool
            Roles that are missing are not limited.
        aligned : {"shift", "homography"} or None
            How the frames are aligned, as the record of the masks will say.

        Returns
        -------
        list of role
            Those whose region is another.

        Raises
        ------
        LabelingError
            If a region is of another size than the frame.
        """
        self.aligned = aligned
        self._coverage = None
        return [role for role, state in self._roles.items() if state.limit(regions.get(role))]

    def set_rule(self, role: MaskRole, rule: Basis, *, merge: bool = False) -> bool:
        """Give a role another rule; the strokes stay.

        Parameters
        ----------
        role : {"low", "high"}
        rule : Basis
        merge : bool
            Go on with the change before, if that gave this role a rule as well: a drag
            is one step of the history. Its first move has ``merge=False``.

        Returns
        -------
        bool
            Whether that changed the rule.

        Raises
        ------
        LabelingError
            If it is a prediction of another size than the frame.
        """
        state = self._state(role)
        state.check(rule)
        if rule == state.rule:
            return self._unchanged(merge=merge)
        self._history.add_rule(role, state.rule, rule, merge=merge)
        state.set_rule(rule)
        return self._changed()

    def begin_with(self, role: MaskRole, rule: Basis) -> None:
        """Take the rule of a role that nobody has given another one yet; the strokes stay.

        As with :meth:`limit`, that is no change of a person's: there is nothing to undo, and
        :attr:`revision` is the same.
        """
        self._state(role).set_rule(rule)
        self._coverage = None

    def start_from(self, role: MaskRole, rule: Basis) -> bool:
        """Begin anew from a rule or a prediction, without the strokes that were on another.

        One undo brings both back. Strokes on this very rule or prediction are work on it,
        and stay.

        Parameters
        ----------
        role : {"low", "high"}
        rule : Basis

        Returns
        -------
        bool
            Whether that changed anything.

        Raises
        ------
        LabelingError
            As :meth:`set_rule`.
        """
        state = self._state(role)
        state.check(rule)
        if rule == state.rule:
            return self._unchanged(merge=False)
        strokes = self._taken_off(state)
        self._history.add_start(role, state.rule, rule, strokes)
        state.put(strokes.flat, strokes.new)
        state.set_rule(rule)
        return self._changed()

    def paint(
        self,
        role: MaskRole,
        indices: tuple[ArrayLike, ...],
        value: bool,
        *,
        merge: bool = False,
    ) -> bool:
        """Paint pixels in or out.

        Parameters
        ----------
        role : {"low", "high"}
        indices : tuple of two integer arrays
            Rows and columns, as NumPy indexes; pixels may come more than once.
        value : bool
            True paints in, False paints out.
        merge : bool
            Go on with the stroke before, if that was on this role too.

        Returns
        -------
        bool
            Whether that changed a stroke.

        Raises
        ------
        LabelingError
            If a pixel lies outside the frame; then nothing is painted.
        """
        state = self._state(role)
        flat = state.flat(indices)
        new = np.full(flat.shape, FOREGROUND if value else BACKGROUND, np.int8)
        return self._stroke(role, state.patch(flat, new), merge=merge)

    def set_mask(self, role: MaskRole, painted: ArrayLike, *, merge: bool = False) -> bool:
        """Take over a painted mask: what differs from the mask so far becomes a stroke.

        Parameters
        ----------
        role : {"low", "high"}
        painted : (H, W) array
            Anything but zero is foreground.
        merge : bool
            As in :meth:`paint`.

        Returns
        -------
        bool
            Whether there was any difference.

        Raises
        ------
        LabelingError
            If it is of another size than the frame.
        """
        state = self._state(role)
        wanted = np.asarray(painted) != 0
        if wanted.shape != state.luma.shape:
            raise LabelingError(
                f"{state.name}: a mask of {wanted.shape} does not fit the frame of "
                f"{state.luma.shape} (rows, columns); paint on this frame"
            )
        differing = wanted != state.mask()
        if state.valid is not None:
            differing &= state.valid
        flat = np.flatnonzero(differing)
        new = np.where(wanted.ravel()[flat], FOREGROUND, BACKGROUND).astype(np.int8)
        return self._stroke(role, state.patch(flat, new), merge=merge)

    def clear_corrections(self, role: MaskRole) -> bool:
        """Take all strokes off a role; this too can be undone.

        Returns
        -------
        bool
            Whether there were any.
        """
        return self._stroke(role, self._taken_off(self._state(role)), merge=False)

    def undo(self) -> bool:
        """Take back the last change.

        Returns
        -------
        bool
            False where there is none.
        """
        step = self._history.undo()
        if step is None:
            return False
        state = self._roles[step.role]
        for patch in reversed(step.patches):
            state.put(patch.flat, patch.old)
        if step.rules is not None:
            state.set_rule(step.rules[0])
        return self._changed()

    def redo(self) -> bool:
        """Make the change again that was undone last.

        Returns
        -------
        bool
            False where there is none.
        """
        step = self._history.redo()
        if step is None:
            return False
        state = self._roles[step.role]
        for patch in step.patches:
            state.put(patch.flat, patch.new)
        if step.rules is not None:
            state.set_rule(step.rules[1])
        return self._changed()

    def _state(self, role: MaskRole) -> RoleAnnotation:
        try:
            return self._roles[role]
        except KeyError:
            raise LabelingError(
                f"{self.scene}: has no {role} frame to label; choose one first"
            ) from None

    def _taken_off(self, state: RoleAnnotation) -> Patch:
        """Give the patch that takes all strokes off a role."""
        painted = state.painted()
        flat = np.flatnonzero(painted) if painted is not None else np.empty(0, np.intp)
        return state.patch(flat, np.zeros(flat.shape, np.int8))

    def _pair(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
        if len(self._roles) < 2:
            return None
        low, high = (state.mask() for state in self._roles.values())
        return (low, high) if low.shape == high.shape else None

    def _stroke(self, role: MaskRole, patch: Patch, *, merge: bool) -> bool:
        if not patch.flat.size:
            return self._unchanged(merge=merge)
        self._history.add_stroke(role, patch, merge=merge)
        self._roles[role].put(patch.flat, patch.new)
        return self._changed()

    def _changed(self) -> bool:
        self._revision += 1
        return True

    def _unchanged(self, *, merge: bool) -> bool:
        # A drag that begins where the rule is already must not go on with the one before.
        if not merge:
            self._history.close()
        return False
