"""The one table of all events. From it come schemas, AsyncAPI, the broker's bindings, and the tables in the READMEs."""

from dataclasses import dataclass
from typing import Any, Literal

from gradphoto_contracts import billing, capture, roster, scheduler, verify
from gradphoto_contracts.envelope import Event

#: `subscribers` are other university systems, each with a queue of its own.
Party = Literal["roster", "scheduler", "capture", "billing", "verify", "subscribers"]
SERVICES: tuple[Party, ...] = ("roster", "scheduler", "capture", "billing", "verify")


class UnknownEvent(LookupError):
    """No event of this type is in the catalogue."""


@dataclass(frozen=True)
class Entry:
    """One event: its model, who says and who hears it, what it says, whether it carries personal data (none does)."""

    event: type[Event]
    producer: Party
    consumers: tuple[Party, ...]
    sentence_zh: str
    personal_data: bool = False

    @property
    def type(self) -> str:
        return self.event.TYPE

    @property
    def sentence_en(self) -> str:
        return (self.event.__doc__ or "").split("\n\n")[0].strip()


def _entry(event: type[Event], hears: str, sentence_zh: str) -> Entry:
    producer: Any = event.TYPE.split(".", 1)[0]
    consumers: Any = tuple(hears.split())
    return Entry(event, producer, consumers, sentence_zh)


ENTRIES: tuple[Entry, ...] = (
    _entry(roster.CampaignOpenedV1, "scheduler capture billing verify subscribers", "批次已开启，政策自此生效"),
    _entry(roster.CampaignChangedV1, "scheduler capture billing verify subscribers", "批次的政策或校区有变"),
    _entry(roster.CampaignClosedV1, "scheduler capture billing verify subscribers", "批次已关闭，不再变更"),
    _entry(roster.ClassRegisteredV1, "scheduler capture billing verify", "班级已登记"),
    _entry(roster.ClassChangedV1, "scheduler capture billing verify", "班级信息有变"),
    _entry(roster.StudentEnrolledV1, "scheduler capture billing verify", "学生已列入名单"),
    _entry(roster.StudentChangedV1, "scheduler capture billing verify", "学生的班级或资格有变"),
    _entry(roster.StudentWithdrawnV1, "scheduler capture billing verify", "学生已从名单移出"),
    _entry(roster.CodeRegisteredV1, "capture", "学生的采集码摘要已登记"),
    _entry(scheduler.PlanPublishedV1, "capture subscribers", "采集计划已发布"),
    _entry(scheduler.SlotAssignedV1, "capture subscribers", "班级已排定时间与顺序代码"),
    _entry(scheduler.SlotMovedV1, "capture subscribers", "班级的时间或组别有变"),
    _entry(scheduler.SlotCancelledV1, "capture subscribers", "班级的时段已取消"),
    _entry(scheduler.DelayAnnouncedV1, "subscribers", "某组延误"),
    _entry(scheduler.StudentMissedV1, "verify subscribers", "学生未参加采集"),
    _entry(capture.StationEnrolledV1, "subscribers", "采集台站已登记"),
    _entry(capture.StationSeenV1, "subscribers", "采集台站在线"),
    _entry(capture.StationLostV1, "subscribers", "采集台站失联"),
    _entry(capture.CheckinRecordedV1, "scheduler subscribers", "学生已签到并取得拍摄号"),
    _entry(capture.PhotoReceivedV1, "subscribers", "原始图像已入库"),
    _entry(capture.PhotoAcceptedV1, "roster scheduler billing verify subscribers", "图像合格，归属该生"),
    _entry(capture.PhotoRejectedV1, "subscribers", "图像未被采用"),
    _entry(capture.PhotoReboundV1, "roster scheduler billing verify subscribers", "图像改归另一学生"),
    _entry(capture.PhotoWithdrawnV1, "roster scheduler billing verify subscribers", "图像已撤回"),
    _entry(capture.VerdictDifferedV1, "subscribers", "采集台与服务器判定不一致"),
    _entry(capture.DoubleFoundV1, "subscribers", "同一学生被两台签到"),
    _entry(capture.DoubleSettledV1, "subscribers", "重复签到已有结论"),
    _entry(capture.DriftSuspectedV1, "subscribers", "疑似错位，采集台暂停"),
    _entry(capture.SessionRefusedV1, "subscribers", "场次对账不符，未封存"),
    _entry(capture.SessionSealedV1, "subscribers", "场次已封存并对账"),
    _entry(billing.ChargeRaisedV1, "subscribers", "已计一人拍摄费"),
    _entry(billing.PaymentRecordedV1, "scheduler subscribers", "已收款"),
    _entry(billing.VoucherIssuedV1, "subscribers", "已发拍照凭证"),
    _entry(billing.VoucherRedeemedV1, "subscribers", "拍照凭证已核销"),
    _entry(billing.ReceiptIssuedV1, "subscribers", "已开收据"),
    _entry(billing.RefundRecordedV1, "subscribers", "已退款"),
    _entry(billing.ClassSettledV1, "subscribers", "班级账目已结清"),
    _entry(billing.DiscrepancyFoundV1, "subscribers", "缴费人数与拍摄人数不符"),
    _entry(verify.BatchDeliveredV1, "subscribers", "图像已报送学信网"),
    _entry(verify.PhotoPublishedV1, "subscribers", "学信网已显示图像"),
    _entry(verify.PhotoConfirmedV1, "subscribers", "学生确认无误"),
    _entry(verify.PhotoDisputedV1, "subscribers", "学生报告有误或学信网退回"),
    _entry(verify.PhotoCorrectedV1, "subscribers", "差错已更正"),
    _entry(verify.PhotoDefaultedV1, "subscribers", "逾期未校对，按规定处理"),
    _entry(verify.MakeupRequiredV1, "subscribers", "需要补拍"),
    _entry(verify.MakeupBookedV1, "subscribers", "补拍已预约"),
    _entry(verify.MakeupDoneV1, "subscribers", "补拍已完成"),
    _entry(verify.DeadlineNearV1, "subscribers", "期限临近"),
)

BY_TYPE: dict[str, Entry] = {entry.type: entry for entry in ENTRIES}


def heard_by(party: Party) -> tuple[Entry, ...]:
    """What `party` hears: the bindings of its inbox."""
    return tuple(entry for entry in ENTRIES if party in entry.consumers)


def said_by(party: Party) -> tuple[Entry, ...]:
    """What `party` says."""
    return tuple(entry for entry in ENTRIES if entry.producer == party)


def bindings() -> dict[Party, list[str]]:
    """What each service hears, as the broker is told of it. Each process declares all of it before it says anything."""
    return {service: [entry.type for entry in heard_by(service)] for service in SERVICES}


def read(type: str, data: dict[str, Any]) -> Event:
    """Read an event as a consumer does: fields that it does not know yet are ignored.

    Raises:
        UnknownEvent: the type is not in the catalogue.
        pydantic.ValidationError: the data do not fit the type.
    """
    entry = BY_TYPE.get(type)
    if entry is None:
        raise UnknownEvent(type)
    return entry.event.model_validate(data, extra="ignore")
