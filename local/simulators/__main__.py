"""`python -m local.simulators`: the simulators alone, for any app that speaks to these brokers."""

import argparse
import json
import signal
import sys
import threading
import time

from local.errors import LocalStackError
from local.simulators.clients import SimulatorClients, demo_clients
from local.simulators.server import RunningSimulators, serve

_DEFAULT_REDIRECT_URI = "http://127.0.0.1:8000/callback/pocketful"


def main() -> int:
    """Serves until Ctrl-C or SIGTERM; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.simulators", description=__doc__)
    parser.add_argument("--port", type=int, default=8001, help="on 127.0.0.1; default %(default)s")
    parser.add_argument(
        "--redirect-uri",
        action="append",
        metavar="URI",
        help=f"a callback registered at Pocketful; may be repeated; default {_DEFAULT_REDIRECT_URI}",
    )
    options = parser.parse_args()
    clients = demo_clients(*(options.redirect_uri or [_DEFAULT_REDIRECT_URI]))
    try:
        running = serve(options.port, clients=clients, clock=time.time)
    except LocalStackError as problem:
        print(problem, file=sys.stderr)
        return 1
    with running:
        print(_description(running, clients), flush=True)
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        stopping.wait()
    return 0


def _description(running: RunningSimulators, clients: SimulatorClients) -> str:
    """What an app needs to know. The secrets are made up and open only the simulators."""
    pocketful, fivepaisa = clients.pocketful[0], clients.fivepaisa[0]
    settings = {
        "pocketful": {
            "authorize": f"{running.pocketful_url}/oauth2/auth",
            "token": f"{running.pocketful_url}/oauth2/token",
            "trading_info": f"{running.pocketful_url}/api/v1/user/trading_info",
            "client_id": pocketful.client_id,
            "client_secret": pocketful.client_secret,
            "redirect_uris": pocketful.redirect_uris,
        },
        "fivepaisa": {
            "login": f"{running.fivepaisa_url}/WebVendorLogin/VLogin/Index",
            "token": f"{running.fivepaisa_url}/VendorsAPI/Service1.svc/GetAccessToken",
            "vendor_key": fivepaisa.vendor_key,
            "encryption_key": fivepaisa.encryption_key,
            "user_id": fivepaisa.user_id,
        },
        "control": {
            "faults": f"POST {running.url}/simulator/faults",
            "requests": f"GET {running.url}/simulator/requests",
        },
    }
    return json.dumps(settings, indent=2, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
