"""Which deployments reach the customers: those that make a new version of a function."""

from __future__ import annotations

from tests.template.options import RELEASE
from tests.template.stack import FUNCTIONS, source, translate

OTHER_RELEASE = {"ReleaseHash": "fedcba9876543210" * 4}


def versions(**parameters: str) -> set[str]:
    """The logical ids of the versions: CloudFormation publishes one anew exactly if its id is new."""
    return set(translate(source(), **parameters).of_type("AWS::Lambda::Version"))


def test_another_release_hash_makes_a_new_version_of_every_function() -> None:
    before, after = versions(**RELEASE), versions(**OTHER_RELEASE)
    assert len(before) == len(after) == len(FUNCTIONS)
    assert not before & after


def test_the_same_release_hash_makes_none() -> None:
    assert versions(**RELEASE) == versions(**RELEASE)


def test_a_parameter_alone_would_not_reach_the_alias() -> None:
    """Why make deploy works a hash out: SAM sees the reference, which stays the same, and not its value."""
    for parameters in ({"BrokerApps": '{"pocketful":{}}'}, {"DirectLoginAccounts": "*"}, {"SnapStart": "true"}):
        assert versions(**parameters) == versions()


def test_nor_would_sams_own_wider_detection_bring_it_there() -> None:
    def wider(**parameters: str) -> set[str]:
        template = source()
        for name in FUNCTIONS:
            template["Resources"][name]["Properties"]["AutoPublishAliasAllProperties"] = True
        return set(translate(template, **parameters).of_type("AWS::Lambda::Version"))

    assert wider() != versions()
    assert wider(BrokerApps='{"pocketful":{}}') == wider()


def test_a_version_is_another_configuration_too() -> None:
    """Lambda publishes nothing where code and configuration are those of the last version: the description differs."""
    before, after = translate(source(), **RELEASE), translate(source(), **OTHER_RELEASE)
    for name in FUNCTIONS:
        one, other = (stack.properties(name)["Description"] for stack in (before, after))
        assert one != other
        assert len(one) <= 256
