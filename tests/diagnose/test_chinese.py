"""Findings in Chinese: the same findings, and no sentence of them is left in English."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ipygradmagic.diagnose.diagnosis import diagnose
from ipygradmagic.diagnose.explain import PAGES, names, page
from ipygradmagic.language import speaking
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.trace import Trace
from tests import programs_harness
from tests.diagnose.examples import RAISES, trace_of
from tests.diagnose.test_findings import CASES

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{said}")
    for said in ("The .grad attribute", ".*empty generator", r"Detected call of `lr_scheduler")
]
BUGGY = Path(__file__).parent.parent / "programs" / "buggy"
PROGRAMS = (
    "backward_twice_freed",
    "clip_before_unscale_explicit",
    "exploding_to_inf",
    "frozen_but_adam_goes_on",
    "gan_leak_g_first",
    "head_replaced_after_optimizer",
    "hidden_state_not_detached",
    "layers_in_plain_list",
    "loss_without_graph_raises",
    "unscale_twice",
)
ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,;:]+[A-Za-z]{2,}){3}")
"""Four words in a row: code has other signs between its words."""
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def sentences(finding: Finding) -> list[str]:
    remedy = finding.remedy.text if finding.remedy is not None else ""
    return [s for s in (finding.title, finding.cause, finding.consequence, remedy) if s]


def untranslated(found: Trace) -> list[str]:
    said = [s for f in found.findings for s in sentences(f)]
    return [s for s in said if ENGLISH.search(s) or not CHINESE.search(s)]


def bones(found: Trace) -> list[object]:
    """Findings without their sentences, and the events."""
    findings = []
    for one in found.findings:
        lines = [(where.line, where.text) for where in one.evidence.lines]
        code = (one.remedy.code, one.remedy.diff) if one.remedy is not None else None
        rest = (one.evidence.events, one.evidence.tensors, one.evidence.count)
        findings.append((one.name, one.severity, lines, code, rest))
    events = [(e.kind, e.number, e.label, e.where and e.where.line) for e in found.events]
    return [findings, events]


def test_an_english_sentence_is_noticed() -> None:
    assert ENGLISH.search("梯度是 None: the gradients had been cleared.")
    assert not ENGLISH.search("第 2 次 opt.step()（In [3] 第 5 行）用到 w 和 b 的 .grad")
    assert not ENGLISH.search(
        "detach()、.data、.item()、numpy、torch.no_grad()、torch.tensor(loss)"
    )


@pytest.mark.parametrize("name", names())
def test_a_finding_is_the_same_one_in_chinese(name: str) -> None:
    code = page(name).wrong.code
    english, chinese = trace_of(code, lang="en"), trace_of(code, lang="zh")
    assert name in {f.name for f in chinese.findings}
    assert not untranslated(chinese)
    assert not any(CHINESE.search(s) for f in english.findings for s in sentences(f))
    assert bones(english) == bones(chinese)


@pytest.mark.parametrize("source", [case[3] for case in CASES])
def test_every_other_wording_of_a_finding_is_chinese_too(source: str) -> None:
    found = trace_of(source, lang="zh")
    assert found.findings and not untranslated(found)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_wrong_program_gets_the_same_findings_in_chinese(name: str) -> None:
    runs = [
        programs_harness.run(BUGGY / f"{name}.py", traced=True, lang=lang) for lang in ("en", "zh")
    ]
    english, chinese = (run.trace for run in runs)
    assert english is not None and chinese is not None
    assert any(f.alarm for f in chinese.findings) and not untranslated(chinese)
    assert bones(english) == bones(chinese)


STALE = """\
w = torch.ones(2, requires_grad=True)
for _ in range(2):
  w.sum().backward()
  w.data -= w.grad  # gradmagic: ignore[stale-gradeint]
"""


def test_the_trace_says_in_which_language_it_is_diagnosed() -> None:
    found = trace_of(STALE, lang="zh")
    assert found.findings[0].title.startswith("忘了 zero_grad：第 2 次更新（example.py 第 4 行）")
    assert "没有名为 'stale-gradeint' 的诊断；你是不是想写 stale-gradient、" in found.notes[0]
    with speaking("en"):  # whoever asks again, from wherever
        assert diagnose(found).findings == found.findings


def test_a_verdict_is_chinese_and_its_code_is_not() -> None:
    with pytest.raises(AssertionError) as failed:
        trace_of(STALE, lang="zh").assert_clean()
    said = str(failed.value)
    assert said.startswith("program: 梯度有错：1 个错误。") and "修正：每一轮清零一次梯度" in said
    assert "assert_clean(allow=('stale-gradient',))" in said


def test_columns_and_reprs_name_a_line_alike_in_every_language() -> None:
    found = trace_of(STALE, lang="zh")
    update = next(e for e in found.events if e.kind == "update")
    assert update.where is not None
    with speaking("zh"):
        assert update.where.place == "example.py 第 4 行"
        assert "example.py, line 4" in repr(update)
        assert set(found.to_dataframe()["place"]) == {"example.py, line 3", "example.py, line 4"}


# -- pages ---------------------------------------------------------------------------------


def test_every_page_is_there_in_chinese() -> None:
    assert {path.stem for path in (PAGES / "zh").glob("*.md")} == set(names())


@pytest.mark.parametrize("name", names())
def test_a_chinese_page_has_the_programs_of_the_english_one(name: str) -> None:
    with speaking("en"):
        english = page(name)
    with speaking("zh"):
        chinese = page(name)
    for said in (chinese.what, chinese.why, chinese.wrong.title, chinese.right.title):
        assert CHINESE.search(said) and not ENGLISH.search(said)
    assert CHINESE.search(chinese.silence) and not ENGLISH.search(chinese.silence)
    assert chinese.comment == english.comment
    for one, other in ((english.wrong, chinese.wrong), (english.right, chinese.right)):
        assert ast.dump(ast.parse(one.code)) == ast.dump(ast.parse(other.code))
        assert RAISES.findall(one.code) == RAISES.findall(other.code)
        assert max(map(len, other.code.splitlines())) <= 76
