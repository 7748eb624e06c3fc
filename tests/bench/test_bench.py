"""The benchmark as tests: every bug found at its line, no alarm on what is right."""

from __future__ import annotations

import difflib
import gc
import re
from collections.abc import Iterator, Mapping

import pytest
import torch

from tests.bench import known, running
from tests.bench.__main__ import details, summary, table
from tests.bench.corpus import BORROWED, TITLES, Program, borrowed, pairs, read, tricky
from tests.bench.judging import judge, score
from tests.bench.patching import difference, repair, uses
from tests.bench.running import plain, traced
from tests.programs_harness import differences

PAIRS = pairs()
BUGGY = [b for b, _ in PAIRS]
TWINS = [r for _, r in PAIRS]
TRICKY = tricky()
SEEABLE = [p for p in BUGGY if p.seeable]


def every(programs: list[Program], xfails: Mapping[str, str] | None = None) -> pytest.MarkDecorator:
    """One test for each program, strictly expected to fail where a reason is known."""
    params = []
    for program in programs:
        reason = (xfails or {}).get(program.name)
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
        params.append(pytest.param(program, id=program.path.stem, marks=marks))
    return pytest.mark.parametrize("program", params)


@pytest.fixture(scope="module", autouse=True)
def _quiet_machine() -> Iterator[None]:
    threads = torch.get_num_threads()
    running.quiet()
    yield
    gc.unfreeze()
    torch.set_num_threads(threads)
    traced.cache_clear()
    plain.cache_clear()


@pytest.fixture(autouse=True)
def torch_is_pristine() -> None:
    """Not by test here: a program may change torch itself, as in ``tests.test_programs``."""


def test_the_corpus_is_there() -> None:
    assert {p.pattern for p in BUGGY} == set(TITLES) == set(range(1, 46))
    assert len(TRICKY) >= 40
    assert len({p.path.stem for p in [*BUGGY, *TWINS, *TRICKY]}) == 2 * len(PAIRS) + len(TRICKY)


def test_every_known_fault_is_of_a_program() -> None:
    buggy, right = {p.name for p in SEEABLE}, {p.name for p in [*TWINS, *TRICKY]}
    assert set(known.MISSED) | set(known.WRONG_LINE) | set(known.OTHER_ERRORS) <= buggy
    assert set(known.FALSE_ALARMS) <= right
    assert not set(known.MISSED) & set(known.WRONG_LINE)


def test_what_is_borrowed_is_there() -> None:
    names = [n for some in BORROWED.values() for n in some.split()]
    assert len(names) == len(set(names))
    assert set(names) <= {p.name for p in borrowed() if p.buggy}


@every(BUGGY)
def test_a_buggy_program_says_what_it_expects(program: Program) -> None:
    assert program.expect or program.unseen
    assert program.marked


@pytest.mark.parametrize("buggy, right", PAIRS, ids=[b.name for b in BUGGY])
def test_the_difference_of_twins_is_the_fix(buggy: Program, right: Program) -> None:
    assert buggy.pattern == right.pattern
    old, new = (_code(p) for p in (buggy, right))
    changes = [d for d in difflib.ndiff(old, new) if d[:2] in ("- ", "+ ")]
    assert 1 <= len(changes) <= 12, changes


def _code(program: Program) -> list[str]:
    """Without header and markers."""
    text = program.path.read_text(encoding="utf-8")
    text = re.sub(r"^# (expect|raises): .+\n", "", text, flags=re.M)
    return text.replace("  # BUG", "").splitlines()


@pytest.mark.parametrize("buggy, right", PAIRS, ids=[b.name for b in BUGGY])
def test_the_bug_matters(buggy: Program, right: Program) -> None:
    """It raises, or the numbers are others; memory and other ranks are not looked at."""
    raised = (plain(buggy).error or "").split(":")[0]
    assert raised == buggy.raises
    same = plain(buggy).printed == plain(right).printed
    assert not same or buggy.pattern in (33, 36, 37)


@every([*BUGGY, *TWINS, *TRICKY])
def test_traced_run_ends_as_the_plain_one(program: Program) -> None:
    assert differences(plain(program), traced(program)) == []
    assert [w for t in traced(program).traces for w in t.warnings] == []


@every([*TWINS, *TRICKY], known.FALSE_ALARMS)
def test_a_right_program_raises_no_alarm(program: Program) -> None:
    verdict = judge(program)
    assert verdict.raised == ""
    assert verdict.others == ()


@every(SEEABLE, known.MISSED)
def test_a_bug_is_found(program: Program) -> None:
    verdict = judge(program)
    assert verdict.found, verdict.said


@every([p for p in SEEABLE if p.name not in known.MISSED], known.WRONG_LINE)
def test_a_bug_is_found_at_its_line(program: Program) -> None:
    verdict = judge(program)
    assert verdict.exact, (program.marked, verdict.said)


@every(BUGGY, known.OTHER_ERRORS)
def test_a_buggy_program_gets_no_other_error(program: Program) -> None:
    assert [said for said in judge(program).others if said.startswith("error")] == []


@pytest.mark.parametrize("buggy, right", PAIRS, ids=[b.name for b in BUGGY])
def test_a_proposed_change_is_the_fix(buggy: Program, right: Program) -> None:
    """Nothing is found in the changed program, which uses the gradients that its twin uses."""
    made = repair(buggy, right)
    if made is None:
        pytest.skip("its remedy is words")
    assert made.alarms == ()
    assert made.difference == ""


def test_changes_are_proposed_and_a_wrong_one_is_noticed() -> None:
    made = [repair(b, r) for b, r in PAIRS]
    assert sum(one is not None for one in made) >= 15
    buggy, right = next(pair for pair in PAIRS if pair[0].name == "01_train_step_function")
    assert "another" in difference(uses(traced(buggy)), uses(traced(right)))


@every([*BUGGY, *TWINS, *TRICKY])
def test_evidence_names_lines_that_exist(program: Program) -> None:
    source = program.path.read_text(encoding="utf-8").splitlines()
    files = {c.file for c in program.cells}
    for finding in traced(program).findings:
        for at in finding.evidence.lines:
            assert at.file in files, (finding.name, at)
            assert at.text in ("", source[at.line - 1].strip())


def test_the_table_counts() -> None:
    """A pair that is found and one that is missed, a tricky program, an unseeable bug."""
    some = {b.name: (b, r) for b, r in PAIRS}
    chosen = [*some["05_zero_between_function"], *some["43_update_rounded_away"]]
    chosen += [some["33_running_loss_keeps_graphs"][0], TRICKY[0]]
    verdicts = [judge(p) for p in chosen]
    counted = score(verdicts)
    assert (counted.seeable, counted.unseen, counted.found, counted.exact) == (2, 1, 1, 1)
    assert (counted.right, counted.alarmed) == (3, 0)
    assert counted.recall == 0.5 and counted.precision == 1.0
    assert len([line for line in table(verdicts) if line[:2].strip().isdigit()]) == 45
    assert "50.0 %" in summary("some", counted)
    assert any("43_update_rounded_away" in line for line in details(verdicts))


def test_cells_share_a_namespace_and_a_name(tmp_path) -> None:
    path = tmp_path / "01_cells.buggy.py"
    path.write_text(
        "# pattern: 1\n# runs: 1 2 2\n# untraced: 1\n# %%\nn = 0\n# %%\nn += 1\nprint(n)\n"
    )
    program = read(path)
    assert [c.traced for c in program.cells] == [False, True, True]
    done = running.run(program, traced=True)
    assert done.printed == "1\n2\n"
    assert [t.meta.title for t in done.traces] == ["In [2]", "In [3]"]
