"""The two brokers as a customer at the browser knows them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoBroker:
    """A simulated broker, its demo customer, and what our pages say about a login that was declined there."""

    id: str
    name: str
    account: str
    masked: str
    second_account: str
    declined: str


POCKETFUL = DemoBroker("pocketful", "Pocketful", "YA0002", "YA••02", "YA0003", "You did not finish the login")
# What 5paisa sends on a cancel is unknown; its simulator sends the state alone.
FIVEPAISA = DemoBroker("fivepaisa", "5paisa", "50052770", "50••70", "50052771", "We could not read this login")
BROKERS = (POCKETFUL, FIVEPAISA)
