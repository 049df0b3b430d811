import pytest


@pytest.fixture(scope="module")
def evaluate_models(load_script):
    return load_script("evaluate_models")


def test_every_model_is_measured_in_order(evaluate_models, monkeypatch, capsys):
    monkeypatch.setattr(evaluate_models, "MEASURE", {name: lambda options, name=name: f"| {name} |" for name in evaluate_models.MODELS})
    assert evaluate_models.main([]) == 0
    out = capsys.readouterr().out
    assert out.index("## kmi-forecaster") < out.index("## kmi-coder") < out.index("| chatbot |")
    assert evaluate_models.main(["--only", "coder"]) == 0 and "forecaster" not in capsys.readouterr().out
