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
        await closing.close_books(work, campaign, account, cause_id, news=_news(account.payer, changes))


async def _change(work: Work, campaign: copies.Campaign, student: copies.Student) -> Change | None:
    standing = await work.charges.standing(campaign.campaign_id, student)
    charge = standing.charge
    if not standing.photographed and charge is None:
        return None
    wanted = charges.adjust(charge, charges.bill(campaign, standing), student, work.new_id())
    return (charge, wanted) if wanted is not None and wanted != charge else None


def _news(payer: Payer, changes: Iterable[Change]) -> closing.News:
    """Whose heads came to a payer, longest charged first, and whether any left."""
    came, left = [], False
    for before, after in changes:
        had, has = _bears(payer, before), _bears(payer, after)
        came += [after] if has and not had else []
        left = left or (had and not has)
    return closing.News([charge.student_id for charge in sorted(came, key=lambda charge: charge.charge_id)], left)


def _bears(payer: Payer, charge: charges.Charge | None) -> bool:
    return charge is not None and charge.active and charge.payer == payer


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
