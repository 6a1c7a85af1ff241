"""What the operator sees: a log line and a metric for each outcome. Never a secret, never an account."""

from __future__ import annotations

import traceback
from typing import Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from brokerlink.errors import FAILURES, BrokerlinkError, Code, LoginError, SettingError

NAMESPACE: Final = "brokerlink"


class Telemetry:
    """Writes to the function's log, where CloudWatch reads lines and metrics (embedded metric format)."""

    def __init__(self, logger: Logger) -> None:
        self.logger = logger

    def count(self, metric: str, broker: str | None = None) -> None:
        """Count one of `metric`."""
        with single_metric(name=metric, unit=MetricUnit.Count, value=1, namespace=NAMESPACE) as one:
            one.add_dimension(name="broker", value=broker or "none")

    def good(self, event: str, *, broker: str, attempt_id: str) -> None:
        """Tell that a login came a step further: `started`, `connected`, `held`."""
        self.logger.info(event, broker=broker, attempt_id=attempt_id)
        self.count(event, broker)

    def failed(self, code: Code, *, broker: str, attempt_id: str | None, failure: LoginError | None = None) -> None:
        """Tell that a login failed; as an error where an operator has to act."""
        row = FAILURES[code]
        tell = self.logger.error if row.operator else self.logger.info
        cause = None if failure is None else failure.__cause__
        tell(
            "failed",
            code=code,
            broker=broker,
            attempt_id=attempt_id,
            step=None if failure is None else failure.step,
            reason=None if failure is None else failure.message,
            trace=None if cause is None else trace(cause),
        )
        self.count(row.metric, broker)

    def refused(self, metric: str, *, broker: str | None = None, why: str | None = None) -> None:
        """Count a request that touched nothing: `state_missing`, `state_unknown`, …; `why` quotes nothing of it."""
        self.logger.info("refused", reason=metric, broker=broker, why=why)
        self.count(metric, broker)

    def misconfigured(self, error: SettingError, *, broker: str | None = None) -> None:
        """Tell which setting is wrong; its value is never told."""
        self.logger.error("misconfigured", setting=error.setting, reason=str(error), broker=broker)
        self.count("app_misconfigured", broker)

    def storage(self, error: BrokerlinkError) -> None:
        """Tell that the table could not be asked."""
        self.logger.warning("storage", reason=str(error))
        self.count("busy")

    def crashed(self, error: Exception) -> None:
        """Tell where the code broke."""
        self.logger.error("crashed", error=type(error).__name__, trace=trace(error))
        self.count("internal")


def trace(error: BaseException) -> list[str]:
    """Give where an exception came from. Its message is left out: it may quote what it choked on."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
