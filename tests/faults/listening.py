"""What the functions tell their operator, and what they tell it from."""

from __future__ import annotations

import json

from aws_lambda_powertools import Logger

from brokerlink.errors import BrokerlinkError, Code, LoginError
from brokerlink.telemetry import Telemetry


class Listening(Telemetry):
    """Keeps the exceptions that it is told of."""

    def __init__(self, heard: list[BaseException], logger: Logger) -> None:
        super().__init__(logger)
        self.heard = heard

    def failed(self, code: Code, *, broker: str, attempt_id: str | None, failure: LoginError | None = None) -> None:
        """Tell that a login failed."""
        self.heard += [failure] if failure else []
        super().failed(code, broker=broker, attempt_id=attempt_id, failure=failure)

    def unsettled(self, failure: LoginError, *, broker: str, attempt_id: str) -> None:
        """Tell of a failure that is perhaps not written."""
        self.heard.append(failure)
        super().unsettled(failure, broker=broker, attempt_id=attempt_id)

    def storage(self, error: BrokerlinkError) -> None:
        """Tell that the table could not be asked."""
        self.heard.append(error)
        super().storage(error)

    def crashed(self, error: Exception) -> None:
        """Tell where the code broke."""
        self.heard.append(error)
        super().crashed(error)


def counted(log: str) -> list[str]:
    """Give the names of the metrics in a function's log (CloudWatch's embedded metric format), in their order."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith('{"_aws"')]
    # The first of a line says what happened; whether that ended a login well follows from it.
    return [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in lines]
