"""A photo's verdict at 24 megapixels beside what decoding alone costs; each stage; and how it scales over processes.

One thread is measured by the processor time that it took: that is the clock's time on a quiet machine, and does not
lengthen on a busy one. What several processes do together is measured by the clock.
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from cli.bench.figures import Figure
from cli.photo import crew
from photospec import composition, decoding, inspection, likeness, profiles
from station.cameras import portraits

#: As a camera stands: upright, or lying with the same head in the middle of a wide picture.
_SIZES = {"upright": (4000, 6000), "landscape": (6000, 4000), "soft": (4000, 6000)}
_NAMES = {"upright": "竖拍 upright", "landscape": "横拍 landscape", "soft": "竖拍、略虚 soft"}
#: Sigma in source pixels: some 1.3 of the finished photo's. Sharpness is in doubt and is looked at once more, finer.
_SOFT = 7.0
#: A drawn portrait is smoother than a photograph; so much grain makes it as hard to decode as a real file of 5 MB.
_GRAIN, _QUALITY = 3.5, 92
_PICTURES, _TURNS = 3, 7
#: Files a process and turn: one more or less at the end of a turn is then hardly a hundredth of it.
_EACH, _RATE_TURNS = 40, 3


@dataclass
class _Times:
    """Median processor milliseconds by act, and by stage of the verdict."""

    acts: dict[str, float]
    stages: dict[str, list[float]] = field(default_factory=dict)


def measure(folder: Path, console: Console) -> list[Figure]:
    """One thread a process; all acts in turns, so that a busy machine slows all alike."""
    cv2.setNumThreads(1)
    profile = profiles.load()
    found: list[Figure] = []
    captures = {
        way: [_capture(seed, *size, sigma=_SOFT if way == "soft" else 0) for seed in range(_PICTURES)]
        for way, size in _SIZES.items()
    }
    for way, pictures in captures.items():
        times = _times(pictures, profile)
        _show(way, times, [len(data) for data in pictures], console)
        found += _figures(way, times)
    rates = _rates(folder, captures["upright"])
    _show_rates(rates, console)
    name, zh, floor_is = "two processes", "两个进程", "单进程的两倍 twice one process"
    found.append(Figure(name, zh, "images/s", rates[2].images_s, 2 * rates[1].images_s, floor_is, 0.9))
    return found


def _times(pictures: list[bytes], profile: profiles.Profile) -> _Times:
    stages: dict[str, list[float]] = {}
    reports = {data: inspection.inspect(data, profile) for data in pictures}

    def judge(data: bytes) -> None:
        report = inspection.inspect(data, profile)
        for stage, elapsed in report.elapsed_ms.items():
            stages.setdefault(stage, []).append(elapsed)

    acts: dict[str, Callable[[bytes], object]] = {
        "floor": lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8),
        "full": lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR),
        "verdict": judge,
        "compose": lambda data: composition.compose(data, profile, reports[data]),
        "remember": likeness.remember,
    }
    return _Times(_in_turns(acts, pictures), stages)


def _in_turns(acts: dict[str, Callable[[bytes], object]], pictures: list[bytes]) -> dict[str, float]:
    """Median processor milliseconds of each act."""
    found: dict[str, list[float]] = {name: [] for name in acts}
    for turn in range(_TURNS + 1):
        for data in pictures:
            for name, act in acts.items():
                began = time.thread_time()
                act(data)
                if turn:  # the first loads the models
                    found[name].append((time.thread_time() - began) * 1000)
    return {name: statistics.median(values) for name, values in found.items()}


def _capture(seed: int, width_px: int, height_px: int, *, sigma: float = 0) -> bytes:
    """24 megapixels, 4:2:2 as cameras write it; out of focus by `sigma` pixels."""
    drawn = portraits.draw(seed, width_px=width_px, height_px=height_px)
    pixels = decoding.decode(drawn, decoding.check(drawn), 1).pixels
    if sigma:
        pixels = cv2.GaussianBlur(pixels, (0, 0), sigma).astype(np.uint8, copy=False)
    grain = np.random.default_rng(seed).normal(0, _GRAIN, (height_px, width_px, 1)).astype(np.float32)
    grainy = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    settings = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR]
    return cv2.imencode(".jpg", grainy, [*settings, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422])[1].tobytes()


def _show(way: str, times: _Times, sizes: list[int], console: Console) -> None:
    megabytes = statistics.fmean(sizes) / 1e6
    acts = times.acts
    title = f"24 MP JPEG（{_NAMES[way]}，{megabytes:.1f} MB），单线程 · one thread, milliseconds of the processor"
    table = Table(title=title, title_justify="left")
    for heading in ("步骤 stage", "ms", "× 下限 floor", "× 全解码 full decode"):
        table.add_column(heading)
    # Stages are told by the clock: as shares of the verdict they come to its processor time.
    whole = statistics.median([sum(parts) for parts in zip(*_whole(times.stages), strict=True)])
    shares = {name: statistics.median(values) / whole for name, values in times.stages.items()}
    rows = [
        ("下限：熵解码（灰度 1/8） entropy-decoding floor, grey 1/8", acts["floor"]),
        ("cv2 全尺寸解码 cv2 decodes it fully", acts["full"]),
        *((f"　{name}{_often(times.stages, name)}", share * acts["verdict"]) for name, share in shares.items()),
        ("判定 verdict, all of it", acts["verdict"]),
        ("合成成品 compose, given the report", acts["compose"]),
        ("人脸特征（仅在台上、经同意） a face for comparison, by consent", acts["remember"]),
    ]
    for name, elapsed in rows:
        table.add_row(name, f"{elapsed:.1f}", f"{elapsed / acts['floor']:.2f}", f"{elapsed / acts['full']:.2f}")
    console.print(table)


def _whole(stages: dict[str, list[float]]) -> list[list[float]]:
    """The stages that every verdict has."""
    most = max(len(values) for values in stages.values())
    return [values for values in stages.values() if len(values) == most]


def _often(stages: dict[str, list[float]], name: str) -> str:
    most = max(len(values) for values in stages.values())
    return "" if len(stages[name]) == most else f"（{len(stages[name])} / {most} 次 times）"


def _figures(way: str, times: _Times) -> list[Figure]:
    verdicts, full, floor = (1000 / times.acts[act] for act in ("verdict", "full", "floor"))
    name, zh = f"verdict, 24 MP {way}", f"判定，{_NAMES[way].split()[0]}"
    # A soft picture is decoded twice, and twice the entropy decoding alone is the floor twice: half is out of reach.
    aim = None if way == "soft" else 0.5
    return [
        Figure(name, zh, "images/s", verdicts, full, "cv2 全尺寸解码 cv2 decodes it fully", 1.0),
        Figure(name, zh, "images/s", verdicts, floor, "熵解码 entropy decoding, grey 1/8", aim),
    ]


@dataclass(frozen=True)
class _Rate:
    """Through so many processes by the clock, and what the greatest of them held in memory."""

    images_s: float
    peak_mb: float


def _rates(folder: Path, pictures: list[bytes]) -> dict[int, _Rate]:
    """One process and two, by turns, so that a busy machine slows both alike; the median of the turns."""
    paths = [folder / f"{number}.jpg" for number in range(len(pictures))]
    for path, data in zip(paths, pictures, strict=True):
        path.write_bytes(data)
    found: dict[int, list[_Rate]] = {1: [], 2: []}
    with crew.pool(1) as one, crew.pool(2) as two:
        for turn in range(_RATE_TURNS + 1):
            for processes, pool in ((1, one), (2, two)):
                rate = _rate(pool, [paths[number % len(paths)] for number in range(_EACH * processes)])
                if turn:  # the first starts the processes
                    found[processes].append(rate)
    return {
        processes: sorted(rates, key=lambda rate: rate.images_s)[_RATE_TURNS // 2] for processes, rates in found.items()
    }


def _rate(pool: ProcessPoolExecutor, work: list[Path]) -> _Rate:
    began = time.perf_counter()
    with crew.one_thread_each():
        under_way = [pool.submit(_judge, path) for path in work]
    peaks = [future.result() for future in under_way]
    return _Rate(len(work) / (time.perf_counter() - began), max(peaks))


def _judge(path: Path) -> float:
    """Judge a picture; megabytes that this process has held at most."""
    inspection.inspect(path.read_bytes(), profiles.load())
    return _peak_mb()


def _peak_mb() -> float:
    """Nought where the system does not tell. Not `ru_maxrss`, which begins with what the parent held."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    held = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
    return int(held.split()[1]) * 1024 / 1e6


def _show_rates(rates: dict[int, _Rate], console: Console) -> None:
    table = Table(title="多进程 · by processes (24 MP, upright)", title_justify="left")
    for heading in ("进程 processes", "张/秒 images/s", "每进程峰值内存 MB, peak a process"):
        table.add_column(heading)
    for processes, rate in rates.items():
        table.add_row(str(processes), f"{rate.images_s:.1f}", f"{rate.peak_mb:.0f}")
    console.print(table)
