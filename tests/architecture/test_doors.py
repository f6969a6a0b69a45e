"""No door of any service opens to one who does not say who asks."""

import importlib
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from kit import crypto
from tests.architecture import source

SOME = UUID("0193c010-7a00-7000-8000-000000000001")
_, PUBLIC = crypto.new_key()
#: An enrolment brings its key in the body; without one there is nothing to check a signature with.
BODIES = {"/v1/enrolments": {"code": "ABCDEFGHJK", "public_key_pem": PUBLIC}}


@pytest.fixture(params=source.SERVICES)
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """A service's web application as its process builds it; nothing behind it runs."""
    settings = {
        "PORT": "8000",
        "DATABASE_URL": "postgresql://x:x@127.0.0.1:1/x",
        "AMQP_URL": "amqp://x:x@127.0.0.1:1/",
        "S3_URL": "http://x:x@127.0.0.1:1/x",
        "AUTH_PUBLIC_KEY": PUBLIC,
        **dict.fromkeys(("VAULT_KEY", "INDEX_KEY", "CODE_KEY", "WORDS_KEY"), "0" * 64),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"GRADPHOTO_{name}", value)
    monkeypatch.delenv("GRADPHOTO_CLOCK_FILE", raising=False)
    package = f"services.{request.param}"
    built = importlib.import_module(f"{package}.app").build(importlib.import_module(f"{package}.settings").Settings())
    web: FastAPI = built.web
    return web


def doors(web: FastAPI) -> list[tuple[str, str]]:
    """Every method and path, with an id wherever one belongs."""
    found = []
    for path, methods in web.openapi()["paths"].items():
        filled = "/".join(str(SOME) if part.startswith("{") else part for part in path.split("/"))
        found += [(method.upper(), filled) for method in methods]
    return found


@pytest.mark.parametrize(
    "credentials",
    [{}, {"authorization": "Bearer x.y.z"}, {"authorization": "Station x.y.z"}, {"authorization": "Basic eDp4"}],
    ids=["none", "bad token", "bad signature", "password"],
)
async def test_every_door_asks_who_comes(service: FastAPI, credentials: dict[str, str]) -> None:
    """Without a good token or signature every address answers 401, before it looks at anything else."""
    open_doors: list[tuple[str, str, int, Any]] = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://x") as client:
        for method, path in doors(service):
            answer = await client.request(method, path, headers=credentials, json=BODIES.get(path))
            if answer.status_code != 401:
                open_doors.append((method, path, answer.status_code, answer.text[:200]))
    assert open_doors == []


def test_every_address_is_versioned(service: FastAPI) -> None:
    """All doors stand under /v1, and there are some."""
    paths = [path for _, path in doors(service)]
    assert len(paths) > 5
    assert all(path.startswith("/v1/") for path in paths)


def test_no_address_holds_a_person(service: FastAPI) -> None:
    """Paths and queries take ids, never a name, a number or a phone: addresses end up in the logs of proxies."""
    personal = {"name", "student_no", "id_number", "phone", "payload"}
    for path, methods in service.openapi()["paths"].items():
        for method in methods.values():
            named = {parameter["name"] for parameter in method.get("parameters", [])}
            assert not named & personal, path
