"""The dataset's Croissant file: what the tables and their columns are, for search engines and loaders (MLCommons Croissant 1.1).

A function of the Parquet files and the card, like the card itself; file addresses are relative, so it holds in a checkout and on the
Hub. Class labels are whole numbers in the files: their names, in order, stand in the column's description.

Not covered: the card (`kmi.corpus.card`).
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from kmi.corpus.card import File, scan, version
from kmi.corpus.tables import features

if TYPE_CHECKING:
    import mlcroissant

NAME = "croissant.json"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
PAPER = "https://arxiv.org/abs/2502.05651"
DESCRIPTION = (
    "한국어 동기강화상담 회기, 상담자와 내담자의 코드, 영어 번역. Korean motivational interviewing sessions with behaviour codes and English "
    "translations, written by a large language model; no text of real clients."
)
TYPES = {"string": "Text", "int32": "Integer", "int64": "Integer", "float64": "Float", "bool": "Boolean"}
SCHEMA = "https://schema.org/"


def dumps(folder: Path) -> str:
    """The Croissant file of a dataset folder, as text.

    Args:
        folder: the dataset's folder with `README.md` and `data/`.
    """
    import mlcroissant

    files = scan(folder / "data")
    front_matter = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1])
    metadata = mlcroissant.Metadata(
        name="kmi",
        description=DESCRIPTION,
        license=[LICENCE],
        creators=[mlcroissant.Organization(name="The KMI contributors")],
        cite_as=f"The KMI contributors, {front_matter['pretty_name']}. After Kim et al. (NAACL 2025), {PAPER}",
        version=version([file for of_table in files.values() for file in of_table]),
        in_language=front_matter["language"],
        distribution=[_file(folder, table, file) for table, of_table in files.items() for file in of_table],
        record_sets=[_record_set(table, file) for table, of_table in files.items() for file in of_table],
    )
    return json.dumps(metadata.to_json(), ensure_ascii=False, indent=1, default=str) + "\n"


def _file(folder: Path, table: str, file: File) -> "mlcroissant.FileObject":
    import mlcroissant

    return mlcroissant.FileObject(
        id=_id(table, file),
        name=_id(table, file),
        content_url=file.path.relative_to(folder).as_posix(),
        content_size=f"{file.file_bytes} B",
        encoding_formats=["application/x-parquet"],
        sha256=hashlib.sha256(file.path.read_bytes()).hexdigest(),
    )


def _record_set(table: str, file: File) -> "mlcroissant.RecordSet":
    import mlcroissant

    source = _id(table, file)
    name = f"{table}-{file.name}"
    fields = [_field(f"{name}/{column}", source, column, (), feature) for column, feature in features()[table].items()]
    return mlcroissant.RecordSet(id=name, name=name, description=f"{file.rows:,} rows of the {file.split} split", fields=fields)


def _field(id_: str, source: str, column: str, path: tuple[str, ...], feature: Any) -> "mlcroissant.Field":
    """A column, or what lies at `path` within its nested values."""
    import mlcroissant
    from datasets import ClassLabel, List

    repeated = isinstance(feature, List)
    feature = feature.feature if repeated else feature
    inner = feature if isinstance(feature, dict) else {}
    names = f"0-based number of: {', '.join(feature.names)}" if isinstance(feature, ClassLabel) else None
    transforms = [mlcroissant.Transform(json_path=".".join(path))] if path else []
    return mlcroissant.Field(
        id=id_,
        name=id_,
        description=names,
        repeated=repeated or None,
        data_types=[] if inner else [SCHEMA + ("Integer" if names else TYPES[feature.dtype])],
        source=mlcroissant.Source(file_object=source, extract=mlcroissant.Extract(column=column), transforms=transforms),
        # A list within a list cannot be pointed into; the utterances table has the same flat.
        sub_fields=[_field(f"{id_}/{name}", source, column, (*path, name), within) for name, within in inner.items() if not isinstance(within, List)],
    )


def _id(table: str, file: File) -> str:
    return f"{table}-{file.name}.parquet"
