"""Damage that happens to files, and damage that is done to them."""

import struct
import zlib
from collections.abc import Callable

import numpy as np

Mutation = Callable[[bytes, np.random.Generator], bytes]

# Numbers at which arithmetic on sizes and offsets goes wrong.
_EDGES = (0, 1, 2, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 100_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def whole(data: bytes, rng: np.random.Generator) -> bytes:
    """Change nothing."""
    return data


def truncated(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(0, max(1, len(data))))]


def only_the_start(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(0, 64))]


def flipped_bits(data: bytes, rng: np.random.Generator) -> bytes:
    return _flipped(data, rng, len(data))


def flipped_in_the_head(data: bytes, rng: np.random.Generator) -> bytes:
    return _flipped(data, rng, min(len(data), 512))


def _flipped(data: bytes, rng: np.random.Generator, end: int) -> bytes:
    if not end:
        return data
    changed = bytearray(data)
    for place in rng.integers(0, end, int(rng.integers(1, 17))):
        changed[place] ^= 1 << int(rng.integers(0, 8))
    return bytes(changed)


def zeroed(data: bytes, rng: np.random.Generator) -> bytes:
    start, end = _part(data, rng)
    return data[:start] + bytes(end - start) + data[end:]


def filled(data: bytes, rng: np.random.Generator) -> bytes:
    start, end = _part(data, rng)
    return data[:start] + b"\xff" * (end - start) + data[end:]


def cut_out(data: bytes, rng: np.random.Generator) -> bytes:
    start, end = _part(data, rng)
    return data[:start] + data[end:]


def doubled(data: bytes, rng: np.random.Generator) -> bytes:
    start, end = _part(data, rng)
    return data[:end] + data[start:]


def noise(data: bytes, rng: np.random.Generator) -> bytes:
    start, end = _part(data, rng)
    return data[:start] + rng.bytes(end - start) + data[end:]


def edge_numbers(data: bytes, rng: np.random.Generator) -> bytes:
    """Replace numbers, of either byte order, in the head or anywhere."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        code = str(rng.choice(["<H", ">H", "<I", ">I"]))
        end = min(len(data), 600) if rng.random() < 0.7 else len(data)
        if end <= 8:
            return data
        place = int(rng.integers(0, end - 4))
        value = int(rng.choice(_EDGES)) & (0xFFFF if code[1] == "H" else 0xFFFFFFFF)
        struct.pack_into(code, changed, place, value)
    return bytes(changed)


def only_zeros(data: bytes, rng: np.random.Generator) -> bytes:
    return bytes(len(data))


def empty(data: bytes, rng: np.random.Generator) -> bytes:
    return b""


def only_noise(data: bytes, rng: np.random.Generator) -> bytes:
    return rng.bytes(int(rng.integers(1, 4096)))


def repaired_png(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage, with the checksums of a PNG made to fit, so that its pixels are looked at."""
    return fitting_checksums(edge_numbers(data, rng) if rng.random() < 0.5 else noise(data, rng))


def fitting_checksums(data: bytes) -> bytes:
    changed, place = bytearray(data), 8
    while place + 12 <= len(changed):
        (length,) = struct.unpack_from(">I", changed, place)
        end = place + 8 + length
        if end + 4 > len(changed):
            break
        struct.pack_into(">I", changed, end, zlib.crc32(bytes(changed[place + 4 : end])))
        place = end + 4
    return bytes(changed)


def _part(data: bytes, rng: np.random.Generator) -> tuple[int, int]:
    start = int(rng.integers(0, max(1, len(data))))
    return start, min(len(data), start + int(rng.integers(1, max(2, len(data) // 4))))


MUTATIONS: tuple[Mutation, ...] = (
    truncated,
    only_the_start,
    flipped_bits,
    flipped_in_the_head,
    zeroed,
    filled,
    cut_out,
    doubled,
    noise,
    edge_numbers,
    only_zeros,
    empty,
    only_noise,
    repaired_png,
)
