"""Prints tables of times as Python writes them, each with the two times that follow: the peer of the service's answers."""
import json
import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ROWS = 10
AHEAD = 2
STEPS = [
    timedelta(minutes=2), timedelta(minutes=7), timedelta(days=1), timedelta(seconds=1), timedelta(milliseconds=500),
    timedelta(milliseconds=1), timedelta(microseconds=100), timedelta(microseconds=1), timedelta(microseconds=123457),
]
ZONES = [None, timezone.utc, timezone(timedelta(hours=-3, minutes=-30)), timezone(timedelta(hours=14)), ZoneInfo("Europe/Madrid")]


def table(draw: random.Random) -> dict:
    step = draw.choice(STEPS)
    start = datetime(1970, 1, 2) + timedelta(microseconds=draw.randrange(128 * 365 * 86_400 * 10**6))
    unit = draw.choice(["auto", "minutes", "seconds", "milliseconds", "microseconds"])
    # A unit that the step does not fit would lose digits in Python itself.
    fitting = {"minutes": timedelta(minutes=1), "seconds": timedelta(seconds=1), "milliseconds": timedelta(milliseconds=1)}
    if unit in fitting:
        if step % fitting[unit]:
            unit = "microseconds"
        else:
            start -= (start - datetime(1970, 1, 1)) % fitting[unit]
    if step == timedelta(milliseconds=500):
        start = start.replace(microsecond=0)
    moments = [start.replace(tzinfo=timezone.utc) + step * row for row in range(ROWS + AHEAD)]
    zone = draw.choice(ZONES)
    if zone is None:
        local = [moment.replace(tzinfo=None) for moment in moments]
    else:
        local = [moment.astimezone(zone) for moment in moments]
        # Answers keep the offset of the last row, whatever the clocks of a place do then.
        offset = timezone(local[ROWS - 1].utcoffset())
        local[ROWS:] = [moment.astimezone(offset) for moment in moments[ROWS:]]
    separator = draw.choice("T t")
    texts = [moment.isoformat(separator, unit) for moment in local]
    if zone is timezone.utc:
        letter = draw.choice(["Z", "z", "+00:00"])
        texts = [text.replace("+00:00", letter) for text in texts]
    return {"times": texts[:ROWS], "next": texts[ROWS:]}


draw = random.Random(13)
print(json.dumps([table(draw) for _ in range(300)]))
