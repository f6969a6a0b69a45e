"""`./gradphoto photo …` on sound, flawed and nasty files: one row each, whatever the bytes are."""

import json
import os
import pickle
import re
from pathlib import Path

import pytest
import typer.testing

from cli.photo import command, crew, files, judging
from photospec import decoding, inspection, jpeg
from station.cameras import portraits
from tests.unit.photospec import nasty

NASTY = nasty.files()


def _run(*words: str | Path) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(command.app, [str(word) for word in words])


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sound portraits, two flawed ones, and every nasty file, some in a folder below."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "below").mkdir()
    for name, (data, _) in NASTY.items():
        (folder / "below" / name).write_bytes(data)
    for seed in (7, 8):
        (folder / f"sound-{seed}.jpg").write_bytes(portraits.draw(seed))
    for flaw in (portraits.Flaw.EYES_SHUT, portraits.Flaw.BLUE_CLOTHES):
        (folder / f"{flaw.value}.jpg").write_bytes(portraits.draw(11, flaw=flaw))
    (folder / ".hidden.jpg").write_bytes(b"")
    return folder


def test_a_folder_is_judged_by_all_cores_and_every_file_has_its_row(folder: Path) -> None:
    """In order, in processes with limits, with a refusal for what is no photo."""
    result = _run("inspect", folder, "--json", "--jobs", "2", "--out", folder.parent / "rows.json")
    assert (result.exit_code, result.stdout) == (1, "")
    document = json.loads((folder.parent / "rows.json").read_text("utf-8"))
    rows = {Path(photo["file"]).name: photo for photo in document["photos"]}
    assert set(rows) == set(NASTY) | {"sound-7.jpg", "sound-8.jpg", "eyes_shut.jpg", "blue_clothes.jpg"}
    assert {name: row["refusal"]["code"] for name, row in rows.items() if row["refusal"]} == {
        name: code for name, (_, code) in NASTY.items()
    }
    assert [rows[name]["verdict"] for name in ("sound-7.jpg", "blue_clothes.jpg", "eyes_shut.jpg")] == [
        "accept",
        "review",
        "reject",
    ]
    assert document["verdicts"] == {"accept": 2, "review": 1, "reject": len(NASTY) + 1}


def test_the_page_shows_every_file_with_picture_and_reason(folder: Path) -> None:
    """One file, Chinese first, no address of any other place."""
    out = folder.parent / "page.html"
    result = _run("inspect", folder, "--html", "--jobs", "1", "--out", out)
    assert result.exit_code == 1
    page = out.read_text("utf-8")
    assert len(re.findall('<div class="card">', page)) == len(NASTY) + 4
    assert len(re.findall("data:image/jpeg;base64,", page)) == 4
    assert "眼睛闭上" in page
    assert "the eyes are shut" in page
    assert 'src="http' not in page
    assert 'lang="zh-CN"' in page


def test_one_sound_photo_ends_well(folder: Path) -> None:
    """Exit status 0, and the rules that a person must judge are named."""
    result = _run("inspect", folder / "sound-7.jpg")
    assert result.exit_code == 0
    assert "合格" in result.stdout
    assert "H1-pitch" in result.stdout


@pytest.mark.parametrize(("path", "code"), [("/dev/zero", "not_a_file"), ("/no/such/file", "unopenable")])
def test_what_is_no_file_is_refused(path: str, code: str) -> None:
    """Devices, pipes and absent files are refused in words, never waited for."""
    with pytest.raises(decoding.UnreadableImage) as refused:
        files.read(Path(path))
    assert refused.value.code == code


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    """A file of a terabyte, most of it a hole, is refused by its size."""
    path = tmp_path / "huge.jpg"
    path.touch()
    os.truncate(path, 2**40)
    with pytest.raises(decoding.UnreadableImage, match="64 MB"):
        files.read(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe that nobody writes to ends in the refusal too."""
    os.mkfifo(tmp_path / "pipe.jpg")
    result = _run("inspect", tmp_path / "pipe.jpg")
    assert result.exit_code == 1
    assert "不是普通文件" in result.stdout


class _Deadly:
    """What ends the process that receives it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (9,)


def test_a_file_that_kills_its_process_costs_that_file_alone(folder: Path) -> None:
    """The others keep their rows and their order."""
    context = inspection.Context()
    sound = judging.Job(folder / "sound-7.jpg", "chsi-2017-99", context)
    deadly = judging.Job(_Deadly(), "chsi-2017-99", context)  # type: ignore[arg-type]
    rows = list(crew.judge_all([sound, deadly, sound], 2))
    assert [row.verdict for row in rows] == ["accept", "reject", "accept"]
    assert rows[1].refusal is not None
    assert rows[1].refusal.code == "gave_up"


def test_composing_writes_finished_photos_and_tells_what_it_could_not(folder: Path, tmp_path: Path) -> None:
    """What can be cut is cut to 480 × 640; the rest is named and ends in exit status 1."""
    result = _run("compose", folder / "sound-7.jpg", folder / "below" / "cut.jpg", "--out", tmp_path)
    assert result.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["sound-7.jpg"]
    header = jpeg.read((tmp_path / "sound-7.jpg").read_bytes())
    assert (header.width_px, header.height_px, header.density_dpi) == (480, 640, 300)


def test_composing_never_replaces_an_original(folder: Path) -> None:
    """Composing into the folder of the originals is refused file by file; nothing is changed."""
    original = folder / "sound-7.jpg"
    before = original.read_bytes()
    result = _run("compose", original, "--out", folder)
    assert result.exit_code == 1
    assert original.read_bytes() == before


def test_an_overlay_is_a_picture_of_the_whole(folder: Path, tmp_path: Path) -> None:
    """The drawing has the proportions of the original and is not the original."""
    result = _run("overlay", folder / "eyes_shut.jpg", "--out", tmp_path)
    assert result.exit_code == 0
    header = jpeg.read((tmp_path / "eyes_shut.overlay.jpg").read_bytes())
    assert header.width_px / header.height_px == pytest.approx(1600 / 2400, abs=0.01)


def test_an_unknown_profile_is_told_with_the_known_ones(folder: Path) -> None:
    """A misspelt profile is the caller's mistake: exit status 2."""
    result = _run("inspect", folder, "--profile", "chsi")
    assert result.exit_code == 2
    assert "chsi-2017-99-white" in result.stderr


def test_thousands_of_rows_share_their_words(folder: Path) -> None:
    """What comes from another process is not held anew for each file: reasons of two rows are one object."""
    job = judging.Job(folder / "sound-7.jpg", "chsi-2017-99", inspection.Context())
    one, other = (judging.shared(pickle.loads(pickle.dumps(judging.judge(job)))) for _ in range(2))
    assert one.report is not None
    assert other.report is not None
    assert one.report.findings == other.report.findings
    for mine, theirs in zip(one.report.findings, other.report.findings, strict=True):
        assert mine.reason_zh is theirs.reason_zh
        assert mine.advice_en is theirs.advice_en
