"""Objects lie encrypted on the real SeaweedFS; a store without a key is found out at the start, and used."""

from pathlib import Path
from uuid import uuid4

import pytest
import structlog

from cli.stack import stack as stacks
from kit import errors, objects
from services.capture import app
from services.capture.handlers import measures
from services.capture.store import images
from tests.integration.objects.old_store import old_store


def bucket_url(s3_url: str) -> str:
    """A bucket of its own."""
    return f"{s3_url.rpartition('/')[0]}/seal-{uuid4()}"


async def test_what_is_put_lies_encrypted_on_disk(infrastructure: stacks.Stack, s3_url: str) -> None:
    """Nothing of it is found in the store's files, and it is read again as it was; in a bucket not ours it is found."""
    folder = infrastructure.layout.objects
    ours, plain = objects.Objects(bucket_url(s3_url)), objects.Objects(bucket_url(s3_url))
    await ours.ensure_bucket()
    plain._client.make_bucket(plain._place.bucket)
    hidden, open_ = (f"a face {uuid4()} ".encode() * 4000 for _ in range(2))
    await ours.put("originals/x.jpg", hidden, "image/jpeg")
    await plain.put("originals/x.jpg", open_, "image/jpeg")
    assert await ours.get("originals/x.jpg") == hidden
    assert found(folder, open_[:40]), "control: without encryption it can be read from the disk"
    assert not found(folder, hidden[:40])


async def test_a_bucket_that_was_there_before_encrypts_from_then_on(s3_url: str) -> None:
    """What lies in it already stays readable."""
    url = bucket_url(s3_url)
    store = objects.Objects(url)
    store._client.make_bucket(store._place.bucket)
    await store.put("originals/old.jpg", b"old", "image/jpeg")
    assert not await store.encrypts()
    for _ in range(2):
        await store.ensure_bucket()
    assert await store.encrypts()
    await store.put("originals/new.jpg", b"new", "image/jpeg")
    assert [await store.get(f"originals/{name}.jpg") for name in ("old", "new")] == [b"old", b"new"]
    assert [one.object_name for one in store._client.list_objects(store._place.bucket, recursive=True)] == [
        "originals/new.jpg",
        "originals/old.jpg",
    ], "of the probe nothing stays"
    await said_at_start(images.Objects(url), encrypts=True)


@pytest.mark.parametrize("refusal", [500, 501])
async def test_a_store_without_a_key_is_found_out_and_used(refusal: int) -> None:
    """It would take the rule, and no object after it: so it is not given the rule, and that is said. 500: SeaweedFS."""
    with old_store(refusal, takes=frozenset({"bucket with lock", "object", "rule"})) as (url, asked):
        kept = images.Objects(url)
        await kept.ensure_bucket()
        assert list(dict.fromkeys(asked)) == ["bucket with lock", "object encrypted", "object"]
        await said_at_start(kept, encrypts=False)


async def test_keys_that_may_not_set_a_rule_are_no_fault() -> None:
    """The bucket is used as it is, and that is said; the probe that may not be removed stays."""
    with old_store(code="AccessDenied", takes=frozenset({"bucket with lock", "object", "object encrypted"})) as (
        url,
        asked,
    ):
        kept = images.Objects(url)
        await kept.ensure_bucket()
        assert asked[-2:] == ["object encrypted", "rule"]
        await said_at_start(kept, encrypts=False)


async def test_a_store_that_takes_nothing_is_not_called_keyless() -> None:
    """Whether it has a key is not known then."""
    with old_store(takes=frozenset({"bucket"})) as (url, _), pytest.raises(errors.Unavailable):
        await images.Objects(url).ensure_bucket()


def found(folder: Path, words: bytes) -> list[Path]:
    """Which of the store's files hold these words."""
    return [path for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]


async def said_at_start(kept: images.Objects, *, encrypts: bool) -> None:
    """What capture's start writes, and shows."""
    with structlog.testing.capture_logs() as lines:
        await app._say_what_the_store_can(kept)
    (line,) = [line for line in lines if line["event"] == "capture.encryption-at-rest"]
    assert (line["available"], line["log_level"]) == (encrypts, "info" if encrypts else "warning")
    assert measures.ENCRYPTED._value.get() == int(encrypts)
