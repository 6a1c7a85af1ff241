"""The miniature stack's function behind the table's stream."""


def handler(event: dict[str, object], context: object) -> None:
    del event, context
