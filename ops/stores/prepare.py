"""prepare.py BUCKET TOPIC: makes the bucket and the topic of promotions unless they are there.

Reads the variables of boto3, MLFLOW_S3_ENDPOINT_URL and KAFKA_BROKERS. Exits 1, with one line, if a store refuses.
"""

import os
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

TIMEOUT_SECONDS = 60


def make_bucket(bucket: str) -> None:
    """Make the bucket; one that is ours already is as good."""
    client = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
    try:
        client.create_bucket(Bucket=bucket)
    except client.exceptions.BucketAlreadyOwnedByYou:
        pass


def make_topic(topic: str) -> None:
    """Make the topic: one partition, so that events keep their order, and one replica, for there is one broker."""
    admin = AdminClient({"bootstrap.servers": os.environ["KAFKA_BROKERS"], "log_level": 0})
    wanted = NewTopic(topic, num_partitions=1, replication_factor=1)
    made = admin.create_topics([wanted], request_timeout=TIMEOUT_SECONDS, operation_timeout=TIMEOUT_SECONDS)
    try:
        made[topic].result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def main() -> None:
    """Prepare both stores."""
    bucket, topic = sys.argv[1:]
    try:
        make_bucket(bucket)
        make_topic(topic)
    except (BotoCoreError, ClientError, KafkaException) as error:
        sys.exit(f"prepare: {error}")
    print(f"bucket {bucket} and topic {topic} are there")


main()
