"""The miniature stack's function behind the HTTP API."""


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    del event, context
    return {"statusCode": 200}
