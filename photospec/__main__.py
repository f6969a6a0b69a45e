"""`python -m photospec FILE…`: verdict and reasons of each file; `--compose FOLDER` cuts the finished photos."""

import argparse
import dataclasses
import errno
import io
import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import get_args

import cv2

import photospec
from photospec import composition, decoding, inspection, profiles


def main() -> int:
    """Exit status 0 where every file is accepted or goes to a person, 1 where one is refused, 2 for a wrong call."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # GBK lacks some signs; a file's name may be no text at all
            stream.reconfigure(errors="backslashreplace")
    asked = _arguments()
    cv2.setNumThreads(1)
    try:
        profile = profiles.find(asked.profile)
    except (profiles.ProfileUnknown, profiles.ProfileBroken, OSError) as error:
        print(f"✗ {error}", file=sys.stderr)
        return 2
    return max(_told(path, profile, asked) for path in asked.files)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("photospec", description="毕业证书电子注册图像的检查与裁切 · graduate photos")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--profile",
        default=profiles.DEFAULT,
        metavar="NAME|FILE.toml",
        help="照片标准 · " + ", ".join(profiles.names()),
    )
    parser.add_argument(
        "--stage", choices=get_args(profiles.Stage), help="默认按尺寸判断 · by default told from the size"
    )
    parser.add_argument(
        "--graduates-on", type=date.fromisoformat, metavar="YYYY-MM-DD", help="毕业日期 · to judge a photo's age"
    )
    parser.add_argument("--json", action="store_true", help="一行一个 JSON 报告 · a report a line")
    parser.add_argument("--compose", type=Path, metavar="FOLDER", help="写成品照片 · write the finished photos there")
    parser.add_argument("--refused", action="store_true", help="不合格的也裁切 · compose rejected pictures as well")
    parser.add_argument("--version", action="version", version=photospec.__version__)
    return parser.parse_args()


def _read(path: Path) -> bytes:
    """Neither a device nor what no photo can be is read. Raises: decoding.UnreadableImage."""
    try:
        if path.exists() and not path.is_file():
            raise decoding.UnreadableImage("not_a_file")
        if path.stat().st_size > decoding.MAX_BYTES:
            raise decoding.UnreadableImage("too_many_bytes")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, decoding.UnreadableImage):
            raise
        raise decoding.UnreadableImage("unopenable") from error


def _told(path: Path, profile: profiles.Profile, asked: argparse.Namespace) -> int:
    context = inspection.Context(file_name=path.name, graduates_on=asked.graduates_on)
    try:
        data = _read(path)
        report = inspection.inspect(data, profile, stage=asked.stage, context=context)
    except decoding.UnreadableImage as error:
        _refused(path, error, as_json=asked.json)
        return 1
    _say(path, report, as_json=asked.json)
    rejected = report.verdict == "reject"
    if asked.compose is None or (rejected and not asked.refused):
        return int(rejected)
    try:
        _store(asked.compose / f"{path.stem}.jpg", composition.compose(data, profile, report))
    except composition.NotComposable as error:
        print(f"✗ {_shown(path)}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"✗ {_shown(path)}: 无法写入成品 · the finished photo can't be written: {error}", file=sys.stderr)
        return 1
    return int(rejected)


def _shown(path: Path) -> str:
    """A name may hold line breaks, or commands to a terminal."""
    name = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in name)


def _refused(path: Path, error: decoding.UnreadableImage, *, as_json: bool) -> None:
    if as_json:
        row = {"file": str(path), "verdict": "reject", "refusal": dataclasses.asdict(error.refusal)}
        print(json.dumps(row))
    refusal = error.refusal
    told = f"{refusal.rule_id} {error}\n    → {refusal.advice_zh} · {refusal.advice_en}"
    print(f"✗ {_shown(path)}: {told}", file=sys.stderr)


def _store(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and never over another: it may be an original. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        try:
            os.link(beside, path)
        except FileExistsError:
            raise
        except OSError:  # a stick's file system knows no links
            if path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
            beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)


def _say(path: Path, report: inspection.Report, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": str(path), **report.as_dict()}))
        return
    print(f"{_shown(path)}: {report.verdict}")
    for finding in report.findings:
        if finding.passed is False:
            measured = "" if finding.measured is None else f" [{finding.measured:g} {finding.unit}; {finding.limit}]"
            print(f"  {finding.severity} {finding.rule_id} {finding.reason_zh} · {finding.reason_en}{measured}")


if __name__ == "__main__":
    sys.exit(main())
