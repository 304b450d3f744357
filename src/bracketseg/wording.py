"""Words that more than one text is made of."""


def counted(count: int, noun: str) -> str:
    """Write a number and its noun.

    >>> counted(1, "scene"), counted(3, "mask")
    ('1 scene', '3 masks')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"
