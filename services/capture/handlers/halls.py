"""Who belongs to a hall: the stations of one group's desks, told to each of them under the server's signature."""

import json

from services.capture import ports
from services.capture.domain import stations
from services.capture.handlers import stations as station_acts


async def hall_list(work: ports.Work, station: stations.Station) -> tuple[bytes, str]:
    """The list as it goes out, byte by byte, and the signature over it. Its order is that in which hubs follow."""
    desk = await station_acts.planned_desk(work, station)
    members = await work.reports.hall(desk.group_id)
    content = {"campaign_id": str(station.campaign_id), "group_code": desk.group_code, "stations": members}
    sealed = json.dumps(content, ensure_ascii=False).encode()
    return sealed, work.sign_hall(sealed)
