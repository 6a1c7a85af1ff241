"""Every option of the stack, as the parameters that switch it on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

type Parameters = Mapping[str, str]

DOMAIN: Final[Parameters] = {
    "DomainName": "login.example",
    "CertificateArn": "arn:aws:acm:ap-south-1:111122223333:certificate/12345678-1234-1234-1234-123456789012",
}
RECORD: Final[Parameters] = {**DOMAIN, "HostedZoneId": "Z0123456789ABCDEFGHIJ"}
OWN_ADDRESS_ONLY: Final[Parameters] = {**DOMAIN, "DefaultEndpoint": "false"}
CDN: Final[Parameters] = {"PublicBaseUrl": "https://www.login.example", "CanonicalHost": "false"}
ONE_ADDRESS: Final[Parameters] = {"EgressAddresses": "1"}
TWO_ADDRESSES: Final[Parameters] = {"EgressAddresses": "2"}
RESERVED: Final[Parameters] = {"AuthorizeConcurrency": "200", "CallbackConcurrency": "1500"}
SNAPSTART: Final[Parameters] = {"SnapStart": "true"}
CANARY: Final[Parameters] = {"TrafficShift": "Canary10Percent10Minutes"}
LINEAR: Final[Parameters] = {"TrafficShift": "Linear10PercentEvery1Minute"}
ALARM_TOPIC: Final[Parameters] = {"AlarmTopicArn": "arn:aws:sns:ap-south-1:111122223333:operators"}
RELEASE: Final[Parameters] = {"ReleaseHash": "0123456789abcdef" * 4}
PLAIN: Final[Parameters] = {"Architecture": "x86_64", "LogLevel": "DEBUG", "DeletionProtection": "false"}
LOGIN_PAGE: Final[Parameters] = {"LoginUrl": "https://trade.example/brokers/{broker}?user={user_id}"}
FAILED_EVENTS: Final[Parameters] = {"FailedEvents": "true"}
EXPIRING: Final[Parameters] = {"ExpiringEvents": "true", "ExpiringMinutes": "90"}
REMINDERS: Final[Parameters] = {"Reminders": "true", "ReminderSchedule": "cron(0 8 ? * MON-FRI *)"}
EMAIL: Final[Parameters] = {**REMINDERS, "NotifyEmail": "trader@trade.example"}

OPTIONS: Final[Mapping[str, Parameters]] = {
    "a domain": DOMAIN,
    "a domain with its record": RECORD,
    "its own address only": OWN_ADDRESS_ONLY,
    "a CDN": CDN,
    "one address": ONE_ADDRESS,
    "two addresses": TWO_ADDRESSES,
    "reserved concurrency": RESERVED,
    "SnapStart": SNAPSTART,
    "a canary": CANARY,
    "a linear shift": LINEAR,
    "an alarm topic": ALARM_TOPIC,
    "a release hash": RELEASE,
    "other plain values": PLAIN,
    "a platform's login page": LOGIN_PAGE,
    "failed events": FAILED_EVENTS,
    "expiring events": EXPIRING,
    "reminders": REMINDERS,
    "an e-mail": EMAIL,
}
EVERYTHING: Final[Parameters] = {
    **RECORD,
    **OWN_ADDRESS_ONLY,
    **CDN,
    **TWO_ADDRESSES,
    **RESERVED,
    **SNAPSTART,
    **CANARY,
    **ALARM_TOPIC,
    **RELEASE,
    **PLAIN,
    **LOGIN_PAGE,
    **FAILED_EVENTS,
    **EXPIRING,
    **EMAIL,
}
