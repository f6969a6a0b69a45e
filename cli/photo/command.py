"""`./gradphoto photo …`: judge photos, compose finished ones, draw what was found."""

import contextlib
import json as jsonlib
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cv2
import rich.progress
import typer

from cli import screen
from cli.photo import crew, files, judging, page
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
#: Files of a run whose findings are told one by one on the screen; of more there is a table.
_TELL_EACH = 20
_MARKS = {"accept": "✓", "review": "?", "reject": "✗"}


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
    out: Annotated[Path | None, typer.Option(help="写入文件 · write to this file")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="进程数，0 = 每核一个 · processes, 0 = one a core")] = 0,
) -> None:
    """检查照片 · Judge photos. Exit status 1 where one is rejected or can't be judged."""
    if json and html:
        screen.fail("--json 与 --html 只能选一个 · choose one of --json and --html", 2)
    standard = _profile(profile)
    context = inspection.Context(graduates_on=graduates_on.date() if graduates_on else None)
    found = _found(paths)
    work = [judging.Job(path, profile, context, stage, thumbnail=html) for path in found]
    rows = _with_progress(work, jobs or min(os.cpu_count() or 1, len(work)))
    if json:
        rejected = _write_json(rows, standard, out)
    else:
        done = list(rows)
        rejected = sum(row.verdict == "reject" for row in done)
        if html:
            target = out or Path("photo-report.html")
            _told(target, lambda: page.write(target, done, standard))
        _tell(done)
    raise typer.Exit(1 if rejected else 0)


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
    with ProcessPoolExecutor(jobs or os.cpu_count(), multiprocessing.get_context("spawn")) as pool, bar:
        others = paths[1:] + paths[:1]
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
        _told(out, lambda: _store(out, told.encode()))
    if docs is not None:
        _told(docs, lambda: chapter.write(docs, told, standard, datetime.now(UTC).date()))


def _each(paths: list[Path], out: Path, suffix: str, make: Callable[[bytes], tuple[inspection.Report, bytes]]) -> None:
    """Make one file of each; what can't be made is told and skipped."""
    failed, taken = 0, {path.resolve() for path in paths}
    for path in paths:
        target = out / f"{path.stem}{suffix}"
        try:
            if target.resolve() in taken:
                raise FileExistsError(f"{target}: 会覆盖原片或同名文件 · it would replace an original or its namesake")
            report, data = make(files.read(path))
            _store(target, data)
        except (decoding.UnreadableImage, composition.NotComposable, OSError) as error:
            failed += 1
            screen.tell(f"✗ {path}: {error}")
            continue
        taken.add(target.resolve())
        told = " ".join((*page.VERDICTS[report.verdict], *report.reasons))
        screen.tell(f"{_MARKS[report.verdict]} {target} · {len(data) / 1024:.1f} KB · {told}")
    raise typer.Exit(1 if failed else 0)


def _store(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(target.name + ".part")
    beside.write_bytes(data)
    beside.replace(target)


def _profile(name: str) -> profiles.Profile:
    try:
        return profiles.load(name)
    except profiles.ProfileUnknown as error:
        screen.fail(str(error), 2)


def _found(paths: list[Path]) -> list[Path]:
    found = files.expand(paths)
    if not found:
        screen.fail("文件夹里没有文件 · there is no file in the folder", 2)
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


def _write_json(rows: Iterator[judging.Row], profile: profiles.Profile, out: Path | None) -> int:
    """One document, written as the rows come; how many were rejected."""
    verdicts: Counter[str] = Counter()
    try:
        with out.open("w", encoding="utf-8") if out else contextlib.nullcontext(sys.stdout) as file:
            file.write(f'{{"profile": "{profile.name}", "profile_version": "{profile.version}", "photos": [')
            for row in rows:
                file.write(",\n" if verdicts.total() else "\n")
                file.write(jsonlib.dumps(row.as_dict(), ensure_ascii=False))
                verdicts[row.verdict] += 1
            file.write(f'\n], "verdicts": {jsonlib.dumps(verdicts)}}}\n')
    except OSError as error:
        screen.fail(f"无法写入 · can't write: {error}", 2)
    return verdicts["reject"]


def _told(target: Path, act: Callable[[], None]) -> None:
    try:
        act()
    except (OSError, ValueError) as error:
        screen.fail(f"无法写入 · can't write: {error}", 2)
    screen.tell(f"报告 report: {target}")


def _tell(rows: list[judging.Row]) -> None:
    if len(rows) <= _TELL_EACH:
        for row in rows:
            _tell_one(row)
        return
    verdicts: Counter[str] = Counter(row.verdict for row in rows)
    screen.tell(" · ".join(f"{zh} {en} {verdicts[verdict]}" for verdict, (zh, en) in page.VERDICTS.items()))
    for rule_id, count in Counter(rule_id for row in rows for rule_id in row.rules).most_common():
        screen.tell(f"  {rule_id:10} {count}")


def _tell_one(row: judging.Row) -> None:
    zh, en = page.VERDICTS[row.verdict]
    screen.tell(f"{_MARKS[row.verdict]} {row.path.name} · {zh} {en}")
    if row.refusal:
        r = row.refusal
        screen.tell(f"  {r.rule_id} {r.reason_zh} · {r.reason_en}\n    → {r.advice_zh} · {r.advice_en}")
    for finding in row.report.findings if row.report else ():
        if finding.severity == "info":
            continue
        told = "" if finding.measured is None else f" [{finding.measured:g} {finding.unit}; {finding.limit}]"
        screen.tell(f"  {finding.rule_id} {finding.reason_zh} · {finding.reason_en}{told}")
        if finding.advice_zh:
            screen.tell(f"    → {finding.advice_zh} · {finding.advice_en}")
    if row.report and row.report.for_a_person:
        screen.tell(f"  人工判断 for a person: {', '.join(row.report.for_a_person)}")
