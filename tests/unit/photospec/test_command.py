"""`./gradphoto photo …` on sound, flawed and nasty files: one row each, whatever the bytes are."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.testing

from cli.photo import command, crew, files, judging
from photospec import decoding, inspection, jpeg
from station.cameras import portraits
from tests.unit.photospec import nasty

NASTY = nasty.files()


def _run(*words: str | Path) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(command.app, [str(word) for word in words])


def _data(page: str, name: str) -> Any:
    """What the page's script reads."""
    return json.loads(page.partition(f'id="{name}">')[2].partition("</script>")[0])


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
    photos = _data(page, "photos")
    assert len(photos) == len(NASTY) + 4
    assert sum(bool(photo["jpeg"]) for photo in photos) == 4
    said = {one["said"] for photo in photos for one in photo["found"]}
    assert said <= set(_data(page, "words"))
    assert "眼睛闭上" in page
    assert "the eyes are shut" in page
    assert not re.search(r'(src|href|url)\W{0,2}["(]?https?:', page)
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
    """The others keep their rows and their order, those that were still to be handed out as well."""
    context = inspection.Context()
    sound = judging.Job(folder / "sound-7.jpg", "chsi-2017-99", context)
    deadly = judging.Job(_Deadly(), "chsi-2017-99", context)  # type: ignore[arg-type]
    rows = list(crew.judge_all([sound, deadly, *[sound] * 12], 2))
    assert [row.verdict for row in rows] == ["accept", "reject", *["accept"] * 12]
    assert rows[1].refusal is not None
    assert rows[1].refusal.code == "gave_up"


def test_composing_writes_finished_photos_and_tells_what_it_could_not(folder: Path, tmp_path: Path) -> None:
    """What can be cut is cut to 480 × 640; the rest is named and ends in exit status 1."""
    result = _run("compose", folder / "sound-7.jpg", folder / "below" / "cut.jpg", "--out", tmp_path)
    assert result.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["sound-7.jpg"]
    header = jpeg.read((tmp_path / "sound-7.jpg").read_bytes())
    assert (header.width_px, header.height_px, header.densities_dpi) == (480, 640, (300, 300))


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


def test_both_reports_may_be_asked_for(folder: Path, tmp_path: Path) -> None:
    """The page and the document of one run lie side by side, and tell the same."""
    result = _run("inspect", folder / "sound-7.jpg", "--html", "--json", "--out", tmp_path / "report")
    assert result.exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "report.json"}
    document = json.loads((tmp_path / "report.json").read_text("utf-8"))
    page = _data((tmp_path / "report.html").read_text("utf-8"), "photos")
    assert [photo["verdict"] for photo in page] == [photo["verdict"] for photo in document["photos"]] == ["accept"]


def test_a_report_of_last_time_is_no_photo_and_a_photo_is_never_replaced(folder: Path, tmp_path: Path) -> None:
    """A page written into the folder is not judged by the next run; a report that would replace a photo is refused."""
    photo = tmp_path / "7.jpg"
    photo.write_bytes((folder / "sound-7.jpg").read_bytes())
    for _ in range(2):
        assert _run("inspect", tmp_path, "--html", "--out", tmp_path / "page.html").exit_code == 0
    before = photo.read_bytes()
    for words in ((tmp_path,), (photo,)):
        result = _run("inspect", *words, "--json", "--out", photo)
        assert result.exit_code == 2
        assert "会覆盖照片" in result.stderr
    assert photo.read_bytes() == before


def test_names_of_no_alphabet_are_told(tmp_path: Path) -> None:
    """Bytes that are no text, line breaks and commands to a terminal do no harm to screen, page or document."""
    for name in (b"\xff\xfe.jpg", b"a\nb.jpg", b"\x1b[2J.jpg", "</script><b>毕.jpg".replace("/", "\u2215").encode()):
        (tmp_path / os.fsdecode(name)).write_bytes(b"hello")
    at = tmp_path / "report"
    assert _run("inspect", tmp_path, "--html", "--json", "--out", at).exit_code == 1
    page = at.with_suffix(".html").read_text("utf-8")
    assert page.count("</script>") == 3
    assert "\x1b" not in page
    names = {Path(photo["file"]).name for photo in json.loads(at.with_suffix(".json").read_text("utf-8"))["photos"]}
    assert "\udcff\udcfe.jpg" in names
    told = _run("inspect", tmp_path)
    assert "\x1b" not in told.stdout
    assert "\\x0a" in told.stdout


def test_a_folder_that_can_not_be_entered_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes it for empty; links that lead round in a circle end, too."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    scan = os.scandir

    def closed(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "closed", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert [path.name for path in files.expand([tmp_path])] == ["loop.jpg", "closed"]
    assert [
        judging.judge(judging.Job(path, "chsi-2017-99", inspection.Context())).rules
        for path in files.expand([tmp_path])
    ] == [("D0",), ("D0",)]


def test_a_report_is_whole_or_not_there(tmp_path: Path) -> None:
    """What breaks off leaves neither a report nor a part of it, and the old one stays."""
    at = tmp_path / "report.json"
    at.write_text("old")
    with contextlib.suppress(KeyboardInterrupt), files.whole(at) as file:
        file.write("new")
        raise KeyboardInterrupt
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"report.json": "old"}
    with files.whole(at) as file:
        file.write("new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"report.json": "new"}


def test_a_report_is_written_as_its_name_says(folder: Path, tmp_path: Path) -> None:
    """`--out f.json` alone is a document, `f.html` a page; another name is asked about and never passed over."""
    sound = folder / "sound-7.jpg"
    assert _run("inspect", sound, "--out", tmp_path / "f.json").exit_code == 0
    assert json.loads((tmp_path / "f.json").read_text("utf-8"))["verdicts"] == {"accept": 1}
    assert _run("inspect", sound, "--out", tmp_path / "f.html").exit_code == 0
    assert "<html" in (tmp_path / "f.html").read_text("utf-8")
    unclear = _run("inspect", sound, "--out", tmp_path / "report")
    assert (unclear.exit_code, "--json" in unclear.stderr) == (2, True)
    assert {path.name for path in tmp_path.iterdir()} == {"f.json", "f.html"}


def test_a_rejected_picture_is_not_composed_unless_asked(folder: Path, tmp_path: Path) -> None:
    """Status 1 and no file; with --refused the file, and status 1 all the same."""
    shut = folder / "eyes_shut.jpg"
    result = _run("compose", shut, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "H1-eyes" in result.stdout
    assert not (tmp_path / "out").exists()
    assert _run("compose", shut, "--refused", "--out", tmp_path / "out").exit_code == 1
    assert (tmp_path / "out" / "eyes_shut.jpg").exists()
    assert _run("compose", folder / "blue_clothes.jpg", "--out", tmp_path / "out").exit_code == 0


def test_folders_of_classes_are_composed_side_by_side_and_again(folder: Path, tmp_path: Path) -> None:
    """a/7.jpg and b/7.jpg are two students; what the last run wrote is no original of the next."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "7.jpg").write_bytes((folder / "sound-7.jpg").read_bytes())
    out = tmp_path / "composed"
    for _ in range(2):
        assert _run("compose", tmp_path, "--out", out).exit_code == 0
        made = {str(path.relative_to(out)) for path in out.rglob("*.jpg")}
        assert made == {"a/7.jpg", "b/7.jpg"}
    assert files.into([tmp_path / "a", tmp_path / "b"], Path("x"), ".jpg") == [
        (tmp_path / name / "7.jpg", Path("x") / name / "7.jpg") for name in ("a", "b")
    ]


def test_a_profile_of_ones_own_is_taken_from_its_file(folder: Path, tmp_path: Path) -> None:
    """By its path; one with a mistake is told and judges nothing."""
    own = tmp_path / "ours.toml"
    own.write_text('extends = "chsi-2017-99"\n[rules.C2]\nseverity = "warn"\n')
    assert _run("inspect", folder / "blue_clothes.jpg", "--profile", own, "--json").stdout.count('"accept"') >= 1
    own.write_text('extends = "chsi-2017-99"\n[rules.C2]\nseverity = "wran"\n')
    result = _run("inspect", folder / "blue_clothes.jpg", "--profile", own)
    assert (result.exit_code, "[rules.C2] severity = 'wran'" in result.stderr) == (2, True)
    assert _run("inspect", folder / "sound-7.jpg", "--profile", tmp_path / "none.toml").exit_code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk as Linux has it")
@pytest.mark.parametrize("words", [("inspect", "sound-7.jpg"), ("inspect", "sound-7.jpg", "--json")])
def test_a_full_disk_is_told_and_no_traceback(words: tuple[str, ...], folder: Path) -> None:
    """Status 2 and one sentence."""
    told = _spoken(words, folder, "/dev/full", "utf-8")
    assert told.returncode == 2
    assert "无法写入" in told.stderr.decode()
    assert "Traceback" not in told.stderr.decode()


def test_a_screen_of_another_alphabet_is_no_error(folder: Path) -> None:
    """GBK has no ✓: an escape stands for it."""
    told = _spoken(("inspect", "sound-7.jpg"), folder, None, "gbk")
    assert (told.returncode, told.stderr) == (0, b"")
    assert "合格" in told.stdout.decode("gbk")


def _spoken(
    words: tuple[str, ...], folder: Path, into: str | None, alphabet: str
) -> subprocess.CompletedProcess[bytes]:
    run = [sys.executable, "-m", "cli", "photo", *words]
    root = Path(__file__).parents[3]
    env = {**os.environ, "PYTHONIOENCODING": alphabet, "PYTHONPATH": f"{root}{os.pathsep}{root / 'contracts'}"}
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(Path(into).open("wb")) if into else subprocess.PIPE
        return subprocess.run(run, cwd=folder, env=env, stdout=out, stderr=subprocess.PIPE, check=False)
