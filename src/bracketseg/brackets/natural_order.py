"""The order in which people number things."""

import re


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sort key by which ``2.jpg`` comes before ``10.jpg``.

    >>> sorted(["10.jpg", "2.jpg", "a.jpg"], key=natural_key)
    ['2.jpg', '10.jpg', 'a.jpg']
    """
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name
