"""A mail by the hospital's mail server: smtplib, STARTTLS or TLS from the first octet. In the thread `email`; every wait has a limit."""

import hashlib
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate

from appliance.store.alarms import MailSettings

LIMIT_S = 15.0


class Mailer:
    """As people set it now."""

    def __init__(self, settings: Callable[[], MailSettings]) -> None:
        self._settings = settings

    def ready(self) -> bool:
        return bool(self._settings().host)

    def an_hour(self) -> int:
        return self._settings().an_hour

    def send(self, to: str, text: str, once_key: str) -> None:
        """Raises: OSError (smtplib's among them), ValueError for an address that is none or that the server does not take."""
        settings = self._settings()
        message = letter(settings.sender, to, text, once_key)
        with _connected(settings) as server:
            if settings.user:
                server.login(settings.user, settings.password)
            try:
                server.send_message(message)
            except smtplib.SMTPRecipientsRefused as error:
                code, said = next(iter(error.recipients.values()))
                if code >= 500:
                    raise ValueError(f"{code} {said.decode(errors='replace')}") from error
                raise


def letter(sender: str, to: str, text: str, once_key: str) -> EmailMessage:
    """`text`: subject, empty line, body. Its id follows from `once_key`, so that a mail that was sent twice is seen as one.

    Raises: ValueError.
    """
    subject, _, body = text.partition("\n")
    message = EmailMessage()
    message["From"], message["To"] = sender, to
    message["Subject"] = subject
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = f"<{hashlib.sha256(once_key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2] or 'careline'}>"
    message["Auto-Submitted"] = "auto-generated"  # Source: RFC 3834; no holiday notices, please
    message.set_content(body.strip() + "\n")
    return message


def _connected(settings: MailSettings) -> smtplib.SMTP:
    """Raises: OSError."""
    context = ssl.create_default_context()
    if not settings.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if settings.security == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=LIMIT_S, context=context)
    server = smtplib.SMTP(settings.host, settings.port, timeout=LIMIT_S)
    if settings.security == "starttls":
        server.starttls(context=context)
    return server
