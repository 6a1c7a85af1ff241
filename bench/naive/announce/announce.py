"""Announces tokens the way that tutorials do: a batch processor, a tracer, everything at the top."""

import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
tracer = Tracer()
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
sns = boto3.client("sns")


@tracer.capture_method
def publish(record: DynamoDBRecord) -> None:
    """Publish one record."""
    image: Any = record.dynamodb.new_image if record.dynamodb else {}
    message = {name: str(image[name]) for name in ("user_id", "broker", "account", "attempt_id")}
    sns.publish(TopicArn=os.environ["TOPIC"], Message=json.dumps(message))
    metrics.add_metric(name="announced", unit="Count", value=1)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:  # noqa: ANN401 - as the batch processor gives it
    """Publish a batch of stream records."""
    return process_partial_response(event, publish, processor, context)
