"""`./gradphoto photo …`: judge photos, compose finished ones, draw what was found."""

import contextlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import cv2
import rich.progress
import typer

from cli import screen
from cli.photo import crew, files, judging, page, telling
from photospec import composition, decoding, inspection, overlay, profiles

app = typer.Typer(no_args_is_help=True, help="照片标准 · The photo standard.")

Paths = Annotated[list[Path], typer.Argument(help="照片或文件夹 · pictures or folders", show_default=False)]
ProfileName = Annotated[str, typer.Option("--profile", help="照片标准 · " + ", ".join(profiles.names()))]
Stage = Annotated[
    profiles.Stage | None, typer.Option(help="capture | finished；默认按尺寸判断 · by default told from the size")
]
Graduates = Annotated[
    datetime | None,
    typer.Option("--graduates-on", formats=["%Y-%m-%d"], help="毕业日期，判断照片时效 · to judge a photo's age"),
]
#: Where the page goes unless told otherwise.
_PAGE = Path("photo-report.html")
_STOPPED = 130
_NO_FILE = "文件夹里没有文件 · there is no file in the folder"


@app.command()
def inspect(
    paths: Paths,
    profile: ProfileName = profiles.DEFAULT,
    stage: Stage = None,
    graduates_on: Graduates = None,
    json: Annotated[bool, typer.Option("--json", help="JSON 输出 · to standard output, or --out")] = False,
    html: Annotated[
        bool, typer.Option("--html", help="带图报告 · a page with pictures, photo-report.html or --out")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="写入文件；两种报告都要时各取 .html、.json · write to this file; for both kinds, .html and .json"
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="进程数，0 = 每核一个 · processes, 0 = one a core")] = 0,
) -> None:
    """检查照片 · Judge photos. Exit status 1 where one is rejected or can't be judged."""
    standard = _profile(profile)
    context = inspection.Context(graduates_on=graduates_on.date() if graduates_on else None)
    page_at = (out.with_suffix(".html") if json else out) if html and out else _PAGE if html else None
    json_at = (out.with_suffix(".json") if html else out) if json and out else None
    written = [target for target in (page_at, json_at) if target is not None]
    found = _without(_found(paths), paths, written)
    work = [judging.Job(path, profile, context, stage, thumbnail=html) for path in found]
    tally = telling.Tally()
    try:
        with _reports(standard, page_at, files.common(found), json=json, json_at=json_at) as reports:
            for row in _with_progress(work, jobs or min(crew.cores(), len(work))):
                for report in reports:
                    report.add(row)
                tally.add(row)
    except OSError as error:
        screen.fail(f"无法写入 · can't write: {error}", 2)
    except KeyboardInterrupt:
        done = tally.verdicts.total()
        screen.fail(
            f"已中止：检查了 {done} / {len(work)} 张，没有写报告 · stopped after {done} of {len(work)} files; "
            "no report was written",
            _STOPPED,
        )
    for target in written:
        screen.errors.print(f"报告 report: {files.shown(target)}", markup=False, soft_wrap=True)
    if not json:
        tally.tell()
    raise typer.Exit(1 if tally.verdicts["reject"] else 0)


@contextlib.contextmanager
def _reports(
    profile: profiles.Profile, page_at: Path | None, below: Path, *, json: bool, json_at: Path | None
) -> Iterator[list[page.Page | telling.Document]]:
    """What is asked for, each ended and in its place once all rows are in it."""
    with contextlib.ExitStack() as stack:
        asked: list[page.Page | telling.Document] = []
        if page_at is not None:
            asked.append(page.Page(stack.enter_context(files.whole(page_at)), profile, below))
        if json_at is not None:
            asked.append(telling.Document(stack.enter_context(files.whole(json_at)), profile))
        elif json:
            asked.append(telling.Document(_stdout(), profile))
        yield asked
        for report in asked:
            report.end()


def _stdout() -> TextIO:
    """Any file's name can be written to it, as JSON's own escapes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return sys.stdout


def _without(found: list[Path], named: list[Path], written: list[Path]) -> list[Path]:
    """A report of last time that lies in the folder is no photo; a photo is never replaced by a report."""
    targets = {os.path.realpath(path) for path in written}
    taken = [path for path in found if os.path.realpath(path) in targets]
    if any(path in named or path.suffix not in (".html", ".json") for path in taken):
        screen.fail(f"报告会覆盖照片 · the report would replace a photo: {files.shown(taken[0])}", 2)
    left = [path for path in found if path not in taken]
    if not left:
        screen.fail(_NO_FILE, 2)
    return left


@app.command()
def compose(
    paths: Paths,
    out: Annotated[Path, typer.Option(help="写入文件夹 · write into this folder")] = Path("composed"),
    profile: ProfileName = profiles.DEFAULT,
) -> None:
    """裁切成标准照 · Crop and scale to finished photos, nothing else. Exit status 1 where one can't be composed."""
    standard = _profile(profile)

    def finished(data: bytes) -> tuple[inspection.Report, bytes]:
        report = inspection.inspect(data, standard)
        return report, composition.compose(data, standard, report)

    _each(_found(paths), out, ".jpg", finished)


@app.command(name="overlay")
def draw(
    paths: Paths,
    out: Annotated[Path, typer.Option(help="写入文件夹 · write into this folder")] = Path("overlays"),
    profile: ProfileName = profiles.DEFAULT,
) -> None:
    """画出检查结果 · Draw what was found over the pictures: crop, permitted bands, crown, eyes, face."""
    standard = _profile(profile)

    def drawn(data: bytes) -> tuple[inspection.Report, bytes]:
        examined = inspection.examine(data, standard)
        pixels = overlay.draw(examined.picture, examined.report, standard)
        return examined.report, cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()

    _each(_found(paths), out, ".overlay.jpg", drawn)


@app.command()
def measure(
    faces: Annotated[Path, typer.Option(help="真实肖像文件夹 · a folder of real portraits before a plain backdrop")],
    profile: ProfileName = profiles.DEFAULT,
    out: Annotated[Path | None, typer.Option(help="写入 Markdown · write the tables to this file")] = None,
    docs: Annotated[
        Path | None, typer.Option(help="写入文档的标记之间 · write them between the marks of this page")
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="进程数 · processes, 0 = one a core")] = 0,
) -> None:
    """测量误拒与漏检 · Put real portraits before the standard's backdrop, spoil them, and count what the rules miss.

    Portraits are read in place; nothing that is made of them is kept.
    """
    from cli.photo import chapter, rates, studio, trial

    standard = _profile(profile)
    paths = studio.portraits(faces) if faces.is_dir() else []
    if not paths:
        screen.fail(f"{faces} 里没有肖像 · there is no portrait in {faces}", 2)
    trials: list[trial.Trial] = []
    left_out = []
    bar = rich.progress.Progress(console=screen.errors)
    with crew.pool(jobs or crew.cores()) as pool, bar:
        others = paths[1:] + paths[:1]
        with crew.one_thread_each():
            under_way = [pool.submit(trial.run, *pair, profile) for pair in zip(paths, others, strict=True)]
        for path, future in bar.track(zip(paths, under_way, strict=True), total=len(paths), description="测量"):
            trials += future.result()
            left_out += [] if future.result() else [path.name]
    if not trials:
        screen.fail("没有一张可以抠出人像 · no portrait could be cut out of its backdrop", 2)
    told = rates.tables(trials, standard)
    if left_out:
        told += f"\nLeft out, having no face or no plain backdrop: {', '.join(left_out)}\n"
    screen.tell(told)
    if out is not None:
        _told(out, lambda: files.store(out, told.encode()))
    if docs is not None:
        _told(docs, lambda: chapter.write(docs, told, standard, datetime.now(UTC).date()))


def _each(paths: list[Path], out: Path, suffix: str, make: Callable[[bytes], tuple[inspection.Report, bytes]]) -> None:
    """Make one file of each; what can't be made is told and skipped."""
    failed, taken = 0, {os.path.realpath(path) for path in paths}
    for path in paths:
        target = out / f"{path.stem}{suffix}"
        try:
            if os.path.realpath(target) in taken:
                raise FileExistsError(
                    f"{files.shown(target)}: 会覆盖原片或同名文件 · it would replace an original or its namesake"
                )
            report, data = make(files.read(path))
            files.store(target, data)
        except (decoding.UnreadableImage, composition.NotComposable, OSError) as error:
            failed += 1
            screen.tell(f"✗ {files.shown(path)}: {error}")
            continue
        taken.add(os.path.realpath(target))
        told = " ".join((*page.VERDICTS[report.verdict], *report.reasons))
        screen.tell(f"{telling.MARKS[report.verdict]} {files.shown(target)} · {len(data) / 1024:.1f} KB · {told}")
    raise typer.Exit(1 if failed else 0)


def _profile(name: str) -> profiles.Profile:
    try:
        return profiles.load(name)
    except profiles.ProfileUnknown as error:
        screen.fail(str(error), 2)


def _found(paths: list[Path]) -> list[Path]:
    found = files.expand(paths)
    if not found:
        screen.fail(_NO_FILE, 2)
    return found


def _with_progress(work: list[judging.Job], processes: int) -> Iterator[judging.Row]:
    """Rows as they come; a bar on stderr where there is somebody to look at it."""
    bar = rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TextColumn("{task.fields[rate]:.1f} 张/s"),
        rich.progress.TimeRemainingColumn(),
        console=screen.errors,
        disable=len(work) < 2,
    )
    with bar:
        task = bar.add_task("检查 inspecting", total=len(work), rate=0.0)
        began = time.perf_counter()
        for count, row in enumerate(crew.judge_all(work, processes), 1):
            bar.update(task, advance=1, rate=count / (time.perf_counter() - began))
            yield row


def _told(target: Path, act: Callable[[], None]) -> None:
    try:
        act()
    except (OSError, ValueError) as error:
        screen.fail(f"无法写入 · can't write: {error}", 2)
    screen.tell(f"报告 report: {files.shown(target)}")
