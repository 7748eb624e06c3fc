"""The ledger's words, one test for each refinement; leaves, slots and sites are plain numbers."""

from __future__ import annotations

import pytest

from ipygradmagic.record.ledger import Incident, Ledger

BACKWARD, OTHER, STEP, CLEAR = 1, 2, 3, 4


class Story:
    """Feeds a ledger one event after another and counts for us."""

    def __init__(self) -> None:
        self.ledger = Ledger(lambda leaf: f"w{leaf}")
        self.ledger.begin()
        self.event = 0
        self.passes = 0
        self.steps = 0

    def backward(self, leaf: int = 1, slot: int = 1, site: int = BACKWARD) -> Story:
        self.event += 1
        self.passes += 1
        self.ledger.deposit(leaf, slot, self.event, self.passes, site)
        return self

    def step(
        self, actor: str = "opt", site: int = STEP, slot: int | None = 1, began: int = 0
    ) -> Story:
        self.event += 1
        self.steps += 1
        began = began or self.event
        self.ledger.step(actor, [(1, slot)], self.event, site, self.steps, began=began)
        return self

    def closure(self) -> Story:
        self.event += 1
        self.steps += 1
        self.ledger.closure("lbfgs", [(1, 1)], self.event, STEP, self.steps)
        return self

    def update(self, slot: int | None = 1) -> Story:
        self.event += 1
        self.ledger.update(1, slot, self.event, STEP, self.event, "update")
        return self

    def clear(self) -> Story:
        self.event += 1
        self.ledger.clear(1, 1, self.event, CLEAR)
        return self

    def none(self) -> Story:
        self.event += 1
        self.ledger.detach(1, 1, self.event, CLEAR)
        return self

    def edit(self, how: str) -> Story:
        self.event += 1
        self.ledger.edit(1, 1, self.event, CLEAR, how)
        return self

    def incidents(self) -> dict[str, Incident]:
        return {i.kind: i for i in self.ledger.report({}, lambda site: None).incidents}


def test_a_forgotten_zero_grad_is_stale_from_the_second_update_on() -> None:
    story = Story()
    for _ in range(5):
        story.backward().step()
    stale = story.incidents()["stale"]
    assert (stale.count, stale.number, stale.oldest, stale.newest) == (4, 2, 1, 2)
    assert stale.tensors == ("w1",)


@pytest.mark.parametrize("clear", ["clear", "none"])
def test_clearing_by_either_way_keeps_every_contribution_single(clear: str) -> None:
    story = Story()
    for _ in range(5):
        getattr(story.backward().step(), clear)()
    assert story.incidents() == {}


def test_accumulation_is_not_stale_and_its_size_is_known() -> None:
    story = Story()
    for _ in range(3):
        story.backward().backward().backward().step().clear()
    assert story.incidents() == {}
    (book,) = story.ledger.report({}, lambda site: None).books
    assert (book.smallest, book.largest, book.consumptions) == (3, 3, 3)


def test_many_writes_without_a_deposit_between_are_one_consumption() -> None:
    story = Story().backward()
    for _ in range(4):
        story.update()
    story.clear().backward().update()
    assert story.incidents() == {}


def test_nested_steps_count_once() -> None:
    story = Story()
    for _ in range(3):
        story.backward()
        began = story.event + 1
        story.step("inner").step("outer", began=began).clear()
    assert story.incidents() == {}


def test_two_optimizers_that_own_one_leaf_use_it_together() -> None:
    story = Story()
    for _ in range(3):
        story.backward().step("one").step("two").clear()
    assert story.incidents() == {}


def test_a_step_repeated_without_a_backward_is_reused() -> None:
    story = Story().backward()
    for _ in range(4):
        story.step()
    reused = story.incidents()
    assert set(reused) == {"reused"}
    assert (reused["reused"].count, reused["reused"].repeats) == (3, 3)


def test_scaling_a_used_gradient_is_decay_on_purpose() -> None:
    story = Story()
    for _ in range(3):
        story.backward().step().edit("scaled")
    assert set(story.incidents()) == {"decayed"}


def test_clipping_before_the_step_is_no_decay_and_after_it_is_too_late() -> None:
    story = Story()
    for _ in range(2):
        story.backward().edit("clipped").step().clear()
    assert story.incidents() == {}
    late = Story().backward().step().edit("clipped").clear()
    assert set(late.incidents()) == {"clip-after-step"}


def test_clipping_each_deposit_of_a_window_clips_the_first_ones_again() -> None:
    once = Story()
    for _ in range(2):
        once.backward().backward().edit("clipped").edit("clipped").step().clear()
    assert once.incidents() == {}
    each = Story()
    for _ in range(2):
        each.backward().edit("clipped").backward().edit("clipped").step().clear()
    again = each.incidents()["clip-again"]
    assert (again.count, again.repeats) == (2, 2)


def test_a_new_window_knows_nothing_of_the_clipping_of_the_last() -> None:
    story = Story()
    story.backward().edit("clipped").step().clear().backward().edit("clipped").step()
    story.clear().backward().edit("clipped").clear().backward().edit("clipped")
    assert "clip-again" not in story.incidents()


def test_unscaling_what_has_been_clipped() -> None:
    right = Story().backward().edit("unscaled").edit("clipped").step()
    wrong = Story().backward().edit("clipped").edit("unscaled").step()
    assert right.incidents() == {}
    assert set(wrong.incidents()) == {"clip-scaled"}


def test_each_closure_evaluation_consumes() -> None:
    right, wrong = Story(), Story()
    for _ in range(4):
        right.clear().backward().closure()
        wrong.backward().closure()
    assert right.incidents() == {}
    assert wrong.incidents()["stale"].count == 3


def test_a_skipped_step_consumes_nothing() -> None:
    story = Story().backward()
    story.event += 1
    story.ledger.step("opt", [(1, 1)], story.event, STEP, 1, began=story.event, consumes=False)
    story.backward().step()
    assert story.incidents() == {}


def test_a_clone_used_after_the_gradient_was_cleared_is_consumption() -> None:
    story = Story()
    for _ in range(3):
        story.backward().clear().update()
    assert story.incidents() == {}
    (book,) = story.ledger.report({}, lambda site: None).books
    assert (book.consumptions, book.discarded) == (3, 0)


def test_another_optimizer_between_two_lines_of_deposit_is_a_leak() -> None:
    story = Story()
    for _ in range(3):
        story.backward(site=OTHER)
        story.ledger.deposit(2, 2, story.event, story.passes, OTHER)
        story.event += 1
        story.ledger.step("generator", [(2, 2)], story.event, STEP, 1, began=story.event)
        story.ledger.clear(2, 2, story.event, CLEAR)
        story.backward().step("critic").clear()
    assert story.incidents()["leaked"].actor == "critic"


def test_an_optimizer_that_uses_neither_loss_is_not_between_them() -> None:
    story = Story()
    for _ in range(3):
        story.backward(site=OTHER)
        story.event += 1
        story.ledger.deposit(2, 2, story.event, 99, CLEAR)
        story.event += 1
        story.ledger.step("elsewhere", [(2, 2)], story.event, STEP, 1, began=story.event)
        story.ledger.clear(2, 2, story.event, CLEAR)
        story.backward().step("critic").clear()
    assert story.incidents() == {}


def test_an_optimizer_stepped_every_second_time_is_accumulation() -> None:
    story = Story()
    for i in range(6):
        story.backward()
        story.event += 1
        story.ledger.deposit(2, 2, story.event, story.passes, BACKWARD)
        story.ledger.step("often", [(2, 2)], story.event, STEP, i, began=story.event)
        story.ledger.clear(2, 2, story.event, CLEAR)
        if i % 2:
            story.step("seldom").clear()
    assert "leaked" not in story.incidents() and "stale" not in story.incidents()


def test_a_one_off_backward_in_the_first_window_is_named() -> None:
    story = Story().backward(site=OTHER)
    for _ in range(4):
        story.backward().step().clear()
    assert set(story.incidents()) == {"first-window"}


def test_a_step_with_nothing_to_use_and_one_after_clearing() -> None:
    assert set(Story().step(slot=None).incidents()) == {"empty-step"}
    assert set(Story().backward().clear().step().incidents()) == {"cleared-before-step"}


def test_books_follow_the_buffer_not_the_leaf() -> None:
    story = Story().backward(leaf=1, slot=7)
    story.ledger.assign(2, None, 7, 2, OTHER, derived=False)  # leaf 2 shares leaf 1's gradient
    story.ledger.detach(1, 7, 3, CLEAR)  # set_to_none on leaf 1 leaves the original full
    assert story.ledger.holds(7).count == 1
    story.ledger.detach(2, 7, 4, CLEAR)
    assert story.ledger.holds(7).count == 0


def test_books_outlive_the_cell_and_know_where_a_gradient_came_from() -> None:
    story = Story().backward()
    story.ledger.close(lambda site: None)
    story.ledger.begin()
    assert story.ledger.holds(1).earlier == 1
    story.backward().step()
    assert set(story.incidents()) == {"leftover"}
    used = Story().backward().step()
    used.ledger.close(lambda site: None)
    used.ledger.begin()
    used.backward().step()
    assert set(used.incidents()) == {"stale"}


def test_a_gradient_of_unknown_origin_is_honest_about_it() -> None:
    story = Story()
    story.ledger.attach(1, 1, unknown=True)
    assert story.ledger.holds(1).unknown == 1
    story.backward().step()
    assert set(story.incidents()) == {"leftover"}


def test_memory_does_not_grow_with_the_number_of_passes() -> None:
    story = Story()
    for _ in range(2000):
        story.backward().step()
    slot = story.ledger._slots[1]
    assert story.ledger.holds(1).count == 2000
    assert len(slot.runs) <= 3


def test_contributions_of_every_micro_batch_but_the_last_are_lost() -> None:
    story = Story()
    for _ in range(4):
        for _ in range(4):
            story.clear().backward()
        story.step()
    lost = story.incidents()["discarded"]
    assert lost.count == 12 and lost.repeats == 4


def test_updates_that_find_an_emptied_gradient_every_time_are_cleared_before_use() -> None:
    story = Story()
    for _ in range(3):
        story.backward().clear()
        story.ledger.idle(1, story.event + 1, STEP, 1)
        story.event += 1
    cleared = story.incidents()["cleared-before-step"]
    assert (cleared.count, cleared.repeats, cleared.actor) == (3, 0, "")
    story.backward().update()
    assert story.incidents()["cleared-before-step"].repeats == 1


def test_what_was_cleared_does_not_come_back_with_the_weights() -> None:
    story = Story()
    for _ in range(3):  # SAM: up along the gradient, clear, backward there, back, step
        story.backward().update().clear().backward(site=OTHER)
        story.ledger.undo(1, 1, story.event)
        story.step().clear()
    report = story.ledger.report({}, lambda _: None)
    assert not report.incidents
    assert (report.books[0].largest, report.books[0].discarded) == (1, 0)
