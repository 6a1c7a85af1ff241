"""What Lambda and its runtime client cost by themselves."""


def handler(event: object, context: object) -> dict[str, int]:
    """Do nothing."""
    del event, context
    return {"statusCode": 204}
