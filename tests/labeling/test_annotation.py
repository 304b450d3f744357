import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bracketseg.errors import LabelingError
from bracketseg.labeling import history
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.coverage import coverage
from bracketseg.labeling.ranges import DEFAULT_RANGES, Bounds, ManualRange, Otsu

ROW = np.array([[0, 50, 100, 150, 200, 250]], np.uint8)
SHAPE = (3, 4)


def one(rule=ManualRange(lo=100, hi=255), **options):  # noqa: B008 - frozen
    return SceneAnnotation("s1", {"low": ROW}, {"low": rule}, **options)


def both(shape=(6, 8), high_shape=None):
    rng = np.random.default_rng(5)
    lumas = {
        "low": rng.integers(0, 256, shape, dtype=np.uint8),
        "high": rng.integers(0, 256, high_shape or shape, dtype=np.uint8),
    }
    return SceneAnnotation("s1", lumas, DEFAULT_RANGES)


def bits(annotation, role="low"):
    return annotation.mask(role).astype(int).ravel().tolist()


def test_what_a_scene_begins_with_can_come_later_and_is_no_change():
    scene = both()
    before = scene.coverage()
    scene.begin_with("low", ManualRange(lo=0, hi=255))
    assert scene.mask("low").all()
    assert scene.coverage() != before
    assert (scene.revision, scene.can_undo) == (0, False)
    scene.paint("low", ([0], [0]), False)
    scene.begin_with("low", ManualRange(lo=255, hi=255))
    assert scene.corrections("low")[0, 0] == -1
    scene.undo()
    assert scene.rule("low") == ManualRange(lo=255, hi=255)


def test_a_range_strokes_and_another_range_by_hand():
    scene = one()
    assert bits(scene) == [0, 0, 1, 1, 1, 1]
    assert scene.paint("low", ([0], [0]), True)
    assert scene.paint("low", ([0, 0], [3, 5]), False)
    assert bits(scene) == [1, 0, 1, 0, 1, 0]
    assert scene.set_rule("low", ManualRange(lo=140, hi=210))
    assert bits(scene) == [1, 0, 0, 0, 1, 0]
    assert scene.corrections("low").tolist() == [[1, 0, 0, -1, 0, -1]]
    # Painted out at 250, which the range leaves out anyway: only two pixels differ from it.
    assert scene.edited_pixels("low") == 2
    assert scene.bounds("low") == Bounds(lo=140, hi=210)
    assert scene.clear_corrections("low")
    assert bits(scene) == [0, 0, 0, 1, 1, 0]
    assert scene.corrections("low") is None
    assert scene.edited_pixels("low") == 0


def test_a_start_takes_the_strokes_off_and_is_one_step():
    scene = one()
    assert scene.paint("low", ([0, 0], [0, 5]), True)
    assert scene.paint("low", ([0], [5]), False)
    start = ManualRange(lo=140, hi=210)
    assert scene.start_from("low", start)
    assert bits(scene) == [0, 0, 0, 1, 1, 0]
    assert scene.corrections("low") is None
    assert scene.paint("low", ([0], [1]), True)
    assert not scene.start_from("low", start)
    assert bits(scene) == [0, 1, 0, 1, 1, 0]
    assert scene.undo()
    assert scene.undo()
    assert bits(scene) == [1, 0, 1, 1, 1, 0]
    assert scene.rule("low") == ManualRange(lo=100, hi=255)
    assert scene.redo()
    assert bits(scene) == [0, 0, 0, 1, 1, 0]
    assert scene.undo()
    assert scene.start_from("low", Otsu())
    assert not scene.can_redo


def test_the_memory_of_starts_is_bounded(monkeypatch):
    monkeypatch.setattr(history, "MAX_BYTES", 30)
    scene = one()
    for lo in (10, 20, 30, 40):
        assert scene.paint("low", ([0, 0, 0], [0, 1, 2]), lo != 20)
        assert scene.start_from("low", ManualRange(lo=lo, hi=255))
    steps = 0
    while scene.undo():
        steps += 1
    assert steps == 1


def test_undo_and_redo_run_over_strokes_ranges_and_clearing_of_both_roles():
    scene = both()
    states = [[scene.mask(role).copy() for role in scene.roles]]
    rows, columns = np.nonzero(np.eye(6, 8, dtype=bool))
    for change in (
        lambda: scene.paint("low", (rows, columns), True),
        lambda: scene.set_rule("high", Otsu()),
        lambda: scene.set_mask("high", np.eye(6, 8)),
        lambda: scene.clear_corrections("low"),
        lambda: scene.set_rule("low", ManualRange(lo=3, hi=4)),
    ):
        assert change()
        states.append([scene.mask(role).copy() for role in scene.roles])
    for expected in reversed(states[:-1]):
        assert scene.undo()
        for role, mask in zip(scene.roles, expected, strict=True):
            np.testing.assert_array_equal(scene.mask(role), mask)
    assert not scene.can_undo
    assert not scene.undo()
    for expected in states[1:]:
        assert scene.redo()
        for role, mask in zip(scene.roles, expected, strict=True):
            np.testing.assert_array_equal(scene.mask(role), mask)
    assert not scene.can_redo
    assert not scene.redo()


def test_one_drag_is_one_step():
    scene = one()
    for index, lo in enumerate((110, 120, 130)):
        scene.set_rule("low", ManualRange(lo=lo, hi=255), merge=index > 0)
    assert scene.undo()
    assert scene.rule("low") == ManualRange(lo=100, hi=255)
    assert not scene.can_undo
    assert scene.redo()
    assert scene.rule("low") == ManualRange(lo=130, hi=255)


def test_two_drags_are_two_steps_even_if_the_second_begins_where_the_first_ended():
    scene = one()
    scene.set_rule("low", ManualRange(lo=110, hi=255))
    scene.set_rule("low", ManualRange(lo=110, hi=255))
    scene.set_rule("low", ManualRange(lo=120, hi=255), merge=True)
    assert scene.undo()
    assert scene.rule("low") == ManualRange(lo=110, hi=255)


def test_a_drag_that_ends_where_it_began_is_no_step():
    scene = one()
    scene.paint("low", ([0], [0]), True)
    scene.set_rule("low", ManualRange(lo=110, hi=255))
    scene.set_rule("low", ManualRange(lo=100, hi=255), merge=True)
    assert scene.undo()
    assert scene.corrections("low") is None
    assert not scene.can_undo


@pytest.mark.parametrize("between", ["stroke", "undo"])
def test_a_drag_does_not_go_on_over_something_else(between):
    scene = one()
    scene.set_rule("low", ManualRange(lo=110, hi=255))
    scene.paint("low", ([0], [0]), True)
    if between == "undo":
        scene.undo()
    scene.set_rule("low", ManualRange(lo=120, hi=255), merge=True)
    assert scene.undo()
    assert scene.rule("low") == ManualRange(lo=110, hi=255)


def test_a_merged_stroke_is_one_step():
    scene = one()
    scene.paint("low", ([0], [0]), True)
    scene.paint("low", ([0], [1]), True, merge=True)
    scene.paint("low", ([0], [0]), False, merge=True)
    assert scene.corrections("low").tolist() == [[-1, 1, 0, 0, 0, 0]]
    assert scene.undo()
    assert scene.corrections("low") is None


def test_what_changes_nothing_says_so_and_is_no_step():
    scene = one()
    scene.paint("low", ([0], [0]), True)
    before = scene.revision
    assert not scene.set_rule("low", ManualRange(lo=100, hi=255))
    assert not scene.paint("low", ([0], [0]), True)
    assert not scene.paint("low", ([], []), True)
    assert not scene.set_mask("low", scene.mask("low"))
    assert scene.revision == before
    scene.undo()
    assert not scene.can_undo
    assert not scene.clear_corrections("low")
    assert scene.can_redo
    assert scene.revision == before + 1


def test_pixels_may_come_twice_and_in_any_order():
    scene = one()
    scene.paint("low", (np.zeros(4, int), np.array([1, 0, 1, 1], np.int32)), True)
    assert scene.edited_pixels("low") == 2
    scene.undo()
    assert bits(scene) == [0, 0, 1, 1, 1, 1]


def test_the_mask_is_the_same_array_until_it_changes_and_cannot_be_written_to():
    scene = both()
    low, high = scene.mask("low"), scene.mask("high")
    scene.set_rule("high", Otsu())
    assert scene.mask("low") is low
    assert scene.mask("high") is not high
    assert (low.dtype, low.shape) == (np.bool_, (6, 8))
    with pytest.raises(ValueError, match="read-only"):
        low[0, 0] = True


def test_otsu_gives_the_bounds_that_it_found():
    scene = one(Otsu())
    assert scene.bounds("low") == Otsu().bounds(ROW, "low")


def test_coverage_is_that_of_the_masks_and_there_is_none_without_a_pair():
    scene = both()
    scene.paint("low", ([0, 1], [0, 1]), True)
    expected = coverage(scene.mask("low"), scene.mask("high"))
    assert scene.coverage() == expected
    for name, value in scene.fractions().items():
        assert value == pytest.approx(getattr(expected, name))
    scene.set_rule("high", Otsu())
    assert scene.coverage() == coverage(scene.mask("low"), scene.mask("high"))
    for alone in (one(), both(high_shape=(6, 9))):
        assert alone.coverage() is None
        assert alone.fractions() is None


def test_corrections_of_an_earlier_day_are_a_beginning_and_no_step():
    strokes = np.array([[1, 0, 0, 0, 0, -1]], np.int8)
    scene = one(corrections={"low": strokes})
    assert bits(scene) == [1, 0, 1, 1, 1, 0]
    assert not scene.can_undo
    strokes[:] = 0
    scene.corrections("low")[:] = 0
    assert bits(scene) == [1, 0, 1, 1, 1, 0]


def test_arrays_that_do_not_fit_are_errors_that_name_the_scene():
    with pytest.raises(LabelingError, match="s1: there is no frame"):
        SceneAnnotation("s1", {}, DEFAULT_RANGES)
    with pytest.raises(LabelingError, match="s1 low: there is no rule"):
        SceneAnnotation("s1", {"low": ROW}, {})
    with pytest.raises(LabelingError, match=r"s1 low: a luma is .* uint16"):
        SceneAnnotation("s1", {"low": ROW.astype(np.uint16)}, DEFAULT_RANGES)
    with pytest.raises(LabelingError, match=r"s1 low: corrections of \(2, 2\) do not fit"):
        one(corrections={"low": np.zeros((2, 2), np.int8)})
    with pytest.raises(LabelingError, match="of -1, 0 and 1 only"):
        one(corrections={"low": np.full(ROW.shape, 2, np.int8)})
    scene = one()
    with pytest.raises(LabelingError, match="s1: has no high frame"):
        scene.mask("high")
    with pytest.raises(LabelingError, match=r"a mask of \(6, 1\) does not fit"):
        scene.set_mask("low", np.ones((6, 1)))


@pytest.mark.parametrize(
    "pixels", [([0], [6]), ([-1], [0]), ([0.5], [0]), ([0],), ([0, 0, 0], [1, 2])]
)
def test_pixels_outside_paint_nothing(pixels):
    scene = one()
    with pytest.raises(LabelingError, match="s1 low: these pixels cannot be painted"):
        scene.paint("low", pixels, True)
    assert scene.corrections("low") is None
    assert not scene.can_undo


def test_the_oldest_steps_are_forgotten_and_the_last_one_never(monkeypatch):
    monkeypatch.setattr(history, "MAX_BYTES", 20)
    scene = one()
    for column in range(6):
        scene.paint("low", ([0], [column]), False)  # 6 bytes each
    assert [scene.undo() for _ in range(4)] == [True, True, True, False]
    assert scene.corrections("low").tolist() == [[-1, -1, -1, 0, 0, 0]]
    scene.paint("low", (np.zeros(6, int), np.arange(6)), True)  # 36 bytes
    assert scene.undo()
    assert scene.corrections("low").tolist() == [[-1, -1, -1, 0, 0, 0]]
    assert not scene.can_undo


def test_there_is_a_limit_to_the_number_of_steps(monkeypatch):
    monkeypatch.setattr(history, "MAX_STEPS", 3)
    scene = one()
    for lo in range(5):
        scene.set_rule("low", ManualRange(lo=lo, hi=255))
    assert [scene.undo() for _ in range(4)] == [True, True, True, False]
    assert scene.rule("low").lo == 1


def test_undoing_and_painting_anew_does_not_use_up_memory():
    scene = both()
    for _ in range(50):
        scene.set_mask("low", ~scene.mask("low"))
        scene.undo()
    kept = history.History()
    patch = history.Patch(
        flat=np.arange(4, dtype=np.uint32), old=np.zeros(4, np.int8), new=np.ones(4, np.int8)
    )
    for _ in range(50):
        kept.add_stroke("low", patch, merge=False)
        kept.undo()
    assert kept.nbytes == patch.nbytes


@settings(deadline=None)
@given(hnp.arrays(np.bool_, SHAPE), hnp.arrays(np.bool_, SHAPE), hnp.arrays(np.uint8, SHAPE))
def test_a_painted_mask_is_taken_over_as_it_is(first, second, luma):
    scene = SceneAnnotation("s1", {"low": luma}, DEFAULT_RANGES)
    for painted in (first, second):
        scene.set_mask("low", painted)
        np.testing.assert_array_equal(scene.mask("low"), painted)


roles = st.sampled_from(["low", "high"])
rules = st.one_of(
    st.just(Otsu()),
    st.tuples(st.integers(0, 255), st.integers(0, 255)).map(
        lambda pair: ManualRange(lo=min(pair), hi=max(pair))
    ),
)
pixels = st.lists(st.tuples(st.integers(0, SHAPE[0] - 1), st.integers(0, SHAPE[1] - 1)), max_size=6)


class AnnotationMachine(RuleBasedStateMachine):
    """Held against a model that keeps every state it was in as a whole."""

    @initialize(low=hnp.arrays(np.uint8, SHAPE), high=hnp.arrays(np.uint8, SHAPE))
    def start(self, low, high):
        self.lumas = {"low": low, "high": high}
        self.scene = SceneAnnotation("s1", self.lumas, DEFAULT_RANGES)
        self.rules = dict(DEFAULT_RANGES)
        self.strokes = {role: np.zeros(SHAPE, int) for role in self.lumas}
        self.past, self.future, self.open = [], [], None

    def state(self):
        return dict(self.rules), {role: s.tolist() for role, s in self.strokes.items()}

    def back_to(self, state):
        self.rules = dict(state[0])
        self.strokes = {role: np.array(s) for role, s in state[1].items()}

    def mask(self, role):
        bounds = self.rules[role].bounds(self.lumas[role], role)
        inside = (self.lumas[role] >= bounds.lo) & (self.lumas[role] <= bounds.hi)
        return np.where(self.strokes[role] == 0, inside, self.strokes[role] > 0)

    def change(self, kind, role, merge, make):
        """Change the model by `make`; whether that changes anything."""
        before = self.state()
        make()
        if self.state() == before:
            self.open = self.open if merge else None
            return False
        if not (merge and self.open == (kind, role)):
            self.drop_idle(before)
            self.past.append((kind, before))
        self.future, self.open = [], (kind, role)
        return True

    def drop_idle(self, now):
        if self.past and self.past[-1] == ("rule", now):
            self.past.pop()

    @rule(role=roles, new=rules, merge=st.booleans())
    def set_rule(self, role, new, merge):
        def make():
            self.rules[role] = new

        changed = self.change("rule", role, merge, make)
        assert self.scene.set_rule(role, new, merge=merge) == changed

    @rule(role=roles, at=pixels, value=st.booleans(), merge=st.booleans())
    def paint(self, role, at, value, merge):
        rows, columns = [y for y, _ in at], [x for _, x in at]

        def make():
            if at:
                self.strokes[role][rows, columns] = 1 if value else -1

        changed = self.change("stroke", role, merge, make)
        assert self.scene.paint(role, (rows, columns), value, merge=merge) == changed

    @rule(role=roles, painted=hnp.arrays(np.bool_, SHAPE))
    def set_mask(self, role, painted):
        def make():
            differ = painted != self.mask(role)
            self.strokes[role][differ] = np.where(painted[differ], 1, -1)

        changed = self.change("stroke", role, False, make)
        assert self.scene.set_mask(role, painted) == changed

    @rule(role=roles)
    def clear(self, role):
        def make():
            self.strokes[role][:] = 0

        changed = self.change("stroke", role, False, make)
        assert self.scene.clear_corrections(role) == changed

    @rule()
    def undo(self):
        self.drop_idle(self.state())
        assert self.scene.undo() == bool(self.past)
        if self.past:
            kind, before = self.past.pop()
            self.future.append((kind, self.state()))
            self.back_to(before)
            self.open = None

    @rule()
    def redo(self):
        assert self.scene.redo() == bool(self.future)
        if self.future:
            kind, after = self.future.pop()
            self.past.append((kind, self.state()))
            self.back_to(after)
            self.open = None

    @invariant()
    def agrees_with_the_model(self):
        for role in self.lumas:
            assert self.scene.rule(role) == self.rules[role]
            np.testing.assert_array_equal(self.scene.mask(role), self.mask(role))
            painted = self.scene.corrections(role)
            assert (painted is None) == (not self.strokes[role].any())
            if painted is not None:
                np.testing.assert_array_equal(painted, self.strokes[role])
        past = self.past[:-1] if self.past[-1:] == [("rule", self.state())] else self.past
        assert self.scene.can_undo == bool(past)
        assert self.scene.can_redo == bool(self.future)


TestAnnotationMachine = AnnotationMachine.TestCase
TestAnnotationMachine.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)
