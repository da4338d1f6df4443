"""The faults a Sugar server answers with; texts as recorded on SuiteCRM 7.12.5."""

_DIED = "Unknown error in SOAP call: service died unexpectedly"

_FAULTS: dict[int, tuple[str, str]] = {
    -1: (_DIED, ""),
    10: ("Invalid Login", "Login attempt failed please check the username and password"),
    11: ("Invalid Session ID", "The session ID is invalid"),
    20: ("Module Does Not Exist", "This module is not available on this server"),
    40: ("Access Denied", "You do not have access"),
    1000: ("Invalid call for this module", "This module does not support this operation"),
    1001: ("Invalid data provided", "The data provided for this request is invalid"),
    1009: ("Password Expired", "locked out"),
}


class SoapFault(Exception):
    """One SOAP fault: `code` is an int, or the text `SOAP-ENV:Client` for what never reached Sugar."""

    def __init__(self, code: int | str, text: str, detail: str = "") -> None:
        super().__init__(text)
        self.code, self.text, self.detail = code, text, detail


def fault(code: int) -> SoapFault:
    """The fault with one of Sugar's own numbers."""
    return SoapFault(code, *_FAULTS[code])


def database_failure() -> SoapFault:
    return SoapFault(-1, _DIED, "Database failure. Please refer to suitecrm.log for details.")


def client_fault(text: str) -> SoapFault:
    return SoapFault("SOAP-ENV:Client", text)
