"""Work on many brackets, several at a time."""

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from bracketseg.brackets.bracket import Bracket
from bracketseg.errors import BracketSegError

_Result = TypeVar("_Result")


def in_order(
    brackets: Sequence[Bracket],
    work: Callable[[Bracket], _Result],
    *,
    workers: int | None = None,
) -> Generator[tuple[Bracket, _Result | BracketSegError], None, None]:
    """Do the same with each bracket in threads, and give the results in the brackets' order.

    Only a few brackets are ahead of the one that is given. Closing the generator ends
    the work after those in hand.

    Parameters
    ----------
    brackets : sequence of Bracket
    work : callable
        What to do; it runs in several threads at once.
    workers : int, optional
        Threads; by default one per processor.

    Yields
    ------
    bracket : Bracket
    result : what `work` returned, or the BracketSegError that it raised
        Any other error is raised here.
    """
    workers = workers or os.cpu_count() or 1
    pending: deque[tuple[Bracket, Future[_Result]]] = deque()
    waiting = iter(brackets)
    with ThreadPoolExecutor(workers, thread_name_prefix="scenes") as pool:
        try:
            for _ in brackets:
                while len(pending) <= workers and (bracket := next(waiting, None)) is not None:
                    pending.append((bracket, pool.submit(work, bracket)))
                bracket, future = pending.popleft()
                try:
                    result: _Result | BracketSegError = future.result()
                except BracketSegError as error:
                    result = error
                yield bracket, result
        finally:
            for _, future in pending:
                future.cancel()
