from hypothesis import given
from hypothesis import strategies as st

from bracketseg.brackets.natural_order import natural_key


def test_by_hand() -> None:
    names = ["b1", "a10", "A2", "a2b10", "a2b9", "a"]
    assert sorted(names, key=natural_key) == ["a", "A2", "a2b9", "a2b10", "a10", "b1"]


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_numbers_sort_by_value(numbers: list[int]) -> None:
    names = sorted((f"IMG_{number}.jpg" for number in numbers), key=natural_key)
    assert [int(name[4:-4]) for name in names] == sorted(numbers)


@given(st.lists(st.text(), unique=True))
def test_any_names_have_one_order(names: list[str]) -> None:
    forwards = sorted(names, key=natural_key)
    names.reverse()
    assert sorted(names, key=natural_key) == forwards
