"""How alike two faces are: the cosine of SFace's vectors.

Nothing here is called by inspection. Whoever compares must have the consent of both; what is remembered of a face stays
in the memory of the process, can't be written to a file by mistake, and is gone with the object.
"""

import threading
from typing import Any, NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import decoding, faces, weights

#: Shorter side of the picture that is compared: a face of a quarter of it fills SFace's square of 112 pixels.
_SIDE_PX = 500

_nets = threading.local()


class Remembered:
    """A face as SFace sees it: 128 numbers of unit length. It shows nothing of them and refuses to be stored."""

    __slots__ = ("_vector",)

    def __init__(self, vector: NDArray[np.float32]) -> None:
        self._vector = vector / max(float(np.linalg.norm(vector)), 1e-9)

    def cosine(self, other: "Remembered") -> float:
        """Likeness, -1 to 1. Of one person on one day some .8, of two people under .5 (docs/photo-standard.md)."""
        return float(self._vector @ other._vector)

    def forget(self) -> None:
        """Overwrite the numbers: what still refers to them knows nobody."""
        self._vector = np.zeros_like(self._vector)

    def __repr__(self) -> str:
        return "<a face>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a face is not stored")


def remember(jpeg: bytes) -> Remembered | None:
    """The greatest face of a picture; None where there is none. Raises: decoding.UnreadableImage."""
    header = decoding.check(jpeg)
    side = min(decoding.upright_size(header))
    pixels = decoding.decode(jpeg, header, decoding.reduction_for(side, _SIDE_PX)).pixels
    face = faces.find(pixels).face
    return None if face is None else of(pixels, face)


def of(pixels: decoding.Pixels, face: faces.Face) -> Remembered:
    """A face that was found in these pixels."""
    row = np.concatenate([face.box, face.marks.ravel(), [face.score]]).astype(np.float32)
    net = _recognizer()
    return Remembered(np.array(net.feature(net.alignCrop(pixels, row)), np.float32).ravel())


def _recognizer() -> Any:
    if not hasattr(_nets, "recognizer"):
        _nets.recognizer = cv2.FaceRecognizerSF.create(
            "onnx", np.frombuffer(weights.sface(), np.uint8), np.empty(0, np.uint8)
        )
    return _nets.recognizer
