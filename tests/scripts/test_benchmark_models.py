"""The benchmark of the models runs and measures what it says; no time is asserted."""

import json


def test_a_small_run_measures_all_four(load_script, capsys):
    module = load_script("benchmark_models")
    assert module.main(["--t5-runs", "1", "--forecasts", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert min(found["forecast_ms"], found["t5_base_ms"], found["guard_ms"], found["coder_one_turn_ms"]) > 0
    assert found["t5_to_forecaster"] == found["t5_base_ms"] / found["forecast_ms"]
