"""Grouping: what it has to get right, on series of photographs made for each case."""

import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.brackets.grouping import grouped, is_one_bracket
from bracketseg.brackets.patterns import bracket_cost, is_usual_order, without_repeats
from bracketseg.brackets.shots import Shot, gaps, runs

ORDERS = {
    "middle, dark, bright": (0, -2, 2),
    "up": (-2, 0, 2),
    "down": (2, 0, -2),
    "middle, bright, dark": (0, 2, -2),
    "thirds": (0, -2 / 3, 2 / 3),
    "five": (0, -1, 1, -2, 2),
    "five, all dark ones first": (0, -1, -2, 1, 2),
    "seven": (0, -3, -2, -1, 1, 2, 3),
    "nine": tuple(range(-4, 5)),
    "fifteen": (0, *(sign * step for step in range(1, 8) for sign in (-1, 1))),
    "two": (0, -2),
}


class Camera:
    """Takes photographs one after another."""

    def __init__(self, kind: str = "one", **noted: object) -> None:
        self.kind = kind
        self.noted = noted
        self.now = 1000.0
        self.shots: list[Shot] = []

    def take(
        self, *evs: float, every: float = 0.5, base: float = 0.0, **noted: object
    ) -> list[str]:
        names = []
        for ev in evs:
            name = f"{self.kind}_{len(self.shots):04}.jpg"
            names.append(name)
            duration = 2.0 ** (base + ev - 8)
            facts = {**self.noted, **noted}
            self.shots.append(
                Shot(
                    path=Path(name),
                    ev=base + ev,
                    time=round(self.now, 2),
                    duration=duration,
                    kind=(self.kind, 8, 12),
                    **facts,  # type: ignore[arg-type]
                )
            )
            self.now += duration + every
        return names

    def rest(self, seconds: float) -> None:
        self.now += seconds


def groups_of(shots: Sequence[Shot]) -> list[list[str]]:
    found, left = grouped(shots)
    names = [[path.name for path in group.paths] for group in found]
    everything = [*itertools.chain(*names), *(one.path.name for one in left)]
    assert sorted(everything) == sorted(shot.path.name for shot in shots)
    return names


@pytest.mark.parametrize("order", ORDERS.values(), ids=list(ORDERS))
@pytest.mark.parametrize("rest", [0.5, 5, 60, 4000])
def test_brackets_one_after_another(order: tuple[float, ...], rest: float) -> None:
    camera, expected = Camera(f_number=8.0), []
    # Pairs at one pace can only be told by what they have in common.
    bases = (0, 0, 0, 0, 0) if len(order) == 2 and rest < 1 else (0, 1, 0.5, -1.5, 0)
    for base in bases:
        expected.append(camera.take(*order, base=base))
        camera.rest(rest)
    assert groups_of(camera.shots) == expected


@pytest.mark.parametrize("order", ORDERS.values(), ids=list(ORDERS))
def test_whatever_the_order_of_the_files(order: tuple[float, ...]) -> None:
    camera, expected = Camera(), []
    for _ in range(3):
        expected.append(camera.take(*order))
        camera.rest(20)
    shuffled = list(camera.shots)
    random.Random(3).shuffle(shuffled)
    assert groups_of(shuffled) == expected


def test_brackets_of_different_lengths() -> None:
    camera, expected = Camera(), []
    for name in ("five", "up", "seven", "middle, dark, bright", "nine"):
        expected.append(camera.take(*ORDERS[name]))
        camera.rest(6)
    assert groups_of(camera.shots) == expected


def test_single_photographs_between_brackets() -> None:
    camera = Camera()
    camera.take(0.3)
    camera.rest(40)
    expected = [camera.take(0, -2, 2)]
    camera.rest(10)
    camera.take(1)
    camera.rest(300)
    camera.take(-0.7)
    camera.rest(4)
    expected.append(camera.take(0, -2, 2))
    camera.take(0)
    found, left = grouped(camera.shots)
    assert [[path.name for path in group.paths] for group in found] == expected
    assert [one.path.name for one in left] == [
        "one_0000.jpg",
        "one_0004.jpg",
        "one_0005.jpg",
        "one_0009.jpg",
    ]
    assert "none was taken within 30 s" in left[2].reason or "around it" in left[2].reason


def test_a_burst_is_no_bracket() -> None:
    camera = Camera(mode=0, bias=0.0)
    camera.take(0, 0, 0, 0.33, 0.33, 0, every=0.2)
    expected = [camera.take(0, -2, 2, mode=2)]
    assert groups_of(camera.shots) == expected


def test_a_metered_walk_is_no_bracket() -> None:
    camera = Camera(mode=0, bias=0.0)
    camera.take(0, 1.3, 2.7, 0.4, -1.2, 3.1, 1.6, every=3)
    assert groups_of(camera.shots) == []


def test_a_repeated_exposure_is_left_over() -> None:
    camera = Camera()
    camera.take(0, -2, -2, 2)
    found, left = grouped(camera.shots)
    assert [[path.name for path in group.paths] for group in found] == [
        ["one_0000.jpg", "one_0001.jpg", "one_0003.jpg"]
    ] or [[path.name for path in group.paths] for group in found] == [
        ["one_0000.jpg", "one_0002.jpg", "one_0003.jpg"]
    ]
    (one,) = left
    assert one.reason.startswith("repeats the exposure of one_000")


def test_an_incomplete_bracket_is_kept_and_named() -> None:
    camera = Camera(mode=2)
    expected = [camera.take(0, -2, 2)]
    camera.rest(30)
    expected.append(camera.take(0, -2))
    camera.rest(30)
    expected += [camera.take(0, -2, 2)]
    found, left = grouped(camera.shots)
    assert [[path.name for path in group.paths] for group in found] == expected
    assert [group.note for group in found] == [
        "",
        "has 2 frames, where others here have 3",
        "",
    ]
    assert left == []


def test_one_of_a_bracket_is_left_over() -> None:
    camera = Camera()
    expected = [camera.take(0, -2, 2)]
    camera.rest(30)
    camera.take(-2)
    camera.rest(30)
    expected.append(camera.take(0, -2, 2))
    assert groups_of(camera.shots) == expected


def test_two_cameras_at_once() -> None:
    one, two = Camera("one"), Camera("two")
    expected = []
    for _ in range(2):
        expected.append(one.take(0, -2, 2))
        two.now = one.now - 0.8
        expected.append(two.take(-1, 0, 1))
        one.rest(3)
    assert sorted(groups_of([*one.shots, *two.shots])) == sorted(expected)


def test_by_hand_with_long_pauses() -> None:
    camera = Camera(mode=1, f_number=5.6)
    expected = [camera.take(0, -1, -2.3, -3.6, -7.3, every=12)]
    camera.rest(400)
    expected.append(camera.take(3, 2, 1, 0, -1, -2, every=8))
    assert groups_of(camera.shots) == expected


def test_without_times_the_names_are_the_order() -> None:
    camera = Camera()
    expected = [camera.take(0, -2, 2), camera.take(0, -2, 2), camera.take(0, -2, 2)]
    untimed = [Shot(path=shot.path, ev=shot.ev, kind=shot.kind) for shot in camera.shots]
    assert groups_of(untimed) == expected


@given(
    st.sampled_from(list(ORDERS.values())),
    st.lists(st.tuples(st.floats(-3, 3), st.floats(30, 3000)), min_size=2, max_size=8),
    st.randoms(use_true_random=False),
)
def test_any_day_of_one_setting(
    order: tuple[float, ...], scenes: list[tuple[float, float]], rng: random.Random
) -> None:
    """Brackets of one setting, exposures rounded as by EXIF, half a minute or more apart.

    Sooner, two pairs can look just like a bracket of three and a single photograph.
    """
    camera, expected = Camera(mode=2), []
    for base, rest in scenes:
        rounded = [round(base * 3) / 3 + ev + rng.uniform(-0.04, 0.04) for ev in order]
        expected.append(camera.take(*rounded, every=rng.uniform(0.1, 1.5)))
        camera.rest(rest)
    assert groups_of(camera.shots) == expected


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 200)), max_size=40))
def test_any_photographs_are_placed_once(photographs: list[tuple[float, float]]) -> None:
    camera = Camera()
    for ev, rest in photographs:
        camera.take(ev)
        camera.rest(rest)
    for names in groups_of(camera.shots):
        evs = sorted(shot.ev for shot in camera.shots if shot.path.name in names)
        assert 2 <= len(evs) <= 15
        assert all(b - a >= 0.2 for a, b in itertools.pairwise(evs))


class TestOneBracket:
    @pytest.mark.parametrize("order", ORDERS.values(), ids=list(ORDERS))
    @pytest.mark.parametrize("every", [0.2, 20, 300])
    def test_is_one(self, order: tuple[float, ...], every: float) -> None:
        camera = Camera()
        camera.take(*order, every=every)
        assert is_one_bracket(camera.shots)

    def test_uneven_steps_are_one(self) -> None:
        camera = Camera()
        camera.take(0, 3.1, 1.2, -4, every=15)
        assert is_one_bracket(camera.shots)

    def test_two_are_not(self) -> None:
        camera = Camera()
        camera.take(0, -2, 2)
        camera.take(1, -1, 3)
        assert not is_one_bracket(camera.shots)
        camera = Camera()
        camera.take(0, -2, 2)
        camera.rest(3600)
        camera.take(4)
        assert not is_one_bracket(camera.shots)

    def test_sixteen_two_cameras_or_two_alike_are_not(self) -> None:
        camera, other = Camera(), Camera("two")
        camera.take(*range(16))
        other.take(20)
        assert not is_one_bracket(camera.shots)
        assert not is_one_bracket([*camera.shots[:3], *other.shots])
        assert not is_one_bracket([*camera.shots[:3], camera.shots[2]])


@pytest.mark.parametrize("order", ORDERS.values(), ids=list(ORDERS))
def test_usual_orders(order: tuple[float, ...]) -> None:
    assert is_usual_order(order)


@pytest.mark.parametrize("order", [(-2, 2, 0), (0, 2, -1, 1, -2), (1, -2, 2, 0), (-2, 1, 0, -1)])
def test_unusual_orders(order: tuple[float, ...]) -> None:
    assert not is_usual_order(order)


def test_gaps_leave_the_exposure_out() -> None:
    shots = [
        Shot(path=Path("a"), ev=0, time=10.0, duration=4.0),
        Shot(path=Path("b"), ev=1, time=15.0),
        Shot(path=Path("c"), ev=2, time=None),
    ]
    assert gaps(shots) == [1.0, 0.0]
    assert [len(run) for run in runs(shots)] == [2, 1]


def test_a_long_pause_parts_a_run() -> None:
    camera = Camera()
    camera.take(0, -2, 2)
    camera.rest(130)
    camera.take(4)
    assert [len(run) for run in runs(camera.shots)] == [3, 1]
    # Unless all pauses are long.
    camera = Camera()
    camera.take(0, -2, 2, 4, every=130)
    assert [len(run) for run in runs(camera.shots)] == [4]


def test_a_bias_that_comes_again_is_of_the_next_bracket() -> None:
    camera, expected = Camera(), []
    for base in (0, 3):
        names = [camera.take(base + bias, bias=float(bias))[0] for bias in (-1, 0, 1)]
        expected.append(names)
    assert groups_of(camera.shots) == expected


def test_another_aperture_speaks_against_a_bracket() -> None:
    camera = Camera()
    for ev, f_number in ((0, 8.0), (1.7, 5.6), (-1.1, 11.0)):
        camera.take(ev, every=5, f_number=f_number)
    assert groups_of(camera.shots) == []
    same = [Shot(path=shot.path, ev=shot.ev, time=shot.time) for shot in camera.shots]
    assert len(groups_of(same)) == 1


def test_what_can_be_no_bracket() -> None:
    camera = Camera()
    camera.take(0, 0.5, 0.1)
    assert bracket_cost(camera.shots) == float("inf")
    assert len(without_repeats(camera.shots)) == 2


def test_a_thousand_photographs() -> None:
    camera = Camera()
    for _ in range(340):
        camera.take(0, -2, 2)
        camera.rest(1)
    assert len(groups_of(camera.shots)) == 340
