"""`python -m photospec FILE…`: verdict and reasons of each file; `--compose FOLDER` cuts the finished photos."""

import argparse
import errno
import json
import os
import sys
from importlib import metadata
from pathlib import Path

import cv2

from photospec import composition, decoding, inspection, profiles


def main() -> int:
    """Exit status 0 where every file is accepted or goes to a person, 1 where one is refused."""
    asked = _arguments()
    cv2.setNumThreads(1)
    profile = profiles.load(asked.profile)
    return max(_told(path, profile, asked) for path in asked.files)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("photospec", description="毕业证书电子注册图像的检查与裁切 · graduate photos")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--profile", default=profiles.DEFAULT, choices=profiles.names())
    parser.add_argument("--json", action="store_true", help="一行一个 JSON 报告 · a report a line")
    parser.add_argument("--compose", type=Path, metavar="FOLDER", help="写成品照片 · write the finished photos there")
    parser.add_argument("--version", action="version", version=_version())
    return parser.parse_args()


def _version() -> str:
    try:
        return metadata.version("photospec")
    except metadata.PackageNotFoundError:  # a part of gradphoto, not a wheel of its own
        return f"gradphoto {metadata.version('gradphoto')}"


def _read(path: Path) -> bytes:
    """Neither a device nor what no photo can be is read. Raises: OSError, decoding.UnreadableImage."""
    if path.exists() and not path.is_file():
        raise decoding.UnreadableImage("not_a_file")
    if path.stat().st_size > decoding.MAX_BYTES:
        raise decoding.UnreadableImage("too_many_bytes")
    return path.read_bytes()


def _told(path: Path, profile: profiles.Profile, asked: argparse.Namespace) -> int:
    try:
        data = _read(path)
        report = inspection.inspect(data, profile, context=inspection.Context(file_name=path.name))
        _say(path, report, as_json=asked.json)
        if asked.compose is not None:
            finished = composition.compose(data, profile, report)
            _store(asked.compose / f"{path.stem}.jpg", finished)
    except (OSError, decoding.UnreadableImage, composition.NotComposable) as error:
        print(f"✗ {path}: {error}", file=sys.stderr)
        return 1
    return int(report.verdict == "reject")


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
    print(f"{path}: {report.verdict}")
    for finding in report.findings:
        if finding.passed is False:
            measured = "" if finding.measured is None else f" [{finding.measured:g} {finding.unit}; {finding.limit}]"
            print(f"  {finding.severity} {finding.rule_id} {finding.reason_zh} · {finding.reason_en}{measured}")


if __name__ == "__main__":
    sys.exit(main())
