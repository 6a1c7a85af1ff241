"""The announce function: the tables' streams in, an SNS message for each thing that they tell."""

from __future__ import annotations

from typing import Any

from brokerlink.cold_start import loading

with loading():
    import os

    from aws_lambda_powertools import Logger

    from brokerlink.aws import AwsClients
    from brokerlink.environment import required
    from brokerlink.telemetry import Telemetry
    from publish import Publisher

    logger = Logger()
    aws = AwsClients()
    publisher = Publisher(
        sns=aws.client("sns"),
        sqs=aws.client("sqs"),
        topic=required(os.environ, "BROKERLINK_TOPIC"),
        dead_letters=required(os.environ, "BROKERLINK_DEAD_LETTERS"),
        source=required(os.environ, "BROKERLINK_SOURCE"),
        telemetry=Telemetry(logger),
        links_table=required(os.environ, "BROKERLINK_LINKS_TABLE"),
        attempts_table=required(os.environ, "BROKERLINK_ATTEMPTS_TABLE"),
    )


@logger.inject_lambda_context(log_event=False, clear_state=True)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Publish a batch of stream records; answer with those that have to come again (partial batch response)."""
    del context
    failed = publisher(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
