"""The `columnLineage` facet (1-2-0, and its older fields): which column is made from which.

A transformation keeps OpenLineage's words. The older facet says how a column is made in one word
for all its inputs; it is told of each of them.
"""

from collections.abc import Iterator, Mapping

from swarm.lineage.openlineage.fields import Fields, dataset_of, kind_of, object_at, text_of
from swarm.model.columns import Column, ColumnInput, ColumnLineage, Transformation
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Unresolved, UnresolvedReason

FACET = "columnLineage"
INPUTS_MAX = 5_000  # over all columns of a dataset
_TEXT_MAX = 200


def columns_of(
    dataset: Fields, place: str, at_s: float, task: TaskKey | None, job: str = ""
) -> Iterator[ColumnLineage | Unresolved]:
    """The column lineage that a dataset of an event carries, and what of it is broken.

    `place` is the path of the dataset in the event, `task` and `job` who writes it.
    """
    key = dataset_of(dataset)
    told = object_at(dataset, "facets").get(FACET)
    if key is None or told is None:
        return
    facet, place = object_at(told), f"{place}.facets.{FACET}"
    subject = str(task or key)
    if not isinstance(told, Mapping):
        yield _broken(subject, place, f"{FACET} is {kind_of(told)} and not an object")
        return
    columns: list[Column] = []
    left = INPUTS_MAX
    whole: list[ColumnInput] = []
    for found in _inputs(facet.get("dataset"), {}, subject, f"{place}.dataset"):
        if isinstance(found, Unresolved):
            yield found
        elif left:
            whole.append(found)
            left -= 1
    fields = object_at(facet, "fields")
    for name, value in sorted(fields.items()):
        inputs: list[ColumnInput] = []
        field = object_at(value)
        listed = field.get("inputFields")
        for found in _inputs(listed, field, subject, f"{place}.fields.{name}.inputFields"):
            if isinstance(found, Unresolved):
                yield found
            else:
                inputs.append(found)
        left -= len(inputs)
        if left < 0:
            break
        columns.append(Column(_short(name), tuple(inputs)))
    left_out = len(fields) - len(columns)
    yield ColumnLineage(key, task, tuple(columns), at_s, job, tuple(whole), left_out)


def _inputs(
    listed: object, field: Fields, subject: str, place: str
) -> Iterator[ColumnInput | Unresolved]:
    if listed is None:
        return
    if not isinstance(listed, list | tuple):
        yield _broken(subject, place, f"the list of input columns is {kind_of(listed)}")
        return
    for index, one in enumerate(listed):
        fields = object_at(one)
        dataset, name = dataset_of(fields), text_of(fields.get("field"))
        if dataset is None or not name:
            detail = "an input column needs the texts `namespace`, `name` and `field`"
            yield _broken(subject, f"{place}[{index}]", detail)
            continue
        yield ColumnInput(dataset, _short(name), tuple(_how(fields, field)))


def _how(one: Fields, field: Fields) -> Iterator[Transformation]:
    listed = one.get("transformations")
    for step in listed if isinstance(listed, list | tuple) else ():
        fields = object_at(step)
        yield Transformation(
            _short(text_of(fields.get("type"))),
            _short(text_of(fields.get("subtype"))),
            _short(text_of(fields.get("description"))),
            fields.get("masking") is True,
        )
    old, words = text_of(field.get("transformationType")), field.get("transformationDescription")
    if not listed and (old or words):
        masked = old.upper() == "MASKED"
        subtype = "" if masked else _short(old)
        yield Transformation("DIRECT", subtype, _short(text_of(words)), masked)


def _short(text: str) -> str:
    """`text`, with an ellipsis where it was cut; without letters that no store can hold."""
    plain = text.encode(errors="replace").decode()
    return plain if len(plain) <= _TEXT_MAX else plain[: _TEXT_MAX - 1] + "…"


def _broken(subject: str, place: str, detail: str) -> Unresolved:
    return Unresolved(subject, UnresolvedReason.MALFORMED, place, detail)


def datasets_read(lineage: ColumnLineage) -> list[DatasetKey]:
    """The datasets whose columns are used, but the one that is written; each once."""
    every = (*lineage.whole, *(one for column in lineage.columns for one in column.inputs))
    used = dict.fromkeys(one.dataset for one in every)
    return [dataset for dataset in used if dataset != lineage.dataset]
