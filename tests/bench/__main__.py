"""``python -m tests.bench``: the benchmark as a table; exit status 1 on any false alarm."""

from __future__ import annotations

import argparse
import sys
import time

from tests.bench.corpus import TITLES, Program, borrowed, pairs, tricky
from tests.bench.judging import Score, Verdict, judge, score
from tests.bench.patching import repair
from tests.bench.running import quiet

PUBLISHED = (
    "TrainCheck (2025): 18 of 20 silent errors found (90 %), 1.5 to 31 % false alarms",
    "NeuraLint (2021): 70.5 % recall at full precision",
)


def main() -> int:
    """Run all, print, and say by the exit status whether there was a false alarm."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--own", action="store_true", help="without the programs of tests/programs")
    own_only = parser.parse_args().own
    quiet()
    began = time.perf_counter()
    own = [judge(p) for pair in pairs() for p in pair]
    others = [judge(p) for p in tricky()]
    lent = [] if own_only else [judge(p) for p in borrowed()]
    verdicts = [*own, *others, *lent]
    for line in table(verdicts):
        print(line)
    print()
    for title, some in (
        ("pairs and tricky programs", [*own, *others]),
        ("borrowed from tests/programs", lent),
        ("all", verdicts),
    ):
        if some:
            print(summary(title, score(some)))
    print("\nFor comparison, on their authors' own collections of programs:")
    for line in PUBLISHED:
        print(f"  {line}")
    for line in details(verdicts):
        print(line)
    print()
    for line in repairs(pairs()):
        print(line)
    print(f"\n{len(verdicts)} programs in {time.perf_counter() - began:.0f} s")
    return 1 if any(v.others for v in verdicts if not v.program.buggy) else 0


def table(verdicts: list[Verdict]) -> list[str]:
    """One line for each pattern."""
    head = f"{'pattern':<40} {'found':>7} {'noted':>5} {'recall':>7} {'line':>6}"
    lines = [f"{head} {'precision':>9} {'false alarms':>13}", ""]
    for number, title in TITLES.items():
        s = score(v for v in verdicts if v.program.pattern == number)
        lines.append(_row(f"{number:>2}  {title}", s))
    lines.append(_row("    tricky and right", score(v for v in verdicts if not v.program.pattern)))
    lines += ["", _row("    all", score(verdicts))]
    return lines


def _row(title: str, s: Score) -> str:
    found = f"{s.found}/{s.seeable}" if s.seeable else "-"
    row = f"{title:<40} {found:>7} {s.noted or '':>5} {_percent(s.recall):>7}"
    row += f" {_percent(s.line_accuracy):>6} {_percent(s.precision):>9}"
    row += f" {f'{s.alarmed}/{s.right}':>13}"
    return row + ("  not to be seen" if s.unseen and not s.seeable else "")


def summary(title: str, s: Score) -> str:
    """A block of figures."""
    return "\n".join(
        (
            f"{title}: {s.seeable + s.unseen} buggy, {s.right} right",
            f"  recall      {_percent(s.recall):>7}  ({s.found} of {s.seeable}; of all buggy ones, "
            f"with those that gradients cannot show: {_percent(s.recall_of_all)})",
            f"  precision   {_percent(s.precision):>7}  ({s.alarmed} of {s.right} right programs "
            f"with an alarm: {_percent(s.false_alarms)})",
            f"  exact line  {_percent(s.line_accuracy):>7}  ({s.exact} of {s.found})",
            f"  counting alarms by another name in {s.others} buggy programs as false: "
            f"precision {_percent(s.strict_precision)}",
        )
    )


def repairs(twins: list[tuple[Program, Program]]) -> list[str]:
    """Changes that the remedies propose, and what became of them."""
    made = [(buggy, one) for buggy, right in twins if (one := repair(buggy, right)) is not None]
    proven = sum(one.proven for _, one in made)
    lines = [
        f"changes of the code proposed for {len(made)} of {len(twins)} pairs, {proven} proven: "
        "run with them, nothing is found, and the gradients used are those of the twin"
    ]
    for buggy, one in made:
        if not one.proven:
            lines.append(f"  {buggy.path.name}: {'; '.join((*one.alarms, one.difference))}")
    return lines


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def details(verdicts: list[Verdict]) -> list[str]:
    """Every miss, wrong line, other alarm and false alarm."""
    seeable = [v for v in verdicts if v.program.seeable]
    lines: list[str] = []
    groups = (
        ("missed", [v for v in seeable if not v.found]),
        ("found, but at another line", [v for v in seeable if v.found and not v.exact]),
        ("not to be seen from gradients", [v for v in verdicts if v.program.unseen]),
        ("other alarms in buggy programs", [v for v in verdicts if v.program.buggy and v.others]),
        ("false alarms", [v for v in verdicts if not v.program.buggy and v.others]),
        ("faults of the tracer", [v for v in verdicts if v.faults]),
    )
    for title, some in groups:
        lines.append(f"\n{title}: {len(some)}")
        lines += [f"  {_describe(title, v)}" for v in some]
    return lines


def _describe(title: str, v: Verdict) -> str:
    name = v.program.path.name
    if v.program.unseen and title.startswith("not"):
        return f"{name}: {v.program.unseen}"
    if title == "missed":
        wanted = " | ".join(v.program.expect)
        return f"{name}: expected {wanted}; said {', '.join(v.said) or 'nothing'}"
    if title.startswith("found"):
        marked = ", ".join(map(str, v.program.marked))
        return f"{name}: marked {marked}; said {', '.join(v.said)}"
    return f"{name}: {', '.join(v.faults if title.startswith('faults') else v.others)}"


if __name__ == "__main__":
    sys.exit(main())
