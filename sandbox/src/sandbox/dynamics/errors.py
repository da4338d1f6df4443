"""What Dynamics refuses, whoever asks in whatever protocol. Source: Microsoft's web service error codes."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Fact(NamedTuple):
    """code: as in hexadecimal. status: of the Web API's answer. message: the usual one."""

    code: int
    status: int
    message: str


FACTS: Mapping[str, Fact] = {
    "DuplicateRecord": Fact(0x80040237, 412, "A record with matching key values already exists."),
    "DuplicateRecordsFound": Fact(
        0x80040333,
        412,
        "A record was not created or updated because a duplicate of the current record already exists.",
    ),
    "DuplicateRecordEntityKey": Fact(
        0x80060892,
        412,
        "Entity Key {0} violated. A record with the same value for {1} already exists. A duplicate record"
        " cannot be created. Select one or more unique values and try again.",
    ),
    "InvalidEntityKey": Fact(
        0x80060888,
        400,
        "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.{0}'. Ensure that the"
        " names and number of key properties match the declared or alternate key properties for the resource"
        " 'Microsoft.Dynamics.CRM.{0}'.",
    ),
    "ObjectDoesNotExist": Fact(0x80040217, 404, "Entity '{0}' With Id = {1} Does Not Exist"),
    "RecordDoesNotExist": Fact(
        0x80060891, 404, "A record with the specified key values does not exist in {0} entity"
    ),
    "PrivilegeDenied": Fact(
        0x80040220,
        403,
        "Principal user (Id={0}, type=8, roleCount=1, privilegeCount=100, accessMode=4), is missing {1}"
        " privilege on OTC={2} for entity '{3}'. context.Caller={0}",
    ),
    "UserNotMemberOfOrg": Fact(0x80072560, 403, "The user is not a member of the organization."),
    "UserNotAssignedRoles": Fact(0x80042F09, 403, "The user has not been assigned any roles."),
    "SystemUserDisabled": Fact(0x8004A112, 403, "The system user was disabled therefore the ticket expired."),
    "OrganizationDisabled": Fact(
        0x8004A104, 403, "The organization you are attempting to access is currently disabled."
    ),
    "QueryBuilderNoAttribute": Fact(
        0x80041103,
        400,
        "'{0}' entity doesn't contain attribute with Name = '{1}' and NameMapping = 'Logical'.",
    ),
    "QueryBuilderNoEntity": Fact(
        0x80041102,
        400,
        "The entity with a name = '{0}' with namemapping = 'Logical' was not found in the MetadataCache.",
    ),
    "BadPayload": Fact(
        0x80048D19,
        400,
        "Error identified in Payload provided by the user, For more information on this error please"
        " follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {0}",
    ),
    "InvalidArgument": Fact(0x80040203, 400, "Invalid argument."),
    "BadRequest": Fact(0x80060888, 400, "{0}"),
    "ResourceNotFound": Fact(0x8006088A, 404, "Resource not found for the segment '{0}'."),
    "MethodNotAllowed": Fact(0x80060890, 405, "The requested resource does not support http method '{0}'."),
    "UnExpected": Fact(0x80040216, 500, "An unexpected error occurred."),
    "IsvAborted": Fact(0x80040265, 400, "{0}"),
    "ConcurrencyVersionMismatch": Fact(
        0x80060882, 412, "The version of the existing record doesn't match the RowVersion property provided."
    ),
    "ThrottlingBurstRequestLimitExceededError": Fact(
        0x80072322, 429, "Number of requests exceeded the limit of {0} over time window of {1} seconds."
    ),
    "ThrottlingConcurrencyLimitExceededError": Fact(
        0x80072326, 429, "Number of concurrent requests exceeded the limit of {0}."
    ),
    "ThrottlingTimeExceededError": Fact(
        0x80072321,
        429,
        "Combined execution time of incoming requests exceeded limit of {0} milliseconds over time"
        " window of {1} seconds. Decrease number of concurrent requests or reduce the duration of"
        " requests and try again later.",
    ),
    "CannotRemoveNonListMember": Fact(0x80048458, 400, "Specified Item not a member of the specified List."),
    "InvalidOperationForDynamicList": Fact(
        0x8004F701, 400, "This action is not available for a dynamic marketing list."
    ),
    "UnsupportedListMemberType": Fact(0x80040301, 400, "Unsupported list member type."),
    "CannotQualifyLead": Fact(
        0x80081018,
        403,
        "You can't qualify this lead because you don't have permission to create accounts. Work with"
        " your system administrator to create the account and then try again.",
    ),
    "PicklistValueOutOfRange": Fact(
        0x8004431A,
        400,
        "A validation error occurred.  The value {0} of '{1}' on record of type '{2}' is outside the"
        " valid range. Accepted Values: {3}",
    ),
    "StringLengthTooLong": Fact(
        0x80044331,
        400,
        "A validation error occurred.  The length of the '{0}' attribute of the '{1}' entity exceeded"
        " the maximum allowed length of '{2}'.",
    ),
    "InvalidStateCodeStatusCode": Fact(
        0x80048408,
        400,
        "State code is invalid or state code is valid but status code is invalid for a specified state code.",
    ),
    "InvalidState": Fact(0x80040233, 400, "The object is not in a valid state to perform this operation."),
    "IncorrectAttributeValueType": Fact(
        0x80044354, 400, "Invalid Attribute Value Type for {0}. Expected: {1}, Found: {2}"
    ),
    "MissingAttribute": Fact(0x80040203, 400, "The required attribute '{0}' is missing."),
    "ChangeTrackingNotEnabledForEntity": Fact(
        0x80072491, 400, "Entity {0} isn't enabled for change tracking."
    ),
    "ExpiredVersionStamp": Fact(
        0x80044352,
        400,
        "Version stamp associated with the client has expired. Please perform a full sync.",
    ),
}


class CrmError(Exception):
    """Dynamics refuses; name: of `FACTS`. retry_after: seconds, of throttling."""

    def __init__(self, name: str, *particulars: Any, retry_after: int | None = None) -> None:
        self.name, self.fact, self.retry_after = name, FACTS[name], retry_after
        self.message = self.fact.message.format(*particulars)
        super().__init__(self.message)

    @property
    def hex(self) -> str:
        """`0x80040217`, as the Web API tells it."""
        return f"0x{self.fact.code:08X}"

    @property
    def number(self) -> int:
        """-2147220969, as SOAP tells it: signed, 32 bits."""
        return self.fact.code - 0x1_0000_0000

    @property
    def status(self) -> int:
        return self.fact.status
