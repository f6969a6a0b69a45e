"""`./gradphoto secrets`: the .env that docker-compose.yml asks for, generated once, readable by its owner alone."""

import secrets as random_secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.stack import layout, secrets


def write(path: Annotated[Path, typer.Option("--file", help="写到哪里 where to")] = Path(".env")) -> None:
    """生成 docker compose 的密钥文件 · Write the secrets that docker compose needs; an existing file is left as it is."""
    console = Console()
    if path.exists():
        console.print(
            f"{path} 已存在，未改动：旧密钥才能读旧数据 exists and is kept: yesterday's data need yesterday's keys"
        )
        return
    lines = [f"{name}={value}" for name, value in _values(secrets.generate()).items()]
    layout.write_atomically(path, "\n".join(lines) + "\n", mode=0o600)
    console.print(f"已写入 written: {path} (0600)。下一步 next: docker compose up")


def _values(made: secrets.Secrets) -> dict[str, str]:
    one_line = made.token_public_key.strip().replace("\n", "\\n")
    return {
        "POSTGRES_PASSWORD": made.database_admin,
        **{f"{service.upper()}_PASSWORD": word for service, word in made.database.items()},
        "AMQP_PASSWORD": made.amqp_password,
        "S3_KEY": made.s3_key,
        "S3_SECRET": made.s3_secret,
        "VAULT_KEY": made.vault_key,
        "INDEX_KEY": made.index_key,
        "CODE_KEY": made.code_key,
        "GRAFANA_PASSWORD": random_secrets.token_hex(12),
        "AUTH_PUBLIC_KEY": one_line,
        "AUTH_PRIVATE_KEY": made.token_private_key.strip().replace("\n", "\\n"),
    }
