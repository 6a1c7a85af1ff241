import pytest

from local.errors import TemplateError
from local.references import References, stand_ins

RESOURCES = {
    "Fn": {"Type": "AWS::Lambda::Function", "Properties": {}},
    "FnAlias": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Fn"}, "Name": "live"}},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
    "Start": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Fn::Sub": "https://${Api}.${Domain}/"}}},
    "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {}},
}
FUNCTION = "arn:aws:lambda:ap-south-1:1234:function:Fn"
REFERENCES = References(RESOURCES, stand_ins(RESOURCES, "1234"))


@pytest.mark.parametrize(
    ("node", "replaced"),
    [
        ({"Ref": "Fn"}, "Fn"),
        ({"Fn::GetAtt": ["Fn", "Arn"]}, FUNCTION),
        ({"Ref": "FnAlias"}, f"{FUNCTION}:FnAlias"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::1234:role/Role"),
        ({"Fn::Sub": "x/${Fn.Arn}/${Table}"}, {"Fn::Sub": f"x/{FUNCTION}/${{Table}}"}),
        ({"Fn::Sub": ["${Fn}/${x}", {"x": {"Ref": "Fn"}}]}, {"Fn::Sub": ["Fn/${x}", {"x": "Fn"}]}),
        ({"Fn::Sub": "${!Fn}"}, {"Fn::Sub": "${!Fn}"}),
        ({"Fn::GetAtt": ["Start", "Value"]}, {"Fn::Sub": "https://Api.${Domain}/"}),
        ({"Ref": "Table"}, {"Ref": "Table"}),
        ([{"a": [{"Ref": "Fn"}]}, 1, None], [{"a": ["Fn"]}, 1, None]),
    ],
)
def test_references_to_what_is_not_created_are_replaced(node: object, replaced: object) -> None:
    assert REFERENCES.replaced(node, "X") == replaced


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        ({"Ref": "Api"}, "Api"),
        ({"Fn::GetAtt": ["Api", "ApiEndpoint"]}, "Api.ApiEndpoint"),
        ({"Fn::Sub": "https://${Api}.example"}, "Api"),
        ({"Fn::GetAtt": ["Fn", "RuntimeVersion"]}, "Fn.RuntimeVersion"),
    ],
)
def test_a_reference_that_nothing_can_stand_for_is_named(node: object, wanted: str) -> None:
    with pytest.raises(TemplateError, match=rf"^SomeFunction refers to {wanted} \(AWS::"):
        REFERENCES.replaced(node, "SomeFunction")


def test_an_output_may_refer_to_it_all_the_same() -> None:
    lenient = References(RESOURCES, stand_ins(RESOURCES, "1234"), lenient=True)
    assert lenient.replaced({"Fn::Sub": "https://${Api}.example"}, "X") == {"Fn::Sub": "https://Api.example"}
