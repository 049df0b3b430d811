"""The command against a stand-in for the Hub, with the real clients, in the order a maintainer would meet things."""

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from local_hub import TOKEN

KEYS = {("dataset", "mi-lab/kmi"), ("space", "mi-lab/kmi"), *(("model", f"mi-lab/kmi-{name}") for name in ("forecaster", "coder", "chatbot"))}
METRICS = ("change_talk", "mi_agreement", "mi_fidelity", "mi_forecasting", "mi_ratings", "mi_sequences")
KEYS |= {("space", f"mi-lab/{name}") for name in METRICS}
# Several publications in a row, each of which builds the wheel.
pytestmark = pytest.mark.timeout(400)


def refused(done, *said):
    assert done.returncode == 2 and done.stderr.startswith("error: "), done.stderr[-2000:]
    for part in said:
        assert part in done.stderr
    assert TOKEN not in done.stderr + done.stdout


def test_refusals_come_before_anything_is_uploaded(publish, hub, checkout):
    refused(publish(token=None), "found none. Type: hf auth login")
    refused(publish(token="hf_" + "wrong" * 6), "(401)", "Check the token's rights")
    refused(publish("--namespace", "strangers"), "may not write to 'strangers'; it belongs to 'tester'", "tester, mi-lab")
    refused(publish("--namespace", "readers"), "may only read in 'readers'")
    refused(publish("--namespace", "../up"), "Expected a namespace of letters")
    refused(publish(HF_HUB_OFFLINE="1"), "unset HF_HUB_OFFLINE")
    (checkout / "loading_script" / "left.txt").write_text("lying about")
    refused(publish(), "Expected a clean working tree, got 1 changed or new file(s): loading_script/left.txt")
    (checkout / "loading_script" / "left.txt").unlink()
    assert not hub.repos and not any(request.startswith(("PUT", "POST /api/repos")) for request in hub.requests)


def test_faults_of_cards_files_and_figures_are_named_together(publish, hub, checkout, commit):
    changes = {
        "spaces/kmi/README.md": lambda text: text.replace("colorFrom: green", "colorFrom: mauve"),
        "model_cards/kmi-coder/README.md": lambda text: text.replace("accuracy", "acuracy", 1),
        "evaluate_metrics/mi_ratings/README.md": lambda text: text.replace("license: apache-2.0", "license: mine"),
    }
    kept = {name: (checkout / name).read_text(encoding="utf-8") for name in changes}
    for name, change in changes.items():
        (checkout / name).write_text(change(kept[name]), encoding="utf-8")
    weights = checkout / "model_cards" / "kmi-coder" / "pytorch_model.bin"
    weights.write_bytes(b"\x80\x04pickled")
    commit()
    refused(
        publish(),
        "Nothing was uploaded",
        "kmi: README.md: expected colorFrom among blue",
        "model_cards/kmi-coder/README.md does not say what report.json measured; run: accelerate launch scripts/train_coder.py",
        "mi_ratings: README.md: expected license: apache-2.0, got 'mine'",
        "kmi-coder: pytorch_model.bin: expected one of",
        "Save weights as safetensors",
    )
    weights.unlink()
    for name, text in kept.items():
        (checkout / name).write_text(text, encoding="utf-8")
    commit()
    assert not hub.repos


def test_a_dry_run_sends_nothing(publish, hub):
    done = publish("--dry-run", "--only", "metrics")
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^space mi-lab/\w+ +create +4 +0 +0 ", done.stdout, re.MULTILINE)) == len(METRICS)
    done = publish("--dry-run", "--only", "space", token=None)
    assert done.returncode == 0 and "not looked at" in done.stdout
    assert not hub.repos


def test_a_run_that_breaks_is_completed_by_the_next(publish, hub):
    """Too many requests and a server error are waited out; a connection dropped in mid-upload and a failing commit end the run."""
    hub.fail(r"PUT /lfs/", 429)
    hub.fail(r"PUT /lfs/", 500)
    hub.fail(r"POST /api/models/mi-lab/kmi-coder/commit", "drop")
    done = publish("--tag", "v0.1.0")
    assert done.returncode == 2 and "The connection broke while sending mi-lab/kmi-coder" in done.stderr and "goes on where it broke off" in done.stderr
    assert {key for key, count in hub.commits().items() if count} == {("dataset", "mi-lab/kmi"), ("model", "mi-lab/kmi-chatbot")}
    hub.fail(r"POST /api/spaces/mi-lab/mi_fidelity/commit", 500)
    done = publish("--tag", "v0.1.0")
    assert done.returncode == 2 and "The Hub failed while sending mi-lab/mi_fidelity (500)" in done.stderr
    sent = len(hub.large)
    done = publish("--tag", "v0.1.0")
    assert done.returncode == 0, done.stderr
    assert len(hub.large) == sent
    assert hub.commits() == dict.fromkeys(KEYS, 1)
    assert all(repo.private and repo.tags == {"v0.1.0": repo.commits[-1][0]} for repo in hub.repos.values())
    assert TOKEN not in done.stdout + done.stderr


def test_what_is_there_is_what_was_sent(hub, checkout):
    files = hub.repos["dataset", "mi-lab/kmi"].commits[-1][2]
    for path in checkout.glob("loading_script/data/*/*.parquet"):
        assert files[path.relative_to(checkout / "loading_script").as_posix()] == path.read_bytes()
    weights = hub.repos["model", "mi-lab/kmi-chatbot"].commits[-1][2]["model.safetensors"]
    assert weights == (checkout / "model_cards/kmi-chatbot/model.safetensors").read_bytes()
    message = hub.repos["dataset", "mi-lab/kmi"].commits[-1][1]
    assert re.fullmatch(r"KMI \d+\.\d+\.\d+ \(source [0-9a-f]{12}\)", message)


def test_links_name_the_namespace_and_the_wheel(hub):
    at = {key: repo.commits[-1][2] for key, repo in hub.repos.items()}
    wheel = next(path for path in at["dataset", "mi-lab/kmi"] if path.endswith(".whl"))
    address = f"{hub.url}/datasets/mi-lab/kmi/resolve/v0.1.0/{wheel}"
    assert at["space", "mi-lab/kmi"]["requirements.txt"].decode() == f"kmi[generate,metrics,space] @ {address}\n"
    assert at["space", "mi-lab/mi_fidelity"]["requirements.txt"].decode() == f"kmi[metrics] @ {address}\n"
    space = at["space", "mi-lab/kmi"]["README.md"].decode()
    assert "- mi-lab/kmi-forecaster" in space and "preload_from_hub:\n- mi-lab/kmi-coder" in space
    coder = at["model", "mi-lab/kmi-coder"]["README.md"].decode()
    assert "datasets:\n- mi-lab/kmi\n" in coder and "type: mi-lab/kmi" in coder and 'model="mi-lab/kmi-coder"' in coder and "model_cards" not in coder
    dataset = at["dataset", "mi-lab/kmi"]["README.md"].decode()
    assert 'load_dataset("mi-lab/kmi", "utterances"' in dataset and 'kmi.load_dataset("dialogues"' in dataset
    assert 'evaluate.load("mi-lab/mi_fidelity")' in at["space", "mi-lab/mi_fidelity"]["README.md"].decode()


def test_everything_loads_back_in_a_fresh_process_and_cache(run, checkout, repository):
    done = run(repository / "tests/publishing/load_back.py", "mi-lab", checkout / "loading_script")
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout.splitlines()[-1])
    sizes = {name: json.loads((checkout / "model_cards" / name / "report.json").read_text(encoding="utf-8")) for name in ("kmi-forecaster", "kmi-chatbot")}
    assert report == {
        "dialogues": 100, "utterances": 2450, "chat": 100, "forecasting": 1175, "streamed": True, "pandas": 2450, "template": True,
        "kmi-forecaster": sizes["kmi-forecaster"]["parameters"], "kmi-chatbot": sizes["kmi-chatbot"]["training"]["parameters"],
        "kmi-coder": "Open Question", "mi_fidelity": 1.0,
    }  # fmt: skip


def test_the_readme_s_way_in_from_the_hub_runs(run, repository):
    (block,) = (block for block in re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text(encoding="utf-8"), re.DOTALL) if "ORG/" in block)
    done = run("-c", block.replace("ORG/", "mi-lab/") + "\nprint(len(frame), next(iter(utterances))['turn'], type(forecaster).__name__, mi_fidelity.name)")
    assert done.stdout.split()[-4:] == ["2450", "0", "ForecasterModel", "mi_fidelity"], done.stderr[-2000:]


def test_a_misspelt_repository_says_what_to_type(run):
    code = "from kmi.coder import Coder\nfrom kmi.errors import ConfigError\ntry: Coder.from_pretrained('mi-lab/kmi-codr')\nexcept ConfigError as error: print(error)"
    done = run("-c", code)
    assert "Expected a coder checkpoint at mi-lab/kmi-codr, could not load it" in done.stdout, done.stderr[-2000:]
    assert "Check how mi-lab/kmi-codr is spelt" in done.stdout
    offline = run("-c", code.replace("kmi-codr", "kmi-coder"), HF_HUB_OFFLINE="1")
    assert "could not load it" in offline.stdout and "unset HF_HUB_OFFLINE" in offline.stdout, offline.stderr[-2000:]


def test_published_again_makes_no_commit(publish, hub):
    before = hub.commits()
    done = publish("--tag", "v0.1.0")
    assert done.returncode == 0, done.stderr
    assert hub.commits() == before and done.stdout.count("unchanged") == len(KEYS)


def test_one_changed_table_is_one_commit_in_one_repository(publish, hub, checkout, commit):
    import pyarrow.parquet as parquet

    from kmi.corpus import card, croissant
    from kmi.whole_files import write_text

    path = checkout / "loading_script/data/chat/test-00000-of-00001.parquet"
    parquet.write_table(parquet.read_table(path).slice(0, 99), path)
    commit()
    refused(publish(), "loading_script/README.md is stale; run: python scripts/build_dataset.py", "croissant.json is stale")
    folder = checkout / "loading_script"
    for name, text in card.cards(folder / "data", folder, published=True).items():
        write_text(name, text)
    write_text(folder / croissant.NAME, croissant.dumps(folder))
    commit()
    before = hub.commits()
    refused(publish("--tag", "v0.1.0"), "mi-lab/kmi has a tag 'v0.1.0' already, of other content", "Use another --tag")
    assert hub.commits() == before
    # Links keep naming the tag they were published with, so nothing but the dataset differs.
    done = publish("--only", "dataset", "--public")
    assert done.returncode == 0, done.stderr
    assert hub.commits() == {**before, ("dataset", "mi-lab/kmi"): 2}
    old, new = (files for _, _, files in hub.repos["dataset", "mi-lab/kmi"].commits[-2:])
    assert {name for name in new if hashlib.sha256(new[name]).digest() != hashlib.sha256(old.get(name, b"")).digest()} == {
        "README.md", "croissant.json", "data/chat/test-00000-of-00001.parquet", next(name for name in new if name.endswith(".whl")),
    }  # fmt: skip
    assert not hub.repos["dataset", "mi-lab/kmi"].private and hub.repos["space", "mi-lab/kmi"].private


def test_the_space_starts_from_its_folder_alone(publish, run, hub, tmp_path):
    """As the Hub starts it: the wheel by the address that requirements.txt names. Dependencies come from this environment."""
    done = publish("--only", "dataset,space", "--public")
    assert done.returncode == 0, done.stderr
    for name, content in hub.repos["space", "mi-lab/kmi"].commits[-1][2].items():
        (tmp_path / name).write_bytes(content)
    assert "/resolve/main/dist/kmi-" in (tmp_path / "requirements.txt").read_text()
    site = tmp_path / "site"
    done = run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, "-r", tmp_path / "requirements.txt", token=None)
    assert done.returncode == 0, done.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    where = {**os.environ, "PYTHONPATH": str(site), "GRADIO_SERVER_PORT": str(port), "SPACE_ID": "mi-lab/kmi", "HF_HOME": str(tmp_path / "home")}
    with subprocess.Popen([sys.executable, "app.py"], cwd=tmp_path, env=where, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as app:
        try:
            assert "KMI" in page(f"http://127.0.0.1:{port}", app), app.stderr.read()
        finally:
            app.kill()


def page(address, app, seconds=100):
    """What the server answers once it does; "" if it ends before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and app.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            time.sleep(0.5)
    return ""
