"""docker-compose.yml as compose reads it: complete, closed to the outside, and understood by the services."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli import app as cli_app
from cli.stack import layout, secrets
from cli.stack.parts import postgres
from kit import auth, clock
from kit.settings import PREFIX, ServiceSettings
from tests.contract.deploy import conftest, tools

Parts = dict[str, dict[str, Any]]
LOOPBACK = "127.0.0.1"


def given(part: dict[str, Any]) -> dict[str, str]:
    """The `GRADPHOTO_` variables that a service's process sees: of the image, then of the file."""
    text = (conftest.DEPLOY / "Dockerfile").read_text("utf-8")
    image = dict(re.findall(rf"({PREFIX}\w+)=(\S+)", text))
    return image | {name: str(value) for name, value in part["environment"].items()}


def settings_of(service: str, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    """The service's own settings, read as it would read them in its container."""
    for name, value in given(parts[service]).items():
        monkeypatch.setenv(name, value)
    settings: ServiceSettings = importlib.import_module(f"services.{service}.settings").Settings()
    return settings


def open_ports(part: dict[str, Any]) -> list[str]:
    """The addresses of this machine at which the part's ports are open; "" is every address."""
    ports = part.get("ports", [])
    if all(isinstance(port, dict) for port in ports):
        return [port.get("host_ip", "") for port in ports]
    return [LOOPBACK if port.startswith(LOOPBACK) else "" for port in ports]


def test_all_of_the_one_machine_set_is_there(parts: Parts) -> None:
    """The five services, and the parts that the design names."""
    parts_of_others = {"postgres", "rabbitmq", "objects", "gateway", "prometheus", "grafana"}
    assert set(parts) == set(secrets.SERVICES) | parts_of_others


def test_without_secrets_compose_says_what_to_run(compose: list[str], tmp_path: Path, bare: dict[str, str]) -> None:
    """An empty .env is refused with the command that fills it."""
    empty = tmp_path / ".env"
    empty.touch()
    done = tools.run(*compose, "--env-file", empty, "config", env=bare)
    assert done.returncode != 0
    assert "run ./gradphoto secrets first" in done.stderr


def test_no_secret_stands_in_the_file() -> None:
    """Whatever is a password or key comes from .env, and has no default."""
    text = (layout.PROJECT / "docker-compose.yml").read_text("utf-8")
    for name, _, value in re.findall(r"^\s+(\w*(PASS|PASSWORD|KEY|SECRET)\w*): (.+)$", text, re.MULTILINE):
        assert re.search(r"\$\{\w+:\?run ./gradphoto secrets first\}", value), name
    for password in re.findall(r"://\w*:([^@\s]+)@", text):
        assert password.startswith("${"), password


def test_only_the_gateway_is_open_to_others(parts: Parts) -> None:
    """Every other open port is on loopback."""
    reached = {name for name, part in parts.items() if any(address != LOOPBACK for address in open_ports(part))}
    assert reached == {"gateway"}


@pytest.mark.parametrize("service", secrets.SERVICES)
def test_a_service_understands_what_it_is_given(parts: Parts, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own settings class accepts the variables; address, bucket and public host are those of the set."""
    settings = settings_of(service, parts, monkeypatch)
    assert settings.deployment == "compose"
    assert (settings.host, settings.port) == ("0.0.0.0", 8000)
    assert f"//{service}:" in settings.database_url.get_secret_value()
    assert settings.s3_url is not None
    assert settings.s3_url.get_secret_value().endswith("@objects:9000/gradphoto")
    assert settings.s3_public_url == "https://10.0.0.9:9443"


def test_each_service_gets_its_own_keys_only(parts: Parts, env_path: Path) -> None:
    """The vault's keys go to roster alone; the key that signs tokens to nobody; a service knows one database role."""
    holders = {
        key: sorted(name for name, part in parts.items() if PREFIX + key in part.get("environment", {}))
        for key in ("VAULT_KEY", "INDEX_KEY", "CODE_KEY", "WORDS_KEY")
    }
    assert holders == {
        "VAULT_KEY": ["roster"],
        "INDEX_KEY": ["roster"],
        "CODE_KEY": ["capture", "roster"],
        "WORDS_KEY": ["capture", "roster", "verify"],
    }
    values = dict(line.split("=", 1) for line in env_path.read_text("utf-8").splitlines())
    for service in secrets.SERVICES:
        told = " ".join(given(parts[service]).values())
        assert values["AUTH_PRIVATE_KEY"] not in told
        assert values["POSTGRES_PASSWORD"] not in told
        known = [role for role in secrets.SERVICES if values[f"{role.upper()}_PASSWORD"] in told]
        assert known == [service]


def test_a_token_for_compose_is_accepted_there(parts: Parts, env_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`./gradphoto token --env-file .env` signs with the key whose other half the services are given."""
    command = cli_app.build(["token", "secrets"])
    minted = CliRunner().invoke(command, ["token", "registrar", "--env-file", str(env_path)])
    assert minted.exit_code == 0, minted.output
    settings = settings_of("roster", parts, monkeypatch)
    who = auth.TokenVerifier(settings.auth_public_key, clock.SystemClock()).verify(minted.stdout.strip())
    assert who.role == "registrar"


def test_secrets_are_written_once_and_for_the_owner_alone(env_path: Path) -> None:
    """A second run keeps the file, since old data need the old keys."""
    before = env_path.read_bytes()
    done = CliRunner().invoke(cli_app.build(["token", "secrets"]), ["secrets", "--file", str(env_path)])
    assert done.exit_code == 0
    assert env_path.read_bytes() == before
    assert env_path.stat().st_mode & 0o777 == 0o600


def test_every_part_is_restarted_and_bounded_in_its_logs(parts: Parts) -> None:
    """A crash is followed by a restart, and no log may fill the disk."""
    for name, part in parts.items():
        assert part["restart"] == "unless-stopped", name
        assert part["logging"]["options"]["max-size"], name


def test_services_wait_for_what_they_need_and_say_when_they_are_ready(parts: Parts) -> None:
    """Compose asks /readyz, and starts a service after database, broker and store are healthy."""
    for service in secrets.SERVICES:
        assert "/readyz" in " ".join(parts[service]["healthcheck"]["test"])
        waits = parts[service]["depends_on"]
        assert {name for name, how in waits.items() if how["condition"] == "service_healthy"} == {
            "postgres",
            "rabbitmq",
            "objects",
        }


def test_what_is_mounted_and_copied_exists() -> None:
    """A missing source would silently become an empty folder in the container."""
    written = yaml.safe_load((layout.PROJECT / "docker-compose.yml").read_text("utf-8"))
    mounted = [
        volume.split(":")[0]
        for part in written["services"].values()
        for volume in part.get("volumes", [])
        if volume.startswith("./")
    ]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (conftest.DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    sources = [*mounted, *" ".join(copied).split()]
    assert len(sources) > 10
    assert [source for source in sources if not (layout.PROJECT / source).exists()] == []


def test_what_the_images_copy_is_not_ignored() -> None:
    """.dockerignore lets through exactly what the Dockerfile takes."""
    ignore = (layout.PROJECT / ".dockerignore").read_text("utf-8").splitlines()
    let_through = {line[1:] for line in ignore if line.startswith("!")}
    text = (conftest.DEPLOY / "Dockerfile").read_text("utf-8")
    copied = " ".join(re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)).split()
    assert set(copied) == let_through


def test_every_service_is_routed_created_and_measured() -> None:
    """Gateway, database roles and Prometheus name the same five."""
    gateway = (conftest.DEPLOY / "caddy" / "Caddyfile").read_text("utf-8")
    routed = re.findall(r"handle_path /api/(\w+)/\* \{\s+reverse_proxy (\w+):8000", gateway)
    assert sorted(routed) == sorted((service, service) for service in secrets.SERVICES)
    script = (conftest.DEPLOY / "postgres" / "roles.sh").read_text("utf-8")
    roles = re.findall(r'^role (\w+) "\$(\w+)"', script, re.MULTILINE)
    assert sorted(roles) == sorted((service, f"{service.upper()}_PASSWORD") for service in secrets.SERVICES)
    scraped = yaml.safe_load((conftest.DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    assert sorted(scraped[0]["dns_sd_configs"][0]["names"]) == sorted(secrets.SERVICES)


def test_extensions_are_made_by_the_administrator() -> None:
    """A service's role may create none; what the embedded stack gives, compose gives too."""
    script = (conftest.DEPLOY / "postgres" / "roles.sh").read_text("utf-8")
    assert re.findall(r"CREATE EXTENSION (\w+) SCHEMA extensions;", script) == list(postgres.EXTENSIONS)
    assert 'SET search_path = :"name", extensions' in script


def test_metrics_are_not_for_the_outside() -> None:
    """The gateway refuses /metrics before it looks for a service; Caddy keeps that order only inside `route`."""
    gateway = (conftest.DEPLOY / "caddy" / "Caddyfile").read_text("utf-8")
    inside = gateway.partition("\troute {")[2]
    assert 0 < inside.index("respond @metrics 404") < inside.index("handle_path")
