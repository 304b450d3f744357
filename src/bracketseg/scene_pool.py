"""The one place where scenes are handed out: one by one, to threads, or to other processes.

Labelling, prediction and evaluation all take a :class:`ScenePool`, and none of them knows
which one it is.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from bracketseg.errors import BracketSegError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_ResultCo = TypeVar("_ResultCo", covariant=True)

Results = Generator[tuple[_Item, _Result | BracketSegError], None, None]
"""Each item with what was made of it, or with the error that it met."""


class ScenePool(Protocol):
    """Does the same with each of many scenes."""

    def in_order(
        self, items: Sequence[_Item], work: Callable[[_Item], _Result]
    ) -> Results[_Item, _Result]:
        """Do the same with each item, and give the results in the items' order.

        Only a few items are ahead of the one that is given, however many there are. Closing
        the generator ends the work after the items in hand.

        Parameters
        ----------
        items : sequence
            Brackets, say.
        work : callable
            What to do with one of them. It may run in several threads at once, or in another
            process, which gets a copy of it.

        Yields
        ------
        item
        result : what `work` returned, or the BracketSegError that it raised
            Any other error is raised here.
        """
        ...


class OneByOne:
    """Each item is worked on when it is asked for, in the thread that asks."""

    def in_order(
        self, items: Sequence[_Item], work: Callable[[_Item], _Result]
    ) -> Results[_Item, _Result]:
        """See :class:`ScenePool`."""
        for item in items:
            yield item, attempt(work, item)


class Threads:
    """Several items at a time in threads of this process.

    Parameters
    ----------
    count : int, optional
        By default one per processor.
    """

    def __init__(self, count: int | None = None) -> None:
        self._count = count or os.cpu_count() or 1

    def in_order(
        self, items: Sequence[_Item], work: Callable[[_Item], _Result]
    ) -> Results[_Item, _Result]:
        """See :class:`ScenePool`."""
        with ThreadPoolExecutor(self._count, thread_name_prefix="scenes") as executor:
            yield from handed_out(
                items, lambda item: executor.submit(attempt, work, item), lambda: self._count
            )


def attempt(work: Callable[[_Item], _Result], item: _Item) -> _Result | BracketSegError:
    """Work on one item; an error of ours is a result."""
    try:
        return work(item)
    except BracketSegError as error:
        return error


class Pending(Protocol[_ResultCo]):
    """An item that was handed out."""

    def result(self) -> _ResultCo:
        """Wait for what was made of it."""

    def cancel(self) -> object:
        """Take it back if nobody has begun with it."""


def handed_out(
    items: Iterable[_Item],
    submit: Callable[[_Item], Pending[_Result]],
    ahead: Callable[[], int],
) -> Generator[tuple[_Item, _Result], None, None]:
    """Hand out items and give the results in the items' order.

    Parameters
    ----------
    items : iterable
    submit : callable
        Hands out one item.
    ahead : callable
        How many may be handed out beside the one that is waited for; asked each time.
    """
    pending: deque[tuple[_Item, Pending[_Result]]] = deque()
    waiting = iter(items)
    more = True
    try:
        while True:
            while more and len(pending) <= ahead():
                try:
                    item = next(waiting)
                except StopIteration:
                    more = False
                else:
                    pending.append((item, submit(item)))
            if not pending:
                return
            item, handed = pending.popleft()
            yield item, handed.result()
    finally:
        for _, handed in pending:
            handed.cancel()
