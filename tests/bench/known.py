"""What the tool does not get right yet, each with its reason: strict expected failures.

Whoever mends one deletes its line; pytest says so when one is forgotten here.
"""

from __future__ import annotations

_NO_RULE = "no rule for this yet"
_NOTE = "only a note: "
_UNREACHED = _NOTE + "unreached-leaf warns only if every tensor of the optimizer is unreached"
_PARTIAL = _NOTE + "training a part of a model is also done on purpose"

MISSED: dict[str, str] = {
    "03_zero_at_epoch_start": _NOTE + "a single window is lost, which is not yet a warning",
    "10_clamp_inside_inner_loop": "clipping by hand in every micro-batch has good uses too",
    "12_clip_value_before_backward_keep_zeros": "clipping zeros by value changes nothing that could be seen",
    "18_new_head_in_a_later_cell": _NOTE + "the head was replaced before the traced cell, where "
    "the optimizer's old parameters have lost their names, and the shapes differ",
    "22_layers_built_lazily_on_first_call": _PARTIAL,
    "24_frozen_between_in_a_cell": _NOTE + "the optimizer never steps again, so it may be meant",
    "25_wrong_parameters_handed_over": _PARTIAL,
    "26_loss_by_int_cast_in_function": _UNREACHED,
    "26_numpy_feature_in_the_middle": _UNREACHED,
    "32_hidden_kept_with_retain_graph": "nothing is trained, only gradients are printed: measuring how far "
    "they reach back through time looks the same (rnn_how_far_gradients_reach)",
    "38_reentrant_checkpoint_frozen_input": _UNREACHED,
    "43_update_rounded_away": _NOTE + "rounding can explain it",
    "44_backward_cell_run_again": "two deposits of one line of one cell, run twice, and one update "
    "in a later cell: exonerated as gradient accumulation",
    "45_dead_relu": _NOTE + "a matter of size",
    "45_saturated_tanh_inputs": _NO_RULE,
    "45_vanishing_sigmoids": _NOTE + "a matter of size",
}
"""Buggy programs without an alarm by an expected name."""

WRONG_LINE: dict[str, str] = {}
"""Found, but the first line of evidence is not a marked one."""

FALSE_ALARMS: dict[str, str] = {}
"""Right programs with an alarm."""

OTHER_ERRORS: dict[str, str] = {}
"""Buggy programs with an error by another name."""
