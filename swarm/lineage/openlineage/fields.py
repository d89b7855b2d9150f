"""The fields of an OpenLineage event: foreign JSON, checked as far as it is needed."""

from collections.abc import Mapping

from swarm.errors import InputError
from swarm.model.keys import DatasetKey

_EVENT_TYPES = {"START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER"}
Fields = Mapping[str, object]
NAME_MAX = 2_000  # characters; what is longer is no name that anybody gave
_SHOWN = 40  # characters of what is wrong


def checked_event(event: object) -> Fields:
    """The fields of an event, checked as far as they are needed to tell what it is.

    Raises `InputError`, with the path of the field, for something else.
    """
    if not isinstance(event, Mapping):
        raise InputError(
            f"$ is {kind_of(event)} and not an OpenLineage event: send one JSON object per request"
        )
    if "job" not in event and "dataset" in event:
        _named(event["dataset"], "$.dataset")
        return event
    if "job" not in event:
        raise InputError(
            "$.job is missing, so this is not an OpenLineage event: "
            'add "job": {"namespace": ..., "name": ...}'
        )
    _named(event["job"], "$.job")
    if "run" in event and not isinstance(event["run"], Mapping):
        raise InputError(f'$.run is {kind_of(event["run"])}: it must be an object with "runId"')
    event_type = event.get("eventType")
    if event_type is not None and text_of(event_type).upper() not in _EVENT_TYPES:
        shown = str(event_type)[:_SHOWN]
        raise InputError(f"$.eventType is {shown!r}: use one of {', '.join(sorted(_EVENT_TYPES))}")
    return event


def _named(part: object, path: str) -> None:
    if not isinstance(part, Mapping):
        raise InputError(
            f'{path} is {kind_of(part)}: it must be an object with "namespace", "name"'
        )
    for field in ("namespace", "name"):
        text = text_of(part.get(field))
        if not text:
            raise InputError(f"{path}.{field} is missing or no text: every {path[2:]} needs one")
        if len(text) > NAME_MAX:
            raise InputError(f"{path}.{field} has {len(text):,} characters: {NAME_MAX:,} at most")


def kind_of(value: object) -> str:
    """A few words for an error message."""
    return "null" if value is None else f"of type {type(value).__name__}"


def object_at(value: object, *path: str) -> Fields:
    """The object at `path` below `value`; an empty one where there is none."""
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def text_of(value: object) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def dataset_of(fields: Fields) -> DatasetKey | None:
    """The dataset that `namespace` and `name` of an object say; None where one is missing, or too
    long."""
    namespace, name = text_of(fields.get("namespace")), text_of(fields.get("name"))
    there = 0 < len(namespace) <= NAME_MAX and 0 < len(name) <= NAME_MAX
    return DatasetKey(namespace, name) if there else None
