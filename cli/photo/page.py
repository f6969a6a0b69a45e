"""The report as one HTML file: pictures with what was found drawn in, by verdict and by rule. Works without network."""

import base64
import html
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from cli.photo import judging
from photospec import inspection, profiles

VERDICTS = {"reject": ("不合格", "reject"), "review": ("人工复核", "review"), "accept": ("合格", "accept")}

#: Sound photos are shown at once up to this many.
_OPENED = 60
_STYLE = """
:root{color-scheme:light dark;--line:#8884;--reject:#c62828;--review:#b26a00;--accept:#2e7d32}
body{font:15px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;
margin:1.5rem auto;max-width:76rem;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1.2rem 0 .4rem}small{opacity:.7}
table{border-collapse:collapse}td,th{border-bottom:1px solid var(--line);padding:.2rem .8rem .2rem 0;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}
.reject{color:var(--reject)}.review{color:var(--review)}.accept{color:var(--accept)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(21rem,1fr));gap:.6rem}
.card{display:flex;gap:.6rem;border:1px solid var(--line);border-radius:.4rem;padding:.5rem;
content-visibility:auto;contain-intrinsic-size:auto 14rem}
.card img,.card .none{width:110px;height:147px;object-fit:cover;flex:none;background:#8882;border-radius:.2rem}
.card ul{margin:.2rem 0 0;padding:0;list-style:none;font-size:.85rem}.card li{margin-bottom:.3rem}
.card b{overflow-wrap:anywhere}.for{font-size:.85rem;opacity:.8}
summary{cursor:pointer}
"""


def write(path: Path, rows: Sequence[judging.Row], profile: profiles.Profile) -> None:
    """Write the page whole, or leave what was there. Raises: OSError."""
    beside = path.with_name(path.name + ".part")
    with beside.open("w", encoding="utf-8") as file:
        file.writelines(_page(rows, profile))
    beside.replace(path)


def _page(rows: Sequence[judging.Row], profile: profiles.Profile) -> Iterable[str]:
    yield (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>照片检查报告 · Photo report</title><style>{_STYLE}</style>"
        f"<h1>照片检查报告 <small>Photo report</small></h1>"
        f"<p>{_text(profile.title_zh)}<br>"
        f"<small>{_text(profile.title_en)} · {profile.name} {profile.version}</small></p>"
    )
    yield _summary(rows, profile)
    for verdict in VERDICTS:
        yield from _verdict(verdict, [row for row in rows if row.verdict == verdict], profile)
    yield _for_a_person(profile)
    yield "</html>\n"


def _summary(rows: Sequence[judging.Row], profile: profiles.Profile) -> str:
    verdicts: Counter[str] = Counter(row.verdict for row in rows)
    rules = Counter(rule_id for row in rows for rule_id in row.rules)
    words = _words(rows, profile)
    first = "".join(
        f'<tr><td class="{verdict}">{zh} <small>{en}</small><td class="n">{verdicts[verdict]}'
        for verdict, (zh, en) in VERDICTS.items()
    )
    second = "".join(
        f'<tr><td>{_text(rule_id)}<td class="n">{count}'
        f"<td>{_text(words[rule_id][0])} <small>{_text(words[rule_id][1])}</small>"
        for rule_id, count in rules.most_common()
    )
    return (
        f"<p>共 {len(rows)} 张 <small>{len(rows)} files</small></p><table>{first}</table>"
        f"<h2>按规则 <small>by rule</small></h2><table><tr><th>规则 rule<th>张 files<th>原因 reason{second}</table>"
    )


def _words(rows: Sequence[judging.Row], profile: profiles.Profile) -> dict[str, tuple[str, str]]:
    known = {row.refusal.rule_id: ("文件不能检查", "the file can't be judged") for row in rows if row.refusal}
    return known | {rule.id: (rule.reason_zh, rule.reason_en) for rule in profile.rules}


def _verdict(verdict: str, rows: Sequence[judging.Row], profile: profiles.Profile) -> Iterable[str]:
    """The rows of one verdict, each under the first rule that stands in its way."""
    if not rows:
        return
    zh, en = VERDICTS[verdict]
    yield f'<h2 class="{verdict}">{zh} {len(rows)} <small>{en}</small></h2>'
    words = _words(rows, profile)
    first = Counter(row.rules[0] if row.rules else "" for row in rows)
    for rule_id, count in first.most_common():
        reason = " · ".join(words[rule_id]) if rule_id else "没有问题 · nothing found"
        opened = " open" if rule_id or len(rows) <= _OPENED else ""
        yield f"<details{opened}><summary><b>{_text(rule_id)}</b> {_text(reason)}（{count}）</summary>"
        yield '<div class="cards">'
        yield from (_card(row) for row in rows if (row.rules[0] if row.rules else "") == rule_id)
        yield "</div></details>"


def _card(row: judging.Row) -> str:
    picture = '<div class="none"></div>'
    if row.thumbnail:
        data = base64.b64encode(row.thumbnail).decode()
        picture = f'<img alt="" loading="lazy" src="data:image/jpeg;base64,{data}">'
    return f'<div class="card">{picture}<div><b>{_text(row.path.name)}</b><ul>{"".join(_reasons(row))}</ul></div></div>'


def _reasons(row: judging.Row) -> Iterable[str]:
    if row.refusal:
        r = row.refusal
        yield (
            f'<li class="reject">{r.rule_id} {_text(r.reason_zh)} <small>{_text(r.reason_en)}</small></li>'
            f"<li>{_text(r.advice_zh)} <small>{_text(r.advice_en)}</small></li>"
        )
    if row.report:
        yield from (_finding(finding) for finding in row.report.findings if finding.severity != "info")


def _finding(finding: inspection.Finding) -> str:
    measured = "" if finding.measured is None else f"{finding.measured:g} {finding.unit}（{finding.limit}）"
    return (
        f'<li><span class="{finding.severity}">{_text(finding.rule_id)} {_text(finding.reason_zh)}</span> '
        f"<small>{_text(finding.reason_en)} {_text(measured)}</small> {_text(finding.advice_zh)}</li>"
    )


def _for_a_person(profile: profiles.Profile) -> str:
    items = "".join(
        f"<li>{rule.id} {_text(rule.reason_zh)} <small>{_text(rule.reason_en)}</small></li>"
        for rule in profile.rules
        if rule.judged_by == "person"
    )
    return f'<h2>每张都须人工判断 <small>for a person, on every photo</small></h2><ul class="for">{items}</ul>'


def _text(text: str) -> str:
    return html.escape(text)
