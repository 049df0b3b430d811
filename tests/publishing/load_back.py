"""What a stranger does with the published repositories, in a fresh process with an empty cache. Prints one JSON object."""

import json
import sys

import evaluate
import numpy as np
import pandas
from datasets import load_dataset
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer, pipeline

import kmi.forecaster.model  # noqa: F401  (registers the architecture)
from kmi.coder.text import pair_of

ORG, DATA = sys.argv[1:]
found = {}
for name in ("dialogues", "utterances", "chat", "forecasting"):
    there, here = (load_dataset(source, name, split="test") for source in (f"{ORG}/kmi", DATA))
    found[name] = len(there) if there.features == here.features and there.to_list() == here.to_list() else "differs"
row = next(iter(load_dataset(f"{ORG}/kmi", "utterances", split="test", streaming=True)))
found["streamed"] = row["utterance_ko"] == load_dataset(DATA, "utterances", split="test")[0]["utterance_ko"]
found["pandas"] = len(pandas.read_parquet(f"hf://datasets/{ORG}/kmi/data/utterances/test-00000-of-00001.parquet"))
models = {"kmi-forecaster": AutoModel, "kmi-chatbot": AutoModelForCausalLM}
for name, kind in models.items():
    there, here = (kind.from_pretrained(source) for source in (f"{ORG}/{name}", f"{DATA}/../model_cards/{name}"))
    same = all(np.array_equal(a.detach().numpy(), b.detach().numpy()) for a, b in zip(there.parameters(), here.parameters(), strict=True))
    found[name] = sum(tensor.numel() for tensor in there.parameters()) if same else "differs"
found["template"] = bool(AutoTokenizer.from_pretrained(f"{ORG}/kmi-chatbot").chat_template)
text, before = pair_of("therapist", "요즘 잠은 어떠세요?", before="별일 없어요.")
found["kmi-coder"] = pipeline("text-classification", model=f"{ORG}/kmi-coder")({"text": text, "text_pair": before})["label"]
session = [{"role": "therapist", "label": "Open Question"}, {"role": "client", "talk": "sustain"}, {"role": "therapist", "label": "Complex Reflection"}]
found["mi_fidelity"] = evaluate.load(f"{ORG}/mi_fidelity").compute(dialogues=[session])["reflection_to_question"]["value"]
print(json.dumps(found))
