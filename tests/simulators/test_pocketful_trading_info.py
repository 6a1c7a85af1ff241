"""trading_info answers for the customer of a live token, and for nobody else."""

import pytest

from tests.simulators.parties import NINE_IN_THE_MORNING, PocketfulApp, TurnedClock
from tests.simulators.walk import callback_parameters, http, log_in

MIDNIGHT = NINE_IN_THE_MORNING + 15 * 3600


def token_of(pocketful: PocketfulApp, **fields: str) -> str:
    code = callback_parameters(log_in(pocketful.authorization_url(), "login", **fields))["code"]
    token: str = pocketful.exchange(code).json()["access_token"]
    return token


def test_the_documented_answer(pocketful: PocketfulApp) -> None:
    response = pocketful.trading_info(token_of(pocketful))
    assert response.status_code == 200
    answer = response.json()
    assert list(answer) == ["data", "message", "status"]
    assert (answer["status"], answer["message"]) == ("success", "")
    assert list(answer["data"]) == [
        "bo_id",
        "client_id",
        "email_id",
        "exchanges_subscribed",
        "name",
        "poa_enabled",
        "products_enabled",
        "status",
    ]
    assert (answer["data"]["client_id"], answer["data"]["status"]) == ("YA0002", "active")
    assert [len(number) for number in answer["data"]["bo_id"]] == [16]


def test_the_customer_is_the_one_who_logged_in(pocketful: PocketfulApp) -> None:
    answer = pocketful.trading_info(token_of(pocketful, account="YB0117")).json()
    assert answer["data"]["client_id"] == "YB0117"


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer made.up", "Basic {token}", "Bearer  {token}", "{token}"]
)
def test_anything_but_a_bearer_token_is_forbidden(pocketful: PocketfulApp, authorization: str | None) -> None:
    token = token_of(pocketful)
    headers = {} if authorization is None else {"Authorization": authorization.replace("{token}", token)}
    response = http.get(f"{pocketful.url}/api/v1/user/trading_info", headers=headers)
    assert response.status_code == 401
    assert response.json()["status"] == "error"
    assert response.json()["data"] == {}


def test_a_token_in_the_query_is_not_read(pocketful: PocketfulApp) -> None:
    url = f"{pocketful.url}/api/v1/user/trading_info?access_token={token_of(pocketful)}"
    assert http.get(url).status_code == 401


def test_only_get_asks(pocketful: PocketfulApp) -> None:
    headers = {"Authorization": f"Bearer {token_of(pocketful)}"}
    response = http.post(f"{pocketful.url}/api/v1/user/trading_info", headers=headers)
    assert (response.status_code, response.json()["status"]) == (405, "error")


def test_a_token_ends_at_midnight_in_india(pocketful: PocketfulApp, clock: TurnedClock) -> None:
    token = token_of(pocketful)
    clock.now = MIDNIGHT - 1
    assert pocketful.trading_info(token).status_code == 200
    clock.now = MIDNIGHT
    assert pocketful.trading_info(token).status_code == 401


def test_a_token_issued_at_midnight_lives_until_the_next(pocketful: PocketfulApp, clock: TurnedClock) -> None:
    clock.now = MIDNIGHT
    token = token_of(pocketful)
    clock.now = MIDNIGHT + 86_399
    assert pocketful.trading_info(token).status_code == 200
    clock.now = MIDNIGHT + 86_400
    assert pocketful.trading_info(token).status_code == 401
