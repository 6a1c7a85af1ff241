import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from botocore.credentials import Credentials

from local.http1 import Limits, Request, Response
from local.http_server import HttpServer
from local.platform_client import BrokerlinkClient, BrokerlinkError
from local.platform_page import PlatformPage
from local.ports import listen
from local.sigv4 import Signer

ATTEMPT = "a" * 43
EXPIRES_AT = 1_783_708_200  # 00:00:00 IST on 11 July 2026


class FakeApi:
    """brokerlink's API for platforms, as far as a platform sees it; refuses what is not signed."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, object]] = []
        self.answers: dict[str, tuple[int, object]] = {}
        self._server = HttpServer(listen(0, "PORT"), self._answer, Limits(10_240, 10_240, 10.0), name="api")
        self.url = f"http://{self._server.address}"

    def _answer(self, request: Request) -> Response:
        if not Signer("local", "local", "ap-south-1").signed(request, datetime.now(UTC)):
            return Response(403, (), b'{"message":"Forbidden"}')
        if request.body and request.value("content-type") != "application/json":
            return Response(415, (), b"{}")
        self.calls.append((request.method, request.target, json.loads(request.body or b"null")))
        status, body = self.answers.get(request.target, (404, {"message": "no such thing"}))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        elsewhere = (("location", f"{self.url}/elsewhere"),) if status == 302 else ()
        return Response(status, (("content-type", "application/json"), *elsewhere), content)

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def api() -> Iterator[FakeApi]:
    api = FakeApi()
    yield api
    api.close()


@dataclass
class Browser:
    """A browser on the platform: keeps its cookie and follows the platform's own forms."""

    page: PlatformPage
    cookie: str = ""
    token: str = ""
    last: Response = field(default_factory=lambda: Response(0))

    def get(self, target: str) -> Response:
        return self._send(Request("GET", target, self._headers()))

    def post(self, target: str, **fields: str) -> Response:
        body = urlencode({"token": self.token, **fields}).encode()
        headers = (*self._headers(), ("Content-Type", "application/x-www-form-urlencoded"))
        return self._send(Request("POST", target, headers, body))

    def log_in(self, user: str = "asha") -> None:
        self.get("/example/")
        assert self.post("/example/login", user=user).status == 303
        assert self.get("/example/").status == 200

    def _headers(self) -> tuple[tuple[str, str], ...]:
        cookie = (("Cookie", f"other=1; {self.cookie}"),) if self.cookie else ()
        return (("Host", "127.0.0.1:8000"), *cookie)

    def _send(self, request: Request) -> Response:
        self.last = self.page.answer(request)
        for name, value in self.last.headers:
            if name == "set-cookie":
                self.cookie = value.partition(";")[0]
        if token := re.search(rb'name="token" value="([^"]+)"', self.last.body):
            self.token = token[1].decode()
        return self.last


@pytest.fixture
def browser(api: FakeApi) -> Browser:
    return Browser(PlatformPage(api.url))


def text(response: Response) -> str:
    return response.body.decode()


def header(response: Response, name: str) -> str | None:
    return dict(response.headers).get(name)


def test_connecting_prepares_a_session_and_sends_the_browser_to_its_start(api: FakeApi, browser: Browser) -> None:
    start_url = f"{api.url}/authorize/pocketful?session=s"
    api.answers["/sessions"] = (201, {"start_url": start_url, "expires_at": 1})
    browser.log_in("ravi")
    assert "Logged in as <strong>ravi</strong>" in text(browser.last)
    answer = browser.post("/example/connect", broker="pocketful", account="")
    assert (answer.status, header(answer, "location")) == (303, start_url)
    return_to = f"{api.url}/example/return"
    assert api.calls == [("POST", "/sessions", {"broker": "pocketful", "user_id": "ravi", "return_to": return_to})]


def test_an_account_pins_the_session(api: FakeApi, browser: Browser) -> None:
    api.answers["/sessions"] = (201, {"start_url": f"{api.url}/authorize/fivepaisa?session=s"})
    browser.log_in()
    assert browser.post("/example/connect", broker="fivepaisa", account=" 50052770 ").status == 303
    [(_, _, wanted)] = api.calls
    assert isinstance(wanted, dict)
    assert wanted["account"] == "50052770"


def test_what_the_api_refuses_is_shown(api: FakeApi, browser: Browser) -> None:
    api.answers["/sessions"] = (400, {"message": "account is required <b>"})
    browser.log_in()
    answer = browser.post("/example/connect", broker="fivepaisa")
    assert answer.status == 400
    assert "brokerlink answered 400: account is required &lt;b&gt;" in text(answer)


def test_a_held_login_is_confirmed_for_the_user_whom_the_platform_sees(api: FakeApi, browser: Browser) -> None:
    api.answers["/confirm"] = (200, {"broker": "pocketful", "account": "YA0002", "expires_at": EXPIRES_AT})
    browser.log_in("asha")
    answer = browser.get(f"/example/return?status=confirm&broker=pocketful&attempt={ATTEMPT}&user_id=ravi")
    assert answer.status == 200
    assert api.calls == [("POST", "/confirm", {"attempt": ATTEMPT, "user_id": "asha"})]
    assert "<h1>Connected</h1>" in text(answer)
    assert "<dt>Account</dt><dd>YA0002</dd>" in text(answer)
    assert "<dt>Until</dt><dd>11 July 2026, 00:00:00 IST</dd>" in text(answer)


@pytest.mark.parametrize(
    ("refusal", "status", "sentence"),
    [
        (404, 404, "no such login of asha"),
        (503, 503, "reload this page"),
        (500, 502, "brokerlink answered 500"),
    ],
)
@pytest.mark.parametrize("hint", ["confirm", "connected"])
def test_a_login_that_the_api_does_not_confirm_is_not_connected(
    api: FakeApi, browser: Browser, hint: str, refusal: int, status: int, sentence: str
) -> None:
    api.answers["/confirm"] = api.answers[f"/attempts/{ATTEMPT}"] = (refusal, {})
    browser.log_in()
    answer = browser.get(f"/example/return?status={hint}&broker=pocketful&attempt={ATTEMPT}")
    assert answer.status == status
    assert sentence in text(answer)
    assert ">Connected<" not in text(answer)


@pytest.mark.parametrize("hint", ["connected", "failed", "anything", ""])
def test_the_urls_status_is_a_hint_and_the_api_has_the_truth(api: FakeApi, browser: Browser, hint: str) -> None:
    api.answers[f"/attempts/{ATTEMPT}"] = (
        200,
        {"attempt_id": ATTEMPT, "broker": "pocketful", "status": "failed", "error": "denied", "user_id": "asha"},
    )
    browser.log_in()
    answer = browser.get(f"/example/return?status={hint}&broker=fivepaisa&attempt={ATTEMPT}")
    assert api.calls == [("GET", f"/attempts/{ATTEMPT}", None)]
    assert "<h1>Not connected</h1>" in text(answer)
    assert "<dt>Broker</dt><dd>Pocketful</dd>" in text(answer)
    assert "<dt>Error</dt><dd>denied</dd>" in text(answer)
    assert "A hint, not a fact" in text(answer)


def test_a_forged_return_shows_nobody_elses_login(api: FakeApi, browser: Browser) -> None:
    api.answers[f"/attempts/{ATTEMPT}"] = (
        200,
        {"broker": "pocketful", "status": "connected", "account": "YA0002", "user_id": "ravi"},
    )
    browser.log_in("asha")
    answer = browser.get(f"/example/return?status=connected&broker=pocketful&attempt={ATTEMPT}")
    assert answer.status == 403
    assert "YA0002" not in text(answer)


def test_a_script_in_the_hint_is_escaped(api: FakeApi, browser: Browser) -> None:
    api.answers[f"/attempts/{ATTEMPT}"] = (200, {"broker": "<i>", "status": "<u>", "user_id": "asha"})
    browser.log_in()
    query = urlencode({"status": "<script>", "broker": '"><b>', "attempt": ATTEMPT, "extra": "<s>"})
    answer = text(browser.get(f"/example/return?{query}"))
    for tag in ("<script", "<b>", "<s>", "<i>", "<u>"):
        assert tag not in answer


@pytest.mark.parametrize(
    "query",
    ["", "attempt=", "attempt=short", f"attempt={'a' * 42}/", f"attempt={'a' * 44}", "&".join(["a=b"] * 30)],
)
def test_a_return_without_an_attempt_asks_nothing(api: FakeApi, browser: Browser, query: str) -> None:
    browser.log_in()
    assert browser.get(f"/example/return?{query}").status == 400
    assert api.calls == []


def test_who_is_not_logged_in_connects_and_confirms_nothing(api: FakeApi, browser: Browser) -> None:
    assert browser.get(f"/example/return?status=confirm&attempt={ATTEMPT}").status == 403
    browser.get("/example/")
    assert browser.post("/example/connect", broker="pocketful").status == 403
    assert api.calls == []


@pytest.mark.parametrize("target", ["/example/connect", "/example/login"])
@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_another_sites_form_is_refused(api: FakeApi, browser: Browser, target: str, token: str) -> None:
    browser.log_in("asha")
    assert browser.post(target, broker="pocketful", user="ravi", token=token).status == 403
    browser.get("/example/")
    assert "Logged in as <strong>asha</strong>" in text(browser.last)
    assert api.calls == []


def test_a_login_changes_the_session_id(browser: Browser) -> None:
    browser.get("/example/")
    planted, token = browser.cookie, browser.token
    browser.post("/example/login", user="asha")
    assert browser.cookie != planted
    stranger = Browser(browser.page, planted, token)
    stranger.get("/example/")
    assert "Nobody is logged in" in text(stranger.last)


def test_an_unknown_user_is_refused(browser: Browser) -> None:
    browser.get("/example/")
    assert browser.post("/example/login", user="mallory").status == 400


def test_two_session_cookies_are_none(browser: Browser) -> None:
    browser.log_in()
    name, _, value = browser.cookie.partition("=")
    browser.cookie = f"{name}={value}; {name}={value}"
    browser.get("/example/")
    assert "Nobody is logged in" in text(browser.last)


def test_every_answer_has_the_security_headers_and_the_cookie_its_flags(browser: Browser) -> None:
    answers = [browser.get("/example/"), browser.get("/example"), browser.get("/example/return")]
    answers += [browser.get("/example/nothing"), browser.post("/example/login", user="asha")]
    assert [answer.status for answer in answers] == [200, 303, 403, 404, 303]
    for answer in answers:
        assert header(answer, "cache-control") == "no-store"
        assert header(answer, "referrer-policy") == "no-referrer"
        assert header(answer, "x-content-type-options") == "nosniff"
        policy = header(answer, "content-security-policy") or ""
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
    assert re.fullmatch(
        r"example-platform=[\w-]{32}; Path=/example/; HttpOnly; SameSite=Lax",
        header(answers[-1], "set-cookie") or "",
    )


def test_the_pages_work_without_scripts_and_name_their_fields(browser: Browser) -> None:
    browser.log_in()
    page = text(browser.last)
    assert "<script" not in page
    assert '<html lang="en">' in page
    labelled = re.findall(r'<label for="(\w+)">', page)
    assert sorted(labelled) == sorted(re.findall(r' id="(\w+)"', page)) == ["account", "broker", "user"]


def test_visitors_are_forgotten_before_they_fill_the_memory(browser: Browser) -> None:
    browser.log_in()
    for _ in range(600):
        Browser(browser.page).get("/example/")
    browser.get("/example/")
    assert "Nobody is logged in" in text(browser.last)


@pytest.mark.parametrize(
    ("answer", "status"),
    [((201, b"no json"), 201), ((201, []), 201), ((201, {}), 201), ((302, {}), 302), ((500, b"\xff"), 500)],
)
def test_an_odd_answer_is_an_error(api: FakeApi, answer: tuple[int, object], status: int) -> None:
    api.answers["/sessions"] = answer
    client = BrokerlinkClient(api.url, Credentials("local", "local"), "ap-south-1")
    with pytest.raises(BrokerlinkError) as raised:
        client.create_session("pocketful", "asha", None, "http://127.0.0.1/example/return")
    assert raised.value.status == status
    assert [path for _, path, _ in api.calls] == ["/sessions"]


def test_wrong_credentials_and_no_server_are_errors(api: FakeApi) -> None:
    with pytest.raises(BrokerlinkError) as raised:
        BrokerlinkClient(api.url, Credentials("local", "wrong"), "ap-south-1").attempt(ATTEMPT)
    assert (raised.value.status, raised.value.message) == (403, "Forbidden")
    api.close()
    with pytest.raises(BrokerlinkError) as raised:
        BrokerlinkClient(api.url, Credentials("local", "local"), "ap-south-1").attempt(ATTEMPT)
    assert raised.value.status == 0
