"""The report as one HTML file: every photo with what was found drawn in, by verdict, rule and name.

Written as the rows come, so that a folder of thousands takes no more memory than one of ten. Thousands of pictures
would choke a browser that laid them all out: they lie in the page as data, and its script builds those that are seen.
The page asks nothing of any network, and its policy would not let it.
"""

import base64
import html
import json
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

from cli.photo import files, judging
from photospec import inspection, profiles, refusals

VERDICTS = {"reject": ("不合格", "reject"), "review": ("人工复核", "review"), "accept": ("合格", "accept")}

_BESIDE = Path(__file__).parent
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


class Page:
    """A page under way: `add` each row, then `end`. Files are named as they lie below a folder."""

    def __init__(self, file: TextIO, profile: profiles.Profile, below: Path) -> None:
        self._file, self._profile, self._below = file, profile, below
        self._verdicts: Counter[str] = Counter()
        self._rules: Counter[str] = Counter()
        self._refused: set[str] = set()
        self._words = _words(profile)
        file.write(_head(profile))
        file.write('<script type="application/json" id="photos">[')

    def add(self, row: judging.Row) -> None:
        """One photo more."""
        self._file.write(",\n" if self._verdicts.total() else "\n")
        self._file.write(_data(_photo(row, self._below)))
        self._verdicts[row.verdict] += 1
        self._rules.update(set(row.rules))
        if row.refusal is not None:
            self._words[row.refusal.code] = _said(row.refusal)
            self._refused.add(row.refusal.rule_id)

    def end(self) -> None:
        """The summary, the filters, and what builds the rest."""
        write = self._file.write
        write(f'\n]</script><script type="application/json" id="words">{_data(self._words)}</script>')
        write(self._summary())
        write(self._filters())
        write('<div id="cards"></div><button id="more" type="button">更多 more</button>')
        write("<noscript>此页需要启用 JavaScript · This page needs JavaScript.</noscript>")
        write(_for_a_person(self._profile))
        write(f"<script>{(_BESIDE / 'page.js').read_text('utf-8')}</script></html>\n")

    def _summary(self) -> str:
        first = "".join(
            f'<tr><td class="{verdict}">{zh} <small>{en}</small><td class="n">{self._verdicts[verdict]}'
            for verdict, (zh, en) in VERDICTS.items()
        )
        second = "".join(
            f'<tr><td>{_text(rule_id)}<td class="n">{count}'
            f"<td>{_text(self._reason(rule_id)[0])} <small>{_text(self._reason(rule_id)[1])}</small>"
            for rule_id, count in self._rules.most_common()
        )
        by_rule = f"<table><tr><th>规则 rule<th>张 files<th>原因 reason{second}</table>" if second else ""
        total = self._verdicts.total()
        return (
            f"<p>共 {total} 张 <small>{total} files</small></p><table>{first}</table>"
            f"<h2>按规则 <small>by rule</small></h2>{by_rule or '没有问题 <small>nothing found</small>'}"
        )

    def _filters(self) -> str:
        buttons = "".join(
            f'<button type="button" class="{verdict}" value="{verdict}" aria-pressed="false">'
            f"{zh} {en} {self._verdicts[verdict]}</button>"
            for verdict, (zh, en) in VERDICTS.items()
        )
        rules = "".join(
            f'<option value="{_text(rule_id)}">{_text(rule_id)} {_text(self._reason(rule_id)[0])}（{count}）</option>'
            for rule_id, count in self._rules.most_common()
        )
        return (
            '<h2>照片 <small>photos</small></h2><div id="filters">'
            f'<button type="button" value="" aria-pressed="true">全部 all {self._verdicts.total()}</button>{buttons}'
            '<select id="rule" aria-label="规则 rule"><option value="">所有规则 all rules</option>'
            f'{rules}</select><input id="name" type="search" placeholder="文件名 file name" '
            'aria-label="文件名 file name"><span id="shown" aria-live="polite"></span></div>'
        )

    def _reason(self, rule_id: str) -> tuple[str, str]:
        """The rule's words; some rules stand for files that can't be judged as well, or for nothing else."""
        known = [(self._words[rule_id]["zh"], self._words[rule_id]["en"])] if rule_id in self._words else []
        told = known + [("文件不能检查", "the file can't be judged")] * (rule_id in self._refused)
        return "；".join(zh for zh, _ in told), "; ".join(en for _, en in told)


def _photo(row: judging.Row, below: Path) -> dict[str, Any]:
    said = [_found(finding) for finding in row.report.findings if finding.severity != "info"] if row.report else []
    if row.refusal is not None:
        said = [{"rule": row.refusal.rule_id, "said": row.refusal.code, "severity": "reject", "measured": ""}]
    said.sort(key=lambda one: one["severity"] != "reject")
    picture = base64.b64encode(row.made).decode("ascii")
    name = row.path.relative_to(below) if row.path.is_relative_to(below) else row.path
    return {"name": files.shown(name), "verdict": row.verdict, "found": said, "jpeg": picture}


def _found(finding: inspection.Finding) -> dict[str, str]:
    measured = "" if finding.measured is None else f"{finding.measured:g} {finding.unit}（{finding.limit}）"
    return {"rule": finding.rule_id, "said": finding.rule_id, "severity": finding.severity, "measured": measured}


def _words(profile: profiles.Profile) -> dict[str, dict[str, str]]:
    """Rule or code of a refusal to its words, which the page holds once."""
    return {rule.id: _said(rule) for rule in profile.rules}


def _said(of: profiles.Rule | refusals.Refusal) -> dict[str, str]:
    return {"zh": of.reason_zh, "en": of.reason_en, "advice_zh": of.advice_zh, "advice_en": of.advice_en}


def _head(profile: profiles.Profile) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>照片检查报告 · Photo report</title><style>{(_BESIDE / 'page.css').read_text('utf-8')}</style>"
        f"<h1>照片检查报告 <small>Photo report</small></h1>"
        f"<p>{_text(profile.title_zh)}<br>"
        f"<small>{_text(profile.title_en)} · {profile.name} {profile.version}</small></p>"
    )


def _for_a_person(profile: profiles.Profile) -> str:
    items = "".join(
        f"<li>{_text(rule.id)} {_text(rule.reason_zh)} <small>{_text(rule.reason_en)}</small></li>"
        for rule in profile.rules
        if rule.judged_by == "person"
    )
    return f'<h2>每张都须人工判断 <small>for a person, on every photo</small></h2><ul class="for">{items}</ul>'


def _data(value: object) -> str:
    """JSON that can stand inside a script element: no `<` that could end it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _text(text: str) -> str:
    return html.escape(text)
