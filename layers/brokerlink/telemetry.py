"""What the operator sees: a log line and a metric for each outcome. Never a secret, never an account."""

from __future__ import annotations

import os
import traceback
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from brokerlink.errors import FAILURES, BrokerlinkError, Code, LoginError, SettingError

# A namespace for each stack: a trial beside the real one must not wake anybody.
NAMESPACE: Final = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "brokerlink")
# 1 or 0 for each login that ended: its average is the share that succeeded, its sample count how many there were.
SUCCESS: Final = "login_success"


class Telemetry:
    """Writes to the function's log, where CloudWatch reads lines and metrics (embedded metric format)."""

    def __init__(self, logger: Logger) -> None:
        self.logger = logger

    def count(self, metric: str, broker: str | None = None, *, success: bool | None = None, times: int = 1) -> None:
        """Count one of `metric`, or as many as `times`.

        `success` tells how a login ended, unless by the customer's own doing.
        """
        # Without a service: a metric would else be a different one in each function, and an alarm sees one.
        emf = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service="")
        emf.add_dimension(name="broker", value=broker or "none")
        emf.add_metric(name=metric, unit=MetricUnit.Count, value=times)
        if success is not None:
            emf.add_metric(name=SUCCESS, unit=MetricUnit.Count, value=int(success))
        emf.flush_metrics()

    def good(self, event: str, *, broker: str, attempt_id: str) -> None:
        """Tell that a login came a step further: `started`, `connected`, `held`; or that its link is `revoked`."""
        self.logger.info(event, broker=broker, attempt_id=attempt_id)
        self.count(event, broker, success=True if event == "connected" else None)

    def failed(self, code: Code, *, broker: str, attempt_id: str | None, failure: LoginError | None = None) -> None:
        """Tell that a login failed; as an error where an operator has to act."""
        tell = self.logger.error if FAILURES[code].operator else self.logger.info
        tell("failed", **_login(code, broker, attempt_id, failure))
        self.count(FAILURES[code].metric, broker, success=None if FAILURES[code].customer else False)

    def unsettled(self, failure: LoginError, *, broker: str, attempt_id: str) -> None:
        """Tell of a failure that is perhaps not written: the attempt may yet end otherwise, and is told of then."""
        tell = self.logger.error if FAILURES[failure.code].operator else self.logger.warning
        tell("unsettled", **_login(failure.code, broker, attempt_id, failure))
        self.count("unsettled", broker)

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


def _login(code: Code, broker: str, attempt_id: str | None, failure: LoginError | None) -> dict[str, Any]:
    cause = None if failure is None else failure.__cause__
    return {
        "code": code,
        "broker": broker,
        "attempt_id": attempt_id,
        "step": None if failure is None else failure.step,
        "reason": None if failure is None else failure.message,
        "trace": None if cause is None else trace(cause),
    }


def trace(error: BaseException) -> list[str]:
    """Give where an exception came from. Its message is left out: it may quote what it choked on."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
