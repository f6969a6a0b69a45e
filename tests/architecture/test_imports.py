"""Who may import whom: the rules of pyproject.toml hold, and each of them can be seen to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import source

LINTER = Path(sys.executable).parent / "lint-imports"

#: (file, planted import, words of the report that must name it)
PLANTED = [
    ("kit/ids.py", "import services.roster.domain", "kit.ids -> services.roster.domain"),
    ("photospec/profiles.py", "import kit.ids", "photospec.profiles -> kit.ids"),
    ("station/ports/keeping.py", "import cli.screen", "station.ports.keeping -> cli.screen"),
    ("services/billing/ports.py", "import services.roster.domain", "services.billing.ports -> services.roster.domain"),
    (
        "services/roster/handlers/opening.py",
        "import services.roster.store",
        "services.roster.handlers.opening -> services.roster.store",
    ),
    ("services/verify/settings_of_old.py", "", "settings_of_old"),
    ("station/helpers.py", "", "helpers"),
    ("services/billing/domain/ledger.py", "import asyncio", "services.billing.domain.ledger -> asyncio"),
    ("services/verify/domain/clocks.py", "import kit.clock", "services.verify.domain.clocks -> kit.clock"),
    ("station/domain/rules.py", "import random", "station.domain.rules -> random"),
    ("contracts/gradphoto_contracts/ids.py", "import os", "gradphoto_contracts.ids -> os"),
    ("services/roster/ports.py", "import aio_pika", "services.roster.ports -> aio_pika"),
    ("services/billing/handlers/paying.py", "import sqlalchemy", "services.billing.handlers.paying -> sqlalchemy"),
    ("station/uplink.py", "import minio", "station.uplink -> minio"),
    ("kit/clock.py", "import prometheus_client", "kit.clock -> prometheus_client"),
    ("kit/logs.py", "import cv2", "kit.logs -> cv2"),
    ("kit/errors.py", "import gradphoto_contracts.catalogue", "kit.errors -> gradphoto_contracts.catalogue"),
]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over a tree."""
    command = [str(LINTER), "--no-cache"]
    # Its own tree comes first on the path, before the one that is installed.
    path = f"{root}:{root / 'contracts'}"
    return subprocess.run(
        command,
        cwd=root,
        env={"PYTHONPATH": path, "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_import_rules_hold() -> None:
    """No module of this tree knows what it may not know."""
    done = lint(source.ROOT)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy in which every rule is broken."""
    root = tmp_path_factory.mktemp("planted")
    for package in source.PACKAGES:
        shutil.copytree(source.ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(source.ROOT / "pyproject.toml", root)
    for file, planted, _ in PLANTED:
        path = root / file
        before = path.read_text("utf-8") if path.exists() else ""
        path.write_text(f"{before}\n{planted}\n", "utf-8")
    done = lint(root)
    assert done.returncode == 1, done.stdout + done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(("file", "planted", "named"), PLANTED, ids=[named for _, _, named in PLANTED])
def test_a_planted_violation_is_named(report: str, file: str, planted: str, named: str) -> None:
    """Each rule, broken in a copy, is reported by name: none of them is asleep."""
    assert named in report


def test_every_rule_is_broken_in_the_copy(report: str) -> None:
    """There is no rule without a planted violation."""
    assert "8 broken" in report or "0 kept" in report, report[:2000]
