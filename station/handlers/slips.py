"""The paper with which a student goes from check-in to the camera."""

from kit.errors import NotFound, Unavailable
from station.ports import hardware, workplace


async def print_slip(work: workplace.Work, number: str | None) -> str:
    """Print a ticket's slip once more: the one named, or the one issued last. Gives the ticket."""
    if work.printer is None:
        raise Unavailable("printer-none")
    number = number or next(reversed(work.desk.tickets), None)
    if number is None or number not in work.desk.tickets:
        raise NotFound("desk-ticket-unknown", ticket=number or "-")
    await work.printer.print(slip_of(work, number))
    return number


async def issue(work: workplace.Work, number: str) -> None:
    """Print the slip of a ticket that was just issued, where the desk has a printer. Never waits for it."""
    if work.printer is not None:
        await work.printer.print(slip_of(work, number))


def slip_of(work: workplace.Work, number: str) -> hardware.Slip:
    """What stands on a ticket's slip."""
    ticket = work.desk.tickets[number]
    classes = work.packs.current().classes
    label = next((planned.label for planned in classes if planned.class_id == ticket.class_id), "")
    return hardware.Slip(number, label, work.desk.code, ticket.issued_at)
