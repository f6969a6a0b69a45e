"""Which RabbitMQ the embedded stack takes, and how it asks Docker for one; `docker` is a script here."""

import json
import sys
from pathlib import Path

import pytest

from cli.stack import layout as layouts
from cli.stack import process, secrets
from cli.stack.parts import rabbitmq, rabbitmq_docker, rabbitmq_local

PORTS = {name: 20_000 + number for number, name in enumerate(rabbitmq.PORTS)}


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ordinary user's machine without a broker; returns the one folder on PATH."""
    monkeypatch.setattr(rabbitmq_local, "_DEBIAN", tmp_path / "no-such-server")
    monkeypatch.setattr(rabbitmq, "may_install", lambda: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport json, sys\nsaid = sys.argv[1:]\n{body}\n", "utf-8")
    path.chmod(0o755)
    return path


def test_a_server_of_this_machine_comes_before_docker(bare: Path) -> None:
    """Docker is asked only where no rabbitmq-server is on PATH."""
    program(bare, "docker", "")
    assert isinstance(rabbitmq.find({}), rabbitmq_docker.Container)
    server = program(bare, "rabbitmq-server", "")
    found = rabbitmq.find({})
    assert isinstance(found, rabbitmq_local.Local)
    assert found.server == str(server)


def test_who_may_install_is_not_given_a_container(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root on Debian the package is installed, unless GRADPHOTO_RABBITMQ=docker says otherwise."""
    program(bare, "docker", "")
    monkeypatch.setattr(rabbitmq, "may_install", lambda: True)
    assert rabbitmq.find({}) is None
    assert isinstance(rabbitmq.find({"GRADPHOTO_RABBITMQ": "docker"}), rabbitmq_docker.Container)


def test_an_engine_that_does_not_answer_is_none(bare: Path) -> None:
    """A docker client without an engine, or without the right to it, leads to the remedy in one sentence."""
    program(bare, "docker", "sys.exit(said[0] == 'info')")
    assert rabbitmq.find({}) is None
    with pytest.raises(process.PartFailed, match="start Docker"):
        rabbitmq.find_or_install({}, lambda _: None)


def test_the_image_is_pulled_once_and_a_failure_names_the_remedy(bare: Path) -> None:
    """`docker pull` runs, and is told, only if the image is missing; where it fails, we say what to do."""
    here = bare / "here"
    program(
        bare,
        "docker",
        f"import pathlib\nhere = pathlib.Path({str(here)!r})\n"
        "if said[0] == 'pull':\n    here.touch()\n"
        "sys.exit(said[:2] == ['image', 'inspect'] and not here.exists())",
    )
    told: list[str] = []
    rabbitmq.find_or_install({}, told.append)
    rabbitmq.find_or_install({}, told.append)
    assert len(told) == 1
    program(bare, "docker", "sys.exit(said[0] in ('pull', 'image') and 'no route to host')")
    with pytest.raises(process.PartFailed, match=r"no route to host(.|\n)*GRADPHOTO_RABBITMQ_IMAGE"):
        rabbitmq.find_or_install({}, told.append)


def test_the_container_serves_loopback_alone_and_holds_no_secret(bare: Path, tmp_path: Path) -> None:
    """What `docker run` is told: ports on 127.0.0.1, data in the stack's directory, no password in the arguments."""
    program(bare, "docker", "")
    layout = layouts.Layout(tmp_path / "stack")
    layout.root.mkdir()
    keys = secrets.load_or_generate(layout.secrets)
    found = rabbitmq.find({"GRADPHOTO_RABBITMQ_IMAGE": "mirror.example/rabbitmq:4"})
    assert isinstance(found, rabbitmq_docker.Container)
    (node,) = found.programs(layout, keys, PORTS, {})
    published = [word for word in node.argv if word.startswith("--publish")]
    assert published == [f"--publish=127.0.0.1:{PORTS['amqp']}:{PORTS['amqp']}"]
    assert f"--volume={layout.rabbitmq}:/var/lib/rabbitmq" in node.argv
    assert node.argv[-1] == "mirror.example/rabbitmq:4"
    assert keys.amqp_password not in json.dumps(node.argv)
    assert node.clear_up[-1] == rabbitmq_docker.name(layout)


def test_two_stacks_have_containers_of_two_names(tmp_path: Path) -> None:
    """The name follows the directory, so that a stack finds its own container again and no other's."""
    one, two = layouts.Layout(tmp_path / "one"), layouts.Layout(tmp_path / "two")
    assert rabbitmq_docker.name(one) != rabbitmq_docker.name(two)
    assert rabbitmq_docker.name(one) == rabbitmq_docker.name(layouts.Layout(tmp_path / "one"))
