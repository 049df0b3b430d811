#!/usr/bin/env bash
# From six real-looking posts to a labelled dataset and a first report, without key, GPU or model download.
#   bash scripts/quickstart.sh          everything lands in out/quickstart/
# Safe to run again: what is there is kept and checked.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup_venv.sh
setup_venv .venv generate

export HF_HUB_OFFLINE=1 OMP_WAIT_POLICY=PASSIVE OMP_NUM_THREADS=1
out=out/quickstart

echo; echo "1/4  six client posts become six sessions (embedded retrieval writer: a baseline) -> $out/run"
accelerate launch --num_processes 1 --num_machines 1 --mixed_precision no --dynamo_backend no \
  scripts/generate_dialogues.py --contexts kmi/clients/sample_posts.jsonl --out "$out/run"

echo; echo "2/4  the sessions become a dataset -> $out/dataset"
python scripts/build_dataset.py --run "$out/run" --out "$out/dataset"

echo; echo "3/4  datasets loads it, and the shipped corpus beside it"
python - "$out/dataset" <<'PY'
import sys

from datasets import load_dataset

mine = load_dataset(sys.argv[1], split="train")
kmi = load_dataset("kmi", split="train")
print(f"{sys.argv[1]}: {len(mine)} simulated sessions; load_dataset('kmi'): {len(kmi)} dialogues")
first = mine[0]
print(f"\n{first['context'][:120]} ...")
for turn in first["dialogue"][:6]:
    print(f"  {'상담자' if turn['role'] == 0 else '내담자'}: {turn['utterance_ko']}")
PY

echo; echo "4/4  a first report: the simulated sessions, then the shipped corpus"
python scripts/evaluate_dialogues.py "$out/run/dialogues.jsonl"
python scripts/evaluate_dialogues.py loading_script/source

echo; echo "Done. Next: README.md shows each road in; for real writing use --writer openai, local or batch."
