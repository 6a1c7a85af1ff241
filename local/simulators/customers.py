"""The demo customers who can log in at the simulators."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of a broker: `account` is the broker's own id, `totp` is empty where none is asked."""

    account: str
    name: str
    pin: str
    totp: str = ""


POCKETFUL_CUSTOMERS = (
    Customer("YA0002", "Asha Rao", "1234"),
    Customer("YA0003", "Vikram Nair", "1234"),
    Customer("YB0117", "Meera Iyer", "1234"),
    Customer("YC2040", "Kabir Sen", "1234"),
)

FIVEPAISA_CUSTOMERS = (
    Customer("50052770", "Asha Rao", "123456", "654321"),
    Customer("50052771", "Vikram Nair", "123456", "654321"),
    Customer("51100284", "Meera Iyer", "123456", "654321"),
    Customer("52900013", "Kabir Sen", "123456", "654321"),
)


def find_customer(customers: tuple[Customer, ...], *, account: str, pin: str, totp: str = "") -> Customer | None:
    """The customer whose credentials these are, all of them exact; otherwise None."""
    for customer in customers:
        if (customer.account, customer.pin, customer.totp) == (account, pin, totp):
            return customer
    return None
