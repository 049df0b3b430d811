import asyncio

import pytest

from kmi.simulation.decision import kmi_policy
from kmi.simulation.director import Director
from kmi.simulation.estimate import ASKED_AGAIN, ENGLISH_CHARACTERS_PER_TOKEN, SAMPLE, Estimate, estimate
from kmi.simulation.plan_mode import roll_out, write_session
from kmi.simulation.turn_mode import simulate


@pytest.fixture
def cases(make_case):
    return [make_case(id=f"post-{n:06d}-00000000", seed=n) for n in range(12)]


def prompt_characters(writer):
    return sum(len(message["content"]) for request in writer.requests for message in request.messages)


def test_requests_and_prompt_tokens_are_near_a_real_turn_run(cases, fixed_forecaster, scripted_writer):
    writer = scripted_writer()
    for case in cases:
        asyncio.run(simulate(Director(case, fixed_forecaster(), kmi_policy), writer.ask))
    expected = estimate(cases, fixed_forecaster(), kmi_policy, "turn")
    assert expected.sessions == 12
    assert expected.requests == pytest.approx(len(writer.requests) * (1 + ASKED_AGAIN), rel=0.02)
    # The scripted sentences are shorter than usual ones, so the history of the estimate is longer.
    assert 1.0 < expected.prompt_tokens * 1.6 / prompt_characters(writer) < 1.5


def test_a_plan_run_asks_once_per_session(cases, fixed_forecaster, scripted_writer):
    writer = scripted_writer()
    for case in cases:
        asyncio.run(write_session(roll_out(Director(case, fixed_forecaster(), kmi_policy)), writer.ask))
    expected = estimate(cases, fixed_forecaster(), kmi_policy, "plan")
    assert expected.requests == round(12 * (1 + ASKED_AGAIN))
    assert expected.prompt_tokens * 1.6 == pytest.approx(prompt_characters(writer) * (1 + ASKED_AGAIN), rel=0.02)


def test_plan_mode_needs_far_fewer_tokens_than_turn_mode(cases, fixed_forecaster):
    turn, plan = (estimate(cases, fixed_forecaster(), kmi_policy, mode) for mode in ("turn", "plan"))
    assert plan.prompt_tokens < turn.prompt_tokens / 5
    assert plan.output_tokens == pytest.approx(turn.output_tokens, rel=0.05)


def test_a_session_of_common_length_takes_about_two_thousand_output_tokens(cases, fixed_forecaster):
    """24 turns of 71 Korean characters (1.6 a token) and 156 English ones (4.2 a token): 24 x (44.4 + 37.1 + 8) = 2,148."""
    per_session = estimate(cases, fixed_forecaster(), kmi_policy, "turn").output_tokens / 12
    assert 24 * (71 / 1.6 + 156 / ENGLISH_CHARACTERS_PER_TOKEN + 8) == pytest.approx(2148, abs=20)
    assert per_session == pytest.approx(2148 * (1 + ASKED_AGAIN), rel=0.2)


@pytest.mark.parametrize("count", [1, SAMPLE - 1, SAMPLE, SAMPLE + 1, 3 * SAMPLE + 7])
def test_many_sessions_are_estimated_from_a_sample(make_case, fixed_forecaster, count):
    cases = [make_case(id=f"post-{n:06d}-00000000", seed=5) for n in range(count)]
    one = estimate(cases[:1], fixed_forecaster(), kmi_policy, "turn")
    forecaster = fixed_forecaster()
    many = estimate(cases, forecaster, kmi_policy, "turn")
    assert many.sessions == count
    assert many.requests == pytest.approx(one.requests * count, rel=0.05)
    assert len(forecaster.asked) <= 2 * SAMPLE * 16


def test_cost_is_tokens_times_price_per_million():
    assert Estimate(1, 24, 2_000_000, 500_000).cost(0.5, 2.0) == pytest.approx(2 * 0.5 + 0.5 * 2.0)
    assert Estimate(1, 24, 2_000_000, 500_000).cost(0.0, 0.0) == 0
