"""The control endpoints: set a fault, list what was received. Closed to every web page."""

import dataclasses
import json
from dataclasses import dataclass

from werkzeug.wrappers import Request, Response

from local.simulators.faults import Fault, Faults
from local.simulators.recorder import Recorder
from local.simulators.responses import json_response

PREFIX = "/simulator/"


class Control:
    """Answers requests below `/simulator/`."""

    def __init__(self, faults: Faults, recorder: Recorder) -> None:
        self._faults = faults
        self._recorder = recorder

    def respond(self, request: Request) -> Response:
        # The list holds the apps' secrets. A browser marks what a page asks for with one of these headers, a
        # terminal sends neither.
        if "Origin" in request.headers or "Sec-Fetch-Site" in request.headers:
            return _refusal("Web pages may not control the simulators.", status=403)
        match request.method, request.path.removeprefix(PREFIX):
            case "POST", "faults":
                return self._set_fault(request)
            case (("GET" | "HEAD"), "requests"):
                return json_response([dataclasses.asdict(entry) for entry in self._recorder.requests()])
            case _, ("faults" | "requests"):
                return _refusal("Faults are set with POST, requests are listed with GET.", status=405)
        return _refusal("There is /simulator/faults and /simulator/requests.", status=404)

    def _set_fault(self, request: Request) -> Response:
        try:
            order = _FaultOrder.parse(request.get_data())
            if order.times:
                self._faults.set(order.broker, order.endpoint, order.fault, times=order.times)
            else:
                self._faults.clear(order.broker, order.endpoint)
        except ValueError as problem:
            return _refusal(str(problem), status=400)
        return json_response(dataclasses.asdict(order))


@dataclass(frozen=True, slots=True)
class _FaultOrder:
    broker: str
    endpoint: str
    fault: str
    times: int = 1

    @classmethod
    def parse(cls, raw: bytes) -> "_FaultOrder":
        """Raises `ValueError` with a sentence."""
        try:
            order = json.loads(raw)
        except (ValueError, RecursionError):
            order = None
        if not isinstance(order, dict):
            raise ValueError("The body must be a JSON object.")  # noqa: TRY004 - one family for the caller to answer
        unknown = sorted(set(order) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise ValueError("The object may hold broker, endpoint, fault and times, nothing else.")
        times = order.get("times", 1)
        if type(times) is not int or times < 0:
            raise ValueError("times must be a whole number, 0 or more.")
        # To clear an endpoint nobody needs to know its fault; one that is named must still exist.
        match order.get("broker"), order.get("endpoint"), order.get("fault", "" if times == 0 else None):
            case str(broker), str(endpoint), str(fault):
                if times or fault:
                    Fault.parse(fault)
                return cls(broker, endpoint, fault, times)
        raise ValueError("broker, endpoint and fault must be given, as strings.")


def _refusal(sentence: str, *, status: int) -> Response:
    return json_response({"error": sentence}, status=status)
