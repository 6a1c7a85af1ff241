import json
from pathlib import Path

import pytest

from local.configuration import BrokerApps, read_own_apps
from local.errors import ConfigurationError

PROJECT = Path(__file__).parents[2]
CANARY = "c4nary-S3cret"
POCKETFUL = f'[pocketful]\nclient_id = "id1"\nclient_secret = "{CANARY}"\n'
FIVEPAISA = f'[fivepaisa]\nvendor_key = "vk"\nencryption_key = "{CANARY}"\nuser_id = "{CANARY}2"\n'


def _read(folder: Path, text: str | bytes) -> BrokerApps:
    path = folder / "brokers.local.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_own_apps(path)


def test_no_file_means_no_broker_of_ones_own(tmp_path: Path) -> None:
    assert read_own_apps(tmp_path / "brokers.local.toml") == BrokerApps({}, {})


def test_public_and_secret_settings_are_parted(tmp_path: Path) -> None:
    apps = _read(tmp_path, POCKETFUL + "pkce = false\n" + FIVEPAISA + 'login_method = "post"\n')
    assert json.loads(apps.public_json()) == {
        "pocketful": {"client_id": "id1", "pkce": False},
        "fivepaisa": {"vendor_key": "vk", "login_method": "post"},
    }
    assert json.loads(apps.secret_json()) == {
        "pocketful": {"client_secret": CANARY},
        "fivepaisa": {"encryption_key": CANARY, "user_id": f"{CANARY}2"},
    }
    assert CANARY not in repr(apps)


def test_a_broker_of_ones_own_takes_the_simulators_place_and_leaves_the_other(tmp_path: Path) -> None:
    simulated = BrokerApps(
        {"pocketful": {"auth_base": "http://localhost:8001"}, "fivepaisa": {"vendor_key": "demo"}},
        {"pocketful": {"client_secret": "demo"}, "fivepaisa": {"encryption_key": "demo"}},
    )
    both = simulated | _read(tmp_path, POCKETFUL)
    assert both.public == {"pocketful": {"client_id": "id1"}, "fivepaisa": {"vendor_key": "demo"}}
    assert both.secret == {"pocketful": {"client_secret": CANARY}, "fivepaisa": {"encryption_key": "demo"}}


def test_the_example_file_is_valid_and_changes_nothing() -> None:
    assert read_own_apps(PROJECT / "brokers.local.example.toml") == BrokerApps({}, {})


def test_the_example_file_names_every_setting_that_is_needed(tmp_path: Path) -> None:
    example = (PROJECT / "brokers.local.example.toml").read_text(encoding="utf-8")
    filled = [
        line.removeprefix("# ").replace('""', '"x"') for line in example.splitlines() if "=" in line or "# [" in line
    ]
    assert set(_read(tmp_path, "\n".join(filled)).public) == {"pocketful", "fivepaisa"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (POCKETFUL + f'client_secret = "{CANARY}"\n', "line 4: this is not TOML."),
        (f"[pocketful]\nclient_secret = {CANARY}\n", "line 2: this is not TOML."),
        (f'[pocketful]\nclient_secret = "{CANARY}\n', "line 2: this is not TOML."),
        (f'[pocketful]\nclient_secret = """{CANARY}', "at its end: this is not TOML."),
        (f'{CANARY} = "{CANARY}\x01"', "line 1: this is not TOML."),
        (b"\xff\xfe", "is not UTF-8 text."),
        (f'[pocketful]\nclient_secret = "{CANARY}"\n', "pocketful.client_id is missing or malformed."),
        ('[pocketful]\nclient_id = "id1"\n', "pocketful.client_secret is missing."),
        (POCKETFUL.replace(f'"{CANARY}"', '""'), "pocketful.client_secret is malformed."),
        (POCKETFUL.replace(f'"{CANARY}"', "5"), "pocketful.client_secret is malformed."),
        (POCKETFUL + f'clientsecret = "{CANARY}"\n', "pocketful.clientsecret is not a setting."),
        (POCKETFUL + f'user_id = "{CANARY}"\n', "pocketful.user_id is not a setting."),
        (POCKETFUL + 'pkce = "no"\n', "pocketful.pkce has to be true or false."),
        (POCKETFUL + f'auth_base = "http://{CANARY}.example"\n', "pocketful.auth_base has to be https"),
        (FIVEPAISA.replace("user_id", "userid"), "fivepaisa.userid is not a setting."),
        (f'pocketful = "{CANARY}"\n', "pocketful has to be an object"),
        ("[pocketful]\n", "pocketful.client_id is missing or malformed."),
        ('[zerodha]\nclient_id = "x"\n', "zerodha is not a broker"),
        (f'["{CANARY}"]\nclient_id = "x"\n', "holds a broker id"),
    ],
)
def test_a_broken_file_is_one_sentence_with_the_place_and_without_a_value(
    tmp_path: Path, text: str | bytes, sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _read(tmp_path, text)
    message = str(refused.value)
    assert message.startswith("brokers.local.toml")
    assert sentence in message
    assert "\n" not in message
    assert CANARY not in message


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read: Is a directory\.$"):
        read_own_apps(tmp_path)
