"""The tables and the secret: keys, lifetimes, encryption."""

from __future__ import annotations

from tests.template.stack import Json, Stack, named


def _keys(schema: list[Json]) -> list[tuple[str, str]]:
    return [(key["AttributeName"], key["KeyType"]) for key in schema]


def tables_have_the_fixed_keys(stack: Stack) -> None:
    assert stack.of_type("AWS::DynamoDB::Table").keys() == {"LoginAttemptsTable", "TokensTable", "LinksTable"}
    attempts, tokens = stack.properties("LoginAttemptsTable"), stack.properties("TokensTable")
    assert _keys(attempts["KeySchema"]) == [("attempt_id", "HASH")]
    for table in (tokens, stack.properties("LinksTable")):
        assert _keys(table["KeySchema"]) == [("user_id", "HASH"), ("connection", "RANGE")]
    types = {item["AttributeName"]: item["AttributeType"] for item in tokens["AttributeDefinitions"]}
    assert types == {"user_id": "S", "connection": "S", "shard": "S", "expires_at": "N"}


def live_tokens_of_a_broker_can_be_paged_whole(stack: Stack) -> None:
    (index,) = stack.properties("TokensTable")["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by_broker"
    assert _keys(index["KeySchema"]) == [("shard", "HASH"), ("expires_at", "RANGE")]
    assert index["Projection"] == {"ProjectionType": "ALL"}


def dead_rows_are_removed(stack: Stack) -> None:
    for table, attribute in (("LoginAttemptsTable", "ttl"), ("TokensTable", "expires_at"), ("LinksTable", "ttl")):
        assert stack.properties(table)["TimeToLiveSpecification"] == {"AttributeName": attribute, "Enabled": True}


def tables_are_encrypted_on_demand_and_not_kept_in_backups(stack: Stack) -> None:
    for name, table in stack.of_type("AWS::DynamoDB::Table").items():
        assert table["SSESpecification"]["SSEEnabled"] is True, name
        assert table["BillingMode"] == "PAY_PER_REQUEST", name
        assert "PointInTimeRecoverySpecification" not in table, name


def streams_have_both_images_and_attempts_have_none(stack: Stack) -> None:
    for table in ("TokensTable", "LinksTable"):
        assert stack.properties(table)["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert "StreamSpecification" not in stack.properties("LoginAttemptsTable")


def tokens_are_protected_from_deletion_by_default(stack: Stack) -> None:
    assert named(stack.properties("TokensTable")["DeletionProtectionEnabled"]) == "DeletionProtection"
    assert stack.body["Parameters"]["DeletionProtection"]["Default"] == "true"


def the_template_holds_no_secret(stack: Stack) -> None:
    (secret,) = stack.of_type("AWS::SecretsManager::Secret").values()
    assert secret["SecretString"] == "{}"
    assert "GenerateSecretString" not in secret
    for name in stack.body["Parameters"]:
        assert not any(word in name.lower() for word in ("secret", "password", "encryptionkey")), name
