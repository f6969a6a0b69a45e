"""What each service is told by its environment, and what the user's own environment overrules."""

import os
from collections.abc import Mapping

from cli.stack import layout as layouts
from cli.stack import ports as loopback
from cli.stack import secrets
from cli.stack.parts import objects, postgres, rabbitmq

PREFIX = "GRADPHOTO_"
_GIVEN = ("DATABASE_URL", "AMQP_URL", "S3_URL")
_OTHERS = ("PG", "RABBITMQ_", "ERL_", "AWS_")


def given() -> dict[str, str]:
    """The parts that the user brings: DATABASE_URL, AMQP_URL and S3_URL without their prefix, where set."""
    return {name: os.environ[PREFIX + name] for name in _GIVEN if os.environ.get(PREFIX + name)}


def clean() -> dict[str, str]:
    """The environment for children, without what was meant for us or for another server on this machine."""
    own = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, *_OTHERS))}
    return {**own, "PYTHONUNBUFFERED": "1"}


def urls(keys: secrets.Secrets, ports: Mapping[str, int], brought: Mapping[str, str]) -> dict[str, str]:
    """The three addresses with administrator credentials."""
    return {
        "DATABASE_URL": brought.get("DATABASE_URL") or postgres.admin_url(keys, ports["postgres"]),
        "AMQP_URL": brought.get("AMQP_URL") or rabbitmq.url(keys, ports["amqp"]),
        "S3_URL": brought.get("S3_URL") or objects.admin_url(keys, ports["s3"]),
    }


def for_service(
    service: str,
    layout: layouts.Layout,
    keys: secrets.Secrets,
    ports: Mapping[str, int],
    brought: Mapping[str, str],
) -> dict[str, str]:
    """The `GRADPHOTO_` variables of one service; each gets only the keys that are its business."""
    address = urls(keys, ports, brought)
    values = {
        "SERVICE": service,
        "DEPLOYMENT": "embedded",
        "HOST": loopback.LOOPBACK,
        "PORT": str(ports.get(service, 0)),
        "DATABASE_URL": postgres.service_url(address["DATABASE_URL"], keys, service),
        "AMQP_URL": address["AMQP_URL"],
        "S3_URL": address["S3_URL"],
        "AUTH_PUBLIC_KEY": keys.token_public_key,
        "CLOCK_FILE": str(layout.clock),
        "LOG_LEVEL": os.environ.get(PREFIX + "LOG_LEVEL", "INFO"),
    }
    if service == "roster":
        values |= {"VAULT_KEY": keys.vault_key, "INDEX_KEY": keys.index_key}
    if service in {"roster", "capture"}:
        values["CODE_KEY"] = keys.code_key
    if service in {"roster", "capture", "verify"}:
        values["WORDS_KEY"] = keys.words_key
    return {PREFIX + name: value for name, value in values.items()}
