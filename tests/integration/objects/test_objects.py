"""The object store's door on the real SeaweedFS."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from kit import errors, objects


@pytest.fixture
async def store(s3_url: str) -> objects.Objects:
    """The bucket of the tests."""
    store = objects.Objects(s3_url)
    await store.ensure_bucket()
    return store


@pytest.fixture
def key() -> Callable[[str], str]:
    """Names under a prefix that no other test has."""
    prefix = f"photos/{uuid4()}"
    return lambda name: f"{prefix}/{name}"


async def test_what_is_put_is_got(store: objects.Objects, key: Callable[[str], str]) -> None:
    """Content comes back byte for byte, an empty object too."""
    for content in (b"", b"\xff\xd8" + bytes(range(256)) * 2000):
        await store.put(key("a.jpg"), content, "image/jpeg")
        assert await store.get(key("a.jpg")) == content


async def test_stat_tells_size_and_absence(store: objects.Objects, key: Callable[[str], str]) -> None:
    """Size and etag of what is there, None for what is not."""
    assert await store.stat(key("a.jpg")) is None
    assert not await store.exists(key("a.jpg"))
    await store.put(key("a.jpg"), b"12345", "image/jpeg")
    found = await store.stat(key("a.jpg"))
    assert found is not None
    assert (found.size, found.etag) == (5, hashlib.md5(b"12345").hexdigest())
    assert await store.exists(key("a.jpg"))


async def test_getting_what_is_not_there_says_so(store: objects.Objects, key: Callable[[str], str]) -> None:
    """NotFound with the key, no Unavailable: asking again would not help."""
    with pytest.raises(errors.NotFound) as error:
        await store.get(key("a.jpg"))
    assert (error.value.code, error.value.params) == ("object-missing", {"key": key("a.jpg")})


async def test_a_file_is_put_in_parts(store: objects.Objects, key: Callable[[str], str], tmp_path: Path) -> None:
    """A file larger than one part arrives whole."""
    content = bytes(range(256)) * 4096 * 12
    (tmp_path / "batch.zip").write_bytes(content)
    await store.put_file(key("batch.zip"), tmp_path / "batch.zip", "application/zip")
    assert hashlib.sha256(await store.get(key("batch.zip"))).digest() == hashlib.sha256(content).digest()


async def test_removing_is_for_good_and_may_come_twice(store: objects.Objects, key: Callable[[str], str]) -> None:
    """A removed object is gone, and removing it again is no error."""
    await store.put(key("a.jpg"), b"1", "image/jpeg")
    await store.remove(key("a.jpg"))
    await store.remove(key("a.jpg"))
    assert not await store.exists(key("a.jpg"))


async def test_an_original_is_never_removed(store: objects.Objects) -> None:
    """What the camera gave stays."""
    original = f"originals/{uuid4()}/a.jpg"
    await store.put(original, b"1", "image/jpeg")
    with pytest.raises(errors.Refused, match="original-kept"):
        await store.remove(original)
    assert await store.exists(original)


@pytest.mark.parametrize("page", [1, 3, 1000])
async def test_a_listing_goes_on_over_its_pages(
    store: objects.Objects, key: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Every key once, in order, whatever the length of a page; nothing of another prefix."""
    monkeypatch.setattr(objects, "_PAGE", page)
    names = [key(f"{number:03}.jpg") for number in range(7)] + [key("deeper/1.jpg")]
    for name in reversed(names):
        await store.put(name, b"1", "image/jpeg")
    assert [found async for found in store.list(key(""))] == sorted(names)
    assert [found async for found in store.list(key("nothing/"))] == []


async def test_a_presigned_put_takes_what_it_was_made_for(store: objects.Objects, key: Callable[[str], str]) -> None:
    """A station without any key of the store puts by URL; another name is refused."""
    url = await store.presign_put(key("a.jpg"), 60)
    async with httpx.AsyncClient() as client:
        assert (await client.put(url, content=b"frame")).status_code == 200
        assert (await client.put(url.replace("a.jpg", "b.jpg"), content=b"frame")).status_code == 403
        assert (await client.get(url)).status_code == 403
    assert await store.get(key("a.jpg")) == b"frame"
    assert not await store.exists(key("b.jpg"))


async def test_if_none_match_overwrites_nothing(store: objects.Objects, key: Callable[[str], str]) -> None:
    """With `If-None-Match: *` the first PUT wins and the second is told 412."""
    url = await store.presign_put(key("a.jpg"), 60)
    async with httpx.AsyncClient(headers={"if-none-match": "*"}) as client:
        assert (await client.put(url, content=b"first")).status_code == 200
        assert (await client.put(url, content=b"second")).status_code == 412
    assert await store.get(key("a.jpg")) == b"first"


async def test_a_presigned_get_gives_and_ends(store: objects.Objects, key: Callable[[str], str]) -> None:
    """The URL gives the content without other credentials; without its signature, or altered, it gives nothing."""
    await store.put(key("a.jpg"), b"frame", "image/jpeg")
    url = await store.presign_get(key("a.jpg"), 60)
    async with httpx.AsyncClient() as client:
        answer = await client.get(url)
        assert (answer.content, answer.headers["content-type"]) == (b"frame", "image/jpeg")
        assert (await client.get(url.split("?")[0])).status_code == 403
        assert (await client.get(url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"))).status_code == 403


async def test_a_presigned_url_expires(store: objects.Objects, key: Callable[[str], str]) -> None:
    """After its seconds it is worth nothing."""
    await store.put(key("a.jpg"), b"frame", "image/jpeg")
    url = await store.presign_get(key("a.jpg"), 1)
    async with httpx.AsyncClient() as client:
        for _ in range(60):
            status = (await client.get(url)).status_code
            if status == 403:
                break
            await asyncio.sleep(0.1)
    assert status == 403


async def test_urls_bear_the_address_that_others_see(s3_url: str) -> None:
    """Behind a gateway stations are given the gateway's address, and it is what the signature is over."""
    store = objects.Objects(s3_url, "https://photos.example.edu.cn")
    url = await store.presign_put("photos/x/1.jpg", 60)
    assert url.startswith("https://photos.example.edu.cn/")
    assert "photos/x/1.jpg" in url


async def test_making_the_bucket_may_come_twice(s3_url: str) -> None:
    """Services that start together all make it; none fails."""
    fresh = f"{s3_url.rpartition('/')[0]}/fresh-{uuid4()}"
    stores = [objects.Objects(fresh) for _ in range(3)]
    assert not await stores[0].ready()
    await asyncio.gather(*(store.ensure_bucket() for store in stores))
    assert await stores[0].ready()


@pytest.mark.parametrize("port", [1])
async def test_a_store_that_is_away_is_unavailable(port: int) -> None:
    """Every act says Unavailable, so that what needs it is tried again; the secret is not in the error."""
    away = objects.Objects(f"http://key:hunter2@127.0.0.1:{port}/bucket")
    for act in (away.get("x"), away.stat("x"), away.put("x", b"", "image/jpeg"), away.ensure_bucket()):
        with pytest.raises(errors.Unavailable) as error:
            await act
        assert error.value.code == "object-store-unavailable"
        assert "hunter2" not in str(error.value)
    assert not await away.ready()


async def test_wrong_credentials_are_unavailable_too(s3_url: str) -> None:
    """A refused key is our configuration's fault, not the caller's: no NotFound, no success."""
    scheme, _, rest = s3_url.partition("://")
    stranger = objects.Objects(f"{scheme}://stranger:wrong@{rest.rpartition('@')[2]}")
    with pytest.raises(errors.Unavailable):
        await stranger.get("photos/x")
    assert not await stranger.ready()


@pytest.mark.parametrize("url", ["", "http://host/bucket", "http://key:hunter2@host:1", "ftp://key:hunter2@host/b"])
def test_a_url_that_is_none_is_refused_without_its_secret(url: str) -> None:
    """The error says how the URL reads and repeats nothing of it."""
    with pytest.raises(ValueError, match="http://key:secret@host:port/bucket") as error:
        objects.Objects(url)
    assert "hunter2" not in str(error.value)
