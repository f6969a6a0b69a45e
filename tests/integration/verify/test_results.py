"""CHSI's result files: all rows or none, each fault named, the same file once."""

import io

import pytest
import xlsxwriter

from gradphoto_contracts import verify as said
from tests.integration.verify import conftest as school
from tests.integration.verify.conftest import CID, Verify, results
from tests.unit.verify import cases

PATH = f"/v1/campaigns/{CID}/results"


@pytest.fixture
async def delivered(verify: Verify) -> Verify:
    """Four students, all photographed and delivered."""
    await verify.hear(school.opened(cases.S2), school.registered(), *(school.enrolled(n) for n in range(4)))
    await verify.photograph(0, 1, 2, 3)
    await verify.ask("POST", f"/v1/campaigns/{CID}/batches")
    return verify


def workbook(*rows: tuple[object, ...]) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    for number, row in enumerate([("图像编号", "结果", "原因"), *rows]):
        sheet.write_row(number, 0, [str(cell) for cell in row])
    book.close()
    return file.getvalue()


ROWS = [
    (school.capture_id(0), "已显示", ""),
    (school.capture_id(1), "已显示", ""),
    (school.capture_id(2), "退回", "照片清晰度"),
]


@pytest.mark.parametrize("file", [results(*ROWS), results(*ROWS, encoding="gb18030"), workbook(*ROWS)])
async def test_file_is_taken(delivered: Verify, file: bytes) -> None:
    """Shown photos are published; one sent back is a dispute and needs a make-up; the file again changes nothing."""
    answer = await delivered.ask("POST", PATH, file=file)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"rows": 3, "published": 2, "refused": 1, "unchanged": 0, "errors": []}
    assert await delivered.states() == {"delivered": 1, "makeup_required": 1, "published": 2}
    again = await delivered.ask("POST", PATH, file=file)
    assert again.json() == answer.json()
    assert len(await delivered.said(said.PhotoPublishedV1)) == 2
    assert [event["cause"] for event in await delivered.said(said.PhotoDisputedV1)] == ["refused_by_chsi"]
    assert len(await delivered.said(said.MakeupRequiredV1)) == 1


async def test_overlapping_file_takes_what_is_new(delivered: Verify) -> None:
    """A longer file that repeats an earlier one publishes only the new rows."""
    await delivered.ask("POST", PATH, file=results(*ROWS))
    longer = results(*ROWS, (school.capture_id(3), "已显示", ""))
    answer = (await delivered.ask("POST", PATH, file=longer)).json()
    assert (answer["published"], answer["refused"], answer["unchanged"]) == (1, 0, 3)


async def test_one_bad_row_refuses_the_whole_file(delivered: Verify) -> None:
    """Every fault is named by row, column and value, in both languages; nothing of the file is taken."""
    bad = results(
        ROWS[0], ("not-an-id", "已显示", ""), (school.capture_id(1), "OK", ""), (school.capture_id(2), "退回", "")
    )
    answer = await delivered.ask("POST", PATH, file=bad)
    assert answer.status_code == 422
    faults = [(fault["row"], fault["column"], fault["code"]) for fault in answer.json()["rows"]]
    assert faults == [
        (3, "图像编号", "verify-result-not-an-id"),
        (4, "结果", "verify-result-unknown-word"),
        (5, "原因", "verify-result-reason-missing"),
    ]
    assert "第 3 行" in answer.json()["rows"][0]["zh"]
    assert await delivered.states() == {"delivered": 4}


async def test_rows_that_do_not_belong_refuse_the_file(delivered: Verify) -> None:
    """A photo named twice, or one that was never delivered, refuses the file."""
    bad = results(ROWS[0], ROWS[0], (school.capture_id(77), "已显示", ""))
    answer = await delivered.ask("POST", PATH, file=bad)
    codes = [(fault["row"], fault["code"]) for fault in answer.json()["rows"]]
    assert codes == [(3, "verify-result-twice"), (4, "verify-result-not-delivered")]
    assert await delivered.states() == {"delivered": 4}


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "verify-results-empty"),
        (results(), "verify-results-empty"),
        ("图像编号,结果\r\n".encode(), "verify-results-columns"),
        ("图像编号,结果,原因,姓名\r\n1,2,3,4".encode(), "verify-results-columns"),
        (b"PK\x03\x04 no workbook", "verify-results-unreadable"),
        (b"\xff\xff\xff", "verify-results-unreadable"),
    ],
)
async def test_file_that_is_none_is_refused(delivered: Verify, file: bytes, code: str) -> None:
    """What cannot be read is refused with what to do about it."""
    answer = await delivered.ask("POST", PATH, file=file)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_result_for_a_replaced_photo_is_old_news(delivered: Verify) -> None:
    """CHSI speaks of the photo it has; when another one has replaced it, the case waits for word of that one."""
    await delivered.hear(school.withdrawn(0), school.accepted(9, 0))
    answer = (await delivered.ask("POST", PATH, file=results(ROWS[0]))).json()
    assert (answer["published"], answer["unchanged"]) == (0, 1)
    assert await delivered.states() == {"delivered": 3, "photographed": 1}
