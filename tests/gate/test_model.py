"""The gate against a model: after yes nothing ever fails, and a no can be shown."""

import logging
from collections import Counter

import pytest

from .model import Model, universe_in


@pytest.mark.parametrize(
    ("systems", "steps"), [(3, 80), pytest.param(30, 400, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_after_yes_no_message_fails_and_a_no_can_be_shown(tmp_path, systems, steps, record_property, caplog):
    caplog.set_level(logging.ERROR, "envelopes")
    answers, unshown, refused, rollbacks, handled, kinds = Counter(), [], 0, 0, 0, Counter()
    for seed in range(systems):
        with pytest.MonkeyPatch.context() as patch:
            folder = tmp_path / str(seed)
            folder.mkdir()
            patch.syspath_prepend(folder)
            model = Model(universe_in(folder, seed, f"gate_model_{seed}"), seed)
            for _ in range(steps):  # a step fails if a running reader cannot read what is in flight
                for answer, missing in model.step():
                    answers[answer.status] += 1
                    refused += answer.status in ("no", "after")
                    unshown += [missing] if missing else []
                    kinds.update((each.evidence.kind, each.writer is None) for each in answer.blocking)
            rollbacks += model.rollbacks
            handled += model.handled
    record_property("answers", dict(answers))
    print(
        f"{systems * steps} steps: {dict(answers)}, {len(unshown)} of {refused} refusals not shown, "
        f"{rollbacks} rollbacks, {handled} messages handled, {dict(kinds)}"
    )
    assert answers["yes"] > 0.1 * answers.total() > 0
    assert answers["after"] > 0
    assert answers["unknown"] <= 0.1 * answers.total(), kinds
    assert rollbacks > 0
    assert {kind for kind, _ in kinds} >= {"witness", "version-unknown", "recorded-message-fails", "upcaster-fails"}
    assert any(standing for _, standing in kinds), "a message that stands on a channel refused a version"
    assert len(unshown) <= 0.01 * refused, unshown[:3]
