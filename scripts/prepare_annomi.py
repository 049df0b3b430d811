"""Fetches the public AnnoMI files and converts them for training and measuring.

    python scripts/prepare_annomi.py --out annomi/
    python scripts/prepare_annomi.py --out annomi/ --source FOLDER

Writes annomi_high.jsonl (110 sessions), annomi_low.jsonl (23) and folds.json (session to one
of the five fixed folds). Without --source three files are fetched from GitHub: AnnoMI's table
and the same sessions with the 8 KMI labels, from the prototype of the reference framework's
authors. With --source they are read from a folder that holds AnnoMI-full.csv,
annomi_kmi8_high.json and annomi_kmi8_low.json.

AnnoMI comes without a licence: keep the output to yourself, do not publish its text.
"""

import argparse
import hashlib
import shutil
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from kmi.corpus.annomi import CSV_NAME, KMI8_NAMES, PREPARED_NAMES, load_annomi
from kmi.dialogue import write_jsonl
from kmi.errors import ConfigError, DataError, run_command
from kmi.forecaster.crossval import FOLD_FILE

ANNOMI = "https://raw.githubusercontent.com/uccollab/AnnoMI/42936645ec3857a9c84ab296a36a3c34b779ef49"
REFERENCE = "https://raw.githubusercontent.com/yjch00/CounselChat/4d3dd956e7dd1b4d829363f5a3864d3ece5eb379/preprocessed_data"
# Pinned by commit and digest, so that figures compare: address, SHA-256.
FILES = {
    CSV_NAME: (f"{ANNOMI}/AnnoMI-full.csv", "3b60fec5e9d83cbb18ade0e412fb9afaef3b81724748a5d715f844bdd7432c9f"),
    KMI8_NAMES["high"]: (
        f"{REFERENCE}/AnnoMI-full_v5.0_high.json",
        "14c6ef07cf14a484acc1503a91cf221d7695ee970d55ba3476e7ab83cd4fc9be",
    ),
    KMI8_NAMES["low"]: (
        f"{REFERENCE}/AnnoMI-full_v5.0_low.json",
        "fb0a958a9998fa85a07fee3ae87bf5c97266e1f2b3145d5badeeec0112105ee7",
    ),
}
SESSIONS = {"high": 110, "low": 23}
TIMEOUT_SEC = 60


def main(argv: Sequence[str] | None = None) -> int:
    """Fetches or reads, converts, writes; 0 on success."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path, help="folder for the converted files")
    parser.add_argument("--source", type=Path, help="folder that already holds the public files; nothing is fetched")
    args = parser.parse_args(argv)
    if args.source:
        convert(args.source, args.out)
    else:
        with tempfile.TemporaryDirectory() as folder:
            for name, (address, digest) in FILES.items():
                print(f"fetching {address}", file=sys.stderr)
                fetch(address, digest, Path(folder) / name)
            convert(Path(folder), args.out)
    print(f"Next: accelerate launch scripts/train_forecaster.py --annomi {args.out}")
    return 0


def fetch(address: str, digest: str, path: Path) -> None:
    """Downloads one file and checks that it is the one the figures were computed on."""
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SEC) as answer:
            content = answer.read()
    except OSError as error:  # URLError and timeouts are OSErrors
        raise ConfigError(
            f"Could not fetch {address}: {error}.",
            f"Are you offline? Put {', '.join(FILES)} into a folder and add --source FOLDER.",
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise DataError(f"{address}: expected SHA-256 {digest[:12]}..., got {found[:12]}...; the published file has changed.")
    path.write_bytes(content)


def convert(source: Path, out: Path) -> None:
    """Writes the sessions of both qualities and the folds to `out`."""
    missing = [name for name in FILES if not (source / name).is_file()]
    if missing:
        raise ConfigError(f"Expected {', '.join(FILES)} in {source}; {missing[0]} is missing.", "Leave --source out to fetch them.")
    out.mkdir(parents=True, exist_ok=True)
    for quality, name in PREPARED_NAMES.items():
        dialogues = load_annomi(source, quality)
        if len(dialogues) != SESSIONS[quality]:
            raise DataError(f"Expected {SESSIONS[quality]} {quality}-quality sessions in {source}, got {len(dialogues)}.")
        write_jsonl(dialogues, out / name)
        print(f"{out / name}: {len(dialogues)} sessions, {sum(d.turns for d in dialogues):,} utterances")
    shutil.copyfile(FOLD_FILE, out / "folds.json")


if __name__ == "__main__":
    run_command(main)
