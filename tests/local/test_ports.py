from contextlib import closing

import pytest

from local.errors import ConfigurationError, PortInUseError
from local.ports import Ports, begin_listening, listen, reserve


def test_defaults_and_settings() -> None:
    assert Ports.from_environment({}) == Ports(8000, 8001, 8002)
    chosen = Ports.from_environment({"PORT": "9000", "BROKERS_PORT": "9001", "AWS_PORT": ""})
    assert chosen == Ports(9000, 9001, 8002)


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http", "80.5", " 80", "\uff18\uff10", "1e3", "9" * 5000])
def test_a_value_that_is_no_port_is_named_not_shown(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^AWS_PORT must be a port number from 1 to 65535\.$"):
        Ports.from_environment({"AWS_PORT": value})


def test_one_port_for_two_servers_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="three different ports"):
        Ports.from_environment({"PORT": "8001"})


def test_a_port_in_use_is_a_sentence_that_names_the_setting() -> None:
    with closing(listen(0, "PORT")) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError) as refused:
            listen(port, "BROKERS_PORT")
    assert str(refused.value) == (
        f"Port {port} is in use by another program: stop it, or choose another with BROKERS_PORT=<port>."
    )


def test_a_reserved_port_that_another_program_took_is_refused() -> None:
    with closing(reserve(0, "PORT")) as reserved, closing(reserve(reserved.getsockname()[1], "PORT")) as other:
        begin_listening(other, "PORT")
        with pytest.raises(PortInUseError, match="choose another with PORT="):
            begin_listening(reserved, "PORT")


def test_only_loopback_is_bound() -> None:
    with closing(listen(0, "PORT")) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
