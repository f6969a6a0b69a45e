"""Drawn-up students: names, numbers and codes that look real and belong to nobody, the same for the same seed."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import xlsxwriter

from cli import scenario as scenarios

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞鹏宇浩然子轩梓涵欣怡佳琪思"
    "雨晨曦嘉诚天翔若曦一鸣文博雅婷俊熙瑞雪"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
COLUMNS = ("学号", "姓名", "性别", "身份证号", "证件类型", "学院", "班级", "校区", "培养层次", "学生类别", "手机号")


@dataclass(frozen=True)
class Student:
    """One drawn-up student. `face` seeds the portrait; `scan` is what the reader at the desk will read."""

    number: int
    student_no: str
    name: str
    sex: str
    id_number: str
    id_kind: str
    phone: str
    cohort: str
    college_zh: str
    campus_zh: str
    label: str
    face: int
    scan: str

    def row(self) -> dict[str, str]:
        """The student as a row of the roster workbook."""
        values = (self.student_no, self.name, self.sex, self.id_number, self.id_kind, self.college_zh)
        return dict(zip(COLUMNS, (*values, self.label, self.campus_zh, "本科", self.cohort, self.phone), strict=True))


def draw_up(scenario: scenarios.Scenario, sizes: Mapping[str, int], seed: int) -> list[Student]:
    """All students of the classes in `sizes`, class by class in the order of the day, by student number within one."""
    dice = random.Random(f"population-{scenario.name}-{seed}")
    students: list[Student] = []
    for window in scenario.windows:
        campus = scenario.campus_of(window).name_zh
        for each in window.school_classes():
            for place in range(1, sizes.get(each.label, 0) + 1):
                students.append(_student(scenario, each, campus, len(students) + 1, place, dice))
    return students


def walk_in(scenario: scenarios.Scenario, beside: Student, number: int, seed: int) -> Student:
    """A student of the same class whom the roster does not know yet."""
    dice = random.Random(f"walk-in-{scenario.name}-{seed}-{number}")
    each = scenarios.SchoolClass(label=beside.label, college_zh=beside.college_zh)
    return _student(scenario, each, beside.campus_zh, number, 90 + number % 10, dice)


def write_workbook(path: Path, students: Sequence[Student]) -> None:
    """The roster as a registrar would send it: every cell text, one header row."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_numbers": False})
    sheet = book.add_worksheet("毕业生名单")
    sheet.write_row(0, 0, COLUMNS)
    for line, student in enumerate(students, start=1):
        sheet.write_row(line, 0, list(student.row().values()))
    book.close()


def _student(
    scenario: scenarios.Scenario,
    school_class: scenarios.SchoolClass,
    campus_zh: str,
    number: int,
    place: int,
    dice: random.Random,
) -> Student:
    sex = dice.choice("男女")
    cohort = _cohort(scenario, dice)
    overseas = cohort == "overseas"
    id_number = f"E{number:08d}" if overseas else _id_number(number, sex, scenario.campaign.graduation_year)
    student_no = f"{scenario.campaign.graduation_year - 4}{number:05d}{place:02d}"
    digest = hashlib.sha256(f"{scenario.name}-{student_no}-{dice.random()}".encode()).hexdigest()
    return Student(
        number=number,
        student_no=student_no,
        name=dice.choice(_SURNAMES) + "".join(dice.sample(_GIVEN, dice.choice((1, 2, 2)))),
        sex=sex,
        id_number=id_number,
        id_kind="护照" if overseas else "居民身份证",
        phone=f"199{number:08d}",
        cohort=cohort,
        college_zh=school_class.college_zh,
        campus_zh=campus_zh,
        label=school_class.label,
        face=int(digest[:8], 16),
        scan=_scan(scenario, digest, id_number, student_no),
    )


def _scan(scenario: scenarios.Scenario, digest: str, id_number: str, student_no: str) -> str:
    match scenario.policy.identity_mode:
        case "capture_code":
            return f"CHSI-TXCJ:{digest}"
        case "id_card":
            return id_number
        case _:
            return student_no


def _cohort(scenario: scenarios.Scenario, dice: random.Random) -> str:
    roll = dice.random()
    for special in scenario.students.specials:
        if roll < special.share:
            return special.cohort
        roll -= special.share
    return scenario.policy.cohorts[0].code


def _id_number(number: int, sex: str, graduation_year: int) -> str:
    """A 居民身份证 number with a right check digit (GB 11643); the sequence part keeps all of them apart."""
    born = date(graduation_year - 22, 1, 1) + timedelta(days=number % 360)
    sequence = (number // 360) * 2 + (1 if sex == "男" else 0)
    digits = f"650102{born:%Y%m%d}{sequence % 1000:03d}"
    check = "10X98765432"[sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11]
    return digits + check
