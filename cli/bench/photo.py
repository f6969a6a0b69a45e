"""A photo's verdict at 24 megapixels beside what decoding alone costs; each stage; and how it scales over processes."""

import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from cli.bench.figures import Figure
from photospec import composition, decoding, inspection, profiles
from station.cameras import portraits

_WIDTH_PX, _HEIGHT_PX = 4000, 6000
#: A drawn portrait is smoother than a photograph; so much grain makes it as hard to decode as a real file of 5 MB.
_GRAIN, _QUALITY = 3.5, 92
_PICTURES, _TURNS, _EACH = 3, 7, 12


def measure(folder: Path, console: Console) -> list[Figure]:
    """One thread a process, without face comparison; all acts in turns, so that a busy machine slows all alike."""
    cv2.setNumThreads(1)
    pictures = [_capture(seed) for seed in range(_PICTURES)]
    profile = profiles.load()
    stages: dict[str, list[float]] = {}

    def judge(data: bytes) -> None:
        report = inspection.inspect(data, profile)
        for stage, elapsed in report.elapsed_ms.items():
            stages.setdefault(stage, []).append(elapsed)

    acts: dict[str, Callable[[bytes], object]] = {
        "floor": lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8),
        "full": lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR),
        "verdict": judge,
    }
    times = _in_turns(acts, pictures)
    compose = _in_turns({"compose": _composer(pictures, profile)}, pictures)
    _show(times | compose, stages, [len(data) for data in pictures], console)
    rates = {processes: _rate(folder, pictures, processes) for processes in (1, 2)}
    return _figures(times, rates)


def _in_turns(acts: dict[str, Callable[[bytes], object]], pictures: list[bytes]) -> dict[str, float]:
    """Median milliseconds of each act."""
    found: dict[str, list[float]] = {name: [] for name in acts}
    for turn in range(_TURNS + 1):
        for data in pictures:
            for name, act in acts.items():
                began = time.perf_counter()
                act(data)
                if turn:  # the first loads the models
                    found[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(values) for name, values in found.items()}


def _capture(seed: int) -> bytes:
    """24 megapixels, upright, 4:2:2 as cameras write it."""
    drawn = portraits.draw(seed, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
    pixels = decoding.decode(drawn, decoding.check(drawn), 1).pixels
    grain = np.random.default_rng(seed).normal(0, _GRAIN, (_HEIGHT_PX, _WIDTH_PX, 1)).astype(np.float32)
    grainy = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    settings = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR]
    return cv2.imencode(".jpg", grainy, [*settings, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422])[1].tobytes()


def _composer(pictures: list[bytes], profile: profiles.Profile) -> Callable[[bytes], object]:
    reports = {data: inspection.inspect(data, profile) for data in pictures}
    return lambda data: composition.compose(data, profile, reports[data])


def _show(times: dict[str, float], stages: dict[str, list[float]], sizes: list[int], console: Console) -> None:
    megabytes = statistics.fmean(sizes) / 1e6
    title = f"24 MP JPEG（{megabytes:.1f} MB），单线程，毫秒 · one thread, milliseconds"
    table = Table(title=title, title_justify="left")
    for heading in ("步骤 stage", "ms", "× 下限 floor", "× 全解码 full decode"):
        table.add_column(heading)
    rows = [
        ("下限：熵解码（灰度 1/8） entropy-decoding floor, grey 1/8", times["floor"]),
        ("cv2 全尺寸解码 cv2 decodes it fully", times["full"]),
        *((f"　{stage}", statistics.median(values)) for stage, values in stages.items() if stage != "finer"),
        (f"　finer（{len(stages.get('finer', []))} 次 times）", statistics.median(stages.get("finer", [0.0]))),
        ("判定 verdict, all of it", times["verdict"]),
        ("合成成品 compose, given the report", times["compose"]),
    ]
    for name, elapsed in rows:
        table.add_row(name, f"{elapsed:.1f}", f"{elapsed / times['floor']:.2f}", f"{elapsed / times['full']:.2f}")
    console.print(table)


def _figures(times: dict[str, float], rates: dict[int, float]) -> list[Figure]:
    verdicts = 1000 / times["verdict"]
    full, floor = 1000 / times["full"], 1000 / times["floor"]
    return [
        Figure("verdict, 24 MP", "判定", "images/s", verdicts, full, "cv2 全尺寸解码 cv2 decodes it fully", 1.0),
        Figure("verdict, 24 MP", "判定", "images/s", verdicts, floor, "熵解码 entropy decoding, grey 1/8", 0.5),
        Figure("two processes", "两个进程", "images/s", rates[2], 2 * rates[1], "单进程的两倍 twice one process", 0.9),
    ]


def _rate(folder: Path, pictures: list[bytes], processes: int) -> float:
    """Images a second through so many processes, each with its models loaded."""
    paths = [folder / f"{number}.jpg" for number in range(len(pictures))]
    for path, data in zip(paths, pictures, strict=True):
        path.write_bytes(data)
    work = [paths[number % len(paths)] for number in range(_EACH * processes)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context) as pool:
        # Two rounds to warm up: the first process to start may take both pictures of the first.
        for _ in range(2):
            list(pool.map(_judge, paths * processes))
        began = time.perf_counter()
        list(pool.map(_judge, work))
        return len(work) / (time.perf_counter() - began)


def _judge(path: Path) -> str:
    cv2.setNumThreads(1)
    return inspection.inspect(path.read_bytes(), profiles.load()).verdict
