"""`./gradphoto secrets`: the .env that docker-compose.yml asks for, generated once, readable by its owner alone."""

import base64
import secrets as random_secrets
from pathlib import Path
from typing import Annotated

import typer

from cli import screen
from cli.stack import layout, secrets


def write(
    path: Annotated[Path, typer.Option("--file", help="写到哪里 · where to.")] = Path(".env"),
    host: Annotated[
        str, typer.Option(help="外界用的主机名或 IP · the name or IP by which others reach this machine.")
    ] = "localhost",
    port: Annotated[int, typer.Option(min=1, max=65535, help="网关端口 · the gateway's port.")] = 8443,
) -> None:
    """生成 docker compose 的密钥文件 · Write the secrets that docker compose needs; an existing file is kept."""
    if path.exists():
        screen.tell(f"{path} 已存在,未改动:旧数据需要旧密钥 · is kept: old data need old keys")
        return
    values = {"GATEWAY_HOST": host, "GATEWAY_PORT": str(port), **_values(secrets.generate())}
    layout.write_atomically(path, "".join(f"{name}={value}\n" for name, value in values.items()), mode=0o600)
    screen.tell(f"已写入 · written: {path} (0600)。下一步 · next: docker compose up -d")


def private_key(path: Path) -> str:
    """The key that signs tokens for the services of this .env. KeyError if it holds none, FileNotFoundError."""
    lines = path.read_text("utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return values["AUTH_PRIVATE_KEY"].replace("\\n", "\n") + "\n"


def _values(made: secrets.Secrets) -> dict[str, str]:
    return {
        "POSTGRES_PASSWORD": made.database_admin,
        **{f"{service.upper()}_PASSWORD": word for service, word in made.database.items()},
        "AMQP_PASSWORD": made.amqp_password,
        "S3_KEY": made.s3_key,
        "S3_SECRET": made.s3_secret,
        "S3_SEAL": base64.b64encode(bytes.fromhex(made.s3_seal)).decode(),
        "VAULT_KEY": made.vault_key,
        "INDEX_KEY": made.index_key,
        "CODE_KEY": made.code_key,
        "WORDS_KEY": made.words_key,
        "GRAFANA_PASSWORD": random_secrets.token_hex(12),
        "AUTH_PUBLIC_KEY": _one_line(made.token_public_key),
        "AUTH_PRIVATE_KEY": _one_line(made.token_private_key),
    }


def _one_line(pem: str) -> str:
    return pem.strip().replace("\n", "\\n")
