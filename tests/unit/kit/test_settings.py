"""Settings: read from the environment, and said plainly when they are wrong."""

from pathlib import Path

import pytest

from kit import settings

GOOD = {
    "GRADPHOTO_PORT": "8101",
    "GRADPHOTO_DATABASE_URL": "postgresql://roster:hunter2@db/gradphoto",
    "GRADPHOTO_AMQP_URL": "amqp://roster:hunter2@mq/",
    "GRADPHOTO_AUTH_PUBLIC_KEY": r"-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----",
}


class Keyed(settings.ServiceSettings):
    """A service with a master key."""

    vault_key: settings.MasterKey


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """All that a service needs, and nothing left over from the machine."""
    for name in ("DEPLOYMENT", "CLOCK_FILE", "S3_URL", "LOG_LEVEL", "HOST", "VAULT_KEY"):
        monkeypatch.delenv(f"GRADPHOTO_{name}", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_defaults_are_the_careful_ones() -> None:
    """Untold, a service is in a cluster, on loopback, on real time."""
    read = settings.load(settings.ServiceSettings)
    assert (read.deployment, read.host, read.port, read.clock_file) == ("cluster", "127.0.0.1", 8101, None)


def test_a_key_in_one_line_is_a_pem() -> None:
    r"""`\n` in an environment file stands for a line break."""
    assert settings.load(settings.ServiceSettings).auth_public_key.splitlines()[1] == "abc"


def test_secrets_are_not_shown() -> None:
    """Printing the settings shows no password."""
    assert "hunter2" not in repr(settings.load(settings.ServiceSettings))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GRADPHOTO_PORT", "eighty"),
        ("GRADPHOTO_PORT", "70000"),
        ("GRADPHOTO_DEPLOYMENT", "laptop"),
        ("GRADPHOTO_LOG_LEVEL", "chatty"),
        ("GRADPHOTO_VAULT_KEY", "5ecret" * 8),
    ],
)
def test_a_bad_setting_ends_the_process_and_is_named(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    """One sentence in each language names the variable; the value, which may be a secret, is not repeated."""
    environment.setenv("GRADPHOTO_VAULT_KEY", "0" * 64)
    environment.setenv(variable, value)
    with pytest.raises(SystemExit) as ended:
        settings.load(Keyed)
    chinese, english = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert variable in chinese
    assert variable in english
    assert value not in chinese + english


def test_a_missing_setting_is_named(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not set is named too."""
    environment.delenv("GRADPHOTO_DATABASE_URL")
    with pytest.raises(SystemExit):
        settings.load(settings.ServiceSettings)
    assert "GRADPHOTO_DATABASE_URL" in capsys.readouterr().err


def test_a_clock_file_outside_the_embedded_stack_ends_the_process(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Simulated time cannot be switched on by a stray variable."""
    environment.setenv("GRADPHOTO_CLOCK_FILE", str(tmp_path / "clock.json"))
    with pytest.raises(SystemExit):
        settings.load(settings.ServiceSettings)
    assert "GRADPHOTO_CLOCK_FILE" in capsys.readouterr().err
