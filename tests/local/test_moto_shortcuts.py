"""moto answers with its shortcuts what it answers without them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# What moto answers to reads of each kind, with all of DynamoDB's types; requests' ids and times differ.
_ASK = """
import boto3, json, sys
from moto import mock_aws
if sys.argv[1] == "with":
    from local import moto_shortcuts
    moto_shortcuts.install()
answers = []
with mock_aws():
    dynamodb = boto3.client("dynamodb")
    dynamodb.meta.events.register("after-call", lambda http_response, **_: answers.append(http_response.text))
    dynamodb.create_table(
        TableName="Things",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    answers.clear()
    typed = {"S": "s", "N": "1.5", "B": b"\\x00b", "BOOL": False, "NULL": True, "SS": ["a", "b"], "NS": ["1", "2"]}
    row = {"id": {"S": "a"}, "L": {"L": [{"S": ""}, {"L": []}]}, "M": {"M": {"S": {"N": "0"}, "none": {"M": {}}}}}
    row |= {f"typed {name}": {name: value} for name, value in typed.items()} | {"BS": {"BS": [b"x"]}}
    dynamodb.put_item(TableName="Things", Item=row, ReturnValues="ALL_OLD")
    dynamodb.put_item(TableName="Things", Item=row, ReturnValues="ALL_OLD")
    dynamodb.get_item(TableName="Things", Key={"id": {"S": "a"}})
    dynamodb.get_item(TableName="Things", Key={"id": {"S": "nobody"}}, ReturnConsumedCapacity="TOTAL")
    dynamodb.scan(TableName="Things")
    dynamodb.batch_get_item(RequestItems={"Things": {"Keys": [{"id": {"S": "a"}}]}})
    names, values = {"#s": "typed S", "#l": "L"}, {":s": {"S": "new"}, ":l": {"L": [{"N": "7"}]}}
    update = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
    for right in 2 * ["SET #s = :s, #l = list_append(#l, :l) REMOVE M.S", "REMOVE #l[0], #s SET x = :l, y = :s"]:
        update["UpdateExpression"] = right
        dynamodb.update_item(TableName="Things", Key={"id": {"S": "a"}}, ReturnValues="ALL_NEW", **update)
    for wrong in 2 * ["SET #s :s", "SET #l = :nothing", "SET id = :s"]:
        update["UpdateExpression"] = wrong
        try:
            dynamodb.update_item(TableName="Things", Key={"id": {"S": "a"}}, **update)
        except dynamodb.exceptions.ClientError as error:
            answers.append(str(error))
print(json.dumps(answers))
"""


def _printed(text: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    ran = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", text, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_answers_are_the_same_byte_for_byte() -> None:
    plain = _printed(_ASK, "without")
    assert plain.count("typed BOOL") == 8
    assert plain.count("ValidationException") == 12
    assert _printed(_ASK, "with") == plain


def test_a_service_that_cloudformation_went_without_is_there_for_whoever_asks() -> None:
    text = (
        "import moto.dynamodb; from local import moto_shortcuts; moto_shortcuts.install();"
        "from moto.cloudformation.parsing import get_model_map; made = get_model_map();"
        "from moto.datapipeline.models import DataPipelineBackend;"
        "print('AWS::DynamoDB::Table' in made, 'AWS::DataPipeline::Pipeline' in made, DataPipelineBackend.__module__)"
    )
    assert _printed(text) == "True False moto.datapipeline.models\n"
