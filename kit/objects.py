"""The object store: plain S3, so that any store may stand behind it. The one door to the minio SDK."""

import asyncio
import contextlib
import io
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import GOVERNANCE
from minio.error import MinioException, S3Error
from minio.retention import Retention
from minio.sse import SseS3
from minio.sseconfig import Rule, SSEConfig

from kit import errors

T = TypeVar("T")

#: The SDK blocks, so it works in threads; more than this many at once made nothing faster (docs/benchmarks.md).
_AT_ONCE = 8
#: S3 wants a region in every signature and our stores have but one; named here, none is ever asked for it.
_REGION = "us-east-1"
#: How many names a listing fetches at a time.
_PAGE = 1000
_ABSENT = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchVersion", "NotFound"})
#: What stores say that have no object lock, or have none on this bucket.
NO_LOCK = frozenset(
    {
        "NotImplemented",
        "ObjectLockConfigurationNotFoundError",
        "InvalidBucketState",
        "MethodNotAllowed",
        "InvalidRequest",
    }
)
#: What stores say that know no encryption, or whose keys may not ask for it.
_NO_ENCRYPTION = frozenset({"NotImplemented", "MethodNotAllowed", "InvalidRequest", "AccessDenied"})
#: Objects under it are what the camera gave; they are never removed.
ORIGINALS = "originals/"
#: What is put, once and for a moment, to see whether the store encrypts.
_PROBE = ".encryption-probe"


@dataclass(frozen=True)
class ObjectStat:
    """What the store knows of an object without its content. `etag` is the store's own and no hash to rely on.

    `version` is None where the store keeps no versions.
    """

    size: int
    etag: str
    version: str | None = None


@dataclass(frozen=True)
class Listed:
    """An object as a listing tells of it; `modified_at` is the store's time."""

    key: str
    modified_at: datetime


@dataclass(frozen=True)
class Place:
    """An S3 URL taken apart: `http://key:secret@host:port/bucket`."""

    endpoint: str
    secure: bool
    access_key: str
    secret_key: str
    bucket: str

    @classmethod
    def parse(cls, url: str) -> "Place":
        """Raises ValueError, without the secret in its text, for anything else."""
        parts = urlsplit(url)
        bucket = parts.path.strip("/")
        if parts.scheme not in {"http", "https"} or not all((parts.hostname, parts.username, parts.password, bucket)):
            raise ValueError("an S3 URL reads http://key:secret@host:port/bucket")
        key, secret = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.netloc.rpartition("@")[2], parts.scheme == "https", key, secret, bucket)


class Objects:
    """One bucket. Every method raises `Unavailable` when the store does not answer or refuses us."""

    def __init__(self, url: str, public_url: str | None = None) -> None:
        """`public_url` is the store's address as a browser or a station sees it, where that is another."""
        self._place = Place.parse(url)
        self._client = _client(self._place, self._place.endpoint, self._place.secure)
        public = urlsplit(public_url or "")
        self._signer = _client(self._place, public.netloc, public.scheme == "https") if public_url else self._client
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._locks: bool | None = None

    async def ensure_bucket(self) -> None:
        """Make the bucket where it does not exist: with object lock where the store has it. One that is there stays.

        From then on the store encrypts what is put, where it can: also in a bucket that was there before.
        """
        there = await self._do(partial(self._client.bucket_exists, self._place.bucket))
        if not there and await self._make_bucket(object_lock=True) in NO_LOCK:
            await self._make_bucket(object_lock=False)
        if not await self.encrypts() and await self._do(self._has_key):
            await self._do(self._ask_to_encrypt)

    async def _make_bucket(self, *, object_lock: bool) -> str:
        """The store's reason for not making it that is none for giving up, or an empty text."""
        try:
            await self._do(partial(self._client.make_bucket, self._place.bucket, object_lock=object_lock))
        except errors.Unavailable as error:
            code = (error.__cause__.code or "") if isinstance(error.__cause__, S3Error) else ""
            # Five services start at once: another one made it between the question and the act.
            if not (code.startswith("BucketAlready") or (object_lock and code in NO_LOCK)):
                raise
            return code
        return ""

    async def locks(self) -> bool:
        """Whether this bucket can hold objects against removal. Asked of the store once."""
        if self._locks is None:
            self._locks = await self._do(self._ask_for_lock)
        return self._locks

    async def encrypts(self) -> bool:
        """Whether the store encrypts, under a key of its own, whatever is put into this bucket."""
        return await self._do(self._ask_for_encryption)

    async def hold(self, key: str, version: str | None, until: datetime) -> bool:
        """Keep this version of `key` from being removed before `until`; False where nothing can be held.

        Again, also with a later time, is no fault. Whoever may bypass governance can still erase, as a person's right
        to erasure wants it.
        """
        if not await self.locks():
            return False
        await self._do(partial(self._hold, key, version, Retention(GOVERNANCE, until)), key)
        return True

    async def ready(self) -> bool:
        """Whether the store answers and has our bucket."""
        try:
            return bool(await self._do(partial(self._client.bucket_exists, self._place.bucket)))
        except errors.Unavailable:
            return False

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store `content` whole under `key`; what was there is replaced."""
        await self._do(
            lambda: self._client.put_object(
                self._place.bucket, key, io.BytesIO(content), len(content), content_type=content_type
            )
        )

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Store a file under `key`, in parts where it is large."""
        await self._do(lambda: self._client.fput_object(self._place.bucket, key, str(path), content_type=content_type))

    async def get(self, key: str, version: str | None = None, *, at_most: int | None = None) -> bytes:
        """The content of `key`, as it is now or as it was in `version`; raises NotFound("object-missing").

        Of what is longer than `at_most` bytes one byte more is read and no further: another length, another hash.
        """
        return await self._do(partial(self._read, key, version, at_most), key)

    async def stat(self, key: str) -> ObjectStat | None:
        """Size and etag of `key`, or None where there is no such object."""
        try:
            found: Any = await self._do(partial(self._client.stat_object, self._place.bucket, key), key)
        except errors.NotFound:
            return None
        return ObjectStat(size=int(found.size or 0), etag=str(found.etag or ""), version=found.version_id or None)

    async def exists(self, key: str) -> bool:
        """Whether there is an object `key`."""
        return await self.stat(key) is not None

    async def remove(self, key: str) -> None:
        """Remove `key` with all its versions, if it is there; raises Refused("original-kept") for an original."""
        if key.startswith(ORIGINALS):
            raise errors.Refused("original-kept", key=key)
        versioned = await self.locks()
        await self._do(partial(self._remove_versions if versioned else self._remove, key))

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """All keys that begin with `prefix`, in order; fetched page by page while they are read."""
        async for listed in self.scan(prefix):
            yield listed.key

    async def scan(self, prefix: str, after: str | None = None) -> AsyncIterator[Listed]:
        """As `list`, with what the listing says beside the key; `after` is where an earlier scan had come to."""
        last = after
        while page := await self._do(partial(self._page, prefix, last)):
            for listed in page:
                yield listed
            last = page[-1].key

    async def presign_put(self, key: str, expires_s: int) -> str:
        """A URL that takes a PUT of `key` for so many seconds. Sent with `If-None-Match: *` it overwrites nothing."""
        return self._signer.presigned_put_object(self._place.bucket, key, timedelta(seconds=expires_s))

    async def presign_get(self, key: str, expires_s: int) -> str:
        """A URL that gives `key` for so many seconds to whoever holds it: log who asked for it."""
        return self._signer.presigned_get_object(self._place.bucket, key, timedelta(seconds=expires_s))

    async def _do(self, act: Callable[[], T], key: str = "") -> T:
        async with self._at_once:
            try:
                return await asyncio.to_thread(act)
            except S3Error as error:
                if key and error.code in _ABSENT:
                    raise errors.NotFound("object-missing", key=key) from error
                raise errors.Unavailable("object-store-unavailable") from error
            except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
                raise errors.Unavailable("object-store-unavailable") from error

    def _ask_for_lock(self) -> bool:
        try:
            self._client.get_object_lock_config(self._place.bucket)
        except S3Error as error:
            if error.code in NO_LOCK:
                return False
            raise
        return True

    def _ask_for_encryption(self) -> bool:
        try:
            return self._client.get_bucket_encryption(self._place.bucket) is not None
        except S3Error as error:
            if error.code in _NO_ENCRYPTION:
                return False
            raise

    def _has_key(self) -> bool:
        """Whether an object can be put encrypted.

        Asked by doing it: SeaweedFS without a key takes the rule, and no object after it. Raises what the store says if
        it takes no object at all.
        """
        try:
            self._probe(SseS3())
        except (MinioException, urllib3.exceptions.HTTPError):
            self._probe(None)
            return False
        return True

    def _ask_to_encrypt(self) -> None:
        try:
            self._client.set_bucket_encryption(self._place.bucket, SSEConfig(Rule.new_sse_s3_rule()))
        except S3Error as error:
            if error.code not in _NO_ENCRYPTION:
                raise

    def _probe(self, sse: SseS3 | None) -> None:
        put = self._client.put_object(self._place.bucket, _PROBE, io.BytesIO(b"?"), 1, sse=sse)
        # A bucket that keeps everything for a time keeps this one byte too.
        with contextlib.suppress(MinioException):
            self._client.remove_object(self._place.bucket, _PROBE, version_id=put.version_id)

    def _hold(self, key: str, version: str | None, retention: Retention) -> None:
        try:
            self._client.set_object_retention(self._place.bucket, key, retention, version_id=version)
        except S3Error as error:
            # A bucket with a stricter rule of its own, or an earlier and longer hold, refuses what would be weaker.
            held = self._client.get_object_retention(self._place.bucket, key, version_id=version)
            if error.code in _ABSENT or held is None or held.retain_until_date is None:
                raise

    def _remove(self, key: str) -> None:
        self._client.remove_object(self._place.bucket, key)

    def _remove_versions(self, key: str) -> None:
        # Else an older version, or the bytes behind the marker of the removal, would stay for good.
        found = self._client.list_objects(self._place.bucket, key, include_version=True)
        for version in [item.version_id for item in found if item.object_name == key]:
            self._client.remove_object(self._place.bucket, key, version_id=version)

    def _read(self, key: str, version: str | None, at_most: int | None) -> bytes:
        response = self._client.get_object(self._place.bucket, key, version_id=version)
        try:
            return bytes(response.read(None if at_most is None else at_most + 1))
        finally:
            response.close()
            response.release_conn()

    def _page(self, prefix: str, after: str | None) -> Sequence[Listed]:
        found = self._client.list_objects(self._place.bucket, prefix, recursive=True, start_after=after)
        return [Listed(str(item.object_name), item.last_modified) for item in itertools.islice(found, _PAGE)]


def _client(place: Place, endpoint: str, secure: bool) -> Minio:
    pool = urllib3.PoolManager(
        maxsize=_AT_ONCE,
        timeout=urllib3.Timeout(connect=3.0, read=30.0),
        retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
    )
    return Minio(
        endpoint=endpoint,
        access_key=place.access_key,
        secret_key=place.secret_key,
        secure=secure,
        region=_REGION,
        http_client=pool,
    )
