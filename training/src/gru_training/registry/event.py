"""The promotion event: a hint to the services, described in docs/reference/promotion-events.md."""

import json
from dataclasses import asdict, dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from gru_training.registry.promote import Promotion

# Seconds in which Kafka has to take it.
_PATIENCE = 10


class EventNotSentError(Exception):
    """Why, in one sentence."""


@dataclass
class _Outcome:
    """What librdkafka said of the brokers, and of the one message: None while it is on its way."""

    trouble: list[str] = field(default_factory=list)
    error: KafkaError | None = None
    taken: bool = False

    def delivered(self, error: KafkaError | None, _message: Message) -> None:
        self.error, self.taken = error, error is None


def send(brokers: str, topic: str, promotion: Promotion) -> str:
    """Sends it and waits until every replica of the partition has it; returns the value. Throws EventNotSentError."""
    value = event(promotion)
    outcome = _Outcome()
    try:
        producer = Producer(
            {
                "bootstrap.servers": brokers,
                "enable.idempotence": True,
                "message.timeout.ms": _PATIENCE * 1000,
                "error_cb": lambda error: outcome.trouble.append(error.str()),
                "log_level": 0,
            }
        )
        producer.produce(topic, key=promotion.name, value=value, on_delivery=outcome.delivered)
        producer.flush(_PATIENCE + 2)
    except KafkaException as error:
        raise EventNotSentError(f"Kafka at {brokers}: {error.args[0].str()}") from error
    if not outcome.taken:
        causes = [*outcome.trouble[:1], *([outcome.error.str()] if outcome.error else ["no answer"])]
        raise EventNotSentError(f"Kafka at {brokers}, topic {topic}: {'; '.join(causes)}")
    return value


def event(promotion: Promotion) -> str:
    return json.dumps({"schema_version": 1, **asdict(promotion)})
