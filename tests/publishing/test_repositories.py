import pytest

from kmi.errors import ConfigError
from kmi.publishing.repositories import HUB, Target, repositories, tracked_files


def test_the_checkout_holds_eleven_in_the_order_of_what_refers_to_what(repository):
    found = repositories(repository)
    assert [one.kind for one in found] == ["dataset", *["models"] * 3, *["metrics"] * 6, "space"]
    assert {one.type for one in found if one.kind == "metrics"} == {"space"}
    assert [one.name for one in repositories(repository, ("models",))] == ["kmi-chatbot", "kmi-coder", "kmi-forecaster"]


def test_only_what_git_tracks_is_listed(repository):
    files = {path.as_posix() for path in tracked_files(repository / "evaluate_metrics" / "mi_fidelity")}
    assert files == {"README.md", "app.py", "mi_fidelity.py", "requirements.txt"}


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="Run it from a clone"):
        repositories(tmp_path)
    with pytest.raises(ConfigError, match="Expected a git checkout"):
        tracked_files(tmp_path)


@pytest.mark.parametrize("name", ["", "a/b", "../up", "-x", "a--b", "a b", "가"])
def test_namespaces_are_those_of_the_hub(name):
    with pytest.raises(ConfigError, match="Expected a namespace"):
        Target(name)


def test_addresses(repository):
    target = Target("mi-lab", "v1.0.0")
    assert target.url("dataset", "kmi") == f"{HUB}/datasets/mi-lab/kmi"
    assert target.url("model", "kmi-coder") == f"{HUB}/mi-lab/kmi-coder"
