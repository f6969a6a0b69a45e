"""From facts to charges: each photographed head is billed once, to whom the present facts name."""

from collections.abc import Iterable
from uuid import UUID

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from services.billing.domain import accounts, charges, copies
from services.billing.handlers import closing
from services.billing.ports import Work

Change = tuple[charges.Charge | None, charges.Charge]


async def rebill(work: Work, campaign_id: ids.CampaignId, students: Iterable[copies.Student], cause_id: UUID) -> None:
    """Bring the charges of these (locked) students to what the present facts say. Unknown campaign: later."""
    campaign = await work.campaigns.get(campaign_id)
    if campaign is None:
        return
    changes = [change for student in students if (change := await _change(work, campaign, student))]
    payers = {accounts.payer_key(campaign_id, payer): payer for change in changes for payer in _payers(change)}
    books = {key: await work.accounts.lock(campaign_id, payers[key]) for key in sorted(payers)}
    for change in changes:
        await _post(work, books, change)
    for account in books.values():
        await closing.close_books(work, campaign, account, cause_id)


async def _change(work: Work, campaign: copies.Campaign, student: copies.Student) -> Change | None:
    photo = await work.photos.in_force(student.student_id)
    charge = await work.charges.get(campaign.campaign_id, student.student_id)
    if photo is None and charge is None:
        return None
    class_id = photo.class_id if photo and not student.version else student.class_id
    bill = charges.bill(campaign, class_id, await work.classes.get(class_id), photo)
    wanted = charges.adjust(charge, bill, student, work.new_id())
    return (charge, wanted) if wanted is not None and wanted != charge else None


def _payers(change: Change) -> list[Payer]:
    before, after = change
    return [charge.payer for charge in (before, after) if charge and charge.active]


async def _post(work: Work, books: dict[str, accounts.Account], change: Change) -> None:
    before, after = change
    postings = []
    if before and before.active:
        key = accounts.payer_key(before.campaign_id, before.payer)
        books[key], posting = books[key].forgive(before)
        postings.append(posting)
    if after.active:
        key = accounts.payer_key(after.campaign_id, after.payer)
        books[key], posting = books[key].owe(after)
        postings.append(posting)
    await work.charges.save(after)
    await work.ledger.add(after.campaign_id, postings)
    await work.events.add(after.said())
