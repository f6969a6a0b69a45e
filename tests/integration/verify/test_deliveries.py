"""Deliveries: every photo in force in exactly one, whatever dies or changes on the way."""

import asyncio
import csv
import hashlib
import io
import zipfile
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx
import pytest

from gradphoto_contracts import verify as said
from kit import db, errors
from services.verify import store
from services.verify.domain import batches, copies
from services.verify.handlers import deliveries
from tests.integration.verify import conftest as school
from tests.integration.verify.conftest import CID, Verify
from tests.unit.verify import cases


@pytest.fixture
async def photographed(verify: Verify) -> Verify:
    """Five students of one class, four of them photographed."""
    await verify.hear(school.opened(cases.S0), school.registered(), *(school.enrolled(n) for n in range(5)))
    await verify.photograph(0, 1, 2, 3)
    return verify


class Dies(Exception):
    """The process is gone."""


class BrokenArchive:
    """An archive whose packing does something on the way, then goes on or dies."""

    def __init__(self, real: object, meanwhile: object = None, *, dies: bool = False) -> None:
        self.real, self.meanwhile, self.dies, self.packed = real, meanwhile, dies, 0

    async def pack(self, key: str, photos: Sequence[copies.Photo]) -> str:
        digest: str = await self.real.pack(key, photos)  # type: ignore[attr-defined]
        self.packed += 1
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()  # type: ignore[operator]
        if self.dies:
            raise Dies
        return digest


async def test_migrations_lead_to_the_tables_of_the_code(verify: Verify, postgres_url: str) -> None:
    """Nothing stands between the migrated schema and the metadata."""
    # As administrator: to the service's own role its schema is the default one, and bears no name.
    url = urlsplit(postgres_url)._replace(path=urlsplit(verify.url).path).geturl()
    assert await db.differences(url, store.METADATA) == []


async def test_archive_holds_the_photos_and_no_person(photographed: Verify) -> None:
    """The zip holds each photo byte for byte, and a manifest of ids and hashes; nothing in it names anybody."""
    batch = (await photographed.ask("POST", f"/v1/campaigns/{CID}/batches")).json()
    assert (batch["number"], batch["photos"], batch["state"]) == (1, 4, "delivered")
    assert batch["archive_key"] == f"batches/{CID}/{batch['batch_id']}.zip"
    content = await photographed.kept.get(batch["archive_key"])
    assert hashlib.sha256(content).hexdigest() == batch["sha256"]
    archive = zipfile.ZipFile(io.BytesIO(content))
    rows = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode("utf-8-sig"))))
    assert [row["图像编号"] for row in rows] == [str(school.capture_id(n)) for n in range(4)]
    assert [archive.read(row["文件"]) for row in rows] == [school.picture(n) for n in range(4)]
    assert all(hashlib.sha256(archive.read(row["文件"])).hexdigest() == row["SHA-256"] for row in rows)
    assert await photographed.states() == {"delivered": 4, "enrolled": 1}
    (event,) = await photographed.said(said.BatchDeliveredV1)
    assert event["archive_sha256"] == batch["sha256"]


async def test_link_to_an_archive_works_and_is_on_record(photographed: Verify) -> None:
    """The link gives the archive to whoever may have it, and says who asked."""
    batch = (await photographed.ask("POST", f"/v1/campaigns/{CID}/batches")).json()
    link = (await photographed.ask("GET", f"/v1/batches/{batch['batch_id']}/archive")).json()
    async with httpx.AsyncClient(trust_env=False) as client:
        content = (await client.get(link["url"])).content
    assert hashlib.sha256(content).hexdigest() == link["sha256"]
    async with photographed.database.transaction() as tx:
        assert (await tx.execute(store.VIEWS.select())).one().viewer == "tester"


async def test_each_photo_is_delivered_once(photographed: Verify) -> None:
    """A second delivery holds only what is new; a third finds nothing."""
    await photographed.ask("POST", f"/v1/campaigns/{CID}/batches")
    await photographed.photograph(4)
    second = (await photographed.ask("POST", f"/v1/campaigns/{CID}/batches")).json()
    assert (second["number"], second["photos"]) == (2, 1)
    third = await photographed.ask("POST", f"/v1/campaigns/{CID}/batches")
    assert (third.status_code, third.json()["code"]) == (409, "verify-nothing-to-deliver")


async def test_many_requests_at_once_are_one_delivery(photographed: Verify) -> None:
    """Requests that race join the delivery under way; the event is said once."""
    asked = [photographed.ask("POST", f"/v1/campaigns/{CID}/batches") for _ in range(6)]
    answers = await asyncio.gather(*asked)
    delivered = [answer.json()["batch_id"] for answer in answers if answer.status_code == 201]
    assert delivered
    assert len(set(delivered)) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(await photographed.said(said.BatchDeliveredV1)) == 1


async def test_delivery_survives_the_death_of_its_process(photographed: Verify) -> None:
    """Killed after the upload and before the word of it: the next run packs the same bytes to the same key."""
    with pytest.raises(Dies):
        await deliveries.deliver_batch(
            photographed.unit, BrokenArchive(photographed.archive, dies=True), cases.CAMPAIGN
        )
    assert await photographed.states() == {"photographed": 4, "enrolled": 1}
    async with photographed.unit() as work:
        begun = await work.batches.gathering(cases.CAMPAIGN)
    assert begun is not None
    left_behind = await photographed.kept.get(batches.archive_key(cases.CAMPAIGN, begun.batch_id))
    photographed.watch.moment += deliveries.STUCK * 2
    await deliveries.resume_batches(photographed.unit, photographed.archive)
    async with photographed.unit() as work:
        batch = await work.batches.get(begun.batch_id)
    assert batch is not None
    assert (batch.state, batch.photos) == ("delivered", 4)
    assert await photographed.kept.get(batch.archive_key) == left_behind


async def test_photo_withdrawn_while_packed_is_not_delivered(photographed: Verify) -> None:
    """What is withdrawn meanwhile is packed out again before anything is called delivered."""

    async def meanwhile() -> None:
        await photographed.hear(school.withdrawn(2))

    archive = BrokenArchive(photographed.archive, meanwhile)
    batch = await deliveries.deliver_batch(photographed.unit, archive, cases.CAMPAIGN)
    assert (archive.packed, batch.photos) == (2, 3)
    content = await photographed.kept.get(batch.archive_key)
    assert f"photos/{school.capture_id(2)}.jpg" not in zipfile.ZipFile(io.BytesIO(content)).namelist()


async def test_altered_picture_stops_the_delivery(photographed: Verify) -> None:
    """A picture in the store that is not the accepted one is never sent to CHSI."""
    await photographed.kept.put(school.accepted(1).photo_key, b"another", "image/jpeg")
    with pytest.raises(errors.Conflict, match="verify-photo-altered"):
        await deliveries.deliver_batch(photographed.unit, photographed.archive, cases.CAMPAIGN)
    assert "delivered" not in await photographed.states()
