"""Object lock on the real SeaweedFS, on a bucket that was made without it, and before a store that has none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import structlog
from minio.commonconfig import GOVERNANCE
from minio.error import S3Error

from kit import errors, objects
from services.capture import app
from services.capture.handlers import measures
from services.capture.store import images
from tests.integration.objects.old_store import old_store

LATER = timedelta(days=30)


def bucket_url(s3_url: str) -> str:
    """A bucket of its own."""
    return f"{s3_url.rpartition('/')[0]}/lock-{uuid4()}"


def refused_by(act: Callable[[], object]) -> str:
    """Why the store refuses it."""
    with pytest.raises(S3Error) as error:
        act()
    return str(error.value.code)


async def test_what_is_held_stays_until_its_time(s3_url: str) -> None:
    """A bucket of ours has lock; a held version is not removed, nor its time shortened; its next one may go."""
    url = bucket_url(s3_url)
    store = objects.Objects(url)
    await store.ensure_bucket()
    assert await store.locks()
    await store.put("originals/x.jpg", b"first", "image/jpeg")
    first = await store.stat("originals/x.jpg")
    assert first is not None
    until = datetime.now(UTC).replace(microsecond=0) + LATER
    assert await store.hold("originals/x.jpg", first.version, until)
    bucket, client = store._place.bucket, store._client
    kept = client.get_object_retention(bucket, "originals/x.jpg", version_id=first.version)
    assert kept is not None
    assert (kept.mode, kept.retain_until_date) == (GOVERNANCE, until)
    assert await store.hold("originals/x.jpg", first.version, until - LATER / 2), "again is no fault"
    kept = client.get_object_retention(bucket, "originals/x.jpg", version_id=first.version)
    assert kept is not None
    assert kept.retain_until_date == until, "a hold is not shortened"
    await store.put("originals/x.jpg", b"second", "image/jpeg")
    second = await store.stat("originals/x.jpg")
    assert second is not None
    assert (
        refused_by(lambda: client.remove_object(bucket, "originals/x.jpg", version_id=first.version)) == "AccessDenied"
    )
    client.remove_object(bucket, "originals/x.jpg", version_id=second.version)
    assert await store.get("originals/x.jpg", first.version) == b"first"


async def test_a_bucket_that_was_made_without_lock_is_found_out_at_the_start(s3_url: str) -> None:
    """It stays as it is, holds nothing, and capture says so when it starts."""
    url = bucket_url(s3_url)
    plain = objects.Objects(url)
    plain._client.make_bucket(plain._place.bucket)
    kept = images.Objects(url)
    await kept.ensure_bucket()
    await said_at_start(kept, locked=False)
    await kept.put("originals/x.jpg", b"first", "image/jpeg")
    found = await kept.found("originals/x.jpg", 5)
    assert found is not None
    assert await kept.keep("originals/x.jpg", found.version) is False
    plain._client.remove_object(plain._place.bucket, "originals/x.jpg")
    assert await kept.found("originals/x.jpg", 5) is None, "without lock whoever has the key removes it"


async def test_a_bucket_with_lock_says_so_too(s3_url: str) -> None:
    """Control: the same start on a bucket of ours."""
    kept = images.Objects(bucket_url(s3_url))
    await kept.ensure_bucket()
    await said_at_start(kept, locked=True)


async def test_a_store_that_knows_no_lock_is_found_out_and_used() -> None:
    """It refuses to make a bucket with lock, and to tell of one: the bucket is made without, and that is said."""
    with old_store() as (url, asked):
        kept = images.Objects(url)
        await kept.ensure_bucket()
        assert asked[:2] == ["bucket with lock", "bucket"]
        await said_at_start(kept, locked=False)
        assert await kept.keep("originals/x.jpg", None) is False


async def test_a_store_that_is_away_is_not_called_lockless() -> None:
    """Whether there is a lock is not known then, and asked again."""
    with pytest.raises(errors.Unavailable):
        await images.Objects("http://key:secret@127.0.0.1:1/bucket").locks()


async def said_at_start(kept: images.Objects, *, locked: bool) -> None:
    """What capture's start writes, and shows."""
    with structlog.testing.capture_logs() as lines:
        await app._say_what_the_store_can(kept)
    (line,) = [line for line in lines if line["event"] == "capture.object-lock"]
    assert (line["available"], line["log_level"]) == (locked, "info" if locked else "warning")
    assert measures.LOCKED._value.get() == int(locked)
