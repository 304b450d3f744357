"""Folders with something wrong in them, each made of a seed and a number alone."""

import itertools
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
import tifffile
from PIL import Image
from tests.robustness.mutations import MUTATIONS, empty, fitting_checksums, whole
from tests.robustness.seeds import (
    GAINS,
    PICTURES,
    SIDECARS,
    documents,
    exif,
    picture,
    pixels,
)

Maker = Callable[[Path, np.random.Generator], str]

NAMES = (
    "with spaces  and.dots",
    "quotes ' and \" and `ticks`",
    "emoji \U0001f4f7\U0001f3f3\ufe0f\u200d\U0001f308",
    "new\nline",
    "tab\tand\rreturn",
    "\u05e2\u05d1\u05e8\u05d9\u05ea \u202e\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "[markup] [bold] {braces} %s $HOME",
    "--help",
    "-",
    "..",
    "_",
    "CON",
    "back\\slash",
    "semi;colon & pipe | star * ?",
    "e\u0301 and \u00e9",
    "\u0130\u0131\u017f\ufb01",
    "\x1b[31mred",
    "\x7f\x01",
    "low_low_low",
    "0" * 60,
    "9" * 5000,
    os.fsdecode(b"not \xff utf-8 \xe9"),
)


def make_case(folder: Path, seed: int, number: int, real: Sequence[Path] = ()) -> str:
    """Fill a folder; returns what it is in a few words."""
    rng = np.random.default_rng((seed, number))
    makers = _MAKERS if not real else (*_MAKERS, *(_damaged_real(real),) * 2)
    maker = makers[number % len(makers)]
    folder.mkdir(parents=True)
    return maker(folder, rng)


def _frames(folder: Path, kind: str, stems: Sequence[str] = ("a", "b", "c")) -> list[Path]:
    suffix = PICTURES[kind][0]
    paths = [folder / f"{stem}{suffix}" for stem in stems]
    for path, gain in zip(paths, itertools.cycle(GAINS)):
        path.write_bytes(picture(kind, gain))
    return paths


def _any_kind(rng: np.random.Generator) -> str:
    return str(rng.choice(list(PICTURES)))


def damaged(folder: Path, rng: np.random.Generator) -> str:
    """One frame or all of a bracket are damaged."""
    kind = _any_kind(rng)
    paths = _frames(folder, kind)
    mutation = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
    for path in paths if rng.random() < 0.5 else paths[:1]:
        path.write_bytes(mutation(path.read_bytes(), rng))
    return f"{kind}, {mutation.__name__}"


def _damaged_real(real: Sequence[Path]) -> Maker:
    def damaged_real(folder: Path, rng: np.random.Generator) -> str:
        source = real[int(rng.integers(len(real)))]
        mutation = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
        data = source.read_bytes()
        (folder / f"a{source.suffix}").write_bytes(mutation(data, rng))
        (folder / f"b{source.suffix}").write_bytes(data)
        return f"real {source.name}, {mutation.__name__}"

    return damaged_real


def wrong_suffix(folder: Path, rng: np.random.Generator) -> str:
    kind = _any_kind(rng)
    for path in _frames(folder, kind):
        suffix = PICTURES[_any_kind(rng)][0]
        path.rename(path.with_suffix(suffix.upper() if rng.random() < 0.3 else suffix))
    return f"{kind} under another suffix"


def sidecars(folder: Path, rng: np.random.Generator) -> str:
    _frames(folder, "png")
    name = str(rng.choice(list(SIDECARS)))
    mutation = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
    odd = (
        *(b"nan inf -inf", b"1e999 2 3", b"0 0 0", b"1 1 1", b"-1/0 1/0 0/0", b"1/2/3 4 5"),
        *(b"a.png,1e-320\nb.png,1\nc.png,2", b"a.png 0\nb.png -3\nc.png x", b'"a.png', b"\0" * 99),
        *(b"\xff\xfe1\0 \0", b"1 " * 400_000, b"a,b\n" * 99_999, "\u0661 \u0662 \u0663".encode()),
    )
    data = odd[int(rng.integers(len(odd)))] if rng.random() < 0.4 else SIDECARS[name]
    (folder / name).write_bytes(mutation(data, rng))
    return f"{name}, {mutation.__name__}"


def flat_sidecars(folder: Path, rng: np.random.Generator) -> str:
    _frames(folder, "png", ("0_short", "0_medium", "0_long"))
    mutation = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
    (folder / "0_exposures.npy").write_bytes(mutation(SIDECARS["exposures.npy"], rng))
    return f"0_exposures.npy, {mutation.__name__}"


SURPRISES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 2, 1.5, 1e308, 10**400, "", "x", "../../etc/passwd", "/etc/passwd"),
    *([], {}, [[]], [{}], {"": ""}, ["a.png"], {"a": {"a": {"a": {}}}}, "\ud800", "a\0b", "\n"),
)


def surprise(value: object, rng: np.random.Generator) -> object:
    """Replace something within a document by what does not belong there."""
    if rng.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return SURPRISES[int(rng.integers(len(SURPRISES)))]
    if isinstance(value, dict):
        key = list(value)[int(rng.integers(len(value)))]
        return {**value, key: surprise(value[key], rng)}
    place = int(rng.integers(len(value)))
    return [*value[:place], surprise(value[place], rng), *value[place + 1 :]]


TEXTS = (
    b"",
    b"null",
    b"[",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"version": 1' + b"0" * 10_000 + b"}",
    b'{"version": NaN, "roles": Infinity}',
    b'{"version": 1, "version": 2, "roles": {}, "roles": []}',
    b"\xff\xfe{\0}\0",
    b"\xef\xbb\xbf{}",
    b'{"version": 1e999}',
    b"\0" * 1000,
)
"""What is no JSON, or JSON that few parsers like."""


def surprising(data: bytes, rng: np.random.Generator) -> bytes:
    """A document with a surprise, or damage, or another text in its place."""
    choice = rng.random()
    if choice < 0.15:
        return TEXTS[int(rng.integers(len(TEXTS)))]
    if choice < 0.3:
        return MUTATIONS[int(rng.integers(len(MUTATIONS)))](data, rng)
    return json.dumps(surprise(json.loads(data), rng)).encode()


def odd_documents(folder: Path, rng: np.random.Generator) -> str:
    _frames(folder, "png")
    for name, data in documents():
        if rng.random() < 0.7:
            (folder / name).write_bytes(surprising(data, rng))
    return "odd JSON beside the pictures"


def odd_exif(folder: Path, rng: np.random.Generator) -> str:
    """EXIF that is broken, absurd, or says the same of each frame."""
    times = (
        *(
            Fraction(0),
            Fraction(-1, 60),
            Fraction(1, 60),
            Fraction(10**9),
            Fraction(1, 2**31),
            None,
        ),
    )
    odd = (
        {"x829D": 0.0},
        {"x8827": 0},
        {"x8827": 65535},
        {"x9003": "0000:00:00 00:00:00"},
        {"x9003": "9999:99:99 99:99:99"},
        {"x9003": "no date\0\xff"},
        {"x9204": 1e9},
        {"xA402": 7},
    )
    kind = str(rng.choice(["JPEG", "PNG", "WEBP", "TIFF"]))
    for stem, gain in zip("abcd", (*GAINS, 2.0), strict=True):
        block = exif(times[int(rng.integers(len(times)))], **odd[int(rng.integers(len(odd)))])
        block[0x0112] = int(rng.choice([0, 1, 3, 6, 8, 9, 65535]))
        image = Image.fromarray(np.rint(pixels(gain) * 255).astype(np.uint8))
        if rng.random() < 0.3 and kind != "TIFF":
            raw = bytearray(block.tobytes())
            for place in rng.integers(6, len(raw), 6):
                raw[place] = int(rng.integers(256))
            image.save(folder / f"{stem}.{kind.lower()}", kind, exif=bytes(raw))
        else:
            image.save(folder / f"{stem}.{kind.lower()}", kind, exif=block)
    return f"odd EXIF in {kind}"


def odd_sizes(folder: Path, rng: np.random.Generator) -> str:
    sizes = ((1, 1), (1, 100_000), (100_000, 1), (2, 3), (3, 40_000), (3, 2))
    one = sizes[int(rng.integers(len(sizes)))]
    other = sizes[int(rng.integers(len(sizes)))] if rng.random() < 0.4 else one
    suffix = str(rng.choice([".png", ".tif", ".exr", ".hdr"]))
    for stem, gain, size in zip("abc", GAINS, (one, one, other), strict=True):
        values = pixels(gain, height=size[0], width=size[1]).astype(np.float32)
        path = folder / f"{stem}{suffix}"
        if suffix == ".exr":
            with OpenEXR.File({}, {"RGB": values}) as file:
                file.write(str(path))
        elif suffix == ".tif":
            tifffile.imwrite(path, values, photometric="rgb")
        elif suffix == ".png":
            Image.fromarray(np.rint(values * 255).astype(np.uint8)).save(path)
        else:
            head = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {size[0]} +X {size[1]}\n".encode()
            path.write_bytes(head + bytes([100, 90, 80, 128]) * (size[0] * size[1]))
    return f"{suffix} of {one} and {other}"


def odd_floats(folder: Path, rng: np.random.Generator) -> str:
    odd = (np.nan, np.inf, -np.inf, -1e-9, -0.0, 1.0000001, 3e38, 1e-45, 2.0)
    suffix = str(rng.choice([".tif", ".exr"]))
    everywhere = bool(rng.random() < 0.3)
    for stem, gain in zip("abc", GAINS, strict=True):
        values = pixels(gain).astype(np.float32)
        value = odd[int(rng.integers(len(odd)))]
        values[(slice(None), slice(None)) if everywhere else (3, 5)] = value
        path = folder / f"{stem}{suffix}"
        if suffix == ".exr":
            with OpenEXR.File({}, {"RGB": values}) as file:
                file.write(str(path))
        else:
            tifffile.imwrite(path, values, photometric="rgb")
    return f"odd floats in {suffix}"


def odd_names(folder: Path, rng: np.random.Generator) -> str:
    name = NAMES[int(rng.integers(len(NAMES)))]
    place = folder
    if rng.random() < 0.5 and name not in (".", "..") and len(os.fsencode(name)) < 250:
        place = folder / name
        place.mkdir()
    if rng.random() < 0.2:
        for _ in range(3):
            place = place / ("long " * 19)
            place.mkdir()
    try:
        _frames(place, "png", [f"{name}{end}" for end in ("_short", "_medium", "_long")])
    except OSError:  # longer than a name may be here
        _frames(place, "png")
    return f"named {name[:40]!r}"


def odd_files(folder: Path, rng: np.random.Generator) -> str:
    """What is called a picture but is none: links, folders, pipes, what may not be read."""
    _frames(folder, "png")
    odd = int(rng.integers(7))
    path = folder / str(rng.choice(["a.png", "d.png", "exposure.txt", "bracketseg-brackets.json"]))
    path.unlink(missing_ok=True)
    if odd == 0:
        path.symlink_to(path.name)
    elif odd == 1:
        path.symlink_to("missing.png")
    elif odd == 2:
        path.mkdir()
    elif odd == 3:
        os.mkfifo(path)
    elif odd == 4:
        path.write_bytes(picture("png", 1.0))
        path.chmod(0)
    elif odd == 5:
        (folder / "loop").symlink_to(".", target_is_directory=True)
        (folder / "up").symlink_to("..", target_is_directory=True)
    else:
        path.symlink_to("/dev/zero" if rng.random() < 0.5 else "/proc/self/mem")
    return f"odd file {odd} as {path.name}"


def _png(height: int, width: int, data: bytes, *, depth: int = 8, colour: int = 2) -> bytes:
    head = struct.pack(">IIBBBBB", height, width, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    parts = (struct.pack(">I", len(body)) + kind + body + bytes(4) for kind, body in chunks)
    return fitting_checksums(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def bombs(folder: Path, rng: np.random.Generator) -> str:
    """A small file that says it is a huge picture, or that holds one."""
    side = int(rng.choice([9_000, 16_000, 30_000, 65_000, 1_000_000, 2**31 - 1]))
    flat = zlib.compress(bytes(1 << 20), 9)
    kind = str(rng.choice(["png", "png 16", "jpeg", "tiff", "tiff codec", "exr", "hdr", "webp"]))
    for stem in "ab":
        path = folder / stem
        if kind.startswith("png"):
            depth = 16 if kind == "png 16" else 8
            path.with_suffix(".png").write_bytes(_png(side, side, flat, depth=depth))
        elif kind == "jpeg":
            data = bytearray(picture("jpeg", 1.0))
            struct.pack_into(">HH", data, _frame_header(data), *(min(side, 65_500),) * 2)
            path.with_suffix(".jpg").write_bytes(data)
        elif kind == "webp":
            data = bytearray(picture("webp lossless", 1.0))
            place = data.find(b"VP8X") + 12
            data[place : place + 6] = b"\xff\x3f\0" * 2
            path.with_suffix(".webp").write_bytes(data)
        elif kind == "hdr":
            head = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {side} +X {side}\n".encode()
            path.with_suffix(".hdr").write_bytes(head + bytes(4096))
        elif kind == "exr":
            data = bytearray(picture("exr", 1.0))
            place = data.find(b"box2i\0") + 10
            struct.pack_into("<iiii", data, place, 0, 0, side - 1, side - 1)
            path.with_suffix(".exr").write_bytes(data)
        elif kind == "tiff":
            shape, dtype = (min(side, 2**20), min(side, 2**20), 3), np.uint16
            _tiff_bomb(path.with_suffix(".tif"), shape, dtype, flat)
        else:
            _tiff_with_inner_bomb(path.with_suffix(".tif"), min(side, 65_000))
    return f"bomb {kind} of {side}"


def _frame_header(data: bytes) -> int:
    """Where the height stands in a JPEG."""
    place = 2
    while data[place + 1] not in (0xC0, 0xC2):
        place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    return place + 5


def _tiff_bomb(path: Path, shape: tuple[int, int, int], dtype: type, flat: bytes) -> None:
    strip = np.zeros((16, 16, 3), dtype)
    tifffile.imwrite(path, strip, photometric="rgb", compression="zlib")
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tags = tiff.pages.first.tags
        for tag, value in (("ImageLength", shape[0]), ("ImageWidth", shape[1])):
            tags[tag].overwrite(value)
        tags["RowsPerStrip"].overwrite(shape[0])
    path.write_bytes(path.read_bytes() + flat)


def _tiff_with_inner_bomb(path: Path, side: int) -> None:
    """A TIFF of 24 x 36 whose compressed part is a JPEG that says it is much larger."""
    data = bytearray(picture("tiff jpeg", 1.0))
    start = data.find(b"\xff\xd8\xff")
    inner = data[start:]
    struct.pack_into(">HH", inner, _frame_header(inner), side, side)
    path.write_bytes(data[:start] + inner)


def mixed(folder: Path, rng: np.random.Generator) -> str:
    """A day's photographs of which some are damaged, and things that do not belong."""
    for number in range(int(rng.integers(3, 12))):
        kind = _any_kind(rng)
        mutation = MUTATIONS[int(rng.integers(len(MUTATIONS)))] if rng.random() < 0.3 else whole
        data = mutation(picture(kind, GAINS[number % 3]), rng)
        (folder / f"IMG_{number:04}{PICTURES[kind][0]}").write_bytes(data)
    (folder / "notes.txt").write_bytes(rng.bytes(100))
    if rng.random() < 0.5:
        (folder / "empty.jpg").write_bytes(empty(b"", rng))
    return "mixed"


def duplicates(folder: Path, rng: np.random.Generator) -> str:
    """The same exposure twice, one scene under several layouts, frames missing."""
    kind = str(rng.choice(["jpeg", "png", "tiff exif"]))
    stems = ("0_short", "0_medium", "0_long", "low", "high", "0", "1", "2", "EV-2", "EV0", "a")
    chosen = rng.choice(stems, int(rng.integers(1, len(stems))), replace=False)
    paths = _frames(folder, kind, [str(stem) for stem in chosen])
    if rng.random() < 0.5:
        for path in paths:
            path.write_bytes(picture(kind, 1.0))
    if rng.random() < 0.3:
        shutil.copytree(folder, folder / "LDR")
    return f"{kind} as {', '.join(map(str, chosen))}"


_MAKERS: tuple[Maker, ...] = (
    *(damaged,) * 9,
    wrong_suffix,
    sidecars,
    flat_sidecars,
    odd_documents,
    odd_exif,
    odd_sizes,
    odd_floats,
    odd_names,
    odd_files,
    bombs,
    mixed,
    duplicates,
)
