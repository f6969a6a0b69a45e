"""`./gradphoto photo …`: judge photos, compose finished ones, draw what was found."""

import contextlib
import dataclasses
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import rich.progress
import typer

from cli import screen
from cli.photo import crew, files, judging, page, telling
from photospec import decoding, inspection, profiles

app = typer.Typer(no_args_is_help=True, help="照片标准 · The photo standard.")

Paths = Annotated[list[Path], typer.Argument(help="照片或文件夹 · pictures or folders", show_default=False)]
ProfileName = Annotated[
    str,
    typer.Option(
        "--profile",
        help="照片标准，或自己的 .toml 文件 · " + ", ".join(profiles.names()) + "; or a .toml file of your own",
    ),
]
Jobs = Annotated[int, typer.Option(min=0, help="进程数，0 = 每核一个 · processes, 0 = one a core")]
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


@app.callback()
def _speak() -> None:
    """照片标准 · The photo standard."""
    # A screen or a pipe of another alphabet (GBK) lacks some signs, and a file's name may be none at all.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


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
    jobs: Jobs = 0,
) -> None:
    """检查照片 · Judge photos. Exit status 1 where one is rejected or can't be judged."""
    standard = _profile(profile)
    context = inspection.Context(graduates_on=graduates_on.date() if graduates_on else None)
    json, html = _kinds(out, json=json, html=html)
    page_at = (out.with_suffix(".html") if json else out) if html and out else _PAGE if html else None
    json_at = (out.with_suffix(".json") if html else out) if json and out else None
    written = [target for target in (page_at, json_at) if target is not None]
    found = _without(_found(paths), paths, written)
    work = [judging.Job(path, profile, context, stage, "thumbnail" if html else "nothing") for path in found]
    tally = telling.Tally()
    try:
        with _reports(standard, page_at, files.common(found), json=json, json_at=json_at) as reports:
            for row in _with_progress(work, jobs or min(crew.cores(), len(work))):
                for report in reports:
                    report.add(row)
                tally.add(row)
    except OSError as error:
        _unheard(error)
    except KeyboardInterrupt:
        done = tally.verdicts.total()
        screen.fail(
            f"已中止：检查了 {done} / {len(work)} 张，没有写报告 · stopped after {done} of {len(work)} files; "
            "no report was written",
            _STOPPED,
        )
    for target in written:
        screen.errors.print(f"报告 report: {files.shown(target)}", markup=False, soft_wrap=True)
    with _heard():
        if not json:
            tally.tell()
    raise typer.Exit(1 if tally.verdicts["reject"] else 0)


@contextlib.contextmanager
def _heard() -> Iterator[None]:
    """What is told is told whole, or the command ends with status 2."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        _unheard(error)


def _unheard(error: OSError) -> NoReturn:
    try:
        sys.stdout.flush()
    except OSError:  # a full disk or a closed pipe: else it would be told once more at the end, as a traceback
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    screen.fail(f"无法写入 · can't write: {error}", 2)


def _kinds(out: Path | None, *, json: bool, html: bool) -> tuple[bool, bool]:
    """What is to be written to a file that was named without saying what: its suffix tells."""
    if out is None or json or html:
        return json, html
    if out.suffix not in (".json", ".html"):
        screen.fail(f"{files.shown(out)}: 请加 --json 或 --html · say --json or --html, or name it .json or .html", 2)
    return out.suffix == ".json", out.suffix == ".html"


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
            asked.append(telling.Document(sys.stdout, profile))
        yield asked
        for report in asked:
            report.end()


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
    refused: Annotated[
        bool, typer.Option("--refused", help="不合格的也裁切 · compose rejected pictures as well")
    ] = False,
    jobs: Jobs = 0,
) -> None:
    """裁切成标准照 · Crop and scale to finished photos, nothing else.

    Exit status 1 where one is rejected or can't be composed.
    """
    _each(
        paths, out, ".jpg", judging.Job(Path(), profile, inspection.Context(), make="finished", refused=refused), jobs
    )


@app.command(name="overlay")
def draw(
    paths: Paths,
    out: Annotated[Path, typer.Option(help="写入文件夹 · write into this folder")] = Path("overlays"),
    profile: ProfileName = profiles.DEFAULT,
    jobs: Jobs = 0,
) -> None:
    """画出检查结果 · Draw what was found over the pictures: crop, permitted bands, crown, eyes, face."""
    _each(paths, out, ".overlay.jpg", judging.Job(Path(), profile, inspection.Context(), make="overlay"), jobs)


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
    if profile not in profiles.names():
        screen.fail("测量只用自带的照片标准 · only a profile that comes with the library is measured by", 2)
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


def _each(paths: list[Path], out: Path, suffix: str, like: judging.Job, jobs: int) -> None:
    """Make one file of each; what can't be made is told and skipped."""
    _profile(like.profile)
    pairs = files.into(paths, out, suffix)
    if not pairs:
        screen.fail(_NO_FILE, 2)
    work = [dataclasses.replace(like, path=path) for path, _ in pairs]
    taken = {os.path.realpath(path) for path, _ in pairs}
    failed = done = 0
    try:
        rows = _with_progress(work, jobs or min(crew.cores(), len(work)))
        for (_, target), row in zip(pairs, rows, strict=True):
            with _heard():
                failed += not _made(row, target, taken)
            done += 1
    except KeyboardInterrupt:
        screen.fail(f"已中止：{done} / {len(work)} 张 · stopped after {done} of {len(work)} files", _STOPPED)
    raise typer.Exit(1 if failed else 0)


def _made(row: judging.Row, target: Path, taken: set[str]) -> bool:
    """Put it in its place and say so; whether nothing is amiss."""
    try:
        if row.refusal is not None:
            raise decoding.UnreadableImage(row.refusal.code)
        if not row.made:
            raise ValueError(row.note)
        if os.path.realpath(target) in taken:
            raise FileExistsError(
                f"{files.shown(target)}: 会覆盖原片或同名文件 · it would replace an original or its namesake"
            )
        files.store(target, row.made)
    except (OSError, ValueError) as error:
        rules = "".join(f" {rule_id}" for rule_id in row.rules)
        screen.tell(f"{telling.MARKS['reject']} {files.shown(row.path)}:{rules} {error}")
        return False
    taken.add(os.path.realpath(target))
    told = " ".join((*page.VERDICTS[row.verdict], *row.rules, row.note)).rstrip()
    screen.tell(f"{telling.MARKS[row.verdict]} {files.shown(target)} · {len(row.made) / 1024:.1f} KB · {told}")
    return row.verdict != "reject" or target.name.endswith(".overlay.jpg")


def _profile(name: str) -> profiles.Profile:
    judging.standard.cache_clear()  # a file may have been mended since
    try:
        return judging.standard(name)
    except (profiles.ProfileUnknown, profiles.ProfileBroken) as error:
        screen.fail(str(error), 2)
    except OSError as error:
        screen.fail(f"{name}: 无法打开 · can't be opened: {error.strerror}", 2)


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
