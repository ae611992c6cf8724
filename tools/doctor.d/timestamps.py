# SPDX-License-Identifier: BSD-3-Clause
"""Check the topic's timestamps against the clocks of this host and of Kafka.

With CreateTime a record has the time of this host. Kafka refuses it when its own clock is too far
away, and retention goes by it.
"""

from cluster import CLUSTER_UNAUTHORIZED, UNSUPPORTED, Refused
from cpus import check_time
from finding import fail, ok, warn
from tool import alter
from wire import Unreachable

LOG_APPEND_TIME = "message.timestamp.type=LogAppendTime"
NEVER_MS = (1 << 63) - 1
HOUR_MS, WEEK_MS = 3_600_000, 604_800_000
TOLERABLE_S = 10


def duration(seconds):
    for name, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {name}"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def furthest_ms(kafka, side):
    """(name, value) of the limit for timestamps before or after the broker's time."""
    name, old = f"message.timestamp.{side}.max.ms", "message.timestamp.difference.max.ms"
    if not kafka.settings:  # Kafka's defaults
        return name, HOUR_MS if side == "after" and kafka.cluster.is_kafka_4() else NEVER_MS
    value = int(kafka.settings.get(name, NEVER_MS))
    # Before Kafka 4, which has no other, the old one counts while the new one is not set.
    return (name, value) if value != NEVER_MS else \
        (old, int(kafka.settings.get(old, NEVER_MS)))


def look_at_difference(kafka, ahead_s):
    """A Finding about this host's clock, some seconds ahead of Kafka's; None if it does no harm."""
    side, away = ("before", "behind") if ahead_s < 0 else ("after", "ahead of")
    text = f"this host's clock is {duration(abs(ahead_s))} {away} that of Kafka's controller"
    remedy = f"chronyc makestep, here or there; {alter(kafka, LOG_APPEND_TIME)}"
    name, limit_ms = furthest_ms(kafka, side)
    retention_ms = int(kafka.settings.get("retention.ms", WEEK_MS))
    if abs(ahead_s) * 1000 > limit_ms:
        return fail(f"{text}, {name}={limit_ms}: Kafka refuses every packet", remedy)
    if 0 <= retention_ms <= -ahead_s * 1000:
        return fail(f"{text}, retention.ms={retention_ms}: Kafka deletes every packet as soon as "
                    "it is stored", remedy)
    if abs(ahead_s) > TOLERABLE_S:
        keeps = "shorter" if ahead_s < 0 else "longer"
        return warn(f"{text}: retention keeps packets so much {keeps}", remedy)
    return None


def look_at_timestamps(kafka, context):
    if kafka.settings.get("message.timestamp.type", "CreateTime") == "LogAppendTime":
        yield ok(LOG_APPEND_TIME)
        return
    harm = None
    try:
        ahead_s = -kafka.cluster.clock_ahead_s(context.host.now)
        harm = look_at_difference(kafka, ahead_s)
        distance = f"{duration(abs(ahead_s))} from that of Kafka's controller"
    except (Refused, Unreachable) as error:
        distance = f"Kafka's cannot be read: {why_no_clock(error)}"
    if harm:
        yield harm
    elif check_time(context)[0].status == "ok":
        yield ok(f"message.timestamp.type=CreateTime, this host's clock is kept ({distance})")
    else:
        yield warn("message.timestamp.type=CreateTime, this host's clock is not kept "
                   f"({distance}): Kafka refuses or deletes packets that a wrong clock stamps",
                   alter(kafka, LOG_APPEND_TIME))


def why_no_clock(error):
    return {CLUSTER_UNAUTHORIZED: "the cluster may not be described",
            UNSUPPORTED: "it takes Kafka 3.3 or later"}.get(getattr(error, "error", None), error)
