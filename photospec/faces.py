"""Faces in a picture: YuNet finds them, the face mesh measures the greatest one, blendshapes judge eyes and lips.

The nets are not safe to share between threads, so each thread builds its own once (some 15 ms); the weights are read
once a process. How many cores OpenCV may use (`cv2.setNumThreads`) is the caller's choice.
"""

import math
import threading
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import decoding, weights

Points = NDArray[np.float64]

#: YuNet's own score from which a face counts. Real portraits score .91 to .95, drawn ones .85 and more.
MIN_SCORE = 0.6
#: A second face counts from this share of the greatest one's width: people behind the student, not patterns on cloth.
MIN_SHARE = 0.2
#: A multiple of 32, to which YuNet fills up; at 240 it costs twice as much and finds the same faces.
_DETECTION_SIDE_PX = 192
#: Side of the mesh's square over YuNet's longer box side: 1.5 x the mesh's own extent on 40 portraits is 1.3 to 1.5.
_MESH_MARGIN = 1.4
_MESH_SIDE_PX = 256
#: The points that the blendshapes net reads (kLandmarksSubsetIdxs of MediaPipe's face_blendshapes_graph.cc).
_BLENDSHAPE_POINTS = [
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251,
    263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318,
    321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386,
    387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
]  # fmt: skip
_BLINK_LEFT, _BLINK_RIGHT = 9, 10
#: Outer corner, inner corner, then upper and lower lid twice.
_EYES = ((33, 133, 160, 144, 158, 153), (263, 362, 387, 373, 385, 380))
_IRISES = (468, 473)
_CHEEKS = (234, 454)
_CHIN, _FOREHEAD = 152, 10
_INNER_LIPS, _LIP_CORNERS = (13, 14), (78, 308)

_nets = threading.local()


@dataclass(frozen=True)
class Face:
    """The greatest face. Lengths and positions in pixels of the picture given; left and right as the viewer sees.

    `points` is (478, 2) float64; `marks` (5, 2): eyes, nose and corners of the mouth as the detector saw them.
    `eye_openness` is the smaller eye's lid distance over its width; `blink`: 0 open … 1
    shut; `lip_gap`: the inner lips' distance over their width; angles in degrees, 0 upright and frontal.
    """

    score: float
    box: tuple[float, float, float, float]
    points: Points
    marks: Points
    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    width_px: float
    centre_x: float
    chin_y: float
    forehead_y: float
    roll_deg: float
    yaw_deg: float
    blink: float
    eye_openness: float
    lip_gap: float

    @property
    def eyes_y(self) -> float:
        return (self.left_eye[1] + self.right_eye[1]) / 2


@dataclass(frozen=True)
class Found:
    """The greatest face of the picture, and where the others are: (n, 4) x, y, width, height in its pixels."""

    face: Face | None
    others: Points

    @property
    def count(self) -> int:
        """How many faces there are."""
        return len(self.others) + (self.face is not None)


def prepare() -> None:
    """Build this thread's nets now, so that its first picture waits no longer than the others."""
    for build in (_detector, _mesh, _blendshapes):
        build()


def find(pixels: decoding.Pixels) -> Found:
    """Find the faces in (H, W, 3) uint8 BGR pixels and measure the greatest."""
    boxes = _detect(pixels)
    if not len(boxes):
        return Found(None, np.zeros((0, 4)))
    first = int(boxes[:, 2].argmax())
    others = np.delete(boxes, first, axis=0)[:, :4]
    return Found(_measure(pixels, boxes[first]), others[others[:, 2] >= MIN_SHARE * boxes[first, 2]])


def _detect(pixels: decoding.Pixels) -> Points:
    """(n, 15) float64: x, y, w, h, five points, score, in pixels of the picture given."""
    scale = min(1.0, _DETECTION_SIDE_PX / min(pixels.shape[:2]))
    small = decoding.shrunk(pixels, scale)
    detector = _detector()
    detector.setInputSize((small.shape[1], small.shape[0]))
    _, rows = detector.detect(small)
    found = np.zeros((0, 15)) if rows is None else np.asarray(rows, np.float64)
    found[:, :14] /= scale
    return found


def _measure(pixels: decoding.Pixels, row: Points) -> Face:
    transform = _to_mesh(row)
    square = cv2.warpAffine(
        pixels, transform, (_MESH_SIDE_PX, _MESH_SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    net = _mesh()
    net.setInput(cv2.dnn.blobFromImage(square, 1 / 255, swapRB=True))
    mesh = np.asarray(net.forward("Identity"), np.float64).reshape(478, 3)
    back = cv2.invertAffineTransform(transform)
    points = mesh[:, :2] @ back[:, :2].T + back[:, 2]
    return _face(row, points, _yaw(mesh))


def _to_mesh(row: Points) -> Points:
    """The similarity that brings the face upright into the mesh's square."""
    x, y, width, height = row[:4]
    angle = math.atan2(row[7] - row[5], row[6] - row[4])
    factor = _MESH_SIDE_PX / (max(width, height) * _MESH_MARGIN)
    turn = factor * np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    shift = _MESH_SIDE_PX / 2 - turn @ np.array([x + width / 2, y + height / 2])
    return np.column_stack([turn, shift])


def _face(row: Points, points: Points, yaw_deg: float) -> Face:
    left, right = points[_IRISES[0]], points[_IRISES[1]]
    cheeks = points[list(_CHEEKS)]
    return Face(
        score=float(row[14]),
        box=(float(row[0]), float(row[1]), float(row[2]), float(row[3])),
        points=points,
        marks=row[4:14].reshape(5, 2),
        left_eye=(float(left[0]), float(left[1])),
        right_eye=(float(right[0]), float(right[1])),
        width_px=_distance(points, *_CHEEKS),
        centre_x=float((cheeks[:, 0].mean() + left[0] / 2 + right[0] / 2) / 2),
        chin_y=float(points[_CHIN, 1]),
        forehead_y=float(points[_FOREHEAD, 1]),
        roll_deg=math.degrees(math.atan2(right[1] - left[1], right[0] - left[0])),
        yaw_deg=yaw_deg,
        blink=_blink(points),
        eye_openness=min(_openness(points, eye) for eye in _EYES),
        lip_gap=_distance(points, *_INNER_LIPS) / max(_distance(points, *_LIP_CORNERS), 1e-6),
    )


def _yaw(mesh: Points) -> float:
    """Degrees that the head is turned, from the depth of cheeks and outer eye corners."""
    angles = [math.atan2(mesh[b, 2] - mesh[a, 2], mesh[b, 0] - mesh[a, 0]) for a, b in ((33, 263), _CHEEKS)]
    return math.degrees(sum(angles) / len(angles))


def _blink(points: Points) -> float:
    net = _blendshapes()
    net.setInput(points[_BLENDSHAPE_POINTS].astype(np.float32).reshape(1, 146, 2))
    scores = np.asarray(net.forward()).ravel()
    return float(max(scores[_BLINK_LEFT], scores[_BLINK_RIGHT]))


def _openness(points: Points, eye: tuple[int, ...]) -> float:
    outer, inner, upper_a, lower_a, upper_b, lower_b = eye
    lids = _distance(points, upper_a, lower_a) + _distance(points, upper_b, lower_b)
    return lids / max(2 * _distance(points, outer, inner), 1e-6)


def _distance(points: Points, a: int, b: int) -> float:
    return float(np.hypot(*(points[a] - points[b])))


def _detector() -> Any:
    if not hasattr(_nets, "detector"):
        _nets.detector = cv2.FaceDetectorYN.create(
            "onnx", np.frombuffer(weights.yunet(), np.uint8), np.empty(0, np.uint8), (32, 32), MIN_SCORE, 0.3, 50
        )
    return _nets.detector


def _mesh() -> cv2.dnn.Net:
    if not hasattr(_nets, "mesh"):
        _nets.mesh = cv2.dnn.readNetFromTFLite(np.frombuffer(weights.mesh(), np.uint8))
    return cast(cv2.dnn.Net, _nets.mesh)


def _blendshapes() -> cv2.dnn.Net:
    if not hasattr(_nets, "blendshapes"):
        _nets.blendshapes = cv2.dnn.readNetFromTFLite(np.frombuffer(weights.blendshapes(), np.uint8))
    return cast(cv2.dnn.Net, _nets.blendshapes)
