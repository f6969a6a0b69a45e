"""Making PostgreSQL's directory when initdb dies in the middle of it; without initdb."""

from pathlib import Path

import pytest

from cli.stack import process
from cli.stack.parts import postgres


def test_a_directory_half_made_is_never_taken_for_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed initdb left has PG_VERSION already: it is not used, and the next start makes a whole directory."""
    data = tmp_path / "postgres"
    data.mkdir()

    def killed(made: Path, *_: object) -> None:
        (made / "PG_VERSION").write_text("18")
        raise process.PartFailed("initdb: killed")

    def whole(made: Path, *_: object) -> None:
        (made / "PG_VERSION").write_text("18")
        (made / "pg_control").write_text("whole")

    monkeypatch.setattr(postgres, "_run_initdb", killed)
    with pytest.raises(process.PartFailed):
        postgres._prepare(data, tmp_path, "secret", None, lambda _: None)
    assert not (data / "PG_VERSION").exists()
    monkeypatch.setattr(postgres, "_run_initdb", whole)
    postgres._prepare(data, tmp_path, "secret", None, lambda _: None)
    assert (data / "pg_control").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["postgres"], "nothing of the first try is left"
