"""What every part of the settings is made of."""

from pathlib import Path
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from swarm import secret

UserPath = Annotated[Path, AfterValidator(Path.expanduser)]


# Where a secret lies: a path, `secret://env/NAME` or `secret://file/PATH`.
SecretAt = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, Path) else value),
    AfterValidator(secret.place),
]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone `{name}`; name one like Europe/Berlin") from None
    return name


KnownZone = Annotated[str, AfterValidator(_known_zone)]


TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


WEEK: tuple[Weekday, ...] = get_args(Weekday)
