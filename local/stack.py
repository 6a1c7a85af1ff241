"""The whole product on one machine: emulator, simulators, functions, event delivery, consumer and HTTP front."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from local.aws import Clients
from local.configuration import FILE, BrokerApps, read_own_apps
from local.delivery import Invoke, Poller, Report
from local.deployment import Deployment, deploy
from local.emulator import Emulator, Engine
from local.errors import LocalStackError, TemplateError
from local.execution import INIT_SECONDS, Function
from local.front import serve_front
from local.functions import EventSource
from local.logs import Logs
from local.ports import LOOPBACK, Ports, begin_listening, listen, reserve
from local.queues import QueueDelivery
from local.received import Received
from local.runtime import FunctionError, FunctionPool
from local.simulators import RunningSimulators, SimulatorClients, demo_clients, serve
from local.simulators.customers import FIVEPAISA_CUSTOMERS, POCKETFUL_CUSTOMERS
from local.streams import StreamDelivery
from local.template import Json, Template

PROJECT = Path(__file__).parent.parent
NAME = "brokerlink"
ANY_PORTS = Ports(app=0, brokers=0, aws=0)

# A stream is looked at after each write; a queue also by the clock, for messages that become visible again.
_STREAM_IDLE_SECONDS = 10.0
_QUEUE_IDLE_SECONDS = 1.0
_JOIN_SECONDS = 5.0


def _silent(line: str) -> None:
    """Report nothing: what a stack within a test does."""
    del line


def _from_source(function: Function) -> Function:
    """Run a function from the source tree: what `make run` does."""
    return function


class Stack:
    """A running local stack. Use it in a `with` statement: everything of it has ended when that is left.

    `parameters` go before the local stack's own values of the template's parameters. `engine` is what answers for
    AWS in moto's place; it stays the caller's to close. `runs` puts something in the place of a function, such as its
    built artifact.
    `report` is given one line for each event, each line that the consumer prints and each error, from any
    thread; `progress` one for each step of the start. Entering raises LocalStackError.
    """

    base_url: str
    brokers_url: str
    own_brokers: tuple[str, ...]
    aws_url: str
    clients: Clients
    simulators: RunningSimulators
    emulator: Emulator
    deployment: Deployment
    consumer: Deployment
    functions: Mapping[str, FunctionPool]

    def __init__(  # noqa: PLR0913 - each is a part of the stack that somebody chooses
        self,
        ports: Ports = ANY_PORTS,
        *,
        project: Path = PROJECT,
        brokers_file: Path | None = None,
        logs: Path | None = None,
        parameters: Mapping[str, str] | None = None,
        engine: Engine | None = None,
        runs: Callable[[Function], Function] = _from_source,
        report: Report = _silent,
        progress: Report = _silent,
    ) -> None:
        self.received = Received()
        self._ports = ports
        self._project = project
        self._brokers_file = brokers_file or project / FILE
        self._parameters = parameters or {}
        self._engine = engine
        self._runs = runs
        self.log_folder = logs or project / ".brokerlink" / "logs"
        self._logs = Logs(self.log_folder, report)
        self._report = report
        self._progress = progress
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            self._start(starting)
            # Only now, so that a start which fails half-way stops what it had started.
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._running.close()

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the deployed template."""
        return self.deployment.outputs

    @property
    def demo_accounts(self) -> dict[str, list[str]]:
        """The simulated brokers' customers, by broker."""
        customers = {"pocketful": POCKETFUL_CUSTOMERS, "fivepaisa": FIVEPAISA_CUSTOMERS}
        return {
            broker: [customer.account for customer in known]
            for broker, known in customers.items()
            if broker not in self.own_brokers
        }

    def _start(self, running: ExitStack) -> None:
        own = read_own_apps(self._brokers_file)
        self.own_brokers = tuple(own.public)
        front = running.enter_context(reserve(self._ports.app, "PORT"))
        self.base_url = f"http://{LOOPBACK}:{front.getsockname()[1]}"
        clients = demo_clients(f"{self.base_url}/callback/pocketful")
        self.simulators = running.enter_context(serve(self._ports.brokers, clients=clients, clock=time.time))
        self.brokers_url = self.simulators.url
        self._progress(f"broker simulators on {self.brokers_url}")
        self.emulator = Emulator(listen(self._ports.aws, "AWS_PORT"), self._engine)
        running.callback(self.emulator.close)
        self.aws_url, self.clients = self.emulator.url, self.emulator.clients
        self._progress(f"AWS emulator on {self.aws_url}")
        self._deploy(simulated_apps(self.simulators, clients) | own)
        self._progress(f"resources of template.yaml: {len(self.deployment.physical_ids)}")
        self._start_functions(running)
        self._progress(f"functions: {', '.join(sorted(self.functions))}")
        self._start_pollers(running)
        serving = serve_front(
            begin_listening(front, "PORT"),
            routes=self.deployment.routes,
            functions=self.functions,
            base_url=self.base_url,
            account=self.emulator.account,
            log=self._logs.writer("requests"),
        )
        running.callback(serving.close)

    def _deploy(self, apps: BrokerApps) -> None:
        parameters = {
            "BrokerApps": apps.public_json(),
            "PublicBaseUrl": self.base_url,
            "ReturnTo": f"{self.base_url}/example/",
            "DirectLoginAccounts": "*",
            **self._parameters,
        }
        self.deployment = deploy(
            Template.load(self._project / "template.yaml", parameters),
            self.emulator,
            name=NAME,
            parameters=parameters,
            secrets={"BrokerSecret": apps.secret_json()},
        )
        layer = self.deployment.outputs.get("BrokerlinkLayerArn")
        if layer is None:
            raise TemplateError("template.yaml has no output BrokerlinkLayerArn, which the consumer needs.")
        start = self.deployment.outputs["StartUrl"]
        parameters = {
            "BrokerlinkStack": NAME,
            "BrokerlinkLayerArn": layer,
            "BrokerlinkLoginUrl": parameters.get("LoginUrl", start),
            "BrokerlinkStartUrl": start,
        }
        self.consumer = deploy(
            Template.load(self._project / "examples" / "consumer" / "template.yaml", parameters),
            self.emulator,
            name=f"{NAME}-consumer",
            parameters=parameters,
            layers=self.deployment.layers,
        )

    def _start_functions(self, running: ExitStack) -> None:
        pools: dict[str, FunctionPool] = {}
        passed = self._passed_by_a_login()
        for deployment in (self.deployment, self.consumer):
            for name, function in deployment.functions.items():
                short = name.removesuffix("Function").lower()
                log = self._logs.writer(short, prints=deployment is self.consumer)
                pools[name] = FunctionPool(self._runs(function), log=log, prewarm=int(name in passed))
                running.callback(pools[name].close)
        for name in passed:
            try:
                pools[name].wait_until_ready(INIT_SECONDS)
            except (FunctionError, TimeoutError) as problem:
                raise LocalStackError(f"{name} cannot be loaded: {problem}") from None
        self.functions = pools

    def _passed_by_a_login(self) -> set[str]:
        """The functions that stand ready; the platform's and the schedule's start with their first event."""
        public = {route.function for route in self.deployment.routes if not route.iam}
        return public | {source.function for source in (*self.deployment.sources, *self.consumer.sources)}

    def _start_pollers(self, running: ExitStack) -> None:
        pollers: list[Poller] = []
        for source in (*self.deployment.sources, *self.consumer.sources):
            if source.is_stream:
                deliver = StreamDelivery(source, self.clients, self._invoke(source)).deliver
                idle = _STREAM_IDLE_SECONDS
            else:
                deliver = QueueDelivery(source, self.clients, self._invoke(source), self.received.add).deliver
                idle = _QUEUE_IDLE_SECONDS
            pollers.append(Poller(source, deliver, self.emulator.changes, self._report, idle=idle))

        def stop() -> None:
            self.emulator.changes.close()
            for pool in self.functions.values():
                pool.close()
            for poller in pollers:
                poller.join(_JOIN_SECONDS)

        running.callback(stop)

    def _invoke(self, source: EventSource) -> Invoke:
        pool = self.functions[source.function]
        if source.is_stream:
            return pool.invoke

        def invoke(event: Json) -> object:
            for record in event["Records"]:
                self._report(f"event     {_described(record['body'])}")
            return pool.invoke(event)

        return invoke


def simulated_apps(simulators: RunningSimulators, clients: SimulatorClients) -> BrokerApps:
    """Give the settings of the broker apps that are registered at the simulators."""
    (pocketful,), (fivepaisa,) = clients.pocketful, clients.fivepaisa
    return BrokerApps(
        public={
            "pocketful": {
                "client_id": pocketful.client_id,
                "auth_base": simulators.pocketful_url,
                "api_base": simulators.pocketful_url,
            },
            "fivepaisa": {
                "vendor_key": fivepaisa.vendor_key,
                "login_base": simulators.fivepaisa_url,
                "api_base": simulators.fivepaisa_url,
            },
        },
        secret={
            "pocketful": {"client_secret": pocketful.client_secret},
            "fivepaisa": {"encryption_key": fivepaisa.encryption_key, "user_id": fivepaisa.user_id},
        },
    )


def _described(body: str) -> str:
    """A CloudEvent in one line; it holds nothing secret."""
    try:
        event = json.loads(body)
        return f"{event['type']}: {event['subject']} of user {event['data']['user_id']}"
    except (ValueError, KeyError, TypeError):
        return "a message that is no brokerlink event"
