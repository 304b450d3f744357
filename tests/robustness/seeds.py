"""Small files of every kind that is read, as cameras and programs write them."""

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenEXR
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

HEIGHT, WIDTH = 24, 36


def pixels(gain: float = 1.0, *, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.float64]:
    """A (H, W, 3) ramp in 0..1, brighter with `gain`."""
    y, x = np.mgrid[:height, :width]
    grey = np.clip((x + y + 1) / (height + width) * gain, 0, 1)
    return np.stack([grey, grey * 0.8, grey * 0.5], axis=-1)


def exif(time: Fraction | None, **noted: Any) -> Image.Exif:
    """What a camera notes; `noted` are values of the camera directory by tag number."""
    block = Image.Exif()
    block[0x010F], block[0x0110] = "Maker", "Box 1"
    camera = block.get_ifd(0x8769)
    if time is not None:
        camera[0x829A] = IFDRational(time.numerator, time.denominator)
    camera[0x829D], camera[0x8827] = IFDRational(8, 1), 100
    camera[0x9003] = "2024:05:01 10:11:12"
    for tag, value in noted.items():
        camera[int(tag[1:], 16)] = value
    return block


def _eight(gain: float, **size: int) -> NDArray[np.uint8]:
    return np.rint(pixels(gain, **size) * 255).astype(np.uint8)


def _sixteen(gain: float, **size: int) -> NDArray[np.uint16]:
    return np.rint(pixels(gain, **size) * 65535).astype(np.uint16)


def _pillow(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _jpeg(gain: float, **options: Any) -> bytes:
    time = Fraction(round(gain * 64), 4096)
    return _pillow(Image.fromarray(_eight(gain)), "JPEG", exif=exif(time), **options)


def _jpeg_with_profile(gain: float) -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return _jpeg(gain, icc_profile=profile)


def _mpo(gain: float) -> bytes:
    image = Image.fromarray(_eight(gain))
    time = Fraction(round(gain * 64), 4096)
    return _pillow(image, "MPO", save_all=True, append_images=[image], exif=exif(time))


def _jpeg_in(mode: str) -> Callable[[float], bytes]:
    return lambda gain: _pillow(Image.fromarray(_eight(gain)).convert(mode), "JPEG")


def _png_in(mode: str) -> Callable[[float], bytes]:
    return lambda gain: _pillow(Image.fromarray(_eight(gain)).convert(mode), "PNG")


def _png_sixteen(gain: float) -> bytes:
    return cv2.imencode(".png", _sixteen(gain))[1].tobytes()


def _png_exif(gain: float) -> bytes:
    time = Fraction(round(gain * 64), 4096)
    return _pillow(Image.fromarray(_eight(gain)), "PNG", exif=exif(time))


def _webp(gain: float, **options: Any) -> bytes:
    time = Fraction(round(gain * 64), 4096)
    return _pillow(Image.fromarray(_eight(gain)), "WEBP", exif=exif(time), **options)


def _tiff(make: Callable[[float], NDArray[Any]], **options: Any) -> Callable[[float], bytes]:
    def write(gain: float) -> bytes:
        file = io.BytesIO()
        tifffile.imwrite(file, make(gain), **{"photometric": "rgb", **options})
        return file.getvalue()

    return write


def _tiff_pillow(mode: str, **options: Any) -> Callable[[float], bytes]:
    return lambda gain: _pillow(Image.fromarray(_eight(gain)).convert(mode), "TIFF", **options)


def _tiff_exif(gain: float) -> bytes:
    image = Image.fromarray(_eight(gain))
    return _pillow(image, "TIFF", exif=exif(Fraction(round(gain * 64), 4096)))


def _through_file(suffix: str, write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        write(path)
        return path.read_bytes()


def _exr(*, half: bool = False, grey: bool = False, tiled: bool = False, compression: Any) -> Any:
    def make(gain: float) -> bytes:
        values = (pixels(gain) * 2).astype(np.float16 if half else np.float32)
        channels = {"Y": values[..., 0]} if grey else {"RGB": values}
        head: dict[str, Any] = {
            "compression": compression,
            "type": OpenEXR.tiledimage if tiled else OpenEXR.scanlineimage,
        }
        if tiled:
            head["tiles"] = OpenEXR.TileDescription()

        def write(path: Path) -> None:
            with OpenEXR.File(head, channels) as file:
                file.write(str(path))

        return _through_file(".exr", write)

    return make


def _hdr(gain: float) -> bytes:
    return cv2.imencode(".hdr", (pixels(gain) * 2).astype(np.float32))[1].tobytes()


def _dng(gain: float) -> bytes:
    matrix = np.array([[3.134, -1.617, -0.491], [-0.979, 1.916, 0.033], [0.072, -0.229, 1.405]])
    rationals = [part for value in matrix.ravel() for part in (round(value * 1000), 1000)]
    tags: list[tuple[int, str, int, Any, bool]] = [
        (272, "s", 0, "Test 1", True),
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),
        (33434, "2I", 1, (round(gain * 64), 4096), True),
        (33437, "2I", 1, (28, 10), True),
        (34855, "H", 1, 200, True),
        (36867, "s", 20, "2024:05:01 10:11:12", True),
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),
        (50708, "s", 0, "Test 1", True),
        (50714, "H", 1, 512, True),
        (50717, "I", 1, 4095, True),
        (50721, "2i", 9, rationals, True),
        (50778, "H", 1, 21, True),
    ]
    mosaic = (512 + pixels(gain, height=40, width=60)[..., 0] * 3583).astype(np.uint16)
    file = io.BytesIO()
    tifffile.imwrite(file, mosaic, photometric=32803, extratags=tags, metadata=None, software=None)
    return file.getvalue()


def _float(gain: float) -> NDArray[np.float32]:
    return pixels(gain).astype(np.float32)


def _grey(gain: float) -> NDArray[np.uint8]:
    return _eight(gain)[..., 0]


PICTURES: dict[str, tuple[str, Callable[[float], bytes]]] = {
    "jpeg": (".jpg", _jpeg),
    "jpeg progressive": (".jpg", lambda gain: _jpeg(gain, progressive=True)),
    "jpeg profile": (".jpeg", _jpeg_with_profile),
    "jpeg grey": (".jpg", _jpeg_in("L")),
    "jpeg cmyk": (".jpg", _jpeg_in("CMYK")),
    "mpo": (".mpo", _mpo),
    "png": (".png", _png_in("RGB")),
    "png grey": (".png", _png_in("L")),
    "png alpha": (".png", _png_in("RGBA")),
    "png grey alpha": (".png", _png_in("LA")),
    "png palette": (".png", _png_in("P")),
    "png bits": (".png", _png_in("1")),
    "png 16": (".png", _png_sixteen),
    "png exif": (".png", _png_exif),
    "webp": (".webp", _webp),
    "webp lossless": (".webp", lambda gain: _webp(gain, lossless=True)),
    "tiff": (".tif", _tiff(_eight)),
    "tiff exif": (".tif", _tiff_exif),
    "tiff 16": (".tif", _tiff(_sixteen)),
    "tiff 16 big-endian": (".tif", _tiff(_sixteen, byteorder=">")),
    "tiff float": (".tiff", _tiff(_float)),
    "tiff half": (".tiff", _tiff(lambda gain: _float(gain).astype(np.float16))),
    "tiff double": (".tiff", _tiff(pixels)),
    "tiff grey": (".tif", _tiff(_grey, photometric="minisblack")),
    "tiff white is zero": (".tif", _tiff(_grey, photometric="miniswhite")),
    "tiff bits": (".tif", _tiff_pillow("1")),
    "tiff palette": (".tif", _tiff_pillow("P")),
    "tiff cmyk": (".tif", _tiff_pillow("CMYK")),
    "tiff lzw": (".tif", _tiff(_sixteen, compression="lzw", predictor=True)),
    "tiff deflate": (".tif", _tiff(_float, compression="zlib", predictor=3)),
    "tiff packbits": (".tif", _tiff(_eight, compression="packbits")),
    "tiff jpeg": (".tif", _tiff(_eight, compression="jpeg")),
    "tiff jpeg 2000": (".tif", _tiff(_eight, compression="jpeg2000")),
    "tiff webp": (".tif", _tiff(_eight, compression="webp")),
    "tiff png": (".tif", _tiff(_eight, compression="png")),
    "tiff jpeg xl": (".tif", _tiff(_eight, compression="jpegxl")),
    "tiff zstd": (".tif", _tiff(_eight, compression="zstd")),
    "tiff tiles": (".tif", _tiff(_sixteen, tile=(16, 16), compression="zlib")),
    "tiff planar": (
        ".tif",
        _tiff(lambda gain: np.moveaxis(_eight(gain), -1, 0), planarconfig="separate"),
    ),
    "tiff big": (".tif", _tiff(_eight, bigtiff=True)),
    "exr": (".exr", _exr(compression=OpenEXR.ZIP_COMPRESSION)),
    "exr half piz": (".exr", _exr(half=True, compression=OpenEXR.PIZ_COMPRESSION)),
    "exr grey": (".exr", _exr(grey=True, compression=OpenEXR.RLE_COMPRESSION)),
    "exr dwa": (".exr", _exr(half=True, compression=OpenEXR.DWAA_COMPRESSION)),
    "exr plain": (".exr", _exr(compression=OpenEXR.NO_COMPRESSION)),
    "hdr": (".hdr", _hdr),
    "dng": (".dng", _dng),
}
"""Suffix and maker (from a gain) of each kind of picture."""

GAINS = (0.25, 1.0, 4.0)


@cache
def picture(kind: str, gain: float) -> bytes:
    """One picture of a kind, as bytes."""
    return PICTURES[kind][1](gain)


def _npy(values: list[float]) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(values))
    return file.getvalue()


SIDECARS: dict[str, bytes] = {
    "exposures.npy": _npy([-2, 0, 2]),
    "exposure.txt": b"-2 0 2\n",
    "exposures.txt": b"1/60 1/15 1/4 # seconds\n",
    "input_exp.txt": b"0.004\n0.016\n0.064\n",
    "exposure_times.csv": b"name,time\na.png,0.004\nb.png,1/60\nc.png,0.064s\n",
    "image_list.txt": b"3\na.png 256 8 0 0\nb.png 64 8 0 0\nc.png 16 8 0 0\n",
    "scene_image_list.txt": b"a.png 256\nb.png 64\nc.png 16\n",
}

DOCUMENTS: dict[str, object] = {
    "bracketseg.json": {
        "version": 1,
        "roles": {"case": {"low": "a.png", "high": "c.png"}},
    },
    "bracketseg-brackets.json": {
        "version": 1,
        "brackets": [{"name": "one", "frames": ["a.png", "b.png", "c.png"], "ordered": True}],
        "left_out": [],
    },
}


def documents() -> Iterator[tuple[str, bytes]]:
    """Files of JSON that stand beside pictures."""
    for name, value in DOCUMENTS.items():
        yield name, json.dumps(value, indent=2).encode()


def real_pictures(folder: Path, *, largest: int = 3_000_000) -> list[Path]:
    """Pictures below a folder that are small enough to be changed hundreds of times."""
    found = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    suffixes = {suffix for suffix, _ in PICTURES.values()}
    return sorted(
        path
        for path in found
        if path.suffix.lower() in suffixes and 0 < path.stat().st_size <= largest
    )
