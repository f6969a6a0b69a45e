"""What the screen and a JSON document say of the photos judged."""

import json
from collections import Counter
from typing import TextIO

from cli import screen
from cli.photo import files, judging, page
from photospec import profiles

MARKS = {"accept": "✓", "review": "?", "reject": "✗"}
#: Files of a run whose findings are told one by one on the screen; of more there is a table.
_TELL_EACH = 20


class Document:
    """One JSON document, written as the rows come."""

    def __init__(self, file: TextIO, profile: profiles.Profile) -> None:
        self._file = file
        self._verdicts: Counter[str] = Counter()
        file.write(f'{{"profile": "{profile.name}", "profile_version": "{profile.version}", "photos": [')

    def add(self, row: judging.Row) -> None:
        """One photo more."""
        self._file.write(",\n" if self._verdicts.total() else "\n")
        self._file.write(json.dumps(row.as_dict(), ensure_ascii=False))
        self._verdicts[row.verdict] += 1

    def end(self) -> None:
        """How many of each verdict."""
        self._file.write(f'\n], "verdicts": {json.dumps(self._verdicts)}}}\n')


class Tally:
    """Counts of a run, and its rows where they are few."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self._rules: Counter[str] = Counter()
        self._rows: list[judging.Row] = []

    def add(self, row: judging.Row) -> None:
        """One photo more."""
        self.verdicts[row.verdict] += 1
        self._rules.update(set(row.rules))
        if len(self._rows) <= _TELL_EACH:
            self._rows.append(row)

    def tell(self) -> None:
        """Each photo of a few, a table of many."""
        if len(self._rows) <= _TELL_EACH:
            for row in self._rows:
                _tell_one(row)
            return
        screen.tell(" · ".join(f"{zh} {en} {self.verdicts[verdict]}" for verdict, (zh, en) in page.VERDICTS.items()))
        for rule_id, count in self._rules.most_common():
            screen.tell(f"  {rule_id:10} {count}")


def _tell_one(row: judging.Row) -> None:
    zh, en = page.VERDICTS[row.verdict]
    screen.tell(f"{MARKS[row.verdict]} {files.shown(row.path)} · {zh} {en}")
    if row.refusal:
        r = row.refusal
        screen.tell(f"  {r.rule_id} {r.reason_zh} · {r.reason_en}\n    → {r.advice_zh} · {r.advice_en}")
    for finding in row.report.findings if row.report else ():
        if finding.severity == "info":
            continue
        told = "" if finding.measured is None else f" [{finding.measured:g} {finding.unit}; {finding.limit}]"
        screen.tell(f"  {finding.rule_id} {finding.reason_zh} · {finding.reason_en}{told}")
        if finding.advice_zh:
            screen.tell(f"    → {finding.advice_zh} · {finding.advice_en}")
    if row.report and row.report.for_a_person:
        screen.tell(f"  人工判断 for a person: {', '.join(row.report.for_a_person)}")
