"""Simulators of the brokers' login servers, as strict as the real ones, which can be told to fail.

Nothing here is the product: these stand in for the brokers in the local stack and in tests.
"""

from local.simulators.clients import FivepaisaClient, Pkce, PocketfulClient, SimulatorClients, demo_clients
from local.simulators.server import RunningSimulators, serve

__all__ = [
    "FivepaisaClient",
    "Pkce",
    "PocketfulClient",
    "RunningSimulators",
    "SimulatorClients",
    "demo_clients",
    "serve",
]
