"""A mail server for one machine: takes mails by SMTP, delivers none, and shows them in a browser."""

from .inbox import Message
from .server import MailServer

__all__ = ["MailServer", "Message"]
