"""What stops the local stack from starting, as sentences for the terminal."""


class LocalStackError(Exception):
    """The local stack cannot start or go on; the message is one sentence for the person at the terminal.

    The message never holds a configured value, which may be a secret: it names the file and the setting.
    """


class ConfigurationError(LocalStackError):
    """A setting in the environment or in brokers.local.toml is missing or malformed."""


class PortInUseError(LocalStackError):
    """Another program listens on a port that the stack needs."""


class TemplateError(LocalStackError):
    """A template lacks, or holds, something that the local stack cannot build from."""
