"""Which days are alike."""

DAY_S = 86_400.0


def is_weekend(at_s: float) -> bool:
    """Does a time, in seconds since the epoch, lie on a Saturday or Sunday of UTC?"""
    return (int(at_s // DAY_S) + 3) % 7 >= 5  # the first day of the epoch was a Thursday
